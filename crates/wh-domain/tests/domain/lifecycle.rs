//! The next state of a task: every outcome, with its caps not reached and reached.

use crate::samples::{DICE, history, policy};
use std::time::Duration;
use wh_domain::failure::FailureClass;
use wh_domain::lifecycle::{
    Decision, History, Next, OnCancel, Wait, after_attempt, after_release, may_retry, on_cancel, with_wish,
};
use wh_domain::outcome::{Outcome, OutcomeName, RetryAfter};
use wh_domain::retry::{Backoff, OnLost, RetryPolicy};
use wh_domain::task::{Counters, PoisonReason, StateName, WaitingFor};
use wh_domain::time::Timestamp;

const NONE: Counters = Counters {
    attempts: 0,
    crashes: 0,
    timeouts: 0,
    lost: 0,
    worker_broken: 0,
    deferrals: 0,
    interruptions: 0,
};
/// Every counter one below its default cap, except those of tries that would end a row early.
const LAST: Counters = Counters {
    attempts: 2,
    crashes: 0,
    timeouts: 0,
    lost: 4,
    worker_broken: 9,
    deferrals: 99,
    interruptions: 99,
};

const FAILED: Outcome = Outcome::Failed { class: FailureClass::Transient, retriable: true };
const FATAL: Outcome = Outcome::Failed { class: FailureClass::Logic, retriable: false };
const TIMED_OUT: Outcome = Outcome::TimedOut { retriable: true };
const TIMED_OUT_FINAL: Outcome = Outcome::TimedOut { retriable: false };

fn again(seconds: u64, waiting_for: WaitingFor) -> Next {
    Next::Pending { wait: Wait::For(Duration::from_secs(seconds)), waiting_for: Some(waiting_for) }
}

const AT_ONCE: Next = Next::Pending { wait: Wait::Now, waiting_for: None };

fn check(before: Counters, outcome: Outcome, next: Next, after: Counters) {
    let decision = after_attempt(&history(before), &policy(), outcome, DICE);
    assert_eq!(decision, Decision { next, counters: after }, "{outcome:?} after {before:?}");
}

#[test]
fn an_outcome_below_its_cap_leads_on() {
    use WaitingFor::{Backoff, Deferral, Worker};
    check(NONE, Outcome::Succeeded, Next::Completed, NONE);
    check(NONE, Outcome::Cancelled, Next::Cancelled, NONE);
    check(NONE, FAILED, again(1, Backoff), Counters { attempts: 1, ..NONE });
    check(NONE, Outcome::ProtocolError, again(1, Backoff), Counters { attempts: 1, ..NONE });
    check(NONE, TIMED_OUT, again(1, Backoff), Counters { attempts: 1, timeouts: 1, ..NONE });
    check(NONE, Outcome::Crashed, again(1, Backoff), Counters { attempts: 1, crashes: 1, ..NONE });
    check(NONE, Outcome::Deferred(None), again(1, Deferral), Counters { deferrals: 1, ..NONE });
    check(NONE, Outcome::WorkerBroken, again(1, Worker), Counters { worker_broken: 1, ..NONE });
    check(NONE, Outcome::Lost, AT_ONCE, Counters { lost: 1, ..NONE });
    check(NONE, Outcome::Interrupted, AT_ONCE, Counters { interruptions: 1, ..NONE });
}

#[test]
fn the_nth_ending_of_a_kind_poisons_and_is_still_counted() {
    use PoisonReason as Why;
    check(LAST, Outcome::Succeeded, Next::Completed, LAST);
    check(LAST, Outcome::Cancelled, Next::Cancelled, LAST);
    let poisoned = |outcome, why, after| check(LAST, outcome, Next::Poisoned(why), after);
    poisoned(FAILED, Why::Attempts, Counters { attempts: 3, ..LAST });
    poisoned(Outcome::ProtocolError, Why::Attempts, Counters { attempts: 3, ..LAST });
    poisoned(TIMED_OUT, Why::Attempts, Counters { attempts: 3, timeouts: 1, ..LAST });
    poisoned(Outcome::Crashed, Why::Attempts, Counters { attempts: 3, crashes: 1, ..LAST });
    poisoned(Outcome::Deferred(None), Why::Deferrals, Counters { deferrals: 100, ..LAST });
    poisoned(Outcome::WorkerBroken, Why::WorkerBroken, Counters { worker_broken: 10, ..LAST });
    poisoned(Outcome::Lost, Why::Lost, Counters { lost: 5, ..LAST });
    poisoned(Outcome::Interrupted, Why::Interruptions, Counters { interruptions: 100, ..LAST });
}

