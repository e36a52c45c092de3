//! Quarantine: what puts a worker aside, how it comes back, and when it stays aside.

use crate::samples::DICE;
use std::time::Duration;
use wh_domain::failure::FailureClass;
use wh_domain::health::{
    Colour, FAULTS_TO_QUARANTINE, FaultKind, MOST_RECOVERIES, RECOVERY_WINDOW, WorkerHealth,
};
use wh_domain::id::TaskId;
use wh_domain::outcome::Outcome;
use wh_domain::retry::Backoff;

const START: Duration = Duration::from_secs(1_000);
const FAILED: Outcome = Outcome::Failed { class: FailureClass::Transient, retriable: true };

fn fault(health: &mut WorkerHealth, kind: FaultKind, task: &str, now: Duration) {
    let task = TaskId::new(task).unwrap();
    health.saw_fault(kind, &task, "It broke.", now, &Backoff::default(), DICE);
}

/// What a worker met, in order: `a` or `b` is a fault with that task's input unread, `!` one that did not start,
/// `+` a success, `-` a failure, `~` a deferral, `i` an interruption, `c` a cancel, `l` a loss.
fn after(story: &str) -> WorkerHealth {
    let mut health = WorkerHealth::default();
    for event in story.chars() {
        match event {
            '!' => fault(&mut health, FaultKind::NotStarted, "x", START),
            '+' => health.saw(&Outcome::Succeeded, "Fine."),
            '-' => health.saw(&FAILED, "It failed."),
            '~' => health.saw(&Outcome::Deferred(None), "Later."),
            'i' => health.saw(&Outcome::Interrupted, "Stopped."),
            'c' => health.saw(&Outcome::Cancelled, "Cancelled."),
            'l' => health.saw(&Outcome::Lost, "Lost."),
            task => fault(&mut health, FaultKind::LeftUnread, &task.to_string(), START),
        }
    }
    health
}

#[test]
fn one_program_that_cannot_start_or_three_faults_over_two_tasks_put_a_worker_aside() {
    assert_eq!(FAULTS_TO_QUARANTINE, 3);
    for (story, put_aside) in [
        ("", false),
        ("!", true),
        ("a", false),
        ("ab", false),
        ("aab", true),
        ("aba", true),
        ("abb", true),
        ("aaaaaaaa", false),
        ("aaaab", true),
        ("ab+b", false),
        ("ab+ab", false),
        ("ab+aaa", false),
        ("a+bbb", false),
        ("ab-b", false),
        ("ab~b", false),
        ("abib", true),
        ("abcb", true),
        ("ablb", true),
        ("---------", false),
        ("!+", false),
        ("!-", false),
        ("!i", true),
    ] {
        assert_eq!(after(story).quarantine().is_some(), put_aside, "{story}");
    }
}

#[test]
fn a_tasks_own_failures_colour_a_worker_but_never_put_it_aside() {
    for (story, colour) in [
        ("", Colour::Green),
        ("+", Colour::Green),
        ("-", Colour::Yellow),
        ("--", Colour::Yellow),
        ("---", Colour::Red),
        ("---+", Colour::Green),
        ("-i-c-", Colour::Red),
        ("!", Colour::Red),
        ("!+", Colour::Green),
    ] {
        assert_eq!(after(story).colour(), colour, "{story}");
        assert_eq!(after(story).quarantine().is_some(), story == "!", "{story}");
    }
}

#[test]
fn a_quarantined_worker_runs_again_after_the_backoff_and_not_a_moment_before() {
    let health = after("!");
    let back = START + Backoff::default().base;
    assert!(!health.may_run(START));
    assert!(!health.may_run(back.saturating_sub(Duration::from_millis(1))));
    assert!(health.may_run(back));
    assert_eq!(after("!+").total_recoveries, 1);
}

#[test]
fn a_fault_in_quarantine_puts_the_worker_aside_again_even_if_it_is_the_only_one() {
    let mut health = after("!");
    let later = START + Duration::from_secs(30);
    fault(&mut health, FaultKind::LeftUnread, "x", later);
    assert!(!health.may_run(later) && health.may_run(later + Backoff::default().base));
}

#[test]
fn attempts_that_began_before_the_quarantine_cost_no_recovery() {
    let mut health = WorkerHealth::default();
    for nth in 0..16 {
        fault(&mut health, FaultKind::NotStarted, &format!("task-{nth}"), START);
    }
    let quarantine = health.quarantine().unwrap().clone();
    assert_eq!(quarantine.until, Some(START + Backoff::default().base), "as if it had been one");
    assert_eq!(health.failed, 16);
    fault(&mut health, FaultKind::LeftUnread, "late", START + Backoff::default().base / 2);
    assert_eq!(health.quarantine(), Some(&quarantine));
}

#[test]
fn after_five_recoveries_in_ten_minutes_a_worker_waits_for_a_person() {
    assert_eq!((MOST_RECOVERIES, RECOVERY_WINDOW), (5, Duration::from_secs(600)));
    let mut health = WorkerHealth::default();
    let minute = Duration::from_secs(60);
    for nth in 0..5 {
        fault(&mut health, FaultKind::NotStarted, "a", START + minute * nth);
        assert!(health.quarantine().is_some_and(|it| it.until.is_some()), "recovery {nth}");
        // A success in between does not give recoveries back: a worker that flaps is not well.
        health.saw(&Outcome::Succeeded, "Fine.");
    }
    fault(&mut health, FaultKind::NotStarted, "a", START + minute * 5);
    assert!(health.quarantine().is_some_and(|it| it.until.is_none()));
    assert!(!health.may_run(Duration::MAX));
    health.resume();
    assert!(health.may_run(START) && health.quarantine().is_none());
    assert_eq!(health.total_recoveries, 5, "a person's mend is no recovery of its own");
}

/// A worker that has failed to recover so often, each time as soon as it was tried again.
fn failed_to_recover(times: usize) -> WorkerHealth {
    let (mut health, mut now) = (WorkerHealth::default(), START);
    for _ in 0..times {
        fault(&mut health, FaultKind::NotStarted, "a", now);
        now = health.quarantine().and_then(|it| it.until).unwrap_or(now);
    }
    health
}

#[test]
fn recoveries_older_than_the_window_are_forgotten() {
    for (later, is_for_good) in [(RECOVERY_WINDOW, true), (RECOVERY_WINDOW + Duration::from_millis(1), false)]
    {
        let mut health = failed_to_recover(MOST_RECOVERIES);
        fault(&mut health, FaultKind::NotStarted, "a", START + later);
        assert_eq!(health.quarantine().unwrap().until.is_none(), is_for_good, "{later:?}");
    }
}

#[test]
fn a_mend_by_a_person_gives_all_recoveries_back() {
    let mut health = failed_to_recover(MOST_RECOVERIES + 1);
    assert_eq!(health.quarantine().unwrap().until, None);
    health.resume();
    fault(&mut health, FaultKind::NotStarted, "a", START);
    assert!(health.quarantine().is_some_and(|it| it.until.is_some()));
}
