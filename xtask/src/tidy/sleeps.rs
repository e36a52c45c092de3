//! Tests wait for facts: a test that sleeps is slow when all is well and wrong when the machine is busy.

use super::exceptions::{Exception, stale};
use crate::source::{functions, parse};
use crate::tree::{File, Tree};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A problem for each function of a test that calls `sleep`. A test whose clock is paused may: its sleeps take
/// no time. So may a sleep through a clock that was handed in (`clock.sleep(…)`).
pub(super) fn problems(tree: &Tree, exceptions: &[Exception]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut needed = Vec::new();
    for file in tree.rust() {
        // What cannot be parsed is told by the check of lengths.
        let Ok(ast) = parse(file) else { continue };
        let sleepers = functions(&ast)
            .into_iter()
            .filter(|it| it.in_test || is_for_tests_whole(file))
            .filter(|it| !it.clock_is_paused && sleeps(it.body.clone()));
        for function in sleepers {
            if !exceptions.iter().any(|row| row.covers(&file.path, &function.name)) {
                problems.push(format!(
                    "{}:{}: {} sleeps; wait for the fact itself, with a deadline",
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

/// Whether all of a file is there for tests.
fn is_for_tests_whole(file: &File) -> bool {
    file.path.contains("/tests/") || file.path.contains("wh-testkit/")
}

/// Whether `sleep` or `sleep_ms` is called as a function, by whatever path.
fn sleeps(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_call = |at: usize| {
        let called = matches!(tokens.get(at + 1), Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Parenthesis);
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let of_something = matches!(before, Some(TokenTree::Punct(dot)) if dot.as_char() == '.');
        let defined = matches!(before, Some(TokenTree::Ident(word)) if word == "fn");
        called && !of_something && !defined
    };
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => (word == "sleep" || word == "sleep_ms") && is_call(at),
        TokenTree::Group(group) => sleeps(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    fn found(path: &str, body: &str) -> usize {
        problems(&Tree::from([(path, format!("async fn waits() {{ {body} }}").as_str())]), &[]).len()
    }

    #[test]
    fn a_sleep_in_a_test_is_found_however_it_is_called() {
        for body in [
            "std::thread::sleep(d);",
            "tokio::time::sleep(d).await;",
            "sleep(d).await",
            "loop { if x { thread::sleep(d) } }",
            "assert!(poll(|| sleep(d)))",
        ] {
            assert_eq!(found("crates/x/tests/a.rs", body), 1, "{body}");
            assert_eq!(found("crates/x/src/a.rs", body), 0, "production may: {body}");
        }
    }

    #[test]
    fn what_only_looks_like_a_sleep_passes() {
        for body in ["clock.sleep(d).await", "run(\"sleep 5\")", "fn sleep(d: u8) {}", "let sleep = 5;"] {
            assert_eq!(found("crates/x/tests/a.rs", body), 0, "{body}");
        }
    }

    #[test]
    fn a_paused_clock_and_an_exception_with_a_reason_excuse_it() {
        let paused = "#[tokio::test(start_paused = true)] async fn t() { sleep(d).await }";
        assert_eq!(problems(&Tree::from([("x/tests/a.rs", paused)]), &[]).len(), 0);
        let row = [Exception { path: "x/tests/a.rs", function: "poll", reason: "between two looks" }];
        assert_eq!(problems(&Tree::from([("x/tests/a.rs", "fn poll() { sleep(d) }")]), &row).len(), 0);
        assert_eq!(problems(&Tree::from([("x/tests/a.rs", "fn poll() {}")]), &row).len(), 1);
    }
}
