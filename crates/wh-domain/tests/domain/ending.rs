//! What the end of an attempt means when the host did not ask for it: every exit code with everything a worker
//! may have said, against an expectation that is worked out another way, and a row for each line of the protocol.

use crate::samples::{With, ended, error, in_words, left};
use std::collections::BTreeMap;
use std::time::Duration;
use wh_domain::ending::{
    Ending, Exit, ExitTable, Fault, Hindrance, Meaning, Report, ReportedError, judge, judge_hindered,
};
use wh_domain::failure::FailureClass;
use wh_domain::outcome::RetryAfter;

const SOON: RetryAfter = RetryAfter::In(Duration::from_secs(30));

/// Everything a worker may have reported: 2 + 3 × 2 × 5 × 2 reports.
fn reports() -> Vec<Option<Report>> {
    let mut all = vec![None, Some(Report::Success)];
    for retry_possible in [None, Some(true), Some(false)] {
        for retry_after in [None, Some(SOON)] {
            for class in [None].into_iter().chain(FailureClass::ALL.map(Some)) {
                for status in [None, Some(429)] {
                    let said = ReportedError { retry_possible, retry_after, class, status, ..error() };
                    all.push(Some(Report::Failure(said)));
                }
            }
        }
    }
    all
}

/// What must come out, read off the protocol's table from its strongest rule to its weakest.
fn expected(code: u8, ending: &Ending) -> String {
    let said = match &ending.report {
        Some(Report::Success) if code == 0 => return "succeeded".to_owned(),
        Some(Report::Success) => return "protocol_error".to_owned(),
        Some(Report::Failure(error)) => error.clone(),
        None => ReportedError::default(),
    };
    let nothing_said = ending.report.is_none();
    if [78, 126, 127].contains(&code) && ending.stdin_untouched {
        return "worker_broken".to_owned();
    }
    if code == 2 && ending.stdin_untouched && nothing_said && !ending.raw {
        return "worker_broken".to_owned();
    }
    if code == 0 && nothing_said {
        return if ending.raw { "succeeded" } else { "protocol_error" }.to_owned();
    }
    let no_retry = [2, 64, 65, 78].contains(&code)
        || said.retry_possible == Some(false)
        || (said.class == Some(FailureClass::Logic) && said.retry_possible.is_none());
    if [3, 124].contains(&code) {
        return if no_retry { "timed_out, final" } else { "timed_out" }.to_owned();
    }
    if !no_retry && said.retry_after.is_some() {
        return "deferred until told".to_owned();
    }
    if !no_retry && code == 75 {
        return "deferred".to_owned();
    }
    let class = match (said.class, said.status) {
        (Some(class), _) => class.as_str(),
        (None, Some(429)) => "quota",
        (None, _) => {
            if no_retry {
                "logic"
            } else {
                "transient"
            }
        }
    };
    format!("failed({class}){}", if no_retry { ", final" } else { "" })
}

