//! A clock that is set by hand.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use wh_domain::time::{StoreInstant, Timestamp, millis};
use wh_ports::clock::Clock;

/// Where the calendar of a fresh clock stands: 2025-01-01 00:00 UTC.
pub const START: Timestamp = Timestamp::from_millis(1_735_689_600_000);
/// How long the machine of a fresh clock has been up, in milliseconds.
const START_MILLIS: i64 = 1_000_000;

/// A clock whose calendar and whose running time are set apart from each other.
#[derive(Debug)]
pub struct FakeClock {
    dials: Mutex<Dials>,
    /// Since when the runtime's own (paused) clock drives this one, where it does.
    driven_since: Option<tokio::time::Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Dials {
    wall: Timestamp,
    instant: StoreInstant,
}

impl Default for FakeClock {
    fn default() -> Self {
        let instant = StoreInstant { boot: 1, millis: START_MILLIS };
        Self { dials: Mutex::new(Dials { wall: START, instant }), driven_since: None }
    }
}

impl FakeClock {
    /// A clock that stands still until it is moved.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that also goes with the runtime's: under paused time, every sleep moves it.
    ///
    /// Must be called within a tokio runtime.
    pub fn driven() -> Self {
        Self { driven_since: Some(tokio::time::Instant::now()), ..Self::default() }
    }

    /// Lets time pass, on the calendar and on the running clock.
    pub fn advance(&self, by: Duration) {
        let mut dials = self.dials();
        dials.wall = dials.wall.after(by);
        dials.instant = dials.instant.after(by);
    }

    /// Moves the calendar alone, back if `by_millis` is negative.
    pub fn jump_wall(&self, by_millis: i64) {
        let mut dials = self.dials();
        dials.wall = Timestamp::from_millis(dials.wall.as_millis().saturating_add(by_millis));
    }

    /// Moves the running clock alone.
    pub fn advance_instant(&self, by: Duration) {
        let mut dials = self.dials();
        dials.instant = dials.instant.after(by);
    }

    /// Begins another boot, which has run for `up` by now; the calendar stays.
    pub fn reboot(&self, up: Duration) {
        let driven = self.driven_for();
        let mut dials = self.dials();
        let millis = millis(up).saturating_sub(millis(driven));
        dials.instant = StoreInstant { boot: dials.instant.boot + 1, millis };
    }

    fn dials(&self) -> MutexGuard<'_, Dials> {
        self.dials.lock().expect("no holder of this lock panics")
    }

    fn driven_for(&self) -> Duration {
        self.driven_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> Timestamp {
        self.dials().wall.after(self.driven_for())
    }

    fn instant(&self) -> StoreInstant {
        self.dials().instant.after(self.driven_for())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_and_the_running_clock_move_apart() {
        let clock = FakeClock::new();
        let (wall, instant) = (clock.wall(), clock.instant());
        clock.jump_wall(-5_000);
        assert_eq!(clock.wall().after(Duration::from_secs(5)), wall);
        assert_eq!(clock.instant(), instant);
        clock.reboot(Duration::from_secs(3));
        assert_eq!(clock.instant(), StoreInstant { boot: instant.boot + 1, millis: 3_000 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_driven_clock_goes_with_the_runtime() {
        let clock = FakeClock::driven();
        let wall = clock.wall();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(clock.wall().since(wall), Duration::from_secs(9));
        clock.reboot(Duration::ZERO);
        assert_eq!(clock.instant().millis, 0);
    }
}
