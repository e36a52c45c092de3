//! How many events a second an attempt may send.

use std::time::Duration;

/// Counts events in whole seconds, the first of which begins with the first event.
#[derive(Debug)]
pub struct RateLimit {
    per_second: u32,
    second_began: Option<Duration>,
    taken: u32,
    dropped: u64,
}

impl RateLimit {
    /// At most `per_second` events in any such second.
    pub fn new(per_second: u32) -> Self {
        Self { per_second, second_began: None, taken: 0, dropped: 0 }
    }

    /// Whether an event at `now`, measured from any fixed moment, may pass. Counts those that may not.
    pub fn admit(&mut self, now: Duration) -> bool {
        let same_second = self
            .second_began
            .is_some_and(|began| now.checked_sub(began).unwrap_or_default() < Duration::from_secs(1));
        if !same_second {
            self.second_began = Some(now);
            self.taken = 0;
        }
        let admitted = self.taken < self.per_second;
        if admitted {
            self.taken += 1;
        } else {
            self.dropped += 1;
        }
        admitted
    }

    /// How many were not let pass.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::RateLimit;
    use std::time::Duration;

    #[test]
    fn a_flood_passes_only_as_far_as_the_bound_and_the_rest_is_counted() {
        let mut limit = RateLimit::new(1_000);
        let passed = (0..5_000).filter(|i| limit.admit(Duration::from_micros(i * 400))).count();
        assert_eq!((passed, limit.dropped()), (2_000, 3_000));
    }

    #[test]
    fn a_steady_sender_at_the_bound_loses_nothing() {
        let mut limit = RateLimit::new(10);
        assert!((0..1_000).all(|i| limit.admit(Duration::from_millis(i * 100))));
    }

    #[test]
    fn a_clock_that_steps_back_neither_panics_nor_opens_the_gate() {
        let mut limit = RateLimit::new(1);
        assert!(limit.admit(Duration::from_secs(5)));
        assert!(!limit.admit(Duration::from_secs(1)));
    }
}
