//! A worker on trial: started as an attempt would start it, sent what its examiner says, and seen in all it does.
//!
//! A runner would not do: it sends whole tasks only, and tells what they came to instead of what was written. So this
//! shares everything below: program, variables, descriptors, workspace, guardian and the end of the tree.

use crate::attempt::exit_of;
use crate::channel::Channel;
use crate::link::{Gone, Guardian, Unsent};
use crate::nursery::Nursery;
use crate::pipes::{Stdin, Tap};
use crate::program::{self, Home};
use crate::redact::Redactor;
use crate::runner::RunnerOptions;
use crate::timers::STUCK_AFTER;
use crate::wire::{Command, Notice, Program};
use crate::workspace::place::Place;
use crate::workspace::scratch::Scratch;
use rustix::fd::{AsFd, OwnedFd};
use std::ffi::{CString, OsString};
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::ending::Exit;
use wh_domain::ending::Hindrance;
use wh_domain::id::StreamNo;
use wh_domain::isolation::{Enforcement, Level};
use wh_domain::limits::Limits;
use wh_domain::worker::{Worker, Workspace};
use wh_ports::clock::Clock;
use wh_protocol::control::Control;
use wh_protocol::env::{CHANNEL_FD_NUMBER, Environment, Places};
use wh_protocol::verify::{Act, Ended, Observation};

/// How much is kept of standard error: its end, where errors that nobody caught are found.
const STDERR: usize = 64 << 10;

/// What is done to a worker once.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What its environment says of the task's type.
    pub task_type: String,
    /// What stands on standard input; `None` leaves it open, and empty, for as long as the worker lives.
    pub stdin: Option<Vec<u8>>,
    /// What is done besides.
    pub act: Act,
    /// How long it may take: from its start, or from the signal where one is sent.
    pub limit: Duration,
}

/// Tries one worker, again and again, each time with a fresh process and a clean workspace.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show, and variables may be secrets")]
pub struct Trials {
    nursery: Nursery,
    clock: Arc<dyn Clock>,
    data_dir: PathBuf,
    environment: Vec<(OsString, OsString)>,
    /// What the worker may not reach where it is isolated.
    private: Vec<PathBuf>,
    worker: Worker,
}

impl Trials {
    /// Starts the spawner. Workspaces are made below the options' data directory, which should be of the trials' own.
    ///
    /// # Errors
    /// Where the spawner cannot be started.
    pub fn new(options: RunnerOptions, worker: Worker) -> io::Result<Self> {
        let RunnerOptions { data_dir, spawner, token, clock, environment, private, .. } = options;
        let private = private.into_iter().chain([data_dir.clone()]).collect();
        Ok(Self { nursery: Nursery::new(spawner, token)?, clock, data_dir, environment, private, worker })
    }

