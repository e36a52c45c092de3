//! What holds for every policy, history and chance.

use crate::lifecycle::every_outcome;
use proptest::prelude::*;
use std::time::Duration;
use wh_domain::id::TaskType;
use wh_domain::lifecycle::{Decision, History, Next, after_attempt};
use wh_domain::outcome::Outcome;
use wh_domain::retry::{Backoff, Dice, Jitter, OnLost, RetryPolicy};
use wh_domain::routing::{Route, TypePattern, candidates, route};
use wh_domain::task::Counters;

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        (0..100_000_u64).prop_map(Duration::from_millis),
        Just(Duration::MAX),
        Just(Duration::ZERO),
    ]
}

prop_compose! {
    fn any_backoff()(
        base in any_duration(),
        factor in prop_oneof![0..5_u32, any::<u32>()],
        max in any_duration(),
        full in any::<bool>(),
    ) -> Backoff {
        Backoff { base, factor, max, jitter: if full { Jitter::Full } else { Jitter::None } }
    }
}

prop_compose! {
    fn any_policy()(
        (max_attempts, max_crashes, max_timeouts) in (0..8_u32, 0..8_u32, 0..8_u32),
        (max_lost, max_worker_broken) in (0..8_u32, 0..8_u32),
        (max_deferrals, max_interruptions) in (0..8_u32, 0..8_u32),
        backoff in any_backoff(),
        fail in any::<bool>(),
    ) -> RetryPolicy {
        RetryPolicy {
            max_attempts,
            max_crashes,
            max_timeouts,
            max_lost,
            max_worker_broken,
            max_deferrals,
            max_interruptions,
            backoff,
            on_lost: if fail { OnLost::Fail } else { OnLost::Retry },
        }
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(every_outcome())
}

prop_compose! {
    fn any_history()(
        (attempts, crashes, timeouts) in (small(), small(), small()),
        (lost, worker_broken) in (small(), small()),
        (deferrals, interruptions) in (small(), small()),
        max_attempts in prop::option::of(0..8_u32),
        cancel_wished in prop::bool::weighted(0.1),
    ) -> History {
        let counters =
            Counters { attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions };
        History { counters, max_attempts, cancel_wished }
    }
}

fn small() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..9_u32, 1 => Just(u32::MAX)]
}

/// All counters, to compare them one by one.
pub(crate) fn all(counters: &Counters) -> [u32; 7] {
    let Counters { attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions } = *counters;
    [attempts, crashes, timeouts, lost, worker_broken, deferrals, interruptions]
}

/// Whether this ending is one too many, or one that ends all trying: said again, in other words than the rules.
pub(crate) fn is_the_last(task: &History, policy: &RetryPolicy, outcome: &Outcome) -> bool {
    let nth = |before: u32, cap: u32| before.saturating_add(1) >= cap;
    let counters = &task.counters;
    let tries_are_spent = nth(counters.attempts, task.max_attempts.unwrap_or(policy.max_attempts));
    match outcome {
        Outcome::Succeeded | Outcome::Cancelled => false,
        Outcome::Failed { retriable, .. } => !retriable || tries_are_spent,
        Outcome::ProtocolError => tries_are_spent,
        Outcome::TimedOut { retriable } => {
            !retriable || tries_are_spent || nth(counters.timeouts, policy.max_timeouts)
        }
        Outcome::Crashed => tries_are_spent || nth(counters.crashes, policy.max_crashes),
        Outcome::Deferred(_) => nth(counters.deferrals, policy.max_deferrals),
        Outcome::WorkerBroken => nth(counters.worker_broken, policy.max_worker_broken),
        Outcome::Lost => policy.on_lost == OnLost::Fail || nth(counters.lost, policy.max_lost),
        Outcome::Interrupted => nth(counters.interruptions, policy.max_interruptions),
    }
}

/// How many endings a task can have at most: all but the last of each kind, and then one more.
pub(crate) fn longest_life(task: &History, policy: &RetryPolicy) -> usize {
    let below = |cap: u32| usize::try_from(cap.max(1) - 1).unwrap();
    below(task.max_attempts(policy))
        + below(policy.max_lost)
        + below(policy.max_worker_broken)
        + below(policy.max_deferrals)
        + below(policy.max_interruptions)
        + 1
}

