//! How fast tasks end: over the last half minute, so that a change shows and a pause does not look like the end.

use std::collections::VecDeque;
use std::time::Duration;
use wh_domain::time::Timestamp;

/// How far back it looks.
const WINDOW: i64 = 30;

/// Endings by the second.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    seconds: VecDeque<(i64, u64)>,
}

fn second(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

impl Pace {
    /// A task ended.
    pub(super) fn step(&mut self, at: Timestamp) {
        let now = second(at);
        match self.seconds.back_mut() {
            Some((second, count)) if *second >= now => *count += 1,
            _ => self.seconds.push_back((now, 1)),
        }
        while self.seconds.front().is_some_and(|(second, _)| *second <= now - WINDOW) {
            self.seconds.pop_front();
        }
    }

    /// Tasks a second, of a run that has begun then; `None` as long as too little has been seen.
    pub(super) fn rate(&self, begun: Timestamp, now: Timestamp) -> Option<f64> {
        let window = Duration::from_secs(WINDOW.unsigned_abs()).min(now.since(begun));
        let from = second(now) - WINDOW;
        let ended: u64 =
            self.seconds.iter().filter(|(second, _)| *second > from).map(|(_, count)| count).sum();
        (ended > 0 && window >= Duration::from_secs(1)).then(|| ended as f64 / window.as_secs_f64())
    }
}

/// How long it takes for so many more at that rate.
pub(super) fn remaining(more: f64, rate: f64) -> Option<Duration> {
    (rate > 0.0).then(|| Duration::try_from_secs_f64(more / rate).ok()).flatten()
}

/// A length of time as a clock shows it: `0:07`, `12:05`, `3:02:01`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_pace_is_that_of_the_last_half_minute_or_of_a_younger_run() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate(at(0), at(60_000)), None);
        (0..100).for_each(|_| pace.step(at(500)));
        assert_eq!(pace.rate(at(0), at(900)), None, "too early to tell");
        assert_eq!(pace.rate(at(0), at(10_000)), Some(10.0));
        (0..60).for_each(|_| pace.step(at(60_000)));
        assert_eq!(pace.rate(at(0), at(60_000)), Some(2.0), "what lies further back is forgotten");
        assert_eq!(pace.rate(at(0), at(95_000)), None, "nothing has ended for long");
    }

    #[test]
    fn a_clock_that_jumps_back_does_no_harm() {
        let mut pace = Pace::default();
        pace.step(at(50_000));
        pace.step(at(1_000));
        assert_eq!(pace.seconds, [(50, 2)]);
        assert_eq!(pace.rate(at(50_000), at(1_000)), None);
    }

    #[test]
    fn time_is_shown_as_a_clock_shows_it() {
        let rows = [(0, "0:00"), (7, "0:07"), (725, "12:05"), (10_921, "3:02:01"), (360_000, "100:00:00")];
        for (seconds, shown) in rows {
            assert_eq!(clock(Duration::from_secs(seconds)), shown);
        }
        assert_eq!(remaining(10.0, 2.0), Some(Duration::from_secs(5)));
        assert_eq!((remaining(1.0, 0.0), remaining(f64::INFINITY, 1.0)), (None, None));
    }
}
