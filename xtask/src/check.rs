//! What a check is, and what it reports.

use std::path::Path;

/// One of the things that `cargo xtask ci` makes sure of.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it makes sure of, as the end of "makes sure that …".
    pub(crate) promise: &'static str,
    /// Examines the workspace in that directory.
    pub(crate) run: fn(&Path) -> Report,
}

/// How many things went well and how many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Why a check failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What is wrong, with its place.
    pub(crate) output: String,
    /// What to do about it.
    pub(crate) mend: String,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Shown at the end of the check's line: how much was examined.
    pub(crate) note: String,
    /// Of a check that runs tests, how many; any other check counts as one itself.
    pub(crate) tests: Option<Counts>,
    /// What is wrong, if anything is.
    pub(crate) trouble: Option<Trouble>,
}

impl Report {
    /// All is well.
    pub(crate) fn passed(note: impl Into<String>) -> Self {
        Self { note: note.into(), tests: None, trouble: None }
    }

    /// Something is wrong.
    pub(crate) fn failed(output: impl Into<String>, mend: impl Into<String>) -> Self {
        let trouble = Some(Trouble { output: output.into(), mend: mend.into() });
        Self { note: String::new(), tests: None, trouble }
    }

    /// All is well where there are no `problems`; otherwise each is a line of the output.
    pub(crate) fn of(problems: &[String], note: impl Into<String>, mend: &str) -> Self {
        if problems.is_empty() { Self::passed(note) } else { Self::failed(problems.join("\n"), mend) }
    }

    /// What the check adds to the run's last line. A check that failed never adds nothing to `failed`.
    pub(crate) fn counts(&self) -> Counts {
        let failed = u64::from(self.trouble.is_some());
        match self.tests {
            Some(tests) => Counts { failed: tests.failed.max(failed), ..tests },
            None => Counts { passed: 1 - failed, failed },
        }
    }
}
