//! Ten million steps through the lives of tasks: what holds after every single one, whatever came before.

use crate::lifecycle::every_outcome;
use crate::properties::{all, is_the_last, longest_life};
use std::time::Duration;
use wh_domain::lifecycle::{Decision, History, Next, Wait, after_attempt};
use wh_domain::outcome::{Outcome, RetryAfter};
use wh_domain::retry::{Backoff, Dice, Jitter, OnLost, RetryPolicy};
use wh_domain::task::{Counters, PoisonReason, WaitingFor};
use wh_domain::time::Timestamp;

const STEPS: u64 = 10_000_000;
const THREADS: u64 = 2;
const SEED: u64 = 0x5EED;

/// Splitmix64 (G. Steele, D. Lea, C. Flood, 2014): small, and the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

fn any_policy(draw: &mut Draw) -> RetryPolicy {
    let backoff = Backoff {
        base: Duration::from_millis(u64::from(draw.below(2_000))),
        factor: draw.below(4),
        max: Duration::from_millis(u64::from(draw.below(60_000))),
        jitter: if draw.one_in(2) { Jitter::Full } else { Jitter::None },
    };
    RetryPolicy {
        max_attempts: draw.below(6),
        max_crashes: draw.below(4),
        max_timeouts: draw.below(4),
        max_lost: draw.below(6),
        max_worker_broken: draw.below(6),
        max_deferrals: draw.below(8),
        max_interruptions: draw.below(8),
        backoff,
        on_lost: if draw.one_in(4) { OnLost::Fail } else { OnLost::Retry },
    }
}

/// What became of so many lives.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    steps: u64,
    completed: u64,
    poisoned: [u64; PoisonReason::ALL.len()],
    cancelled: u64,
}

fn live(mut draw: Draw, steps: u64) -> Tally {
    let outcomes = every_outcome();
    let mut tally = Tally::default();
    while tally.steps < steps {
        let policy = any_policy(&mut draw);
        let max_attempts = draw.one_in(3).then(|| draw.below(6));
        let mut task = History { counters: Counters::default(), max_attempts, cancel_wished: false };
        let mut left = longest_life(&task, &policy);
        loop {
            task.cancel_wished |= draw.one_in(40);
            let outcome = outcomes[usize::try_from(draw.below(60)).unwrap() % outcomes.len()];
            let dice = Dice(draw.next());
            let decision = after_attempt(&task, &policy, outcome, dice);
            tally.steps += 1;
            left = left.checked_sub(1).expect("a life has a bound");
            holds(&task, &policy, outcome, decision);
            if tally.steps.is_multiple_of(64) {
                assert_eq!(after_attempt(&task, &policy, outcome, dice), decision, "the same again");
            }
            match decision.next {
                Next::Pending { .. } => task.counters = decision.counters,
                Next::Completed => tally.completed += 1,
                Next::Poisoned(why) => {
                    tally.poisoned[PoisonReason::ALL.iter().position(|it| *it == why).unwrap()] += 1;
                }
                Next::Cancelled => tally.cancelled += 1,
            }
            if !matches!(decision.next, Next::Pending { .. }) {
                break;
            }
        }
    }
    tally
}

/// The invariants of one step.
fn holds(task: &History, policy: &RetryPolicy, outcome: Outcome, decision: Decision) {
    let before = all(&task.counters);
    let after = all(&decision.counters);
    for (counter, (before, after)) in before.into_iter().zip(after).enumerate() {
        let grown = u32::from(counts(counter, outcome));
        assert_eq!(after, before + grown, "counter {counter} after {outcome:?}");
    }
    let is_last = is_the_last(task, policy, &outcome);
    match decision.next {
        Next::Completed => assert!(outcome == Outcome::Succeeded && !task.cancel_wished),
        Next::Cancelled => assert!(outcome == Outcome::Cancelled || task.cancel_wished),
        Next::Poisoned(why) => {
            assert!(is_last && !task.cancel_wished, "{outcome:?} after {before:?}");
            assert!(is_at_its_cap(why, task, policy, outcome, &decision.counters), "{why:?} at {after:?}");
        }
        Next::Pending { wait, waiting_for } => {
            assert!(!is_last && !task.cancel_wished, "{outcome:?} after {before:?}");
            assert!(is_below_all_caps(task, policy, &decision.counters), "pending at {after:?}");
            waits_as_it_may(policy, outcome, wait, waiting_for);
        }
    }
    let attempt = History { counters: decision.counters, ..*task }.attempt(policy);
    assert!(attempt >= 1 && attempt <= task.max_attempts(policy));
}

