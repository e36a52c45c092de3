//! The examples do what they say: templates pass the frozen transcripts, wheels are what their sources build.

use crate::check::{Counts, Report};
use crate::command::{self, Printed};
use std::path::Path;

/// What runs both scripts.
const PYTHON: &str = "python3";
const TRANSCRIPTS: &str = "examples/templates/check_transcripts.py";
const WHEELS: &str = "examples/quickstart/wheels/build_wheels.py";
const MEND: &str = "run the script that is named; of a transcript the template is wrong, of a wheel the sources have \
                    changed without it";

/// Fails where a template breaks a transcript or a wheel is not what its sources build. What a missing interpreter
/// keeps from being checked is skipped, and named.
pub(crate) fn check(root: &Path) -> Report {
    examine(root, PYTHON)
}

fn examine(root: &Path, python: &str) -> Report {
    let run =
        |script: &str, arguments: &[&str]| command::program(root, python, &[&[script], arguments].concat());
    let Some(transcripts) = run(TRANSCRIPTS, &[]) else {
        return Report::passed(format!("SKIP: {python} was not found, which runs the examples' own checks"));
    };
    let Some(wheels) = run(WHEELS, &["--check"]) else {
        return Report::failed(format!("{WHEELS} could not be run"), MEND);
    };
    let replayed = counts(&transcripts.text);
    let mut problems: Vec<&str> = Vec::new();
    if !transcripts.ok || replayed.is_none() {
        problems.extend([TRANSCRIPTS, &transcripts.text]);
    }
    if !wheels.ok {
        problems.extend([WHEELS, &wheels.text]);
    }
    let mut report = Report::of(&problems.iter().map(ToString::to_string).collect::<Vec<_>>(), "", MEND);
    report.note = skipped(&transcripts).join("; ");
    // The wheels are one check more.
    report.tests = replayed.map(|replayed| Counts {
        passed: replayed.passed + u64::from(wheels.ok),
        failed: replayed.failed + u64::from(!wheels.ok),
    });
    report
}

/// What the last line counts: `72 passed, 0 failed`.
fn counts(text: &str) -> Option<Counts> {
    let (passed, failed) = text.lines().last()?.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

/// The templates that nothing was here to run, as `SKIP node: node was not found`. What a template itself says that
/// it cannot do is no news.
fn skipped(transcripts: &Printed) -> Vec<String> {
    let lines = transcripts.text.lines().filter_map(|line| line.strip_prefix("skipped "));
    lines.filter(|line| line.ends_with(" was not found")).map(|line| format!("SKIP {line}")).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    /// A repository whose two scripts are these, to be run by a shell.
    fn report(transcripts: &str, wheels: &str) -> Report {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [(TRANSCRIPTS, transcripts), (WHEELS, wheels)] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        examine(folder.path(), "sh")
    }

    const GOOD: &str = "echo 'ok      sh valid'; echo '2 passed, 0 failed'";
    const BUILT: &str = r#"test "$1" = --check"#;

    fn output(report: &Report) -> &str {
        report.trouble.as_ref().map_or("", |trouble| &trouble.output)
    }

    #[test]
    fn every_transcript_counts_and_the_wheels_as_one() {
        let report = report(GOOD, BUILT);
        assert_eq!(output(&report), "");
        assert_eq!(report.counts(), Counts { passed: 3, failed: 0 });
    }

    #[test]
    fn a_broken_transcript_and_an_old_wheel_are_told_with_what_the_script_says() {
        let bad = "echo 'FAILED  sh valid: exit code'; echo '1 passed, 1 failed'; exit 1";
        let broken = report(bad, "echo 'a.whl is not what its sources build'; exit 1");
        assert!(output(&broken).contains("FAILED  sh valid: exit code"), "{broken:?}");
        assert!(output(&broken).contains("a.whl is not what its sources build"), "{broken:?}");
        assert_eq!(broken.counts(), Counts { passed: 1, failed: 2 });
        assert_ne!(output(&report(GOOD, "exit 1")), "");
        assert_ne!(output(&report("exit 1", BUILT)), "", "a script that breaks off has checked nothing");
        assert_ne!(output(&report("exit 0", BUILT)), "");
    }

    #[test]
    fn what_is_missing_is_skipped_and_named() {
        let here = report(
            "echo 'skipped node: node was not found'; echo 'skipped sh x: it cannot do this'; echo '1 passed, 0 failed'",
            BUILT,
        );
        assert_eq!((output(&here), here.note.as_str()), ("", "SKIP node: node was not found"));
        let nothing = examine(Path::new("/"), "no-such-interpreter");
        assert_eq!(output(&nothing), "");
        assert!(nothing.note.starts_with("SKIP: no-such-interpreter was not found"), "{}", nothing.note);
    }
}
