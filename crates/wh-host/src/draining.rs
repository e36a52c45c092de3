//! How a host goes down: first it waits, then it asks, then it insists.

use std::time::Duration;
use tokio::time::Instant;
use wh_ports::runner::Order;

/// After a second signal, this long until SIGKILL.
const HURRY: Duration = Duration::from_secs(3);
/// What a runner may take beyond a worker's grace until its own SIGKILL has been obeyed.
const SLACK: Duration = Duration::from_secs(5);
/// After SIGKILL, this long until the host leaves even what is not empty. The runner calls a tree stuck after 30 s.
const LAST_WAIT: Duration = Duration::from_secs(35);

/// Where the host is on its way down. Every step but the first ends by itself: whatever hangs, the host goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It works.
    Working,
    /// It claims nothing; workers may finish until then.
    Waiting(Instant),
    /// Workers were asked to stop; SIGKILL at the given moment.
    Stopping(Instant),
    /// Workers were killed; after the given moment the host leaves whatever is still there to its successor.
    Killing(Instant),
}

impl Stage {
    /// The end of all patience, from `now` on.
    pub(crate) fn killing(now: Instant) -> Self {
        Self::Killing(now + LAST_WAIT)
    }

    pub(crate) fn claims(self) -> bool {
        self == Self::Working
    }

    /// When the next step is due by itself.
    pub(crate) fn due(self) -> Option<Instant> {
        match self {
            Self::Working => None,
            Self::Waiting(until) | Self::Stopping(until) | Self::Killing(until) => Some(until),
        }
    }

    /// Whether even SIGKILL has had its time.
    pub(crate) fn is_hopeless(self, now: Instant) -> bool {
        matches!(self, Self::Killing(until) if until <= now)
    }

    /// A signal (or the roof) asks to go down, or to go down faster.
    pub(crate) fn asked(self, now: Instant, patience: Duration) -> (Self, Option<Order>) {
        match self {
            Self::Working => (Self::Waiting(now + patience), Some(Order::Drain)),
            Self::Waiting(_) => (Self::Stopping(now + HURRY), Some(Order::Stop)),
            Self::Stopping(until) if until > now + HURRY => (Self::Stopping(now + HURRY), None),
            Self::Stopping(_) => (Self::killing(now), Some(Order::Kill)),
            Self::Killing(_) => (self, None),
        }
    }

    /// Time has passed. `grace` is the longest that a worker has between SIGTERM and SIGKILL.
    pub(crate) fn passed(self, now: Instant, grace: Duration) -> (Self, Option<Order>) {
        match self.due() {
            Some(due) if due <= now => match self {
                Self::Waiting(_) => (Self::Stopping(now + grace + SLACK), Some(Order::Stop)),
                Self::Stopping(_) => (Self::killing(now), Some(Order::Kill)),
                Self::Working | Self::Killing(_) => (self, None),
            },
            _ => (self, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);
    const GRACE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn every_signal_makes_it_faster() {
        let now = Instant::now();
        for (before, after, order) in [
            (Stage::Working, Stage::Waiting(now + PATIENCE), Some(Order::Drain)),
            (Stage::Waiting(now + PATIENCE), Stage::Stopping(now + HURRY), Some(Order::Stop)),
            (Stage::Stopping(now + GRACE), Stage::Stopping(now + HURRY), None),
            (Stage::Stopping(now + HURRY), Stage::Killing(now + LAST_WAIT), Some(Order::Kill)),
            (Stage::Killing(now + GRACE), Stage::Killing(now + GRACE), None),
        ] {
            assert_eq!(before.asked(now, PATIENCE), (after, order), "{before:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_step_ends_by_itself() {
        let now = Instant::now();
        let later = now + PATIENCE;
        for (before, at, after, order) in [
            (Stage::Working, later, Stage::Working, None),
            (Stage::Waiting(later), now, Stage::Waiting(later), None),
            (Stage::Waiting(later), later, Stage::Stopping(later + GRACE + SLACK), Some(Order::Stop)),
            (Stage::Stopping(later), now, Stage::Stopping(later), None),
            (Stage::Stopping(later), later, Stage::Killing(later + LAST_WAIT), Some(Order::Kill)),
            (Stage::Killing(later), later, Stage::Killing(later), None),
        ] {
            assert_eq!(before.passed(at, GRACE), (after, order), "{before:?}");
        }
        assert!(!Stage::Killing(later).is_hopeless(now), "the last wait has not passed");
        assert!(Stage::Killing(later).is_hopeless(later), "what SIGKILL cannot end holds nobody for ever");
        assert!(!Stage::Stopping(later).is_hopeless(later), "SIGKILL comes before giving up");
    }
}
