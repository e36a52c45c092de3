//! How a host goes down: first it waits, then it asks, then it insists.

use std::time::Duration;
use tokio::time::Instant;
use wh_ports::runner::Order;

/// After a second signal, this long until SIGKILL.
pub(crate) const HURRY: Duration = Duration::from_secs(3);
/// After SIGKILL, this long until the host leaves even what is not empty. The runner calls a tree stuck after 30 s.
const LAST_WAIT: Duration = Duration::from_secs(35);

/// Where the host is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It works.
    Working,
    /// It claims nothing; workers may finish until then.
    Waiting(Instant),
    /// Workers were asked to stop; SIGKILL at the given moment, if one was given.
    Stopping(Option<Instant>),
    /// Workers were killed; after the given moment the host leaves whatever is still there to its successor.
    Killing(Instant),
}

impl Stage {
    pub(crate) fn claims(self) -> bool {
        self == Self::Working
    }

    /// When the next step is due by itself.
    pub(crate) fn due(self) -> Option<Instant> {
        match self {
            Self::Working | Self::Stopping(None) => None,
            Self::Waiting(until) | Self::Stopping(Some(until)) | Self::Killing(until) => Some(until),
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
            Self::Waiting(_) | Self::Stopping(None) => (Self::Stopping(Some(now + HURRY)), Some(Order::Stop)),
            Self::Stopping(Some(_)) => (Self::Killing(now + LAST_WAIT), Some(Order::Kill)),
            Self::Killing(_) => (self, Some(Order::Kill)),
        }
    }

    /// Time has passed.
    pub(crate) fn passed(self, now: Instant) -> (Self, Option<Order>) {
        match self.due() {
            Some(due) if due <= now => match self {
                Self::Waiting(_) => (Self::Stopping(None), Some(Order::Stop)),
                Self::Stopping(_) => (Self::Killing(now + LAST_WAIT), Some(Order::Kill)),
                Self::Working | Self::Killing(_) => (self, None),
            },
            _ => (self, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_drain_waits_then_asks_and_a_second_signal_is_over_in_three_seconds() {
        let now = Instant::now();
        let patience = Duration::from_secs(30);
        let (waiting, order) = Stage::Working.asked(now, patience);
        assert_eq!((waiting, order), (Stage::Waiting(now + patience), Some(Order::Drain)));
        assert_eq!(waiting.passed(now), (waiting, None));
        assert_eq!(waiting.passed(now + patience), (Stage::Stopping(None), Some(Order::Stop)));
        let (hurried, order) = waiting.asked(now, patience);
        assert_eq!((hurried, order), (Stage::Stopping(Some(now + HURRY)), Some(Order::Stop)));
        let late = now + HURRY;
        assert_eq!(hurried.passed(late), (Stage::Killing(late + LAST_WAIT), Some(Order::Kill)));
        assert_eq!(hurried.asked(now, patience).0, Stage::Killing(now + LAST_WAIT));
        assert!(!Stage::Killing(late).is_hopeless(now), "the last wait has not passed");
        assert!(Stage::Killing(late).is_hopeless(late), "what SIGKILL cannot end holds nobody for ever");
    }
}
