//! Every test passes, and how many there were is counted from what the runner prints.

use crate::check::{Counts, Report};
use crate::command::{Printed, cargo, has_cargo};
use std::path::Path;

const MEND: &str = "run the test alone: `cargo test -p CRATE NAME`; its name is the promise that was broken";

/// Runs all tests of the workspace, by cargo-nextest where it is installed (faster: tests of several crates run
/// side by side), else by `cargo test`.
pub(crate) fn check(root: &Path) -> Report {
    if has_cargo("nextest") { by_nextest(root) } else { by_cargo(root) }
}

/// Ours, and weaker than the repository's own, should there be one.
const SETTINGS: &str = concat!("--tool-config-file=xtask:", env!("CARGO_MANIFEST_DIR"), "/nextest.toml");

fn by_nextest(root: &Path) -> Report {
    let all = cargo(
        root,
        &[
            "nextest",
            "run",
            SETTINGS,
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--no-tests=pass",
            "--hide-progress-bar",
            "--cargo-quiet",
            "--status-level=fail",
            "--final-status-level=fail",
            "--failure-output=immediate",
        ],
        &[],
    );
    // nextest does not run the examples in doc comments.
    let examples =
        cargo(root, &["test", "--doc", "--quiet", "--workspace", "--locked", "--no-fail-fast"], &[]);
    let mut counts = nextest_counts(&all.text);
    counts += cargo_counts(&examples.text);
    report(&[all, examples], counts)
}

/// The same without cargo-nextest.
pub(crate) fn by_cargo(root: &Path) -> Report {
    let all = cargo(root, &["test", "--quiet", "--workspace", "--locked", "--no-fail-fast"], &[]);
    let counts = cargo_counts(&all.text);
    report(&[all], counts)
}

fn report(runs: &[Printed], counts: Counts) -> Report {
    let bad: Vec<&str> = runs.iter().filter(|run| !run.ok).map(|run| run.text.trim()).collect();
    let base = if bad.is_empty() && counts.failed == 0 {
        Report::passed("")
    } else {
        Report::failed(bad.join("\n"), MEND)
    };
    let note = format!("{} tests", counts.passed + counts.failed);
    Report { note, tests: Some(counts), ..base }
}

/// Reads `Summary [ 1.0s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 3 skipped`. Everything that ran
/// and did not pass has failed, whatever word nextest has for it.
fn nextest_counts(text: &str) -> Counts {
    let Some(summary) = text.lines().rev().find(|line| line.trim_start().starts_with("Summary [")) else {
        return Counts::default();
    };
    let number_before = |word: &str| -> u64 {
        let words: Vec<&str> = summary.split_whitespace().collect();
        words
            .windows(2)
            .find_map(|pair| match pair {
                [number, next] if next.trim_matches([',', ':']) == word => number.parse().ok(),
                _ => None,
            })
            .unwrap_or(0)
    };
    let run = number_before("tests") + number_before("test");
    let passed = number_before("passed");
    Counts { passed, failed: run.saturating_sub(passed) }
}

/// Adds up the lines `test result: ok. 7 passed; 1 failed; …`.
pub(crate) fn cargo_counts(text: &str) -> Counts {
    let mut all = Counts::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let number_before = |word: &str| -> u64 {
            line.split(['.', ';'])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
                .unwrap_or(0)
        };
        all += Counts { passed: number_before("passed"), failed: number_before("failed") };
    }
    all
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn nextest_says_how_many_passed_and_the_rest_of_those_that_ran_failed() {
        let check = |line: &str, passed, failed| {
            assert_eq!(nextest_counts(line), Counts { passed, failed }, "{line}");
        };
        check("     Summary [   0.013s] 12 tests run: 12 passed, 0 skipped", 12, 0);
        check(
            "     Summary [   9.013s] 9 tests run: 6 passed (1 slow), 1 failed, 2 timed out, 3 skipped",
            6,
            3,
        );
        check("     Summary [   0.013s] 1 test run: 1 passed (1 leaky), 0 skipped", 1, 0);
        check("     Summary [   0.013s] 1 test run: 0 passed, 1 failed, 0 skipped", 0, 1);
        check("error: could not compile", 0, 0);
    }

    #[test]
    fn the_results_of_all_binaries_are_added_up() {
        let text = "\
test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
noise
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
";
        assert_eq!(cargo_counts(text), Counts { passed: 10, failed: 2 });
    }

    #[test]
    fn a_run_that_does_not_compile_is_no_success() {
        let run = Printed { ok: false, text: "error: could not compile".to_owned() };
        let report = report(&[run], Counts::default());
        assert!(report.trouble.is_some());
        assert_eq!(report.counts(), Counts { passed: 0, failed: 1 });
    }
}
