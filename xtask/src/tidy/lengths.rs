//! A function fits a screen, a file holds one idea.

use super::exceptions::{Exception, stale};
use crate::source::{count, functions, parse, production_lines};
use crate::tree::Tree;

/// The most lines of a function.
const FUNCTION: usize = 70;
/// The most lines of a file that ship, unless its header says why there are more.
const FILE: usize = 500;
/// Begins the line of a header that says why.
const REASON: &str = "//! Long because: ";

/// A problem for each file and each function of production code that is too long.
pub(super) fn problems(tree: &Tree, exceptions: &[Exception]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut needed = Vec::new();
    for file in tree.rust().filter(|file| file.path.contains("src/")) {
        let ast = match parse(file) {
            Ok(ast) => ast,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let lines = production_lines(file, &ast);
        let has_reason = file.text.lines().take_while(|line| line.starts_with("//!")).any(is_reason);
        if lines > FILE && !has_reason {
            problems.push(format!(
                "{}: {lines} lines (at most {FILE}); split it, or say `{REASON}…` in its header",
                file.path
            ));
        }
        for function in functions(&ast).into_iter().filter(|function| !function.in_test) {
            let lines = count(&function.lines);
            if lines <= FUNCTION {
                continue;
            }
            if !exceptions.iter().any(|row| row.covers(&file.path, &function.name)) {
                problems.push(format!(
                    "{}:{}: {} has {lines} lines (at most {FUNCTION})",
                    file.path,
                    function.lines.start(),
                    function.name
                ));
            }
            needed.push((file.path.clone(), function.name));
        }
    }
    problems.extend(stale(exceptions, &needed));
    problems
}

fn is_reason(line: &str) -> bool {
    line.strip_prefix(REASON).is_some_and(|reason| !reason.trim().is_empty())
}

#[cfg(test)]
mod unit {
    use super::*;

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    fn found(text: &str, exceptions: &[Exception]) -> Vec<String> {
        problems(&Tree::from([("x/src/a.rs", text)]), exceptions)
    }

    #[test]
    fn a_function_of_70_lines_passes_and_one_of_71_does_not() {
        assert_eq!(found(&function("f", 70), &[]), [""; 0]);
        assert_eq!(found(&function("f", 71), &[]), ["x/src/a.rs:1: f has 71 lines (at most 70)"]);
        assert_eq!(found(&format!("#[cfg(test)]\nmod t {{ {} }}", function("f", 99)), &[]), [""; 0]);
    }

    #[test]
    fn a_file_of_500_lines_passes_and_one_of_501_needs_a_reason() {
        let lines = |n: usize| "const A: u8 = 1;\n".repeat(n);
        assert_eq!(found(&lines(500), &[]).len(), 0);
        assert_eq!(found(&lines(501), &[]).len(), 1);
        assert_eq!(found(&format!("{}\n#[cfg(test)]\nmod t {{\n{}}}", lines(490), lines(90)), &[]).len(), 0);
        assert_eq!(found(&format!("//! A.\n//! Long because: a table.\n{}", lines(600)), &[]).len(), 0);
        assert_eq!(found(&format!("//! A.\n//! Long because: \n{}", lines(600)), &[]).len(), 1);
    }

    #[test]
    fn an_exception_is_heard_while_it_is_needed_and_a_problem_afterwards() {
        let row = [Exception { path: "x/src/a.rs", function: "f", reason: "a table" }];
        assert_eq!(found(&function("f", 71), &row), [""; 0]);
        assert_eq!(found(&function("f", 70), &row), ["x/src/a.rs: f needs its exception no more (a table)"]);
    }
}
