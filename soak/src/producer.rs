//! A producer: hands tasks in without end through `enqueue --file -`, is killed now and then, and keeps its own books.

use crate::arena::Arena;
use crate::kind::{Kind, content_of, file_of, id_of, line_of};
use crate::ledger::Ledger;
use crate::process::PAUSE;
use crate::{Tried, Trouble};
use fastrand::Rng;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Lines that may be on their way.
const MOST_UNANSWERED: usize = 200;

/// What the producer may do, and how far it is.
#[derive(Debug, Default)]
pub struct Shared {
    /// It sends so many tasks and then waits for more to be allowed.
    pub allowed: AtomicU64,
    /// Producers are killed now and then.
    pub is_mortal: bool,
    /// The process that is at it, 0 where none is.
    pub process: AtomicU32,
    /// Its process is being killed, and no other one is to follow.
    pub is_cut: AtomicBool,
    /// No more are coming: it waits for its last answers and ends.
    pub is_over: AtomicBool,
    /// So many have been sent for the first time.
    pub sent: AtomicU64,
    /// So many answers have come.
    pub answered: AtomicU64,
    /// Producers that were killed.
    pub killed: AtomicU64,
    /// Producers that ended well.
    pub ended: AtomicU64,
    /// Commands to cancel tasks that were killed.
    pub cancels_killed: AtomicU64,
    /// Odd while the configuration cannot be read; grows each time that changes.
    pub spoilt: AtomicU64,
}

/// Sends lines.
#[derive(Debug)]
pub struct Producer {
    /// How far it is.
    pub shared: Arc<Shared>,
    thread: JoinHandle<Tried<()>>,
}

impl Producer {
    /// Starts to send the tasks from number `first` on.
    pub fn start(arena: &Arena, first: u64, seed: u64, is_mortal: bool) -> Tried<Self> {
        let shared = Arc::new(Shared { is_mortal, ..Shared::default() });
        let feed = Feed {
            arena: arena.clone(),
            shared: Arc::clone(&shared),
            books: Arc::new(Ledger::open(&arena.acknowledgements())?),
            unanswered: Arc::default(),
            again: Vec::new(),
            doomed: Arc::default(),
            first,
            rng: Rng::with_seed(seed),
        };
        Ok(Self { shared, thread: std::thread::spawn(move || feed.run()) })
    }

    /// Allows so many tasks in all; what was allowed once stays so.
    pub fn allow(&self, tasks: u64) {
        self.shared.allowed.fetch_max(tasks, Ordering::Relaxed);
    }

    /// Whether nothing more comes from it. One that has ended before it was to has something to say: [`Self::join`].
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Lets it send what is allowed, and waits for its end.
    pub fn finish(self) -> Tried<Arc<Shared>> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.join()
    }

    /// Waits for the end of one whose process has been killed after [`Shared::is_cut`] was set.
    pub fn join(self) -> Tried<Arc<Shared>> {
        self.thread.join().map_err(|_| "the producer's thread has panicked")??;
        Ok(self.shared)
    }
}

/// How a command ends that cannot read its configuration.
const NO_CONFIGURATION: i32 = 9;

/// How a producer ends.
enum Fate {
    /// Its input ends after so many lines.
    Ends(u64),
    /// It is killed after so many lines, in the middle of whatever it does.
    Killed(u64),
    /// It dies at a named point.
    Dies(String),
}

type Numbers = Arc<Mutex<BTreeSet<u64>>>;

struct Feed {
    arena: Arena,
    shared: Arc<Shared>,
    books: Arc<Ledger>,
    /// Numbers whose answer has not come.
    unanswered: Numbers,
    /// Numbers to be sent once more.
    again: Vec<u64>,
    /// Numbers of tasks that have come in and are to be cancelled.
    doomed: Numbers,
    first: u64,
    rng: Rng,
}

