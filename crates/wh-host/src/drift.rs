//! Notices that a clock went otherwise than this process's timers: the calendar was set, or the machine slept.

use std::time::Duration;
use tokio::time::Instant;
use wh_domain::time::Timestamp;
use wh_ports::clock::Clock;

/// By so much two clocks may differ before it is a jump. What is due may be found so much too late.
const TOLERANCE: Duration = Duration::from_secs(1);

/// All three clocks, read at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drift {
    wall: Timestamp,
    running: Duration,
    timers: Instant,
}

impl Drift {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), running: clock.running(), timers: Instant::now() }
    }

    /// Whether a clock has jumped since the last jump that was noticed: then timers that were set by it are wrong.
    /// Small steps add up.
    pub(crate) fn noticed(&mut self, clock: &dyn Clock) -> bool {
        let now = Self::new(clock);
        let passed = now.timers - self.timers;
        let expected = self.wall.after(passed);
        let calendar = now.wall.since(expected).max(expected.since(now.wall));
        let running = now.running.abs_diff(self.running + passed);
        let jumped = calendar > TOLERANCE || running > TOLERANCE;
        if jumped {
            *self = now;
        }
        jumped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wh_testkit::clock::FakeClock;

    #[tokio::test(start_paused = true)]
    async fn a_jump_of_either_clock_is_noticed_once() {
        let clock = FakeClock::driven();
        let mut drift = Drift::new(&clock);
        let hour = Duration::from_secs(3_600);
        for (jump, noticed) in [
            (Jump::None, false),
            (Jump::Wall(500), false),
            (Jump::Wall(600), true),
            (Jump::None, false),
            (Jump::Wall(-1_100), true),
            (Jump::Slept(900), false),
            (Jump::Slept(1_500), true),
            (Jump::None, false),
        ] {
            tokio::time::advance(hour).await;
            match jump {
                Jump::None => {}
                Jump::Wall(millis) => clock.jump_wall(millis),
                Jump::Slept(millis) => clock.advance_instant(Duration::from_millis(millis)),
            }
            assert_eq!(drift.noticed(&clock), noticed, "{jump:?}");
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Jump {
        None,
        Wall(i64),
        Slept(u64),
    }
}
