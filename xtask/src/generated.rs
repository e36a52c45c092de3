//! Pages and schemas that are written by code say what the code says.

use crate::check::{Counts, Report};
use crate::command::cargo;
use crate::tests::cargo_counts;
use std::path::Path;

/// Files that a test compares with the code and writes anew where `WH_BLESS=1` is set.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) files: &'static [&'static str],
    pub(crate) package: &'static str,
    /// The test, as a filter that fits no other.
    pub(crate) test: &'static str,
}

const ALL: &[Generated] = &[
    Generated {
        files: &["docs/lifecycle.md"],
        package: "wh-domain",
        test: "the_page_of_the_lifecycle_says_what_the_rules_say",
    },
    Generated { files: &["docs/config.md"], package: "wh-config", test: "the_reference_is_up_to_date" },
    Generated {
        files: &["schemas/config.schema.json"],
        package: "wh-config",
        test: "the_schema_is_up_to_date",
    },
    Generated {
        files: &["docs/cli.md"],
        package: "workerhost",
        test: "the_page_of_the_command_line_is_up_to_date",
    },
];

/// Fails where writing a file anew changes it. The files are left as they were.
pub(crate) fn check(root: &Path) -> Report {
    let mut problems = Vec::new();
    for generated in ALL {
        problems.extend(differences(root, generated));
    }
    let files: usize = ALL.iter().map(|generated| generated.files.len()).sum();
    Report::of(
        &problems,
        format!("{files} files"),
        "write it anew: `WH_BLESS=1 cargo test -p CRATE TEST`; then read the difference",
    )
}

/// A problem for each file that is not what its test writes.
pub(crate) fn differences(root: &Path, generated: &Generated) -> Vec<String> {
    let Generated { files, package, test } = generated;
    let read =
        || -> Vec<Option<Vec<u8>>> { files.iter().map(|file| std::fs::read(root.join(file)).ok()).collect() };
    let before = read();
    let printed = cargo(root, &["test", "--quiet", "--locked", "-p", package, test], &[("WH_BLESS", "1")]);
    let after = read();
    if cargo_counts(&printed.text) == Counts::default() {
        return vec![format!("{package}: no test {test} was run\n{}", printed.text)];
    }
    let mut problems = Vec::new();
    if !printed.ok {
        problems.push(format!("{package}: {test} failed\n{}", printed.text));
    }
    for (file, (before, after)) in files.iter().zip(before.iter().zip(&after)) {
        if before != after || after.is_none() {
            problems.push(format!("{file} is not what {package} writes ({test})"));
            if let Err(error) = put_back(&root.join(file), before.as_deref()) {
                problems.push(format!("{file} could not be put back: {error}"));
            }
        }
    }
    problems
}

fn put_back(file: &Path, content: Option<&[u8]>) -> std::io::Result<()> {
    match content {
        Some(bytes) => std::fs::write(file, bytes),
        None if file.exists() => std::fs::remove_file(file),
        None => Ok(()),
    }
}
