//! One attempt, driven: pipes, channel, timers and orders on one side, the ladder on the other.

use crate::briefing::{Input as Stdin, shown};
use crate::channel::Channel;
use crate::hearing::Hearing;
use crate::link::{Gone, Unsent};
use crate::machine::{Effect, Input, State};
use crate::orders::Orders;
use crate::pipes::{Feed, Tap};
use crate::seat::Lent;
use crate::timers::Timers;
use crate::wire::{Command, Ended, Notice, Program};
use crate::workspace::heartbeat::{Heartbeat, RHYTHM, Status};
use crate::workspace::space::SpaceWatch;
use rustix::fd::AsFd;
use std::ffi::CString;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::ending::Exit;
use wh_domain::limits::{Breach, Limits};
use wh_domain::timeout::TimeoutPolicy;
use wh_domain::worker::Bounds;
use wh_ports::runner::{Order, Said};
use wh_protocol::control::Control;

/// Only a worker that works longer is listened to while it works. Of a shorter one everything is read after its
/// end, which spares the host most of its turns; one that writes more than a pipe holds waits no longer than this.
const DEAF: Duration = Duration::from_millis(4);

/// When the system refuses to tell of what a worker writes, how long until it is asked again.
const STILL_DEAF: Duration = Duration::from_secs(1);

/// A worker that ends sooner is never reported as active: it spares writing a file that nobody could have read.
const FIRST_BEAT: Duration = Duration::from_secs(1);

/// An attempt whose worker runs.
pub(crate) struct Attempt<'a> {
    lent: Lent,
    feed: Feed,
    stdout: Tap,
    stderr: Tap,
    channel: Channel,
    hearing: Hearing,
    orders: &'a mut Orders,
    /// What the worker is sent at its soft limit.
    soft_signal: Option<i32>,
    bounds: Bounds,
    timers: Timers,
    state: State,
    /// When the worker is to be listened to; `None` once it is.
    listen_at: Option<Instant>,
    exited: Option<i32>,
    is_gone: bool,
    ended: Ended,
    /// The limit that its files have reached.
    breach: Option<Breach>,
    not_run: Option<NotRun>,
    space: Option<SpaceWatch>,
    pulse: Option<Pulse>,
}

/// The heartbeat and when it is due.
struct Pulse {
    heartbeat: Heartbeat,
    status: Status,
    due: Instant,
}

/// What is left when an attempt is over or stuck.
pub(crate) struct Left {
    /// Where the ladder ended.
    pub(crate) state: State,
    /// How the worker ended.
    pub(crate) exit: Result<Exit, NotRun>,
    /// The end of its tree.
    pub(crate) ended: Ended,
    /// All that was said.
    pub(crate) hearing: Hearing,
    /// How old it became.
    pub(crate) age: Duration,
    /// Whether nothing of its input was read.
    pub(crate) stdin_untouched: bool,
    /// The guardian.
    pub(crate) lent: Lent,
    /// Whether the guardian died before the tree was seen to be empty.
    pub(crate) is_gone: bool,
    /// The heartbeat, where there is a workspace.
    pub(crate) heartbeat: Option<Heartbeat>,
}

/// Why a worker never ran.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NotRun {
    /// The kernel refused: an error number.
    NotStarted(i32),
    /// Its isolation is required and has gaps.
    NotIsolated,
}

/// What one turn brought.
enum Happened {
    Notice(Result<Notice, Gone>),
    Order(Order),
    Stdout,
    Stderr,
    Channel,
    Fed,
    Full(Breach),
    Due,
}

/// All that is needed to begin.
pub(crate) struct Beginning<'a> {
    pub(crate) lent: Lent,
    pub(crate) program: Arc<Program>,
    pub(crate) env: Vec<CString>,
    pub(crate) stdin: Arc<Stdin>,
    pub(crate) hearing: Hearing,
    pub(crate) orders: &'a mut Orders,
    pub(crate) timeout: TimeoutPolicy,
    pub(crate) limits: Limits,
    pub(crate) space: Option<SpaceWatch>,
    pub(crate) bounds: Bounds,
    pub(crate) heartbeat: Option<Heartbeat>,
}

/// Why an attempt did not begin.
pub(crate) enum NotBegun<'a> {
    /// The guardian had died while it waited: the same again with another.
    GuardianGone(Box<Beginning<'a>>),
    /// The system refused a pipe.
    NoPipes(io::Error),
    /// The system refused to hand the pipes to the guardian.
    Refused(io::Error),
    /// Command line and environment are longer than any program can be given.
    TooLong,
}

