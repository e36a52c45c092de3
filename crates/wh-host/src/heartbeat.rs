//! When a host beats, and how long it may rely on its last renewal.

use crate::settling;
use std::time::Duration;
use tokio::time::Instant;

/// So long after its start a host beats besides. Whoever was killed just before may have processes that are still on
/// their way out, and its claims are not to be had before they are gone.
const EARLY: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];

/// The rhythm of one host. At most one beat is under way.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    began: Instant,
    next: Instant,
    is_under_way: bool,
    /// Beats in a row that did not reach the store.
    missed: u32,
    /// Since when its lease runs, on the running clock.
    leased_at: Duration,
}

impl Heartbeat {
    /// The first is due at once; the lease runs since the host joined.
    pub(crate) fn new(leased_at: Duration) -> Self {
        let now = Instant::now();
        Self { began: now, next: now, is_under_way: false, missed: 0, leased_at }
    }

    /// When the next one is due; `None` while one is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        (!self.is_under_way).then_some(self.next)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.is_under_way
    }

    /// Begins the next one if it is due; false if it is not.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let begins = self.due().is_some_and(|due| due <= now);
        self.is_under_way |= begins;
        begins
    }

    /// A renewal that was sent then was written.
    pub(crate) fn renewed(&mut self, sent_at: Duration) {
        self.leased_at = sent_at;
    }

    /// The store has answered; `every` is counted from the moment at which the last renewal was sent.
    pub(crate) fn answered(&mut self, running: Duration, every: Duration) {
        (self.is_under_way, self.missed) = (false, 0);
        let now = Instant::now();
        let regular = now + every.saturating_sub(running.saturating_sub(self.leased_at));
        let early = EARLY.iter().map(|after| self.began + *after).find(|at| *at > now);
        self.next = early.map_or(regular, |early| early.min(regular));
    }

    /// The store did not answer: sooner than the rhythm, but each time later.
    pub(crate) fn failed(&mut self, every: Duration) {
        self.is_under_way = false;
        self.next = Instant::now() + settling::pause(self.missed).min(every / 4);
        self.missed = self.missed.saturating_add(1);
    }

    /// There is more to be had at once.
    pub(crate) fn again(&mut self) {
        self.next = Instant::now();
    }

    /// Whether nobody may have taken over yet, as far as this host can tell by itself.
    pub(crate) fn has_lease(&self, running: Duration, length: Duration) -> bool {
        running < self.leased_at + length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const EVERY: Duration = Duration::from_millis(7_500);
    const NONE: Duration = Duration::ZERO;

    /// When the next beat is due after an answer, from now.
    fn next(heart: &mut Heartbeat, running: Duration) -> Duration {
        assert!(heart.begin(heart.next), "it is due when it says so");
        heart.answered(running, EVERY);
        heart.next - Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn a_young_host_beats_soon_and_an_older_one_in_its_rhythm_counted_from_its_renewal() {
        let mut heart = Heartbeat::new(NONE);
        for gap in [100, 200, 700, 2_000] {
            let gap = Duration::from_millis(gap);
            assert_eq!(next(&mut heart, NONE), gap);
            advance(gap).await;
        }
        assert_eq!(next(&mut heart, NONE), EVERY);
        assert_eq!(next(&mut heart, Duration::from_secs(2)), Duration::from_millis(5_500));
        assert_eq!(next(&mut heart, EVERY * 2), NONE, "late ones are made up at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_is_asked_later_and_later_but_never_later_than_a_quarter_of_the_rhythm() {
        let mut heart = Heartbeat::new(NONE);
        let mut last = NONE;
        for _ in 0..20 {
            assert!(heart.begin(heart.next));
            heart.failed(EVERY);
            let pause = heart.next - Instant::now();
            assert!(pause >= last && pause <= EVERY / 4, "{pause:?}");
            last = pause;
        }
        assert_eq!(last, EVERY / 4);
    }

    #[tokio::test(start_paused = true)]
    async fn one_beat_is_under_way_at_a_time() {
        let mut heart = Heartbeat::new(NONE);
        assert!(heart.begin(Instant::now()) && !heart.begin(Instant::now()));
        assert_eq!(heart.due(), None);
    }
}
