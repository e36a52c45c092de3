//! The raw limits: what the machine does when nothing of ours is in the way.

use crate::stamps::Stamps;
use crate::trouble::{Trouble, trouble};
use crate::{clock, usage};
use rusqlite::Connection;
use std::ffi::OsStr;
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wh_protocol::env::PASSED_ON;

/// A command as a worker is started: with what is passed on to workers and without all else. A language makes each start
/// of `cat` dearer by a seventh, and `cargo run` names directories in which every program then looks for its libraries
/// first, which makes it dearer still.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let passed_on = PASSED_ON.iter().copied().chain(["TMPDIR"]);
    command.env_clear().envs(passed_on.filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// What a number of tasks cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) per_s: f64,
    /// Processor time of everybody, for each, in milliseconds.
    pub(crate) cpu_ms: f64,
}

impl Cost {
    pub(crate) fn of(count: u32, seconds: f64, cpu: Duration) -> Self {
        let count = f64::from(count);
        Self { per_s: count / seconds, cpu_ms: cpu.as_secs_f64() * 1e3 / count }
    }
}

/// Starts a program so often, with input, output and errors through pipes, from as many threads as there are streams.
pub(crate) fn spawning(argv: &[String], input: &str, streams: u32, count: u32) -> Result<Cost, Trouble> {
    let (begun, cpu) = (Instant::now(), usage::own_cpu());
    std::thread::scope(|scope| {
        let work = || (0..count / streams).try_for_each(|_| once(argv, input));
        let threads: Vec<_> = (0..streams).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread died")?)
    })?;
    Ok(Cost::of(count, begun.elapsed().as_secs_f64(), usage::own_cpu().saturating_sub(cpu)))
}

fn once(argv: &[String], input: &str) -> Result<(), Trouble> {
    let (program, arguments) = argv.split_first().ok_or("no program")?;
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().ok_or("no pipe")?.write_all(input.as_bytes())?;
    let mut output = Vec::new();
    child.stdout.take().ok_or("no pipe")?.read_to_end(&mut output)?;
    child.stderr.take().ok_or("no pipe")?.read_to_end(&mut output)?;
    if child.wait()?.success() && output == input.as_bytes() {
        return Ok(());
    }
    Err(trouble(format!("{program} did not answer with its input")))
}

/// `xargs -P STREAMS` over as many files with the input in them.
pub(crate) fn xargs(
    argv: &[String],
    (dir, input): (&Path, &str),
    streams: u32,
    count: u32,
) -> Result<Cost, Trouble> {
    let file = dir.join("xargs-input");
    std::fs::write(&file, input)?;
    let (begun, cpu) = (Instant::now(), usage::own_cpu());
    let mut command = command("xargs");
    command.args(["-P", &streams.to_string(), "-n", "1"]).args(argv);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut lines = child.stdin.take().ok_or("no pipe")?;
    lines.write_all(format!("{}\n", file.display()).repeat(count as usize).as_bytes())?;
    drop(lines);
    if !child.wait()?.success() {
        return Err(trouble("xargs failed"));
    }
    Ok(Cost::of(count, begun.elapsed().as_secs_f64(), usage::own_cpu().saturating_sub(cpu)))
}

/// Plain SQLite: one narrow row, one index, one commit, each on stable storage.
#[derive(Debug)]
pub(crate) struct Commits(Connection, u64);

impl Commits {
    /// A new database.
    pub(crate) fn new(path: &Path) -> Result<Self, Trouble> {
        let connection = Connection::open(path)?;
        // Like the store, so that neither writes less than the other.
        connection.pragma_update(None, "page_size", 2_048)?;
        durable(&connection)?;
        connection.execute_batch(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT); CREATE INDEX i ON t (b)",
        )?;
        Ok(Self(connection, 0))
    }

    /// One commit.
    pub(crate) fn commit(&mut self) -> Result<(), Trouble> {
        self.1 += 1;
        let mut insert = self.0.prepare_cached("INSERT INTO t (b, c) VALUES (?1, ?2)")?;
        insert.execute((format!("id-{}", self.1), "{\"n\":1}"))?;
        Ok(())
    }
}

/// The word that makes this program commit lines and nothing else.
pub(crate) const COMMITTER: &str = "committer";

/// Commits a narrow row for each line that comes, and gives the line back once it is on stable storage.
pub(crate) fn commit_lines(database: &Path) -> Result<(), Trouble> {
    let (mut commits, mut line) = (Commits::new(database)?, String::new());
    let (mut lines, mut answers) = (std::io::stdin().lock(), std::io::stdout().lock());
    while lines.read_line(&mut line)? > 0 {
        commits.commit()?;
        answers.write_all(line.as_bytes())?;
        answers.flush()?;
        line.clear();
    }
    Ok(())
}

/// Settings under which a commit is on stable storage when it returns.
pub(crate) fn durable(connection: &Connection) -> Result<(), Trouble> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

/// From asking for a process to its first instruction.
pub(crate) fn start(argv: &[String], stamps: &mut Stamps) -> Result<Duration, Trouble> {
    let (program, arguments) = argv.split_first().ok_or("no program")?;
    let begun = clock::now();
    let mut command = command(program);
    command.args(arguments).env("WORKERHOST_TASK_ID", "raw").env("WORKERHOST_ATTEMPT", "0");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let began = stamps.of("raw")?;
    child.wait()?;
    Ok(began.saturating_sub(begun))
}

/// How often something is done within that time.
pub(crate) fn rate(time: Duration, mut once: impl FnMut() -> Result<u32, Trouble>) -> Result<f64, Trouble> {
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < time {
        count += once()?;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