impl Feed {
    fn run(mut self) -> Tried<()> {
        loop {
            let fate = self.fate();
            let is_last = self.one(&fate)?;
            if self.shared.is_mortal {
                self.cancel(is_last)?;
            }
            if self.shared.is_cut.load(Ordering::Relaxed) {
                return Ok(());
            }
            let left: Vec<u64> = std::mem::take(&mut *lock(&self.unanswered)).into_iter().collect();
            if is_last && left.is_empty() {
                return Ok(());
            }
            // Nobody knows what became of these. Of some a producer would ask again, of others it would not.
            self.again = left.into_iter().filter(|_| self.rng.bool()).collect();
        }
    }

    fn fate(&mut self) -> Fate {
        if self.shared.is_over.load(Ordering::Relaxed) || !self.shared.is_mortal {
            return Fate::Ends(u64::MAX);
        }
        const POINTS: [&str; 6] = [
            "enqueue.before_commit",
            "enqueue.after_commit",
            "bell.before",
            "bell.after",
            "blob.after_write",
            "blob.after_rename",
        ];
        let lines = self.rng.u64(50..300);
        match self.rng.u32(0..3) {
            0 => Fate::Ends(lines),
            1 => Fate::Killed(lines),
            _ => Fate::Dies(format!("{}:{}", POINTS[self.rng.usize(0..POINTS.len())], self.rng.u64(1..20))),
        }
    }

    /// One producer's life. True when nothing is left to send and it has ended well.
    fn one(&mut self, fate: &Fate) -> Tried<bool> {
        let kill_at = if let Fate::Dies(point) = fate { Some(point.as_str()) } else { None };
        let spoilt = self.shared.spoilt.load(Ordering::Relaxed);
        let mut command = self.arena.command(&["enqueue", "--file", "-", "--json", "-q"], kill_at);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        self.shared.process.store(child.id(), Ordering::Relaxed);
        let input = child.stdin.take().ok_or("no standard input")?;
        let listener = self.listen(&mut child)?;
        let complaints = child.stderr.take().map(BufReader::new);
        let is_last = self.feed(input, &mut child, fate)?;
        if matches!(fate, Fate::Killed(_)) && !is_last {
            std::thread::sleep(Duration::from_micros(self.rng.u64(0..3_000)));
            child.kill()?;
        }
        let status = child.wait()?;
        self.shared.process.store(0, Ordering::Relaxed);
        listener.join().map_err(|_| "the thread that reads answers has panicked")??;
        if status.success() {
            self.shared.ended.fetch_add(1, Ordering::Relaxed);
            return match lock(&self.unanswered).len() {
                0 => Ok(is_last),
                left => Err(format!("a producer ended well and left {left} lines without an answer").into()),
            };
        }
        if std::os::unix::process::ExitStatusExt::signal(&status) == Some(9) {
            self.shared.killed.fetch_add(1, Ordering::Relaxed);
            return Ok(false);
        }
        let is_spoilt = spoilt % 2 == 1 || self.shared.spoilt.load(Ordering::Relaxed) != spoilt;
        if is_spoilt && status.code() == Some(NO_CONFIGURATION) {
            return Ok(false);
        }
        let mut said = String::new();
        complaints.map(|mut said_on| said_on.read_to_string(&mut said)).transpose()?;
        Err(format!("a producer ended with {status}: {said}").into())
    }

