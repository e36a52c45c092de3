//! What is allowed all the same, each with its reason. A row that nothing needs any more is a problem too.

/// A function that may break a rule.
#[derive(Debug)]
pub(crate) struct Exception {
    /// The file it stands in.
    pub(crate) path: &'static str,
    /// The function's name.
    pub(crate) function: &'static str,
    /// Why it may.
    pub(crate) reason: &'static str,
}

/// Functions longer than a screen.
pub(super) const LONG_FUNCTIONS: &[Exception] = &[];

/// Functions of tests that sleep: the pauses between two looks at a condition, never the condition itself.
pub(super) const SLEEPS: &[Exception] = &[
    Exception {
        path: "crates/wh-sqlite/tests/store/power.rs",
        function: "in_time",
        reason: "the pause between two tries to mount or unmount, at most a hundred of them",
    },
    Exception {
        path: "crates/workerhost/tests/cli/place.rs",
        function: "until_so",
        reason: "the pause between two looks at what another process does, with a deadline",
    },
    Exception {
        path: "crates/workerhost/tests/cli/map/kills.rs",
        function: "pause",
        reason: "the pause between two looks at a process that is watched while it works, for as long as a trial may take",
    },
];

/// The rows of `table` that no function in `needed` (path and name) has asked for, as problems.
pub(super) fn stale(table: &[Exception], needed: &[(String, String)]) -> Vec<String> {
    table
        .iter()
        .filter(|row| !needed.iter().any(|(path, name)| row.covers(path, name)))
        .map(|row| format!("{}: {} needs its exception no more ({})", row.path, row.function, row.reason))
        .collect()
}

impl Exception {
    /// Whether this row is about that function.
    pub(super) fn covers(&self, path: &str, function: &str) -> bool {
        self.path == path && self.function == function
    }
}
