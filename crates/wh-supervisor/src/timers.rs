//! When the ladder of an attempt moves on by itself.

use crate::machine::{Input, State};
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::timeout::TimeoutPolicy;

/// Between the first SIGKILL and giving the tree up as stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(30);

/// What stands for "never" where a limit leads beyond any clock.
const FAR: Duration = Duration::from_secs(365 * 86_400);

/// The moments that count.
#[derive(Debug)]
pub(crate) struct Timers {
    policy: TimeoutPolicy,
    begun: Instant,
    /// When the state was entered.
    since: Instant,
    /// When the worker last gave a sign of life.
    alive_at: Instant,
    is_warned: bool,
}

impl Timers {
    /// For an attempt that begins at `now`.
    pub(crate) const fn new(policy: TimeoutPolicy, now: Instant) -> Self {
        Self { policy, begun: now, since: now, alive_at: now, is_warned: false }
    }

    /// Another state was entered.
    pub(crate) const fn entered(&mut self, now: Instant) {
        self.since = now;
    }

    /// The worker gave a sign of life.
    pub(crate) const fn heard(&mut self, now: Instant) {
        self.alive_at = now;
    }

    /// When the attempt began.
    pub(crate) const fn begun(&self) -> Instant {
        self.begun
    }

    /// Whether the soft limit was reached.
    pub(crate) const fn is_warned(&self) -> bool {
        self.is_warned
    }

    /// What is left until the hard limit.
    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        self.hard().saturating_duration_since(now)
    }

    /// What is due at `now`, each thing once.
    pub(crate) fn due(&mut self, state: State, now: Instant) -> Option<Input> {
        match state {
            State::Running { .. } if now >= self.hard() => Some(Input::HardDue),
            State::Running { .. } if self.stall().is_some_and(|at| now >= at) => Some(Input::StallDue),
            State::Running { .. } if self.soft().is_some_and(|at| now >= at) => {
                self.is_warned = true;
                Some(Input::SoftDue)
            }
            State::Terminating(_) if now >= self.grace() => Some(Input::GraceOver),
            State::Emptying | State::Killing(_) if now >= self.patience() => Some(Input::PatienceOver),
            State::Running { .. }
            | State::Emptying
            | State::Terminating(_)
            | State::Killing(_)
            | State::Stuck(_)
            | State::Over(_) => None,
        }
    }

    /// When something is due next.
    pub(crate) fn next(&self, state: State) -> Instant {
        match state {
            State::Running { .. } => {
                [self.soft(), self.stall()].into_iter().flatten().fold(self.hard(), Instant::min)
            }
            State::Terminating(_) => self.grace(),
            State::Emptying | State::Killing(_) | State::Stuck(_) | State::Over(_) => self.patience(),
        }
    }

    fn hard(&self) -> Instant {
        after(self.begun, self.policy.hard)
    }

    fn soft(&self) -> Option<Instant> {
        (!self.is_warned).then(|| after(self.begun, self.policy.soft))
    }

    fn stall(&self) -> Option<Instant> {
        self.policy.stall_after.map(|limit| after(self.alive_at, limit))
    }

    fn grace(&self) -> Instant {
        after(self.since, self.policy.grace)
    }

    fn patience(&self) -> Instant {
        after(self.since, STUCK_AFTER)
    }
}

fn after(moment: Instant, by: Duration) -> Instant {
    moment.checked_add(by).unwrap_or(moment + FAR)
}

#[cfg(test)]
mod unit {
    use super::*;
    use wh_domain::ending::Stop;

    const SECOND: Duration = Duration::from_secs(1);

    fn timers() -> (Timers, Instant) {
        let now = Instant::now();
        let policy = TimeoutPolicy {
            hard: SECOND * 10,
            soft: SECOND * 8,
            grace: SECOND * 3,
            stall_after: Some(SECOND * 5),
            soft_signal: None,
        };
        (Timers::new(policy, now), now)
    }

    #[test]
    fn a_running_worker_is_warned_once_and_ended_at_the_hard_limit() {
        let (mut timers, begun) = timers();
        timers.heard(begun + SECOND * 7);
        assert_eq!(timers.next(State::START), begun + SECOND * 8);
        assert_eq!(timers.due(State::START, begun + SECOND * 7), None);
        assert_eq!(timers.due(State::START, begun + SECOND * 8), Some(Input::SoftDue));
        assert_eq!(timers.remaining(begun + SECOND * 8), SECOND * 2);
        assert_eq!(timers.due(State::START, begun + SECOND * 9), None);
        assert_eq!(timers.next(State::START), begun + SECOND * 10);
        assert_eq!(timers.due(State::START, begun + SECOND * 10), Some(Input::HardDue));
    }

    #[test]
    fn silence_is_measured_from_the_last_sign_of_life() {
        let (mut timers, begun) = timers();
        assert_eq!(timers.next(State::START), begun + SECOND * 5);
        timers.heard(begun + SECOND);
        assert_eq!(timers.due(State::START, begun + SECOND * 5), None);
        assert_eq!(timers.due(State::START, begun + SECOND * 6), Some(Input::StallDue));
    }

    #[test]
    fn grace_and_patience_are_measured_from_their_state() {
        let (mut timers, begun) = timers();
        timers.entered(begun + SECOND * 10);
        let (ending, killing) = (State::Terminating(Stop::Timeout), State::Killing(Stop::Timeout));
        assert_eq!(timers.due(ending, begun + SECOND * 12), None);
        assert_eq!(timers.due(ending, begun + SECOND * 13), Some(Input::GraceOver));
        timers.entered(begun + SECOND * 13);
        assert_eq!(timers.next(killing), begun + SECOND * 43);
        assert_eq!(timers.due(killing, begun + SECOND * 43), Some(Input::PatienceOver));
    }

    #[test]
    fn a_limit_beyond_any_clock_is_never_reached() {
        let (mut timers, begun) = timers();
        timers.policy = TimeoutPolicy { hard: Duration::MAX, soft: Duration::MAX, ..timers.policy };
        timers.policy.stall_after = None;
        assert_eq!(timers.next(State::START), begun + FAR);
        assert_eq!(timers.due(State::START, begun + SECOND * 1_000_000), None);
    }
}
