//! What the end of an attempt means when the host asked for it: every reason with every way of ending.

use crate::samples::{With, ended, error, in_words, left};
use wh_domain::ending::{Ending, Exit, ExitTable, Fault, ReportedError, Stop, judge};

/// Every way to end, and whether it is a kept promise: a success that the host would have taken.
fn ways() -> Vec<(&'static str, Ending, bool)> {
    let fatal = ReportedError { retry_possible: Some(false), ..error() };
    let mut ways = vec![
        ("0 with a success", left(0).success(), true),
        ("0 without an envelope", left(0).raw(), true),
        ("0 with a success and a fault", left(0).success().fault(Fault::StrayOutput), false),
        ("0 with a failure", left(0).failure(error()), false),
        ("0 without a result", left(0), false),
        ("1 with a success", left(1).success(), false),
        ("1 with a final failure", left(1).failure(fatal), false),
        ("78 with its input unread", left(78).unread(), false),
        ("a signal with a success", ended(Exit::Signal(15)).success(), false),
        ("out of memory", ended(Exit::Signal(9)).out_of_memory(), false),
        ("unseen", ended(Exit::Unseen), false),
    ];
    ways.extend(
        [1, 2, 3, 64, 65, 75, 78, 124, 126, 127, 130, 143, 42].map(|code| ("a code", left(code), false)),
    );
    ways.extend([2, 6, 9, 11, 15].map(|signal| ("a signal", ended(Exit::Signal(signal)), false)));
    ways
}

/// The outcome after `stop`; after a drain a kept promise counts.
fn expected(stop: Stop, kept_promise: bool) -> &'static str {
    match stop {
        Stop::Timeout | Stop::Stall => "timed_out",
        Stop::Cancel => "cancelled",
        Stop::Output => "protocol_error",
        Stop::Limit => "failed(resource)",
        Stop::LeaseLost => "interrupted",
        Stop::Drain if kept_promise => "succeeded",
        Stop::Drain => "interrupted",
    }
}

#[test]
fn what_the_host_asked_for_is_what_an_ending_means_however_the_worker_ended() {
    for (way, ending, kept_promise) in ways() {
        for stop in Stop::ALL {
            let verdict = judge(&ending.clone().stopped(stop), &ExitTable::default());
            assert_eq!(
                in_words(&verdict.outcome),
                expected(stop, kept_promise),
                "{} after {}",
                way,
                stop.as_str()
            );
        }
    }
}

#[test]
fn a_worker_that_never_ran_is_broken_whatever_the_host_asked_for() {
    for stop in Stop::ALL {
        let ending = ended(Exit::NotStarted("permission denied".into())).stopped(stop);
        assert_eq!(in_words(&judge(&ending, &ExitTable::default()).outcome), "worker_broken");
    }
}
