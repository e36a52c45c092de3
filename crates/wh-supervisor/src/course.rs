//! The processes of one attempt as their guardian sees them: how they have ended, and where those that live are going.

use crate::sys::{self, Waited};
use crate::tree::{Member, command_line, descendants};
use rustix::process::{Pid, Signal, getpid};
use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};
use wh_domain::attempt::Usage;
use wh_domain::limits::Breach;

/// How long processes may outlive a worker that ended by itself.
const LEAK_GRACE: Duration = Duration::from_millis(500);

/// The most leaked processes that are named.
const MAX_LEAKED: usize = 16;

/// The pauses between two looks at a tree that is being killed: from, to.
const KILL_PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(250));

/// The processes of one attempt.
#[derive(Debug)]
pub(crate) struct Tree {
    worker: Pid,
    /// How the worker ended, once it has.
    pub(crate) status: Option<i32>,
    pub(crate) usage: Usage,
    pub(crate) leaked: Vec<Box<str>>,
    /// The limit for which it is ended.
    pub(crate) breach: Option<Breach>,
    course: Course,
}

/// Where a tree is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// The worker works.
    Living,
    /// It ended by itself; what it left behind has until then.
    Leaking(Instant),
    /// The host has asked for the end and will say when its patience is over.
    Terminating,
    /// It is being killed; holds the next pause.
    Killing(Duration),
}

impl Tree {
    pub(crate) fn new(worker: Pid) -> Self {
        Self {
            worker,
            status: None,
            usage: Usage::default(),
            leaked: Vec::new(),
            breach: None,
            course: Course::Living,
        }
    }

    /// The worker has ended: where nobody has asked for it, what it left behind is given a moment. Whether it is.
    pub(crate) fn leak(&mut self) -> bool {
        let is_living = self.course == Course::Living;
        if is_living {
            self.course = Course::Leaking(Instant::now() + LEAK_GRACE);
        }
        is_living
    }

    /// It has reached a limit, and is ended for the first that it has reached.
    pub(crate) fn overrun(&mut self, breach: Breach) {
        self.breach = self.breach.or(Some(breach));
        self.kill();
    }

    /// How long to sleep at most before the next look.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self.course {
            Course::Living | Course::Terminating => None,
            Course::Leaking(until) => Some(until.saturating_duration_since(Instant::now())),
            Course::Killing(pause) => Some(pause),
        }
    }

    /// Waits for all that have ended; true when no process is left.
    pub(crate) fn reap(&mut self) -> io::Result<bool> {
        loop {
            match sys::reap()? {
                Waited::Childless => return Ok(true),
                Waited::Alive => return Ok(false),
                Waited::Reaped(reaped) => {
                    if reaped.pid == self.worker {
                        self.status = Some(reaped.status);
                    }
                    self.usage = self.usage.and(reaped.usage);
                }
            }
        }
    }

    /// Does what its course calls for now.
    pub(crate) fn press_on(&mut self) {
        match self.course {
            Course::Leaking(until) if Instant::now() >= until => {
                let lines = members().into_iter().filter_map(|member| command_line(member.pid));
                self.leaked = lines.take(MAX_LEAKED).collect();
                self.kill();
            }
            Course::Killing(pause) => {
                signal_all(&[Signal::KILL]);
                self.course = Course::Killing((pause * 2).min(KILL_PAUSES.1));
            }
            Course::Living | Course::Leaking(_) | Course::Terminating => {}
        }
    }

    /// The worker is this process's own child and not yet waited for, so its number is still its own.
    pub(crate) fn signal_worker(&self, number: i32) {
        if self.status.is_none()
            && let (Some(member), Some(signal)) = (Member::hold(self.worker), Signal::from_named_raw(number))
        {
            member.signal(signal);
        }
    }

    pub(crate) fn terminate(&mut self) {
        if !matches!(self.course, Course::Killing(_)) {
            self.course = Course::Terminating;
            // A stopped process hears of its end only once it goes on.
            signal_all(&[Signal::TERM, Signal::CONT]);
        }
    }

    pub(crate) fn kill(&mut self) {
        if !matches!(self.course, Course::Killing(_)) {
            self.course = Course::Killing(KILL_PAUSES.0);
            signal_all(&[Signal::KILL]);
        }
    }
}

/// Everything below this process.
pub(crate) fn members() -> Vec<Member> {
    descendants(getpid(), &HashSet::new())
}

fn signal_all(signals: &[Signal]) {
    for member in members() {
        for signal in signals {
            member.signal(*signal);
        }
    }
}
