//! Two kinds of time that are never converted into each other: the calendar's and the store's.

use std::time::Duration;

/// A moment of the calendar: milliseconds since 1970-01-01 UTC. For records and for `run_at`; it may jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Later by `by`; stays at the largest moment instead of wrapping.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// How long `earlier` lies back; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A moment on the store's own clock, which runs on through sleep and clock changes but not through a reboot.
/// Leases and waits are measured with it. Two instants of different boots have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreInstant {
    /// Which boot of the store's machine this instant belongs to.
    pub boot: u64,
    /// Milliseconds since that boot.
    pub millis: i64,
}

impl StoreInstant {
    /// Later by `by` on the same boot.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self { boot: self.boot, millis: self.millis.saturating_add(millis(by)) }
    }

    /// Whether a lease until this instant is over at `now`: the moment has come, or the machine has rebooted.
    pub fn lease_is_over(self, now: Self) -> bool {
        self.boot != now.boot || self.millis <= now.millis
    }

    /// Whether a wait until this instant is over at `now`. A reboot does not shorten a wait.
    pub fn wait_is_over(self, now: Self) -> bool {
        self.boot == now.boot && self.millis <= now.millis
    }
}

/// Whole milliseconds of a duration, at most `i64::MAX`.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_of_another_boot_ends_leases_and_never_ends_waits() {
        let then = StoreInstant { boot: 1, millis: 10 };
        let after_reboot = StoreInstant { boot: 2, millis: 5 };
        assert!(then.lease_is_over(after_reboot));
        assert!(!then.wait_is_over(StoreInstant { boot: 2, millis: 1_000_000 }));
        assert!(!then.lease_is_over(StoreInstant { boot: 1, millis: 9 }));
        assert!(then.wait_is_over(StoreInstant { boot: 1, millis: 10 }));
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(9)), Duration::ZERO);
    }
}
