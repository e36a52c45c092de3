//! Starts the measurements, which are a program of their own so that this one stays free of our crates.

use crate::check::Report;
use crate::command::{cargo, cargo_aloud};
use std::path::Path;

/// Measures what packages hold; true when every measurement could be made.
pub(crate) fn run(root: &Path, arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measuring =
        [&["run", "--quiet", "--profile", "dist", "--package", "bench", "--"], arguments.as_slice()].concat();
    cargo_aloud(root, &["build", "--quiet", "--profile", "dist", "--package", "workerhost"])
        && cargo_aloud(root, &measuring)
}

/// Fails when a measurement cannot be made. What it measures is not looked at: it is the debug build, on whatever
/// machine this runs, beside whatever else runs there.
pub(crate) fn check(root: &Path) -> Report {
    let built = cargo(root, &["build", "--quiet", "--locked", "--package", "workerhost"], &[]);
    if !built.ok {
        return Report::failed(built.text, "make `cargo build --package workerhost` work");
    }
    let done = cargo(root, &["run", "--quiet", "--locked", "--package", "bench", "--", "--quick"], &[]);
    if done.ok {
        let rows = done.text.lines().filter(|line| line.starts_with("| P")).count();
        Report::passed(format!("{rows} rows"))
    } else {
        Report::failed(done.text, "`cargo xtask bench --quick NAME` makes one measurement alone")
    }
}
