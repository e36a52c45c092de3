//! The sentence that a person reads first about an attempt, word for word.

use crate::samples::{With, ended, error, left};
use wh_domain::ending::{
    Ending, Exit, ExitTable, Fault, Hindrance, ReportedError, Stop, judge, judge_hindered, signal_name,
};
use wh_domain::task::PoisonReason;

fn check(ending: &Ending, sentence: &str) {
    assert_eq!(judge(ending, &ExitTable::default()).sentence, sentence);
}

#[test]
fn a_worker_that_came_to_its_own_end_is_told_with_code_and_words() {
    let fatal = ReportedError { retry_possible: Some(false), ..error() };
    check(&left(0).success(), "The worker finished the task.");
    check(&left(0), "The worker left with exit code 0 but wrote no result.");
    check(&left(1), "The worker failed with exit code 1.");
    check(&left(1).failure(error()), "The worker failed with exit code 1: ValueError: no such video.");
    check(&left(1).failure(fatal), "The worker failed with exit code 1: ValueError: no such video.");
    check(&left(2), "The worker failed with exit code 2.");
    check(&left(124), "The worker gave up with exit code 124 because its own time ran out.");
    check(&left(75), "The worker asked to be tried later (exit code 75).");
    check(&left(1).success(), "The worker reported success but left with exit code 1.");
    check(&ended(Exit::Signal(11)), "The worker was ended by SIGSEGV, which the host did not send.");
    let words = "The worker was ended: its processes used 530 MiB of memory and may use 512 MiB.";
    check(&ended(Exit::Signal(9)).out_of_memory(), words);
    check(&left(1).out_of_memory(), words);
    check(&left(0).success().out_of_memory(), "The worker finished the task.");
    let fatal = ReportedError { retry_possible: Some(false), ..error() };
    let own = judge(&left(2).failure(fatal.clone()), &ExitTable::default());
    let with_a_breach = judge(&left(2).failure(fatal).out_of_memory(), &ExitTable::default());
    assert_eq!(
        (own.outcome, own.sentence),
        (with_a_breach.outcome, with_a_breach.sentence),
        "its own words count"
    );
    assert_eq!(with_a_breach.warning, Some("some of its processes were ended at a limit"));
}

#[test]
fn a_broken_worker_is_told_with_what_to_look_at() {
    check(
        &left(127).unread(),
        "The worker left with exit code 127 before it read its task: its command was not found.",
    );
    check(
        &left(126).unread(),
        "The worker left with exit code 126 before it read its task: its command is not executable.",
    );
    check(
        &left(78).unread(),
        "The worker left with exit code 78 before it read its task: it says that its configuration is wrong.",
    );
    check(
        &left(2).unread(),
        "The worker left with exit code 2 before it read its task: perhaps its script does not exist.",
    );
    check(
        &ended(Exit::NotStarted("/opt/venv/bin/python does not exist".into())),
        "The worker could not be started: /opt/venv/bin/python does not exist.",
    );
}

#[test]
fn a_worker_that_failed_without_a_report_is_quoted() {
    let quoted =
        |ending: &Ending, log: &str| judge(ending, &ExitTable::default()).quoting(ending, log).sentence;
    let trace = "Traceback (most recent call last):\n  File \"x.py\", line 4\nKeyError: 'text'\n \n";
    assert_eq!(
        quoted(&left(1), trace),
        "The worker failed with exit code 1. Its last words: \"KeyError: 'text'\"."
    );
    assert_eq!(quoted(&left(1), " \n"), "The worker failed with exit code 1.");
    assert_eq!(quoted(&left(0).success(), trace), "The worker finished the task.");
    let told = left(1).failure(error());
    assert_eq!(quoted(&told, trace), judge(&told, &ExitTable::default()).sentence);
    assert!(quoted(&left(1), "red\u{1b}[0m").ends_with(" Its last words: \"red[0m\"."), "nothing was cut");
    let long = quoted(&left(1), &"é".repeat(500));
    assert!(long.ends_with(&format!("{}…\".", "é".repeat(200))), "{long}");
}

