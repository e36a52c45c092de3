//! The power goes, over and over, while tasks come in and run; what was acknowledged before must be there after.

use crate::arena::{Arena, Stage, alive};
use crate::disk::Disk;
use crate::judge::{Verdict, judge, judge_so_far};
use crate::process::{Host, Pulse, wait_until};
use crate::producer::Producer;
use crate::{Tried, load};
use fastrand::Rng;
use rusqlite::Connection;
use rustix::process::Pid;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// So long the last host may take to bring everything to its end.
const TO_THE_END: Duration = Duration::from_secs(180);
/// So long whatever came from a host may live on.
const AFTERLIFE: Duration = Duration::from_secs(10);
/// Tasks that are allowed within one life of the machine.
const IN_A_LIFE: u64 = 100;

/// How large a campaign is.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Cuts while host and producer run.
    pub cuts: usize,
    /// Cuts of a program that is known to lose what it acknowledged, and as many of one that is known not to.
    pub controls: usize,
    /// What chance begins with.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Breaches found after each cut, added up, and after the end.
    pub verdict: Verdict,
    /// Cuts.
    pub cuts: usize,
    /// Acknowledgements and settlements that were there when the power went, over all cuts.
    pub at_stake: usize,
    /// Of the program that does not wait for the disk: rows that it had acknowledged and lost, cuts in which it did.
    pub careless: (usize, usize),
    /// The same of the program that waits.
    pub careful: (usize, usize),
    /// How long all of it took.
    pub took: Duration,
}

/// Runs the campaign in `dir`, with the disk in `disk_dir`; both are there and empty. The inner error says why there
/// is nothing to run.
pub fn campaign(plan: &Plan, dir: &Path, disk_dir: &Path, program: &Path) -> Tried<Result<Outcome, String>> {
    let begun = Instant::now();
    let mut disk = match Disk::new(disk_dir)? {
        Ok(disk) => disk,
        Err(why) => return Ok(Err(why)),
    };
    let mut rng = Rng::with_seed(plan.seed);
    let careless = control(&mut disk, program, "NORMAL", plan.controls, &mut rng)?;
    let careful = control(&mut disk, program, "FULL", plan.controls, &mut rng)?;
    let arena = Arena::new(dir, &disk.mount.join("data"), program)?;
    let mut campaign = Campaign {
        pulse: Pulse::listen(&alive(&arena.ground()))?,
        arena,
        disk,
        rng,
        verdict: Verdict::default(),
        at_stake: 0,
    };
    for no in 0..plan.cuts as u64 {
        campaign.cut(no * IN_A_LIFE)?;
    }
    campaign.finish()?;
    let Campaign { verdict, at_stake, .. } = campaign;
    let (cuts, took) = (plan.cuts, begun.elapsed());
    Ok(Ok(Outcome { verdict, cuts, at_stake, careless, careful, took }))
}

struct Campaign {
    arena: Arena,
    pulse: Pulse,
    disk: Disk,
    rng: Rng,
    verdict: Verdict,
    at_stake: usize,
}

impl Campaign {
    /// One life of the machine, and what is there after it.
    fn cut(&mut self, first: u64) -> Tried<()> {
        let mut host = Host::start(&self.arena, &["run"], None)?;
        let producer = Producer::start(&self.arena, first, self.rng.u64(..), false)?;
        producer.allow(IN_A_LIFE);
        std::thread::sleep(Duration::from_millis(self.rng.u64(20..400)));
        let began = wait_until(AFTERLIFE, || Ok(producer.shared.process.load(Ordering::Relaxed) > 0))?;
        began.ok_or("the producer does not begin")?;
        producer.shared.is_cut.store(true, Ordering::Relaxed);
        let process = producer.shared.process.load(Ordering::Relaxed);
        let producing = Pid::from_raw(i32::try_from(process)?).ok_or("the producer has not begun")?;
        self.disk.cut(&[host.pid(), producing])?;
        producer.join()?;
        host.kill()?;
        host.deserted(&self.pulse, AFTERLIFE)?.ok_or("something lives on after the cut")?;
        self.disk.restart()?;
        let history = load::history(&self.arena)?;
        self.at_stake = history.books.len() + history.told.len();
        self.verdict.add(judge_so_far(&history));
        Ok(())
    }

    /// A machine whose power stays brings everything to its end.
    fn finish(&mut self) -> Tried<()> {
        self.arena.configure(Stage::Last)?;
        let mut host = Host::start(&self.arena, &["run", "--drain"], None)?;
        let status = host.end(TO_THE_END)?.ok_or("the last host does not come to its end")?;
        if !status.success() {
            return Err(format!("the last host ended with {status}").into());
        }
        host.deserted(&self.pulse, AFTERLIFE)?.ok_or("something lives on after the end")?;
        self.verdict.add(judge(&load::history(&self.arena)?));
        Ok(())
    }
}

/// Cuts the power under a program of a few lines that inserts rows, to see that the cut is one.
fn control(disk: &mut Disk, program: &Path, mode: &str, cuts: usize, rng: &mut Rng) -> Tried<(usize, usize)> {
    let database = disk.mount.join(format!("{mode}.db"));
    let (mut rows, mut cuts_with_loss) = (0, 0);
    for _ in 0..cuts {
        let mut child =
            Command::new(program).arg("rows").arg(&database).arg(mode).stdout(Stdio::piped()).spawn()?;
        let mut answers = child.stdout.take().ok_or("no standard output")?;
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            answers.read_to_string(&mut text).map(|_| text)
        });
        std::thread::sleep(Duration::from_millis(rng.u64(100..300)));
        disk.cut(&[Pid::from_child(&child)])?;
        child.wait()?;
        let text = reading.join().map_err(|_| "the thread that reads answers has panicked")??;
        disk.restart()?;
        let lost = missing(&database, &text)?;
        rows += lost;
        cuts_with_loss += usize::from(lost > 0);
    }
    Ok((rows, cuts_with_loss))
}

/// How many of the acknowledged rows are not there.
fn missing(database: &Path, acknowledged: &str) -> Tried<usize> {
    let connection = Connection::open(database)?;
    // A table that was made only just before the cut is gone with its rows.
    let Ok(mut find) = connection.prepare("SELECT 1 FROM t WHERE n = ?1") else {
        return Ok(acknowledged.lines().count());
    };
    let mut lost = 0;
    for number in acknowledged.lines() {
        lost += usize::from(!find.exists([number.parse::<i64>()?])?);
    }
    Ok(lost)
}

/// The control: inserts rows without end and acknowledges each.
pub fn rows(database: &str, mode: &str) -> Tried<()> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", mode)?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")?;
    let first: i64 = connection.query_row("SELECT coalesce(max(n), 0) FROM t", (), |row| row.get(0))?;
    let mut insert = connection.prepare("INSERT INTO t VALUES (?1)")?;
    for number in first + 1.. {
        insert.execute([number])?;
        std::io::stdout().write_all(format!("{number}\n").as_bytes())?;
    }
    Ok(())
}
