//! The next state of a task. Nothing else in the house chooses one.

use crate::outcome::{Outcome, RetryAfter};
use crate::retry::{Dice, OnLost, RetryPolicy};
use crate::task::{Counters, PoisonReason, StateName, WaitingFor};
use crate::time::Timestamp;
use std::time::Duration;

/// How long a task waits before it may be claimed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    Now,
    /// So long, by whichever clock says so first.
    For(Duration),
    /// Until that moment of the calendar.
    Until(Timestamp),
}

/// The state that follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To be claimed again.
    Pending {
        /// When.
        wait: Wait,
        /// What the wait is for, where there is one.
        waiting_for: Option<WaitingFor>,
    },
    /// Done.
    Completed,
    /// Given up.
    Poisoned(PoisonReason),
    /// Ended by a person's wish.
    Cancelled,
}

/// What an attempt's outcome does to its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The next state.
    pub next: Next,
    /// The counters with this ending counted.
    pub counters: Counters,
}

/// What the rules need to know of a task.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// What has happened so far.
    pub counters: Counters,
    /// The task's own limit of attempts, before the worker's.
    pub max_attempts: Option<u32>,
    /// Whether a person has asked to cancel it.
    pub cancel_wished: bool,
}

impl History {
    /// The limit of attempts that holds for this task under `policy`.
    pub fn max_attempts(&self, policy: &RetryPolicy) -> u32 {
        self.max_attempts.unwrap_or(policy.max_attempts).max(1)
    }

    /// The number of the attempt that would come next: counted tries plus one, never above the limit.
    pub fn attempt(&self, policy: &RetryPolicy) -> u32 {
        self.counters.attempts.saturating_add(1).min(self.max_attempts(policy))
    }
}

/// Chooses what becomes of a task after an attempt with this `outcome`.
///
/// A wish to cancel wins over everything: the store records it under the same guard under which a host settles, so a
/// success that was settled before the wish stands, and one after it does not.
pub fn after_attempt(task: &History, policy: &RetryPolicy, outcome: Outcome, dice: Dice) -> Decision {
    let mut counters = task.counters;
    let next = count(&mut counters, task, policy, outcome, dice);
    let next = if task.cancel_wished { Next::Cancelled } else { next };
    Decision { next, counters }
}

/// Chooses what becomes of a task whose claim is given back before its attempt began: it is as it was.
pub fn after_release(task: &History) -> Decision {
    let next = if task.cancel_wished { Next::Cancelled } else { AT_ONCE };
    Decision { next, counters: task.counters }
}

/// The same decision about a task whose wish to cancel became known only now.
pub fn with_wish(decision: Decision) -> Decision {
    Decision { next: Next::Cancelled, ..decision }
}

/// What a person's wish to cancel does to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It is cancelled at once.
    Ends,
    /// It is under way, so the wish is left for the host that carries it.
    Asks,
    /// It has ended already, and stays as it is.
    Nothing,
}

/// What a wish to cancel does to a task in this state.
pub const fn on_cancel(state: StateName) -> OnCancel {
    match state {
        StateName::Pending => OnCancel::Ends,
        StateName::Claimed => OnCancel::Asks,
        StateName::Completed | StateName::Poisoned | StateName::Cancelled => OnCancel::Nothing,
    }
}

/// Whether a person may have a task in this state tried again: at once, with all counters at zero.
pub const fn may_retry(state: StateName) -> bool {
    matches!(state, StateName::Poisoned | StateName::Cancelled)
}

fn count(
    counters: &mut Counters,
    task: &History,
    policy: &RetryPolicy,
    outcome: Outcome,
    dice: Dice,
) -> Next {
    match outcome {
        Outcome::Succeeded => Next::Completed,
        Outcome::Cancelled => Next::Cancelled,
        Outcome::Failed { retriable: false, .. } => {
            bump(&mut counters.attempts);
            Next::Poisoned(PoisonReason::NotRetriable)
        }
        Outcome::TimedOut { retriable: false } => {
            bump(&mut counters.attempts);
            bump(&mut counters.timeouts);
            Next::Poisoned(PoisonReason::NotRetriable)
        }
        Outcome::Failed { retriable: true, .. } | Outcome::ProtocolError => {
            after_counted_try(counters, task, policy, dice)
        }
        Outcome::TimedOut { retriable: true } => {
            let spent = bump(&mut counters.timeouts) >= policy.max_timeouts;
            let next = after_counted_try(counters, task, policy, dice);
            if spent { Next::Poisoned(PoisonReason::Timeouts) } else { next }
        }
        Outcome::Crashed => {
            let spent = bump(&mut counters.crashes) >= policy.max_crashes;
            let next = after_counted_try(counters, task, policy, dice);
            if spent { Next::Poisoned(PoisonReason::Crashes) } else { next }
        }
        Outcome::Deferred(when) => match bump(&mut counters.deferrals) {
            n if n >= policy.max_deferrals => Next::Poisoned(PoisonReason::Deferrals),
            n => pending(deferral(when, policy.backoff.wait(n, dice)), WaitingFor::Deferral),
        },
        Outcome::WorkerBroken => match bump(&mut counters.worker_broken) {
            n if n >= policy.max_worker_broken => Next::Poisoned(PoisonReason::WorkerBroken),
            n => pending(Wait::For(policy.backoff.wait(n, dice)), WaitingFor::Worker),
        },
        Outcome::Lost => match bump(&mut counters.lost) {
            n if n >= policy.max_lost => Next::Poisoned(PoisonReason::Lost),
            _ if policy.on_lost == OnLost::Fail => Next::Poisoned(PoisonReason::Lost),
            _ => AT_ONCE,
        },
        Outcome::Interrupted => match bump(&mut counters.interruptions) {
            n if n >= policy.max_interruptions => Next::Poisoned(PoisonReason::Interruptions),
            1 => AT_ONCE,
            // A host that cannot begin anything, its disk being full, would spend all of them within a second.
            n => pending(Wait::For(policy.backoff.wait(n - 1, dice)), WaitingFor::Backoff),
        },
    }
}

const AT_ONCE: Next = Next::Pending { wait: Wait::Now, waiting_for: None };

fn after_counted_try(counters: &mut Counters, task: &History, policy: &RetryPolicy, dice: Dice) -> Next {
    let tries = bump(&mut counters.attempts);
    if tries >= task.max_attempts(policy) {
        return Next::Poisoned(PoisonReason::Attempts);
    }
    pending(Wait::For(policy.backoff.wait(tries, dice)), WaitingFor::Backoff)
}

fn pending(wait: Wait, waiting_for: WaitingFor) -> Next {
    Next::Pending { wait, waiting_for: Some(waiting_for) }
}

fn deferral(when: Option<RetryAfter>, otherwise: Duration) -> Wait {
    match when {
        Some(RetryAfter::In(wait)) => Wait::For(wait.max(RetryAfter::LEAST)),
        Some(RetryAfter::At(moment)) => Wait::Until(moment),
        None => Wait::For(otherwise.max(RetryAfter::LEAST)),
    }
}

fn bump(counter: &mut u32) -> u32 {
    *counter = counter.saturating_add(1);
    *counter
}