#[test]
fn a_second_crash_and_a_second_timeout_poison_while_attempts_are_left() {
    let crashed = Counters { attempts: 1, crashes: 1, ..NONE };
    let late = Counters { attempts: 1, timeouts: 1, ..NONE };
    check(
        crashed,
        Outcome::Crashed,
        Next::Poisoned(PoisonReason::Crashes),
        Counters { attempts: 2, crashes: 2, ..NONE },
    );
    check(
        late,
        TIMED_OUT,
        Next::Poisoned(PoisonReason::Timeouts),
        Counters { attempts: 2, timeouts: 2, ..NONE },
    );
    check(
        crashed,
        TIMED_OUT,
        again(2, WaitingFor::Backoff),
        Counters { attempts: 2, crashes: 1, timeouts: 1, ..NONE },
    );
}

#[test]
fn a_failure_that_trying_again_cannot_help_poisons_at_once() {
    check(NONE, FATAL, Next::Poisoned(PoisonReason::NotRetriable), Counters { attempts: 1, ..NONE });
    check(
        NONE,
        TIMED_OUT_FINAL,
        Next::Poisoned(PoisonReason::NotRetriable),
        Counters { attempts: 1, timeouts: 1, ..NONE },
    );
}

#[test]
fn a_deferral_waits_as_long_as_the_worker_asked() {
    let moment = Timestamp::from_millis(1_800_000_000_000);
    for (when, wait) in [
        (RetryAfter::In(Duration::from_secs(90)), Wait::For(Duration::from_secs(90))),
        (RetryAfter::At(moment), Wait::Until(moment)),
    ] {
        let next = Next::Pending { wait, waiting_for: Some(WaitingFor::Deferral) };
        check(NONE, Outcome::Deferred(Some(when)), next, Counters { deferrals: 1, ..NONE });
    }
}

#[test]
fn a_task_that_is_interrupted_again_and_again_waits_longer_each_time() {
    for (before, next) in
        [(0, AT_ONCE), (1, again(1, WaitingFor::Backoff)), (2, again(2, WaitingFor::Backoff))]
    {
        let counters = |interruptions| Counters { interruptions, ..NONE };
        check(counters(before), Outcome::Interrupted, next, counters(before + 1));
    }
}

#[test]
fn a_deferral_waits_a_little_whatever_the_worker_asked() {
    let least = Wait::For(RetryAfter::LEAST);
    let next = |wait| Next::Pending { wait, waiting_for: Some(WaitingFor::Deferral) };
    let after = Counters { deferrals: 1, ..NONE };
    check(NONE, Outcome::Deferred(Some(RetryAfter::In(Duration::ZERO))), next(least), after);
    check(NONE, Outcome::Deferred(Some(RetryAfter::In(RetryAfter::LEAST / 2))), next(least), after);
    let eager = RetryPolicy { backoff: Backoff { max: Duration::ZERO, ..policy().backoff }, ..policy() };
    let decision = after_attempt(&history(NONE), &eager, Outcome::Deferred(None), DICE);
    assert_eq!(decision.next, next(least), "also where no backoff is configured");
}

#[test]
fn a_moment_to_try_again_that_is_as_good_as_there_is_no_wait_at_all() {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let least = RetryAfter::LEAST;
    for (moment, seen) in [
        (Timestamp::from_millis(0), RetryAfter::In(Duration::ZERO)),
        (now, RetryAfter::In(Duration::ZERO)),
        (now.after(least / 2), RetryAfter::In(Duration::ZERO)),
        (now.after(least), RetryAfter::At(now.after(least))),
    ] {
        let outcome = Outcome::Deferred(Some(RetryAfter::At(moment)));
        assert_eq!(outcome.seen_at(now), Outcome::Deferred(Some(seen)), "{moment:?}");
    }
    for outcome in every_outcome().into_iter().filter(|it| !matches!(it, Outcome::Deferred(_))) {
        assert_eq!(outcome.seen_at(now), outcome);
    }
}

#[test]
fn an_unknown_fate_is_final_where_the_worker_says_so() {
    let policy = RetryPolicy { on_lost: OnLost::Fail, ..policy() };
    let decision = after_attempt(&history(NONE), &policy, Outcome::Lost, DICE);
    assert_eq!(decision.next, Next::Poisoned(PoisonReason::Lost));
}