#[test]
fn what_is_no_workers_fault_is_told_without_blaming_one() {
    let sentence = |hindrance| judge_hindered(&hindrance).sentence;
    assert_eq!(
        sentence(Hindrance::Task("its params are bytes, which only `protocol: raw` takes".into())),
        "The task cannot be given to its worker: its params are bytes, which only `protocol: raw` takes."
    );
    assert_eq!(
        sentence(Hindrance::Host("its workspace could not be made: there is no space left (ENOSPC)".into())),
        "The host could not begin the attempt: its workspace could not be made: there is no space left (ENOSPC). It \
         does not count."
    );
}

#[test]
fn an_end_that_the_host_asked_for_is_told_with_its_reason() {
    let stopped = |stop| ended(Exit::Signal(15)).stopped(stop);
    check(&stopped(Stop::Timeout), "The worker reached its time limit and was ended.");
    check(
        &stopped(Stop::Timeout).success(),
        "The worker reached its time limit and was ended. What it had written is kept.",
    );
    check(&stopped(Stop::Stall), "The worker sent no sign of life for its stall limit and was ended.");
    check(&stopped(Stop::Cancel), "The task was cancelled and its worker was ended.");
    check(
        &stopped(Stop::Drain),
        "The host was stopped before the worker was done; the attempt does not count.",
    );
    check(
        &stopped(Stop::LeaseLost),
        "The host lost its claim on the task, so the worker was ended and nothing it wrote counts.",
    );
    check(
        &stopped(Stop::Output).fault(Fault::OutputTooLarge { limit: 67_108_864 }),
        "The worker was ended: it wrote more than 67108864 bytes to standard output (bounds.stdout).",
    );
    check(&stopped(Stop::Output), "The worker was ended: it wrote too much.");
}

#[test]
fn every_fault_says_what_was_written_and_which_bound_it_broke() {
    for (fault, words) in [
        (
            Fault::StrayOutput,
            "it wrote other text than the result to standard output, which `protocol: strict` forbids",
        ),
        (Fault::LineTooLong { limit: 8 }, "it wrote a line of more than 8 bytes (bounds.line)"),
        (Fault::NotUtf8 { offset: 3 }, "its standard output is not UTF-8 at byte 3"),
        (Fault::TooDeep { limit: 128 }, "its result is nested deeper than 128 levels (bounds.nesting)"),
        (Fault::BadResult("`tasks` is no list".into()), "its result has a wrong shape: `tasks` is no list"),
    ] {
        check(&left(0).fault(fault), &format!("The worker left with exit code 0, but {words}."));
    }
}

#[test]
fn a_workers_words_are_one_line_of_at_most_300_characters() {
    let said = |kind: &str, message: String| ReportedError {
        kind: kind.into(),
        message: message.into(),
        ..ReportedError::default()
    };
    check(
        &left(1).failure(said("E", "two\n  lines.\t".to_owned())),
        "The worker failed with exit code 1: E: two lines.",
    );
    check(
        &left(1).failure(said("", String::new())),
        "The worker failed with exit code 1: it gave no reason.",
    );
    check(&left(1).failure(said("Bare", String::new())), "The worker failed with exit code 1: Bare.");
    let exact = "ä".repeat(300);
    check(
        &left(1).failure(said("", exact.clone())),
        &format!("The worker failed with exit code 1: {exact}."),
    );
    check(
        &left(1).failure(said("", "ä".repeat(301))),
        &format!("The worker failed with exit code 1: {exact}…."),
    );
}

#[test]
fn signals_have_their_usual_names_and_others_their_numbers() {
    for (signal, name) in
        [(9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS"), (40, "signal 40")]
    {
        assert_eq!(signal_name(signal), name);
    }
}

#[test]
fn every_reason_for_giving_up_ends_the_same_sentence() {
    for reason in PoisonReason::ALL {
        let words = reason.sentence();
        assert!(!words.ends_with('.') && words.starts_with(char::is_lowercase), "Given up: {words}.");
    }
}
