//! What a seed draws: how many hosts, which workers, and which kinds of trouble there are at all.

use crate::people::Act;
use crate::troupe::Part;
use fastrand::Rng;
use std::time::Duration;
use wh_domain::retry::{Backoff, Jitter, RetryPolicy};
use wh_ports::runner::Assignment;
use wh_ports::upkeep::Retention;
use wh_testkit::script::Script;

/// The configuration of one life.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How many attempts each host carries at once.
    pub(crate) streams: Vec<u32>,
    /// Whether hosts go when nothing is left to do.
    pub(crate) until_idle: bool,
    pub(crate) drain: Duration,
    pub(crate) policy: RetryPolicy,
    pub(crate) max_pending: u64,
    pub(crate) retention: Option<Retention>,
    pub(crate) weather: Weather,
    /// What people do, by weight.
    pub(crate) acts: Vec<(Act, u32)>,
    /// What attempts do, by weight.
    pub(crate) parts: Vec<(Part, u32)>,
    /// The longest time between two acts.
    pub(crate) gap: Duration,
    /// The longest that an attempt usually works.
    pub(crate) work: Duration,
    /// At least so many events happen before all trouble ends.
    pub(crate) events: u64,
    /// What attempts do, where that is not drawn.
    pub(crate) script: Option<fn(&Assignment) -> Script>,
}

/// What happens to calls on their way, in so many of a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// Calls that do not reach the store.
    pub(crate) refused: u32,
    /// Calls that reach it late, whatever has become of their sender.
    pub(crate) late: u32,
    /// Answers that come late.
    pub(crate) answered_late: u32,
    /// Answers that get lost, of calls that may be repeated.
    pub(crate) unanswered: u32,
    /// Rings of the bell that get lost.
    pub(crate) bells_lost: u32,
    /// The longest that anything is late.
    pub(crate) longest: Duration,
}

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let hosts = rng.usize(1..=4);
        Self {
            seed,
            streams: (0..hosts).map(|_| rng.u32(1..=16)).collect(),
            until_idle: one_in(&mut rng, 4),
            drain: Duration::from_millis(rng.u64(0..20_000)),
            policy: policy(&mut rng),
            max_pending: if one_in(&mut rng, 5) { rng.u64(5..30) } else { 10_000 },
            retention: one_in(&mut rng, 4).then(|| retention(&mut rng)),
            weather: weather(&mut rng),
            acts: drawn(&mut rng, &Act::ALL, Act::is_vital),
            parts: drawn(&mut rng, &Part::ALL, Part::is_vital),
            gap: Duration::from_millis(rng.u64(200..4_000)),
            work: Duration::from_millis(rng.u64(100..8_000)),
            events: 500,
            script: None,
        }
    }

    /// One host, to which nothing happens that a test does not do.
    pub(crate) fn alone(streams: u32, script: fn(&Assignment) -> Script) -> Self {
        Self {
            seed: 0,
            streams: vec![streams],
            until_idle: false,
            drain: Duration::from_secs(30),
            policy: RetryPolicy {
                backoff: Backoff { jitter: Jitter::None, ..Backoff::default() },
                ..RetryPolicy::default()
            },
            max_pending: 10_000,
            retention: None,
            weather: Weather::default(),
            acts: Vec::new(),
            parts: Vec::new(),
            gap: Duration::ZERO,
            work: Duration::ZERO,
            events: 0,
            script: Some(script),
        }
    }
}

pub(crate) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(0..n) == 0
}

/// Half of all that could be, each with a weight of its own.
fn drawn<T: Copy>(rng: &mut Rng, all: &[T], is_vital: fn(T) -> bool) -> Vec<(T, u32)> {
    let mut drawn = Vec::new();
    for it in all {
        let (exists, weight) = (one_in(rng, 2), rng.u32(1..10));
        if is_vital(*it) {
            drawn.push((*it, weight * 2));
        } else if exists {
            drawn.push((*it, weight));
        }
    }
    drawn
}

/// Draws one of `all` by weight.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, all: &[(T, u32)]) -> T {
    let sum: u32 = all.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.u32(0..sum);
    for (it, weight) in all {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *it,
        }
    }
    unreachable!("the weights have changed")
}

fn policy(rng: &mut Rng) -> RetryPolicy {
    RetryPolicy {
        max_attempts: rng.u32(1..5),
        max_crashes: rng.u32(1..4),
        max_timeouts: rng.u32(1..4),
        max_worker_broken: rng.u32(2..8),
        max_deferrals: rng.u32(2..8),
        max_interruptions: rng.u32(2..9),
        backoff: Backoff {
            base: Duration::from_millis(rng.u64(50..1_000)),
            factor: rng.u32(1..4),
            max: Duration::from_millis(rng.u64(500..6_000)),
            jitter: if one_in(rng, 3) { Jitter::None } else { Jitter::Full },
        },
        // A host that does not know the worker of a dead one goes by the defaults, so these stay as they are.
        ..RetryPolicy::default()
    }
}

fn retention(rng: &mut Rng) -> Retention {
    let seconds = |rng: &mut Rng| Duration::from_secs(rng.u64(0..60));
    Retention {
        completed: seconds(rng),
        poisoned: seconds(rng),
        cancelled: seconds(rng),
        ..Retention::default()
    }
}

impl Weather {
    /// Whether everything comes through, and at once.
    pub(crate) fn is_fair(&self) -> bool {
        let rates = [self.refused, self.late, self.answered_late, self.unanswered, self.bells_lost];
        rates.into_iter().all(|rate| rate == 0)
    }
}

fn weather(rng: &mut Rng) -> Weather {
    if one_in(rng, 3) {
        return Weather::default();
    }
    let mut rate = |most: u32| if one_in(rng, 2) { rng.u32(1..most) } else { 0 };
    Weather {
        refused: rate(200),
        late: rate(100),
        answered_late: rate(100),
        unanswered: rate(150),
        bells_lost: rate(400),
        longest: Duration::from_millis(if rate(3) > 0 { 40_000 } else { 2_000 }),
    }
}
