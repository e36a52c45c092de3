//! The page of faults names, for each of them, tests that exist and run.

use crate::tree::{File, Tree};

const PAGE: &str = "docs/faults.md";
/// Where the sentences stand that every store has to satisfy; a macro makes a test of each in the store's crate.
const SENTENCES: &str = "crates/wh-testkit/src/conformance/sentences.rs";

/// A problem for each row of the page that names no test, and for each test that is not there or is not run.
pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let mut problems = Vec::new();
    for (at, line) in page.text.lines().enumerate() {
        let Some(cell) = last_cell(line) else { continue };
        let mut named = cell.split('`').skip(1).step_by(2).peekable();
        if named.peek().is_none() {
            problems.push(format!("{PAGE}:{}: the fault names no test", at + 1));
        }
        let missing = named.filter(|test| !is_run(tree, test));
        problems.extend(missing.map(|test| {
            format!("{PAGE}:{}: there is no test `{test}` that runs (write `CRATE NAME`)", at + 1)
        }));
    }
    problems
}

/// The last cell of a table's row that is neither its head nor the line below that.
fn last_cell(line: &str) -> Option<&str> {
    let cell = line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit(" | ").next()?;
    (cell != "held by").then_some(cell)
}

/// Whether `CRATE NAME` is a test that a plain run does not pass over.
fn is_run(tree: &Tree, test: &str) -> bool {
    let Some((package, name)) = test.split_once(' ') else { return false };
    let folder = format!("crates/{package}/");
    let own: Vec<&File> = tree.rust().filter(|file| file.path.starts_with(&folder)).collect();
    let is_sentence = || {
        tree.files.iter().any(|file| file.path == SENTENCES && file.text.lines().any(|it| it.trim() == name))
    };
    own.iter().any(|file| has_test(file, name))
        || (own.iter().any(|file| file.text.contains("store_conformance!(")) && is_sentence())
}

/// Whether a file has a function of that name with an attribute that makes it a test, and none that has it ignored.
fn has_test(file: &File, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let is_test = |at: usize| {
        let attributes = || lines.iter().take(at).rev().take_while(|line| line.starts_with("#["));
        attributes().any(|line| line.contains("test"))
            && !attributes().any(|line| line.starts_with("#[ignore"))
    };
    lines.iter().enumerate().any(|(at, line)| line.contains(&head) && is_test(at))
}

#[cfg(test)]
mod unit {
    use super::*;

    fn found(row: &str) -> Vec<String> {
        let code = "//! A.\n#[test]\nfn it_holds() {}\n#[tokio::test(start_paused = true)]\nasync fn it_waits() {}\n\
                    #[test]\n#[ignore = \"slow\"]\nfn it_is_passed_over() {}\nfn it_helps() {}\n";
        problems(&Tree::from([
            ("crates/a/tests/a.rs", code),
            ("crates/b/tests/b.rs", "//! B.\nwh_testkit::store_conformance!(fresh);\n"),
            (SENTENCES, "            settle {\n                it_is_a_sentence\n"),
            (PAGE, &format!("| fault | then | held by |\n|---|---|---|\n{row}\n")),
        ]))
    }

    #[test]
    fn every_fault_names_tests_that_exist_and_run() {
        for good in ["`a it_holds`", "`a it_holds`, `a it_waits`", "`b it_is_a_sentence`"] {
            assert_eq!(found(&format!("| x | y | {good} |")), [""; 0], "{good}");
        }
        assert_eq!(found("| x | `y` | nothing |"), ["docs/faults.md:3: the fault names no test"]);
        for bad in [
            "a it_is_gone",
            "a it_helps",
            "a it_is_passed_over",
            "a it_is_a_sentence",
            "b it_holds",
            "it_holds",
        ] {
            let told = format!("docs/faults.md:3: there is no test `{bad}` that runs (write `CRATE NAME`)");
            assert_eq!(found(&format!("| x | y | `a it_holds`, `{bad}` |")), [told]);
        }
        assert_eq!(problems(&Tree::from([("README.md", "| a | b |")])), [""; 0]);
    }
}