    /// Asks for the cancellation of some of the doomed, or of all that are left; sometimes the command is killed.
    fn cancel(&mut self, all: bool) -> Tried<()> {
        let (doomed, later): (Vec<u64>, Vec<u64>) = std::mem::take(&mut *lock(&self.doomed))
            .into_iter()
            .partition(|_| all || self.rng.u32(0..3) == 0);
        lock(&self.doomed).extend(later);
        if doomed.is_empty() {
            return Ok(());
        }
        const POINTS: [&str; 3] = ["wish.before_commit:1", "wish.after_commit:1", "bell.before:1"];
        let is_killed = self.shared.is_mortal && self.rng.u32(0..4) == 0;
        let kill_at = is_killed.then(|| POINTS[self.rng.usize(0..POINTS.len())]);
        let ids: Vec<String> = doomed.into_iter().map(id_of).collect();
        for id in &ids {
            self.books.add(&format!("doomed {id}"))?;
        }
        let arguments: Vec<&str> =
            ["cancel", "--json", "-q"].into_iter().chain(ids.iter().map(String::as_str)).collect();
        let done = self.arena.command(&arguments, kill_at).stdout(Stdio::piped()).output()?;
        for line in done.stdout.split(|byte| *byte == b'\n') {
            let Ok(answer) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
            let word = |key: &str| answer[key].as_str().unwrap_or("none").to_owned();
            self.books.add(&format!("answered {} {}", word("id"), word("status")))?;
        }
        if std::os::unix::process::ExitStatusExt::signal(&done.status) == Some(9) {
            self.shared.cancels_killed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends until the producer's fate or the end of all tasks; true at the end of all tasks.
    fn feed(&mut self, mut input: ChildStdin, child: &mut Child, fate: &Fate) -> Tried<bool> {
        let mut left = match fate {
            Fate::Ends(lines) | Fate::Killed(lines) => *lines,
            Fate::Dies(_) => 600,
        };
        while left > 0 {
            let burst = self.rng.u64(1..20).min(left);
            let numbers = self.next(burst);
            if numbers.is_empty() {
                if self.shared.is_over.load(Ordering::Relaxed) {
                    return Ok(true);
                }
                std::thread::sleep(PAUSE);
            }
            left -= numbers.len() as u64;
            if !self.send(&mut input, &numbers)? {
                return Ok(false);
            }
            // Now and then it waits for every answer before it goes on, as a careful producer does.
            let most = if self.rng.u32(0..4) == 0 { 0 } else { MOST_UNANSWERED };
            while lock(&self.unanswered).len() > most {
                if child.try_wait()?.is_some() {
                    return Ok(false);
                }
                std::thread::sleep(PAUSE);
            }
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn next(&mut self, most: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        while (numbers.len() as u64) < most {
            let number = self.again.pop().or_else(|| {
                let sent = self.shared.sent.load(Ordering::Relaxed);
                (sent < self.shared.allowed.load(Ordering::Relaxed)).then(|| {
                    self.shared.sent.store(sent + 1, Ordering::Relaxed);
                    self.first + sent
                })
            });
            match number {
                Some(number) => numbers.push(number),
                None => break,
            }
        }
        numbers
    }

    /// Notes what is sent before it is; false where nobody reads any more.
    fn send(&self, input: &mut ChildStdin, numbers: &[u64]) -> Tried<bool> {
        let mut lines = String::new();
        for number in numbers {
            prepare(*number, &self.arena)?;
            self.books.add(&format!("sent {}", id_of(*number)))?;
            lock(&self.unanswered).insert(*number);
            lines.push_str(&line_of(*number, &self.arena.files()));
            lines.push('\n');
        }
        match input.write_all(lines.as_bytes()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes every answer, a line each.
    fn listen(&self, child: &mut Child) -> Tried<JoinHandle<Tried<()>>> {
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let (books, shared) = (Arc::clone(&self.books), Arc::clone(&self.shared));
        let (unanswered, doomed) = (Arc::clone(&self.unanswered), Arc::clone(&self.doomed));
        Ok(std::thread::spawn(move || {
            for line in answers.split(b'\n') {
                // A kill tears the last line at most; half an answer is none.
                let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&line?) else { continue };
                let (Some(id), Some(status)) = (answer["id"].as_str(), answer["status"].as_str()) else {
                    return Err(Trouble::from(format!("an answer without id or status: {answer}")));
                };
                books.add(&format!("acknowledged {id} {status}"))?;
                shared.answered.fetch_add(1, Ordering::Relaxed);
                if let Some(number) = id.split('-').next().and_then(|number| number.parse().ok()) {
                    lock(&unanswered).remove(&number);
                    if Kind::of(number) == Kind::Doomed {
                        lock(&doomed).insert(number);
                    }
                }
            }
            Ok(())
        }))
    }
}

fn lock(set: &Numbers) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lays out what the task with that number brings.
pub fn prepare(number: u64, arena: &Arena) -> Tried<()> {
    if Kind::of(number) == Kind::File {
        std::fs::write(file_of(number, &arena.files()), content_of(&id_of(number)))?;
    }
    Ok(())
}
