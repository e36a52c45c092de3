//! Starts the soaks, which are a program of their own: the program under test with hooks in it.

use crate::command::cargo_aloud;
use std::path::Path;

/// Soaks the release build; true when nothing was lost and nothing left over.
pub(crate) fn run(root: &Path, arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let what = if arguments.is_empty() { &["all"][..] } else { &arguments };
    cargo_aloud(root, &[&["run", "--quiet", "--release", "--package", "soak", "--"], what].concat())
}