    /// Where the workspace is, as an absolute path; `None` for a worker that has none.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn workspace(&self) -> io::Result<Option<String>> {
        Ok(self.place()?.map(|place| place.names.workspace))
    }

    /// Tries the worker once. What it wrote outside its workspace is for others to see.
    ///
    /// # Errors
    /// Where the machine has no room for the trial, or the worker's processes cannot be ended.
    pub async fn run(&self, trial: Trial) -> io::Result<Observation> {
        let place = self.place()?;
        let scratch = self.scratch()?;
        let own = scratch.as_ref().map(|scratch| (scratch.path(), scratch.path()));
        let home = Home { own: place.as_ref().map(Place::home).or(own), private: &self.private };
        let program = match program::resolve(&self.worker, &self.environment, home) {
            Ok(program) => Arc::new(program),
            Err(Hindrance::Host(why)) => return Err(io::Error::other(why.into_string())),
            Err(Hindrance::Task(why) | Hindrance::Worker(why)) => return Ok(not_started(why.into())),
        };
        let (stdout, out) = Tap::new()?;
        let (stderr, err) = Tap::new()?;
        let (channel, third) = Channel::new()?;
        let stdin = match &trial.stdin {
            Some(bytes) => Stdin::fed(bytes.clone())?,
            None => Stdin::open()?,
        };
        let guardian = self.nursery.hire(None).await?;
        let mut running = Running::new(guardian, stdin, [stdout, stderr], channel, &trial, self.most());
        let variables = self.variables(place.as_ref(), &trial);
        match running.start(&program, (&variables, &self.worker.limits), (out, err, third)).await {
            Ok(()) => {}
            Err(Unsent::TooLong) => {
                return Ok(not_started("its command line and environment are too long".to_owned()));
            }
            Err(Unsent::Refused(error)) => return Err(error),
            Err(Unsent::Gone) => return Err(io::Error::other("the process that is to watch it is gone")),
        }
        let observation = running.watch().await?;
        Ok(match observation {
            Seen::Whole(mut observation) => {
                // Its last words are shown.
                let text = String::from_utf8_lossy(&observation.stderr);
                let hidden = Redactor::new(&self.worker.program.secrets).hide(&text).into_owned();
                observation.stderr = hidden.into_bytes();
                *observation
            }
            Seen::NotStarted(errno) => not_started(program::explain(errno, &program)),
            Seen::NotIsolated(gaps) => not_started(gaps),
        })
    }

    fn place(&self) -> io::Result<Option<Place>> {
        if self.worker.workspace == Workspace::None {
            return Ok(None);
        }
        let whose = (0, &self.worker, StreamNo(1));
        Place::make(&self.data_dir, whose, self.clock.wall()).map(Some)
    }

    fn scratch(&self) -> io::Result<Option<Scratch>> {
        let has_none = self.worker.workspace == Workspace::None && self.worker.isolation.level != Level::None;
        let make = || Scratch::make(&self.data_dir, (0, &self.worker.name, StreamNo(1)));
        has_none.then(make).transpose()
    }

    /// One byte more than a worker may write shows that it wrote too much.
    fn most(&self) -> usize {
        usize::try_from(self.worker.bounds.stdout).unwrap_or(usize::MAX).saturating_add(1)
    }

    fn variables(&self, place: Option<&Place>, trial: &Trial) -> Vec<CString> {
        let deadline = self.clock.wall().after(trial.limit).as_millis();
        let environment = Environment {
            task_id: "verify-1",
            task_type: &trial.task_type,
            host_id: "verify",
            attempt: 1,
            attempt_id: "verify-1:1",
            max_attempts: 3,
            worker: self.worker.name.as_str(),
            stream: 1,
            places: place.map(|place| Places {
                workspace: &place.names.workspace,
                input: &place.names.input,
                working: &place.names.working,
                output: &place.names.output,
                logs: &place.names.logs,
            }),
            deadline_ms: deadline,
            soft_deadline_ms: deadline,
            channel_fd: NonZeroU32::new(CHANNEL_FD_NUMBER),
            traceparent: None,
        };
        let variables = environment.variables().into_iter();
        variables.filter_map(|(name, value)| program::variable(name, &value)).collect()
    }
}

fn not_started(why: String) -> Observation {
    Observation { ended: Ended::NotStarted(why), ..Observation::silent() }
}

/// What came of a trial.
enum Seen {
    Whole(Box<Observation>),
    /// The kernel refused; holds its error number.
    NotStarted(i32),
    /// Its isolation is required and has gaps; holds what they are.
    NotIsolated(String),
}

/// A worker that is being tried.
struct Running {
    guardian: Guardian,
    stdin: Stdin,
    stdout: Tap,
    stderr: Tap,
    channel: Channel,
    most: usize,
    limit: Duration,
    stage: Stage,
    /// From here its time is counted.
    since: Instant,
    seen: Observation,
}

/// What is waited for, and until when.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The moment of the signal.
    Before(Instant),
    /// The worker's end.
    Working(Instant),
    /// The end of its tree, which is taken care of.
    Ending(Instant),
}

/// What one turn brought.
enum Happened {
    Notice(Result<Notice, Gone>),
    Stdout,
    Stderr,
    Channel,
    Fed,
    Due,
}

impl Running {
    fn new(
        guardian: Guardian,
        stdin: Stdin,
        [stdout, stderr]: [Tap; 2],
        channel: Channel,
        trial: &Trial,
        most: usize,
    ) -> Self {
        let since = Instant::now();
        let stage = match trial.act {
            Act::Terminate { after } => Stage::Before(since + after),
            Act::Wait | Act::SoftTimeout => Stage::Working(since + trial.limit),
        };
        let (seen, limit) = (Observation::silent(), trial.limit);
        let mut running = Self { guardian, stdin, stdout, stderr, channel, most, limit, stage, since, seen };
        if trial.act == Act::SoftTimeout {
            running.channel.say(Control::SoftTimeout { remaining: trial.limit });
        }
        running.stdout.listen();
        running.stderr.listen();
        running.channel.listen();
        running
    }

    async fn start(
        &mut self,
        program: &Arc<Program>,
        within: (&[CString], &Limits),
        (out, err, third): (OwnedFd, OwnedFd, OwnedFd),
    ) -> Result<(), Unsent> {
        let descriptors = [self.stdin.theirs(), out.as_fd(), err.as_fd(), third.as_fd()];
        self.guardian.start(program, within, descriptors).await
    }