#[test]
fn a_tasks_own_limit_of_attempts_comes_before_its_workers() {
    for (own, tries_before, poisoned) in [
        (Some(1), 0, true),
        (Some(5), 3, false),
        (Some(5), 4, true),
        (Some(0), 0, true),
        (None, 1, false),
        (None, 2, true),
    ] {
        let task = History { max_attempts: own, ..history(Counters { attempts: tries_before, ..NONE }) };
        let next = after_attempt(&task, &policy(), FAILED, DICE).next;
        assert_eq!(next == Next::Poisoned(PoisonReason::Attempts), poisoned, "{own:?} after {tries_before}");
    }
}

#[test]
fn a_wish_to_cancel_ends_the_task_as_cancelled_after_any_outcome_and_the_ending_is_counted() {
    for outcome in every_outcome() {
        for before in [NONE, LAST] {
            let wished = History { cancel_wished: true, ..history(before) };
            let decision = after_attempt(&wished, &policy(), outcome, DICE);
            let unwished = after_attempt(&history(before), &policy(), outcome, DICE);
            assert_eq!(
                decision,
                Decision { next: Next::Cancelled, counters: unwished.counters },
                "{outcome:?}"
            );
        }
    }
}

#[test]
fn an_attempts_number_is_the_counted_tries_plus_one_and_stops_at_the_limit() {
    for (tries, own, number) in
        [(0, None, 1), (1, None, 2), (2, None, 3), (3, None, 3), (9, Some(4), 4), (u32::MAX, None, 3)]
    {
        let task = History { max_attempts: own, ..history(Counters { attempts: tries, ..NONE }) };
        assert_eq!(task.attempt(&policy()), number, "{tries} of {own:?}");
    }
}

/// One of each, so that a new outcome cannot be forgotten here.
pub(crate) fn every_outcome() -> Vec<Outcome> {
    OutcomeName::ALL
        .into_iter()
        .flat_map(|name| match name {
            OutcomeName::Succeeded => vec![Outcome::Succeeded],
            OutcomeName::Failed => FailureClass::ALL
                .into_iter()
                .flat_map(|class| [true, false].map(|retriable| Outcome::Failed { class, retriable }))
                .collect(),
            OutcomeName::TimedOut => vec![TIMED_OUT, TIMED_OUT_FINAL],
            OutcomeName::Crashed => vec![Outcome::Crashed],
            OutcomeName::ProtocolError => vec![Outcome::ProtocolError],
            OutcomeName::Deferred => vec![
                Outcome::Deferred(None),
                Outcome::Deferred(Some(RetryAfter::In(Duration::ZERO))),
                Outcome::Deferred(Some(RetryAfter::At(Timestamp::from_millis(0)))),
            ],
            OutcomeName::WorkerBroken => vec![Outcome::WorkerBroken],
            OutcomeName::Lost => vec![Outcome::Lost],
            OutcomeName::Interrupted => vec![Outcome::Interrupted],
            OutcomeName::Cancelled => vec![Outcome::Cancelled],
        })
        .collect()
}

#[test]
fn a_claim_that_is_given_back_leaves_its_task_as_it_was() {
    let before = Counters { attempts: 2, lost: 1, ..Counters::default() };
    let as_it_was = Decision { next: Next::Pending { wait: Wait::Now, waiting_for: None }, counters: before };
    assert_eq!(after_release(&history(before)), as_it_was);
    let cancelled = Decision { next: Next::Cancelled, counters: before };
    assert_eq!(after_release(&History { cancel_wished: true, ..history(before) }), cancelled);
    assert_eq!(with_wish(as_it_was), cancelled);
}

#[test]
fn wishes_end_what_waits_ask_for_what_runs_and_bring_back_only_what_was_given_up_or_cancelled() {
    let table = [
        (StateName::Pending, OnCancel::Ends, false),
        (StateName::Claimed, OnCancel::Asks, false),
        (StateName::Completed, OnCancel::Nothing, false),
        (StateName::Poisoned, OnCancel::Nothing, true),
        (StateName::Cancelled, OnCancel::Nothing, true),
    ];
    for (state, cancelled, retried) in table {
        assert_eq!((on_cancel(state), may_retry(state)), (cancelled, retried), "{state:?}");
    }
}
