//! Runs the checks one after the other: a line for each, and at the end how many tests and checks passed.

use crate::check::{Check, Counts, Trouble};
use crate::{arrows, bench, clippy, examples, format, generated, rings, rustdoc, supply, tests, tidy};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// All checks, the quick ones first.
const CHECKS: &[Check] = &[
    Check { name: "format", promise: "rustfmt would change nothing", run: format::check },
    Check { name: "arrows", promise: "crates know only those that they may know", run: arrows::check },
    Check { name: "rings", promise: "no module reaches itself through others", run: rings::check },
    Check { name: "tidy", promise: "captions, sizes, links, words and tests have manners", run: tidy::check },
    Check {
        name: "supply",
        promise: "licences, sources and dependencies are those we chose",
        run: supply::check,
    },
    Check { name: "clippy", promise: "neither the compiler nor clippy warns", run: clippy::check },
    Check { name: "tests", promise: "every test passes", run: tests::check },
    Check {
        name: "examples",
        promise: "templates pass the transcripts and wheels are what their sources build",
        run: examples::check,
    },
    Check { name: "generated", promise: "pages and schemas say what the code says", run: generated::check },
    Check { name: "bench", promise: "everything that is measured still can be", run: bench::check },
    Check {
        name: "rustdoc",
        promise: "the documentation builds and its links lead somewhere",
        run: rustdoc::check,
    },
];

/// The most lines of a failing check that are shown; the whole is in a file.
const MOST_LINES: usize = 150;

/// Whether there is a check of that name.
pub(crate) fn knows(name: &str) -> bool {
    CHECKS.iter().any(|check| check.name == name)
}

/// Says what the checks are.
pub(crate) fn list(out: &mut impl Write) -> std::io::Result<bool> {
    for check in CHECKS {
        writeln!(out, "{:<10} makes sure that {}", check.name, check.promise)?;
    }
    Ok(true)
}

/// Runs the checks named in `only`, or all; true when none failed.
pub(crate) fn run(root: &Path, only: &[String], out: &mut impl Write) -> std::io::Result<bool> {
    let chosen = CHECKS.iter().filter(|check| only.is_empty() || only.iter().any(|name| name == check.name));
    run_all(root, chosen, out)
}

fn run_all<'a>(
    root: &Path,
    checks: impl Iterator<Item = &'a Check>,
    out: &mut impl Write,
) -> std::io::Result<bool> {
    let mut all = Counts::default();
    for check in checks {
        let begun = Instant::now();
        let report = (check.run)(root);
        all += report.counts();
        tell(check.name, begun.elapsed(), &report.note, report.trouble.is_none(), out)?;
        if let Some(trouble) = &report.trouble {
            explain(root, check.name, trouble, out)?;
        }
    }
    writeln!(out, "{} passed, {} failed", all.passed, all.failed)?;
    Ok(all.failed == 0)
}

fn tell(name: &str, took: Duration, note: &str, ok: bool, out: &mut impl Write) -> std::io::Result<()> {
    let word = if ok { "ok" } else { "FAILED" };
    let line = format!("{name:<10} {word:<6} {:>6.1} s  {note}", took.as_secs_f64());
    writeln!(out, "{}", line.trim_end())?;
    out.flush()
}

/// Prints what is wrong and what to do; of a long output the end, where compilers and tests sum up.
fn explain(root: &Path, name: &str, trouble: &Trouble, out: &mut impl Write) -> std::io::Result<()> {
    let lines: Vec<&str> = trouble.output.trim_end().lines().collect();
    let hidden = lines.len().saturating_sub(MOST_LINES);
    if hidden > 0 {
        let folder = root.join("target").join("ci");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.log"));
        std::fs::write(&file, &trouble.output)?;
        writeln!(out, "    … {hidden} lines before these are in target/ci/{name}.log")?;
    }
    for line in lines.iter().skip(hidden) {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "    mend: {}", trouble.mend)
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::check::Report;

    fn said(checks: &[Check]) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        let ok = run_all(folder.path(), checks.iter(), &mut out).unwrap();
        (ok, String::from_utf8(out).unwrap())
    }

    fn good(_: &Path) -> Report {
        Report::passed("9 files")
    }

    fn bad(_: &Path) -> Report {
        Report::failed("a.rs:3: too long", "make it shorter")
    }

    fn endless(_: &Path) -> Report {
        let lines: Vec<String> = (1..=1_000).map(|n| format!("line {n}")).collect();
        Report::failed(lines.join("\n"), "less of it")
    }

    fn three_tests(_: &Path) -> Report {
        Report { tests: Some(Counts { passed: 3, failed: 0 }), ..good(Path::new("")) }
    }

    const fn check(name: &'static str, run: fn(&Path) -> Report) -> Check {
        Check { name, promise: "it is so", run }
    }

    #[test]
    fn the_last_line_counts_tests_and_every_other_check_as_one() {
        let (ok, text) = said(&[check("good", good), check("tests", three_tests)]);
        assert!(ok);
        assert!(text.ends_with("\n4 passed, 0 failed\n"), "{text}");
    }

    #[test]
    fn a_failing_check_says_what_is_wrong_and_what_to_do_and_the_others_still_run() {
        let (ok, text) = said(&[check("bad", bad), check("good", good)]);
        assert!(!ok);
        assert!(text.contains("bad        FAILED"), "{text}");
        assert!(text.contains("    a.rs:3: too long\n    mend: make it shorter\n"), "{text}");
        assert!(text.ends_with("\n1 passed, 1 failed\n"), "{text}");
    }

    #[test]
    fn a_long_output_is_cut_to_its_end_and_kept_whole_in_a_file() {
        let (_, text) = said(&[check("endless", endless)]);
        assert!(text.contains("… 850 lines before these are in target/ci/endless.log"), "{text}");
        assert!(!text.contains("line 850\n") && text.contains("line 851\n") && text.contains("line 1000\n"));
    }

    #[test]
    fn no_two_checks_share_a_name() {
        let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
    }
}