impl<'a> Attempt<'a> {
    /// Has the worker started.
    pub(crate) async fn begin(mut from: Beginning<'a>) -> Result<Self, NotBegun<'a>> {
        let pipes =
            || -> io::Result<_> { Ok((Tap::new()?, Tap::new()?, Channel::new()?, Feed::new(&from.stdin)?)) };
        let ((stdout, out), (stderr, err), (channel, third), feed) = match pipes() {
            Ok(pipes) => pipes,
            Err(error) => {
                from.lent.give_back();
                return Err(NotBegun::NoPipes(error));
            }
        };
        let descriptors = [feed.theirs(), out.as_fd(), err.as_fd(), third.as_fd()];
        match from.lent.start(&from.program, (&from.env, &from.limits), descriptors).await {
            Ok(()) => {}
            Err(Unsent::Gone) => return Err(NotBegun::GuardianGone(Box::new(from))),
            // Part of it may have gone, so this guardian is of no use any more.
            Err(Unsent::Refused(error)) => return Err(NotBegun::Refused(error)),
            Err(Unsent::TooLong) => {
                from.lent.give_back();
                return Err(NotBegun::TooLong);
            }
        }
        let now = Instant::now();
        Ok(Self {
            lent: from.lent,
            feed,
            stdout,
            stderr,
            channel,
            hearing: from.hearing,
            orders: from.orders,
            soft_signal: from.timeout.soft_signal,
            bounds: from.bounds,
            timers: Timers::new(from.timeout, now),
            state: State::START,
            listen_at: Some(now + DEAF),
            exited: None,
            is_gone: false,
            ended: Ended::default(),
            breach: None,
            not_run: None,
            space: from.space,
            pulse: from.heartbeat.map(|heartbeat| Pulse {
                heartbeat,
                status: Status::Active,
                due: now + FIRST_BEAT,
            }),
        })
    }

    /// Carries it until its tree is empty, its guardian dead, or it is stuck.
    pub(crate) async fn carry(mut self) -> Left {
        let mut timer = std::pin::pin!(tokio::time::sleep_until(self.deadline()));
        while !matches!(self.state, State::Over(_) | State::Stuck(_)) && !self.is_gone {
            let deadline = self.deadline();
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            let happened = tokio::select! {
                biased;
                notice = self.lent.notice() => Happened::Notice(notice),
                order = self.orders.next() => Happened::Order(order),
                () = self.stdout.readable() => Happened::Stdout,
                () = self.stderr.readable() => Happened::Stderr,
                () = self.channel.readable() => Happened::Channel,
                () = self.feed.push() => Happened::Fed,
                breach = passed(&mut self.space) => Happened::Full(breach),
                () = timer.as_mut() => Happened::Due,
            };
            self.take(happened);
        }
        self.leave()
    }

    fn now(&self) -> Duration {
        self.timers.begun().elapsed()
    }

    fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Notice(notice) => self.noticed(notice),
            Happened::Order(order) => self.step(Input::Ordered(order)),
            Happened::Stdout => self.hear_stdout(),
            Happened::Stderr => {
                let now = self.now();
                self.stderr.drain(|piece| self.hearing.log.stderr(piece, now));
                self.hearing.log.flush();
            }
            Happened::Channel => self.hear_channel(),
            Happened::Fed => {}
            Happened::Full(breach) => {
                self.breach = self.breach.or(Some(breach));
                self.space = None;
                self.step(Input::Full);
            }
            Happened::Due => self.due(),
        }
    }

    fn noticed(&mut self, notice: Result<Notice, Gone>) {
        match notice {
            Ok(Notice::Hello(_) | Notice::Entered(_)) => {}
            Ok(Notice::MemoryHigh { used, limit }) => self.warn_of_memory(used, limit),
            Ok(Notice::NotStarted(errno)) => {
                self.not_run = Some(NotRun::NotStarted(errno));
                self.step(Input::Ended);
            }
            Ok(Notice::NotIsolated) => {
                self.not_run = Some(NotRun::NotIsolated);
                self.step(Input::Ended);
            }
            Ok(Notice::Exited(status)) => {
                self.exited = Some(status);
                // What others write in its name from now on is not the worker's.
                self.hear_the_rest();
                self.step(Input::Exited);
            }
            Ok(Notice::Ended(ended)) => {
                self.exited = Some(ended.status);
                self.ended = ended;
                self.step(Input::Ended);
            }
            Err(Gone) => self.is_gone = true,
        }
    }

    fn hear_stdout(&mut self) {
        let now = self.now();
        self.stdout.drain(|piece| self.hearing.stdout(piece, now));
        self.hearing.log.flush();
        if self.hearing.is_too_much() {
            self.step(Input::TooMuch);
        }
    }

    fn hear_channel(&mut self) {
        let now = self.now();
        let mut is_alive = false;
        self.channel.drain(|piece| is_alive |= self.hearing.channel(piece, now));
        self.hearing.log.flush();
        if is_alive {
            self.timers.heard(Instant::now());
        }
    }

    /// Hears what the worker has written, and nothing that comes later.
    fn hear_the_rest(&mut self) {
        let now = self.now();
        let most = self.bounds.stdout;
        self.stdout.drain_and_close(most, |piece| self.hearing.stdout(piece, now));
        self.channel.drain_and_close(most, |piece| {
            self.hearing.channel(piece, now);
        });
    }

    fn listen(&mut self) {
        let all = [self.stdout.listen(), self.stderr.listen(), self.channel.listen()];
        self.listen_at = all.contains(&false).then(|| Instant::now() + STILL_DEAF);
    }

    fn due(&mut self) {
        let now = Instant::now();
        if self.listen_at.is_some_and(|at| now >= at) {
            self.listen();
        }
        if self.pulse.as_ref().is_some_and(|pulse| now >= pulse.due) {
            self.beat();
        }
        if let Some(input) = self.timers.due(self.state, now) {
            self.step(input);
        }
    }

    /// Writes how the attempt is doing.
    fn beat(&mut self) {
        let status = match self.state {
            State::Running { draining: false } if !self.timers.is_warned() => Status::Active,
            State::Running { .. }
            | State::Emptying
            | State::Terminating(_)
            | State::Killing(_)
            | State::Stuck(_)
            | State::Over(_) => Status::Completing,
        };
        let age = self.now();
        if let Some(pulse) = &mut self.pulse {
            pulse.heartbeat.beat(status, self.hearing.progress.as_ref(), age);
            pulse.status = status;
            pulse.due = Instant::now() + RHYTHM;
        }
    }

    /// When something is due next.
    fn deadline(&self) -> Instant {
        let beat = self.pulse.as_ref().map(|pulse| pulse.due);
        [beat, self.listen_at].into_iter().flatten().fold(self.timers.next(self.state), Instant::min)
    }

    fn step(&mut self, input: Input) {
        let (next, effects) = self.state.step(input);
        if next != self.state {
            self.timers.entered(Instant::now());
            self.state = next;
        }
        for effect in effects {
            self.perform(*effect);
        }
        let is_wrapping_up =
            self.timers.is_warned() || !matches!(self.state, State::Running { draining: false });
        let is_said = self.pulse.as_ref().is_none_or(|pulse| pulse.status == Status::Completing);
        if is_wrapping_up && !is_said && !matches!(self.state, State::Over(_)) {
            self.beat();
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::WarnSoft => self.warn_soft(),
            Effect::TellCancel => self.channel.say(Control::Cancel { reason: "the task was cancelled" }),
            Effect::TellDrain => self.channel.say(Control::Drain),
            Effect::Terminate => self.lent.tell(&Command::Terminate),
            Effect::Kill => self.lent.tell(&Command::Kill),
        }
    }

    fn warn_soft(&mut self) {
        let remaining = self.timers.remaining(Instant::now());
        let text = format!("the soft limit was reached; {} remain until the hard one", shown(remaining));
        self.hearing.log.text(Some("WARNING"), &text, self.now());
        self.hearing.log.tell(Said::SoftTimeout(remaining));
        self.channel.say(Control::SoftTimeout { remaining });
        if let Some(signal) = self.soft_signal {
            self.lent.tell(&Command::Signal(signal));
        }
    }

    fn warn_of_memory(&mut self, used: u64, limit: u64) {
        let (used_mb, limit_mb) = (used >> 20, limit >> 20);
        let text = format!("{used_mb} MiB of the {limit_mb} MiB of memory that it may use are used");
        self.hearing.log.text(Some("WARNING"), &text, self.now());
        self.channel.say(Control::MemoryHigh { used_mb, limit_mb });
    }

    fn leave(mut self) -> Left {
        self.hear_the_rest();
        let now = self.now();
        self.stderr.drain_and_close(self.bounds.log, |piece| self.hearing.log.stderr(piece, now));
        let exit = match (self.not_run, self.exited) {
            (Some(why), _) => Err(why),
            (None, Some(status)) => Ok(exit_of(status)),
            (None, None) => Ok(Exit::Unseen),
        };
        Left {
            state: self.state,
            exit,
            ended: Ended { breach: self.breach.or(self.ended.breach), ..self.ended },
            age: now,
            stdin_untouched: self.feed.is_untouched(),
            hearing: self.hearing,
            lent: self.lent,
            is_gone: self.is_gone,
            heartbeat: self.pulse.map(|pulse| pulse.heartbeat),
        }
    }
}

/// When the files have reached a limit; never where there is none.
async fn passed(space: &mut Option<SpaceWatch>) -> Breach {
    match space {
        Some(space) => space.passed().await,
        None => std::future::pending().await,
    }
}

/// Unpacks how a process ended.
pub(crate) fn exit_of(status: i32) -> Exit {
    let [low, high, ..] = status.to_le_bytes();
    match low & 0x7f {
        0 => Exit::Code(high),
        signal => Exit::Signal(i32::from(signal)),
    }
}