/// Whether an outcome adds to the counter at this place of [`all`].
fn counts(counter: usize, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Succeeded | Outcome::Cancelled => false,
        Outcome::Failed { .. } | Outcome::ProtocolError => counter == 0,
        Outcome::Crashed => counter == 0 || counter == 1,
        Outcome::TimedOut { .. } => counter == 0 || counter == 2,
        Outcome::Lost => counter == 3,
        Outcome::WorkerBroken => counter == 4,
        Outcome::Deferred(_) => counter == 5,
        Outcome::Interrupted => counter == 6,
    }
}

/// Counters with their caps, in the order of [`all`].
fn caps(task: &History, policy: &RetryPolicy) -> [u32; 7] {
    [
        task.max_attempts(policy),
        policy.max_crashes,
        policy.max_timeouts,
        policy.max_lost,
        policy.max_worker_broken,
        policy.max_deferrals,
        policy.max_interruptions,
    ]
}

fn is_below_all_caps(task: &History, policy: &RetryPolicy, counters: &Counters) -> bool {
    // A cap of nothing is reached by the first ending of its kind, not by none.
    all(counters).into_iter().zip(caps(task, policy)).all(|(counter, cap)| counter == 0 || counter < cap)
}

fn is_at_its_cap(
    why: PoisonReason,
    task: &History,
    policy: &RetryPolicy,
    outcome: Outcome,
    counters: &Counters,
) -> bool {
    let reached = |counter: usize| all(counters)[counter] >= caps(task, policy)[counter].max(1);
    match why {
        PoisonReason::NotRetriable => {
            matches!(
                outcome,
                Outcome::Failed { retriable: false, .. } | Outcome::TimedOut { retriable: false }
            )
        }
        PoisonReason::Attempts => reached(0),
        PoisonReason::Crashes => reached(1),
        PoisonReason::Timeouts => reached(2),
        PoisonReason::Lost => reached(3) || policy.on_lost == OnLost::Fail,
        PoisonReason::WorkerBroken => reached(4),
        PoisonReason::Deferrals => reached(5),
        PoisonReason::Interruptions => reached(6),
    }
}

fn waits_as_it_may(policy: &RetryPolicy, outcome: Outcome, wait: Wait, waiting_for: Option<WaitingFor>) {
    match (outcome, wait) {
        (Outcome::Lost | Outcome::Interrupted, Wait::Now) => assert_eq!(waiting_for, None),
        (Outcome::Deferred(when), _) => {
            assert_eq!(waiting_for, Some(WaitingFor::Deferral));
            let by_moment = |moment: Timestamp| when == Some(RetryAfter::At(moment));
            match wait {
                Wait::For(wait) => assert!(wait >= RetryAfter::LEAST),
                Wait::Until(moment) => assert!(by_moment(moment)),
                Wait::Now => panic!("a deferral that waits for nothing"),
            }
        }
        (_, Wait::For(wait)) => {
            assert!(wait <= policy.backoff.max && waiting_for.is_some());
        }
        _ => panic!("{outcome:?} waits {wait:?}"),
    }
}

#[test]
fn ten_million_steps_keep_every_invariant() {
    let lives = |thread: u64| live(Draw(SEED + thread), STEPS / THREADS);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || lives(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(tallies.iter().map(|tally| tally.steps).sum::<u64>() >= STEPS);
    for tally in tallies {
        let Tally { steps: _, completed, poisoned, cancelled } = tally;
        assert!(completed > 0 && cancelled > 0 && poisoned.iter().all(|count| *count > 0), "{tally:?}");
    }
}
