//! Whether a worker is fit to be given tasks: quarantine for worker faults, colours for people.

use crate::id::TaskId;
use crate::outcome::Outcome;
use crate::retry::{Backoff, Dice};
use std::collections::VecDeque;
use std::time::Duration;

/// Worker faults in a row, over at least two tasks, that put a worker aside.
pub const FAULTS_TO_QUARANTINE: u32 = 3;
/// Recoveries that a worker may try within [`RECOVERY_WINDOW`].
pub const MOST_RECOVERIES: usize = 5;
/// The window in which recoveries are counted.
pub const RECOVERY_WINDOW: Duration = Duration::from_secs(600);
/// Failures in a row after which a worker is shown as red.
pub const FAILURES_TO_RED: u32 = 3;

/// How a worker looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Its last attempt went well, or none has ended yet.
    Green,
    /// Its last attempt failed.
    Yellow,
    /// It failed three times or more in a row, or it is quarantined.
    Red,
}

impl Colour {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// A worker put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// When the next recovery may be tried, on the host's clock; `None` is not before someone mends it.
    pub until: Option<Duration>,
    /// Why, in one plain sentence.
    pub why: Box<str>,
}

/// What a host remembers of a worker's endings. Times are the host's own running clock.
#[derive(Debug, Clone, Default)]
pub struct WorkerHealth {
    /// Attempts in a row that did not succeed (a drain or a cancel is neither).
    pub consecutive_failures: u32,
    /// Recoveries from quarantine over the host's life.
    pub total_recoveries: u64,
    /// The sentence of the last ending that was not a success.
    pub last_error: Option<Box<str>>,
    /// Attempts that succeeded.
    pub succeeded: u64,
    /// Attempts that ended otherwise.
    pub failed: u64,
    faults: u32,
    first_faulty_task: Option<TaskId>,
    several_tasks: bool,
    quarantine: Option<Quarantine>,
    recoveries: VecDeque<Duration>,
}

/// How an attempt that ended with [`Outcome::WorkerBroken`] never began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The program could not be started at all: certain, so one is enough.
    NotStarted,
    /// It left at once with its input unread: likely, so it takes a few.
    LeftUnread,
}

impl WorkerHealth {
    /// The colour to show.
    pub fn colour(&self) -> Colour {
        match (&self.quarantine, self.consecutive_failures) {
            (Some(_), _) | (None, FAILURES_TO_RED..) => Colour::Red,
            (None, 0) => Colour::Green,
            (None, _) => Colour::Yellow,
        }
    }

    /// The quarantine the worker is in, if it is.
    pub fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref()
    }

    /// Whether the worker may be given a task at `now`. While quarantined, one at a time after each wait.
    pub fn may_run(&self, now: Duration) -> bool {
        match &self.quarantine {
            None => true,
            Some(Quarantine { until: Some(until), .. }) => *until <= now,
            Some(Quarantine { until: None, .. }) => false,
        }
    }

    /// Counts an ending that was not a worker fault.
    pub fn saw(&mut self, outcome: &Outcome, sentence: &str) {
        match outcome {
            Outcome::Succeeded => {
                self.succeeded += 1;
                self.consecutive_failures = 0;
                self.is_well(true);
            }
            Outcome::Interrupted | Outcome::Cancelled | Outcome::Lost => {}
            Outcome::Deferred(_) => self.is_well(true),
            Outcome::Failed { .. } | Outcome::TimedOut { .. } | Outcome::Crashed | Outcome::ProtocolError => {
                self.failed += 1;
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                self.last_error = Some(sentence.into());
                // It started and read its task, so whatever kept it from running is over.
                self.is_well(true);
            }
            Outcome::WorkerBroken => {}
        }
    }

    /// Counts a worker fault of `task` at `now`; puts the worker aside when it is certain or repeated.
    pub fn saw_fault(
        &mut self,
        kind: FaultKind,
        task: &TaskId,
        sentence: &str,
        now: Duration,
        backoff: &Backoff,
        dice: Dice,
    ) {
        self.failed += 1;
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        self.last_error = Some(sentence.into());
        self.faults = self.faults.saturating_add(1);
        match &self.first_faulty_task {
            None => self.first_faulty_task = Some(task.clone()),
            Some(first) if first != task => self.several_tasks = true,
            Some(_) => {}
        }
        if self.quarantine.is_some() && !self.may_run(now) {
            // It began before the worker was put aside. What ends together is one fault, and no try to recover.
            return;
        }
        let certain = kind == FaultKind::NotStarted;
        if certain || self.quarantine.is_some() || (self.faults >= FAULTS_TO_QUARANTINE && self.several_tasks)
        {
            self.put_aside(sentence, now, backoff, dice);
        }
    }

    /// Ends the quarantine because someone mended the worker: a changed file, a changed configuration, a wish.
    pub fn resume(&mut self) {
        self.recoveries.clear();
        self.is_well(false);
    }

    fn put_aside(&mut self, why: &str, now: Duration, backoff: &Backoff, dice: Dice) {
        while self.recoveries.front().is_some_and(|then| now.saturating_sub(*then) > RECOVERY_WINDOW) {
            self.recoveries.pop_front();
        }
        let until = (self.recoveries.len() < MOST_RECOVERIES).then(|| {
            let nth = u32::try_from(self.recoveries.len()).unwrap_or(u32::MAX).saturating_add(1);
            // At least the base: a recovery tried at once would only find the same fault.
            let wait = backoff.wait(nth, dice).max(backoff.base);
            self.recoveries.push_back(now);
            now.saturating_add(wait)
        });
        self.quarantine = Some(Quarantine { until, why: why.into() });
    }

    fn is_well(&mut self, recovered: bool) {
        if self.quarantine.take().is_some() && recovered {
            self.total_recoveries += 1;
        }
        self.faults = 0;
        self.first_faulty_task = None;
        self.several_tasks = false;
    }
}