proptest! {
    #[test]
    fn an_attempts_number_is_never_zero_and_never_above_the_limit(task in any_history(), policy in any_policy()) {
        let attempt = task.attempt(&policy);
        prop_assert!(attempt >= 1 && attempt <= task.max_attempts(&policy));
    }

    #[test]
    fn a_counter_grows_by_one_or_stays(
        task in any_history(), policy in any_policy(), outcome in any_outcome(), dice in any::<u64>(),
    ) {
        let Decision { counters, .. } = after_attempt(&task, &policy, outcome, Dice(dice));
        for (before, after) in all(&task.counters).into_iter().zip(all(&counters)) {
            prop_assert!(after == before || after == before.saturating_add(1));
        }
    }

    #[test]
    fn a_task_is_poisoned_exactly_when_a_cap_is_reached_or_no_retry_can_help(
        task in any_history(), policy in any_policy(), outcome in any_outcome(), dice in any::<u64>(),
    ) {
        let next = after_attempt(&task, &policy, outcome, Dice(dice)).next;
        let poisoned = matches!(next, Next::Poisoned(_));
        prop_assert_eq!(poisoned, !task.cancel_wished && is_the_last(&task, &policy, &outcome));
    }

    #[test]
    fn a_wish_to_cancel_always_ends_in_cancelled(
        task in any_history(), policy in any_policy(), outcome in any_outcome(), dice in any::<u64>(),
    ) {
        let wished = History { cancel_wished: true, ..task };
        prop_assert_eq!(after_attempt(&wished, &policy, outcome, Dice(dice)).next, Next::Cancelled);
    }

    #[test]
    fn every_life_ends_within_a_bound_that_can_be_computed(
        policy in any_policy(),
        max_attempts in prop::option::of(0..8_u32),
        outcomes in prop::collection::vec(any_outcome(), 60),
        dice in any::<u64>(),
    ) {
        let mut task = History { counters: Counters::default(), max_attempts, cancel_wished: false };
        let bound = longest_life(&task, &policy);
        prop_assert!(bound <= outcomes.len());
        let ended = outcomes.into_iter().take(bound).any(|outcome| {
            let decision = after_attempt(&task, &policy, outcome, Dice(dice));
            task.counters = decision.counters;
            !matches!(decision.next, Next::Pending { .. })
        });
        prop_assert!(ended, "still pending after {} endings: {:?}", bound, task.counters);
    }

    #[test]
    fn a_wait_is_never_above_the_maximum_whatever_the_numbers(
        backoff in any_backoff(), tries in any::<u32>(), dice in any::<u64>(),
    ) {
        prop_assert!(backoff.wait(tries, Dice(dice)) <= backoff.max);
    }

    #[test]
    fn a_wait_without_jitter_never_shrinks_with_the_tries(backoff in any_backoff(), tries in any::<u32>()) {
        let exact = Backoff { jitter: Jitter::None, ..backoff };
        prop_assert!(exact.wait(tries, Dice(0)) <= exact.wait(tries.saturating_add(1), Dice(0)));
    }

    #[test]
    fn routing_prefers_the_exact_then_the_longest_prefix_then_the_order_of_the_configuration(
        name in "[ab](\\.[ab]){0,3}",
        workers in prop::collection::vec(prop::collection::vec("([ab]\\.){0,3}([ab]|\\*)", 1..3), 0..6),
    ) {
        let name = TaskType::new(name).unwrap();
        let workers: Vec<Vec<TypePattern>> = workers
            .iter()
            .map(|texts| texts.iter().map(|text| TypePattern::parse(text).unwrap()).collect())
            .collect();
        // Whoever is before another fits better, or equally well and was configured earlier.
        let fit = |at: usize| workers[at].iter().filter_map(|pattern| specificity(pattern, &name)).max();
        let found = candidates(&name, workers.iter().map(Vec::as_slice));
        for pair in found.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            prop_assert!(fit(first) > fit(second) || (fit(first) == fit(second) && first < second));
        }
        let fitting = (0..workers.len()).filter(|at| fit(*at).is_some()).count();
        prop_assert_eq!(found.len(), fitting);
        let routed = route(&name, workers.iter().map(|patterns| (patterns.as_slice(), true)));
        prop_assert_eq!(routed, found.first().map_or(Route::Nobody, |at| Route::To(*at)));
    }
}

/// How many of a type's parts a pattern names; one more for naming it whole.
fn specificity(pattern: &TypePattern, name: &TaskType) -> Option<usize> {
    let text = pattern.to_string();
    let parts: Vec<&str> = name.as_str().split('.').collect();
    let wanted: Vec<&str> = text.split('.').collect();
    match wanted.split_last() {
        Some((&"*", prefix)) => {
            (parts.len() > prefix.len() && parts.starts_with(prefix)).then_some(prefix.len())
        }
        _ => (parts == wanted).then_some(parts.len() + 1),
    }
}
