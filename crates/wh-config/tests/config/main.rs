//! What the configuration promises to those who write one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
mod generated;
mod loads;
mod mistakes;
mod programs;
mod properties;
mod secrets;

use std::path::Path;
use wh_config::{Loaded, Problems, Severity, parse};

/// No variable is set.
fn nothing(_: &str) -> Option<String> {
    None
}

/// Reads a text as YAML, at a place where no file is.
fn yaml(text: &str) -> Result<Loaded, Problems> {
    parse("w.yaml", text, Path::new("/nowhere"), &nothing)
}

/// Reads a text that has to load.
#[track_caller]
fn loaded(text: &str) -> Loaded {
    yaml(text).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Reads a text that must not load.
#[track_caller]
fn refused(text: &str) -> Problems {
    match yaml(text) {
        Ok(_) => panic!("this loaded:\n{text}"),
        Err(problems) => problems,
    }
}

/// One worker with these further lines.
fn worker(lines: &str) -> String {
    format!("workers:\n  - name: w\n    command: [/bin/sh]\n    task_types: [T]\n    {lines}\n")
}

/// The messages of errors.
fn errors(problems: &Problems) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.message.clone()).collect()
}

/// The messages of all problems.
fn messages(problems: &Problems) -> Vec<String> {
    problems.iter().map(|problem| problem.message.clone()).collect()
}