#[test]
fn every_exit_code_with_every_report_means_what_the_protocol_says() {
    let table = ExitTable::default();
    let mut cells = 0;
    for code in 0..=u8::MAX {
        for unread in [false, true] {
            let base = Ending { stdin_untouched: unread, ..left(code) };
            let with_envelope = reports().into_iter().map(|report| Ending { report, ..base.clone() });
            // A worker without an envelope cannot report.
            for ending in with_envelope.chain([base.clone().raw()]) {
                let verdict = judge(&ending, &table);
                assert_eq!(in_words(&verdict.outcome), expected(code, &ending), "{ending:?}");
                assert!(verdict.sentence.ends_with('.'), "{ending:?}: {}", verdict.sentence);
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 256 * 2 * (2 + 3 * 2 * 5 * 2 + 1));
}

fn check(line: &str, ending: &Ending, outcome: &str) {
    assert_eq!(in_words(&judge(ending, &ExitTable::default()).outcome), outcome, "{line}");
}

#[test]
fn each_line_of_the_protocols_table_holds() {
    let no = |retry| ReportedError { retry_possible: Some(retry), ..error() };
    let later = ReportedError { retry_after: Some(SOON), ..error() };
    let class = |class| ReportedError { class: Some(class), ..error() };
    check("0, success: true", &left(0).success(), "succeeded");
    check("0, success: false", &left(0).failure(error()), "failed(transient)");
    check("0, success: false, its class", &left(0).failure(class(FailureClass::Quota)), "failed(quota)");
    check("0, success: false, its retry", &left(0).failure(no(false)), "failed(logic), final");
    check("0, no result", &left(0), "protocol_error");
    check("0, no envelope", &left(0).raw(), "succeeded");
    check("1", &left(1), "failed(transient)");
    for code in [2, 64, 65] {
        check("2, 64, 65", &left(code), "failed(logic), final");
    }
    for code in [3, 124] {
        check("3, 124", &left(code), "timed_out");
    }
    check("75", &left(75), "deferred");
    check("retry_after", &left(1).failure(later.clone()), "deferred until told");
    check("0, retry_after", &left(0).failure(later), "deferred until told");
    check("spawn error", &ended(Exit::NotStarted("no such file".into())), "worker_broken");
    for code in [78, 126, 127] {
        check("78, 126, 127, unread", &left(code).unread(), "worker_broken");
        check("78, 126, 127, unread, raw", &left(code).unread().raw(), "worker_broken");
    }
    check("2, unread", &left(2).unread(), "worker_broken");
    check("2, unread, told why", &left(2).unread().failure(error()), "failed(logic), final");
    check("2, unread, raw", &left(2).unread().raw(), "failed(logic), final");
    check("78, read", &left(78), "failed(logic), final");
    for code in [126, 127] {
        check("126, 127, read", &left(code), "failed(transient)");
    }
    for code in [130, 143] {
        check("130, 143, no signal of ours", &left(code), "failed(transient)");
    }
    for signal in [6, 9, 11, 15] {
        check("a signal that is not ours", &ended(Exit::Signal(signal)), "crashed");
    }
    check("out of memory", &ended(Exit::Signal(9)).out_of_memory(), "failed(resource)");
    check("any other code", &left(42), "failed(transient)");
    check("not 0, success: true", &left(1).success(), "protocol_error");
    check("2 and retry_possible: true", &left(2).failure(no(true)), "failed(logic), final");
    check("1 and retry_possible: false", &left(1).failure(no(false)), "failed(logic), final");
    check("75 and retry_possible: false", &left(75).failure(no(false)), "failed(logic), final");
    check("nobody saw it", &ended(Exit::Unseen), "interrupted");
}

#[test]
fn what_kept_an_attempt_from_beginning_is_laid_on_whoever_is_at_fault() {
    for (hindrance, outcome) in [
        (Hindrance::Worker("w".into()), "worker_broken"),
        (Hindrance::Task("t".into()), "failed(logic), final"),
        (Hindrance::Host("h".into()), "interrupted"),
    ] {
        assert_eq!(in_words(&judge_hindered(&hindrance).outcome), outcome, "{hindrance:?}");
    }
}

#[test]
fn an_explicit_retry_possible_beats_the_default_of_a_class() {
    let logic = ReportedError { class: Some(FailureClass::Logic), ..error() };
    check("logic", &left(1).failure(logic.clone()), "failed(logic), final");
    let again = ReportedError { retry_possible: Some(true), ..logic };
    check("logic, retry_possible: true", &left(1).failure(again), "failed(logic)");
}

#[test]
fn a_success_that_broke_the_protocol_is_none() {
    for fault in [
        Fault::StrayOutput,
        Fault::LineTooLong { limit: 8 },
        Fault::OutputTooLarge { limit: 64 },
        Fault::NotUtf8 { offset: 3 },
        Fault::TooDeep { limit: 128 },
        Fault::BadResult("`tasks` is no list".into()),
    ] {
        check("0, success: true", &left(0).success().fault(fault.clone()), "protocol_error");
        check("0, no result", &left(0).fault(fault.clone()), "protocol_error");
        check("1 is a failure first", &left(1).fault(fault.clone()), "failed(transient)");
        check("2 stays final", &left(2).fault(fault), "failed(logic), final");
    }
}

#[test]
fn a_failure_that_says_no_retry_stays_final_even_where_it_broke_the_protocol() {
    let fatal = ReportedError { retry_possible: Some(false), ..error() };
    check("no retry wins", &left(0).failure(fatal).fault(Fault::StrayOutput), "failed(logic), final");
    check("else the fault counts", &left(0).failure(error()).fault(Fault::StrayOutput), "protocol_error");
}

#[test]
fn exit_0_with_a_failure_is_a_slip_that_is_mentioned() {
    assert!(judge(&left(0).failure(error()), &ExitTable::default()).warning.is_some());
    assert!(judge(&left(1).failure(error()), &ExitTable::default()).warning.is_none());
}

#[test]
fn a_workers_own_table_replaces_the_protocols_codes() {
    let raw_grep =
        ExitTable { exceptions: BTreeMap::from([(1, Meaning::Succeeded)]), unknown_is_final: false };
    let outcome = |table: &ExitTable, ending: &Ending| in_words(&judge(ending, table).outcome);
    assert_eq!(outcome(&raw_grep, &left(1).raw()), "succeeded");
    assert_eq!(outcome(&raw_grep, &left(2).raw()), "failed(logic), final");
    for (meaning, expected) in [
        (Meaning::Succeeded, "succeeded"),
        (Meaning::Failed, "failed(transient)"),
        (Meaning::NotRetriable, "failed(logic), final"),
        (Meaning::TimedOut, "timed_out"),
        (Meaning::Deferred, "deferred"),
        (Meaning::WorkerBroken, "failed(transient)"),
    ] {
        let table = ExitTable { exceptions: BTreeMap::from([(9, meaning)]), unknown_is_final: false };
        assert_eq!(outcome(&table, &left(9).raw()), expected);
    }
}

#[test]
fn codes_that_the_protocol_does_not_name_can_be_made_final_and_only_those() {
    let table = ExitTable { exceptions: BTreeMap::new(), unknown_is_final: true };
    const NAMED: [u8; 13] = [0, 1, 2, 3, 64, 65, 75, 78, 124, 126, 127, 130, 143];
    for code in 0..=u8::MAX {
        let expected =
            if NAMED.contains(&code) { ExitTable::default().meaning(code) } else { Meaning::NotRetriable };
        assert_eq!(table.meaning(code), expected, "{code}");
    }
}