    async fn watch(mut self) -> io::Result<Seen> {
        loop {
            let (Stage::Before(until) | Stage::Working(until) | Stage::Ending(until)) = self.stage;
            let happened = tokio::select! {
                biased;
                notice = self.guardian.notice() => Happened::Notice(notice),
                () = self.stdout.readable() => Happened::Stdout,
                () = self.stderr.readable() => Happened::Stderr,
                () = self.channel.readable() => Happened::Channel,
                () = self.stdin.push() => Happened::Fed,
                () = tokio::time::sleep_until(until) => Happened::Due,
            };
            match happened {
                Happened::Notice(Ok(Notice::Ended(ended))) => {
                    self.exited(ended.status);
                    self.seen.leaked = ended.leaked.iter().map(ToString::to_string).collect();
                    return Ok(Seen::Whole(Box::new(self.seen)));
                }
                Happened::Notice(Ok(Notice::NotStarted(errno))) => return Ok(Seen::NotStarted(errno)),
                Happened::Notice(Ok(Notice::NotIsolated)) => {
                    let gaps = self.guardian.entered().and_then(Enforcement::shortfall);
                    return Ok(Seen::NotIsolated(gaps.unwrap_or_default()));
                }
                Happened::Notice(Ok(Notice::Exited(status))) => self.exited(status),
                Happened::Notice(Ok(Notice::Hello(_) | Notice::Entered(_) | Notice::MemoryHigh { .. }))
                | Happened::Fed => {}
                Happened::Notice(Err(Gone)) => {
                    return Err(io::Error::other("the process that watched it is gone"));
                }
                Happened::Stdout => self.stdout.drain(|piece| head(&mut self.seen.stdout, piece, self.most)),
                Happened::Stderr => self.stderr.drain(|piece| tail(&mut self.seen.stderr, piece)),
                Happened::Channel => {
                    self.channel.drain(|piece| head(&mut self.seen.channel, piece, self.most));
                }
                Happened::Due => self.due()?,
            }
        }
    }

    fn due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        self.stage = match self.stage {
            Stage::Before(_) => {
                self.guardian.tell(&Command::Terminate);
                self.since = now;
                Stage::Working(now + self.limit)
            }
            Stage::Working(_) => {
                self.seen.elapsed = now - self.since;
                self.seen.ended = Ended::Never;
                self.guardian.tell(&Command::Kill);
                Stage::Ending(now + STUCK_AFTER)
            }
            Stage::Ending(_) => {
                return Err(io::Error::other("its processes cannot be ended, even by SIGKILL"));
            }
        };
        Ok(())
    }

    /// The worker has ended: what others write in its name from now on is not its own.
    fn exited(&mut self, status: i32) {
        let most = u64::try_from(self.most).unwrap_or(u64::MAX);
        self.stdout.drain_and_close(most, |piece| head(&mut self.seen.stdout, piece, self.most));
        self.channel.drain_and_close(most, |piece| head(&mut self.seen.channel, piece, self.most));
        self.stderr.drain_and_close(most, |piece| tail(&mut self.seen.stderr, piece));
        if matches!(self.stage, Stage::Ending(_)) {
            return;
        }
        let now = Instant::now();
        self.seen.stdin_unread = self.stdin.unread();
        self.seen.elapsed = now - self.since;
        self.seen.ended = match exit_of(status) {
            Exit::Code(code) => Ended::Code(code),
            Exit::Signal(signal) => Ended::Signal(signal),
            Exit::NotStarted(why) => Ended::NotStarted(why.into()),
            Exit::Unseen => Ended::Never,
        };
        self.stage = Stage::Ending(now + STUCK_AFTER);
    }
}

fn head(kept: &mut Vec<u8>, piece: &[u8], most: usize) {
    let room = most.saturating_sub(kept.len());
    kept.extend_from_slice(piece.get(..room).unwrap_or(piece));
}

fn tail(kept: &mut Vec<u8>, piece: &[u8]) {
    kept.extend_from_slice(piece);
    let beyond = kept.len().saturating_sub(STDERR);
    kept.drain(..beyond);
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn of_what_is_too_much_the_head_or_the_tail_is_kept() {
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for piece in [b"ab", b"cd", b"ef"] {
            head(&mut first, piece, 3);
        }
        assert_eq!(first, b"abc");
        tail(&mut last, &vec![b'x'; STDERR]);
        tail(&mut last, b"the end");
        assert_eq!(last.len(), STDERR);
        assert!(last.ends_with(b"the end"));
    }
}
