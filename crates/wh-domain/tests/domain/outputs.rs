//! What outputs are declared to be, and what their checks mean for the attempt.

use wh_domain::attempt::Progress;
use wh_domain::ending::{Ending, Exit, ExitTable, Report, Stop, Verdict, judge};
use wh_domain::failure::FailureClass;
use wh_domain::limits::{Breach, Resource};
use wh_domain::outcome::Outcome;
use wh_domain::outputs::{BadOutputPath, Check, MOST_FAILED, OutputPath, Review, fits};

fn ending() -> Ending {
    Ending {
        exit: Exit::Code(0),
        stop: None,
        report: Some(Report::Success),
        fault: None,
        raw: false,
        stdin_untouched: false,
        breach: None,
    }
}

fn success() -> Verdict {
    judge(&ending(), &ExitTable::default())
}

/// A success after such a review.
fn after(review: &Review) -> Verdict {
    success().reviewed(review, &ending())
}

fn review(passed: u32, failed: u32) -> Review {
    let mut review = Review::default();
    (0..passed).for_each(|_| review.note(Check::Exists, "a", Ok(())));
    (0..failed)
        .for_each(|_| review.note(Check::Size, "a.md", Err("holds 3 bytes, and 10 are wanted".to_owned())));
    review
}

#[test]
fn a_path_stays_below_the_output_directory() {
    for good in ["report.md", "pages/*.csv", "a b/ü.json", "*/*", "..."] {
        assert_eq!(OutputPath::parse(good).map(|path| path.as_str().to_owned()).as_deref(), Ok(good));
    }
    let rows = [
        ("", BadOutputPath::Empty),
        ("/etc/passwd", BadOutputPath::Absolute),
        ("../secret", BadOutputPath::Part),
        ("a//b", BadOutputPath::Part),
        ("a/./b", BadOutputPath::Part),
        ("a/", BadOutputPath::Part),
        ("a\nb", BadOutputPath::Character),
        ("output/a.md", BadOutputPath::Doubled),
        ("**/a.md", BadOutputPath::Sign),
        ("page?.md", BadOutputPath::Sign),
        ("{a,b}.md", BadOutputPath::Sign),
        ("progress.md", BadOutputPath::HostsOwn),
    ];
    for (bad, why) in rows {
        assert_eq!(OutputPath::parse(bad), Err(why), "{bad:?}");
    }
    assert_eq!(OutputPath::parse(&"a".repeat(4_097)), Err(BadOutputPath::TooLong));
}

#[test]
fn a_star_stands_for_any_characters_of_one_name() {
    let rows = [
        ("a.md", "a.md", true),
        ("a.md", "b.md", false),
        ("*", "anything", true),
        ("*.csv", "a.csv", true),
        ("*.csv", "a.csv.tmp", false),
        ("page-*.csv", "page-.csv", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("aa*a", "aa", false),
        ("*.*", "plain", false),
    ];
    for (part, name, expected) in rows {
        assert_eq!(fits(part, name), expected, "{part} {name}");
    }
}

#[test]
fn a_success_with_good_outputs_stays_one() {
    assert_eq!(after(&review(5, 0)), success());
    assert_eq!(after(&Review::default()), success());
}

#[test]
fn a_success_with_a_failed_check_is_a_failure_that_names_it_and_may_be_tried_again() {
    let verdict = after(&review(1, 1));
    assert_eq!(verdict.outcome, Outcome::Failed { class: FailureClass::Logic, retriable: true });
    assert_eq!(
        verdict.sentence,
        "The worker said that it was done, but a.md holds 3 bytes, and 10 are wanted (`size`)."
    );
    let sentence = |failed| after(&review(0, failed)).sentence;
    assert!(sentence(2).ends_with("(`size`), and one more check failed."));
    assert!(sentence(4).ends_with("(`size`), and 3 more checks failed."));
}

#[test]
fn what_is_no_success_is_not_made_worse() {
    let crashed = Verdict { outcome: Outcome::Crashed, ..success() };
    assert_eq!(crashed.clone().reviewed(&review(0, 3), &ending()), crashed);
}

#[test]
fn quality_is_what_the_worker_says_and_no_more_than_the_checks_bear_out() {
    let rows = [
        (0, 0, None, None),
        (0, 0, Some(70), Some(70)),
        (3, 0, None, Some(100)),
        (3, 0, Some(70), Some(70)),
        (1, 2, None, Some(33)),
        (1, 2, Some(90), Some(33)),
        (0, 1, Some(90), Some(0)),
    ];
    for (passed, failed, claimed, expected) in rows {
        let review = Review { claimed, ..review(passed, failed) };
        assert_eq!(review.quality(), expected, "{passed} {failed} {claimed:?}");
    }
}

#[test]
fn only_so_many_failures_are_kept_and_all_are_counted() {
    let review = review(0, 1_000);
    assert_eq!((review.failed, review.failures.len()), (1_000, MOST_FAILED));
}

#[test]
fn progress_that_was_told_has_to_have_come_to_its_end() {
    let told = |current, total, percent| {
        let mut review = Review::default();
        review.note_progress(Some(&Progress { current, total, percent, message: None }));
        (review.passed, review.failures.first().map(ToString::to_string))
    };
    assert_eq!(told(Some(10.0), Some(10.0), Some(100.0)), (1, None));
    assert_eq!(told(None, None, Some(100.0)), (1, None));
    assert_eq!(told(Some(3.0), None, None), (0, None), "of how many nobody knows");
    let why = "the worker last said that it had done 3 of 10 (`progress`)";
    assert_eq!(told(Some(3.0), Some(10.0), Some(30.0)), (0, Some(why.to_owned())));
    let mut silent = Review::default();
    silent.note_progress(None);
    assert!(silent.is_empty());
}

#[test]
fn every_word_means_what_it_came_from() {
    for check in Check::ALL {
        assert_eq!(Check::parse(check.as_str()), Some(check));
    }
    assert_eq!(Check::parse("beauty"), None);
}

#[test]
fn who_was_stopped_or_lost_processes_is_judged_by_that() {
    let stopped = Ending { stop: Some(Stop::Drain), ..ending() };
    let verdict = success().reviewed(&review(0, 1), &stopped);
    assert_eq!(verdict.outcome, Outcome::Interrupted);
    assert!(verdict.sentence.ends_with("(`size`). The host was being stopped; it does not count."));
    let breach = Some(Breach { resource: Resource::Memory, limit: 64 << 20, used: 64 << 20 });
    let verdict = success().reviewed(&review(0, 1), &Ending { breach, ..ending() });
    assert_eq!(verdict.outcome, Outcome::Failed { class: FailureClass::Resource, retriable: true });
    assert!(
        verdict.sentence.contains("(`size`). Its processes used all of the 64 MiB"),
        "{}",
        verdict.sentence
    );
}
