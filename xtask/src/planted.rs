//! Small packages with something planted in them, so that every check that asks cargo is seen to fail.

use crate::check::{Counts, Report};
use crate::generated::{self, Generated};
use crate::{bench, clippy, format, rustdoc, tests};
use std::path::Path;
use tempfile::TempDir;

const GOOD: &str = "\
//! Adds.

/// One more than `n`.
pub fn next(n: u8) -> u8 {
    n.saturating_add(1)
}

#[test]
fn two_follows_one() {
    assert_eq!(next(1), 2);
}
";

/// A package whose library is `code`.
fn package(code: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"planted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    let lock = "version = 4\n\n[[package]]\nname = \"planted\"\nversion = \"0.0.0\"\n";
    std::fs::create_dir(folder.path().join("src")).unwrap();
    for (name, text) in [("Cargo.toml", manifest), ("Cargo.lock", lock), ("src/lib.rs", code)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn report(run: fn(&Path) -> Report, code: &str) -> Report {
    run(package(code).path())
}

fn check(run: fn(&Path) -> Report, from: &str, to: &str, word: &str) {
    let good = report(run, GOOD);
    assert_eq!(good.trouble, None, "nothing is planted yet");
    let planted = report(run, &GOOD.replace(from, to));
    let trouble = planted.trouble.unwrap();
    assert!(trouble.output.contains(word), "{}", trouble.output);
    assert!(!trouble.mend.is_empty());
}

#[test]
fn format_fails_on_a_line_that_rustfmt_would_change() {
    check(format::check, "    n.sat", "  n.sat", "src/lib.rs");
}

#[test]
fn clippy_fails_on_a_warning() {
    check(clippy::check, "n.saturating_add(1)", "return n.saturating_add(1);", "needless_return");
}

#[test]
fn rustdoc_fails_on_a_link_that_leads_nowhere() {
    check(rustdoc::check, "than `n`", "than [`m`]", "unresolved link");
}

#[test]
fn bench_fails_where_there_is_nothing_to_measure() {
    let trouble = report(bench::check, GOOD).trouble.unwrap();
    assert!(trouble.output.contains("workerhost"), "{}", trouble.output);
}

#[test]
fn tests_fail_on_a_broken_promise_and_count_it() {
    check(tests::check, "next(1), 2", "next(1), 3", "two_follows_one");
    let both = format!("{GOOD}\n#[test]\nfn broken() {{\n    assert_eq!(next(1), 3);\n}}\n");
    for run in [tests::check, tests::by_cargo] {
        assert_eq!(report(run, &both).counts(), Counts { passed: 1, failed: 1 });
    }
}

#[test]
fn tests_fail_on_a_broken_example_in_a_comment() {
    check(
        tests::check,
        "/// One",
        "/// ```\n/// assert_eq!(planted::next(1), 3);\n/// ```\n/// One",
        "assertion",
    );
}

#[test]
fn tests_fail_on_code_that_does_not_compile() {
    check(tests::check, "-> u8", "-> u16", "mismatched types");
}

#[test]
fn generated_fails_on_a_page_that_is_older_than_its_code_and_leaves_it_as_it_was() {
    let folder = package(
        "#[test]\nfn page() {\n    if std::env::var_os(\"WH_BLESS\").is_some() {\n        \
         std::fs::write(\"page.md\", \"new\").unwrap();\n    }\n}\n",
    );
    let page = folder.path().join("page.md");
    let row = |test| Generated { files: &["page.md"], package: "planted", test };
    let found = |test| generated::differences(folder.path(), &row(test));
    assert_eq!(found("page"), ["page.md is not what planted writes (page)"]);
    assert!(!page.exists(), "what was not there is not left behind");
    std::fs::write(&page, "old").unwrap();
    assert_eq!(found("page"), ["page.md is not what planted writes (page)"]);
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "old");
    std::fs::write(&page, "new").unwrap();
    assert_eq!(found("page"), [""; 0]);
    assert!(found("gone").concat().contains("no test gone was run"));
}
