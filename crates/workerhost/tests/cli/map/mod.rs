//! `map`: a command for each line, and what is left of it whatever happens.

mod inputs;
mod kills;
mod names;
mod output;
mod page;
mod resuming;
mod stopping;
mod watching;

use crate::place::Place;
use rustix::process::Pid;
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Prints its line again and notes in `ran` that it ran: one process, no more.
const NOTING: &[&str] = &["sh", "-c", "IFS= read -r x; echo \"$x\" >> ran; echo \"$x\""];

/// What a map said and how it ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Ran {
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), out: output.stdout, err }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// The lines of standard output, sorted: results come as they end.
    fn sorted(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.text().lines().collect();
        lines.sort_unstable();
        lines
    }

    fn objects(&self) -> Vec<Value> {
        let objects: Vec<Value> =
            self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        objects.iter().for_each(crate::schema::check);
        objects
    }
}

/// `workerhost map OPTIONS -- COMMAND`, ready to be started.
fn command(place: &Place, options: &[&str], command: &[&str]) -> Command {
    let words: Vec<&str> = ["map"].iter().chain(options).chain(&["--"]).chain(command).copied().collect();
    place.command(&words)
}

/// Runs a map to its end.
fn map(place: &Place, options: &[&str], words: &[&str], input: impl AsRef<[u8]>) -> Ran {
    let input = File::open(place.write("input", input)).unwrap();
    Ran::of(command(place, options, words).stdin(input).spawn().unwrap())
}

/// Starts a map whose input comes bit by bit.
fn start(place: &Place, options: &[&str], words: &[&str]) -> Child {
    command(place, options, words).stdin(Stdio::piped()).spawn().unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// The lines that [`NOTING`] ran for, in the order of their ends.
fn ran(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.path().join("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The directory of a map.
fn dir(place: &Place, name: &str) -> PathBuf {
    place.path().join(".workerhost/maps").join(name)
}

/// Names of the maps that are kept.
fn maps(place: &Place) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place.path().join(".workerhost/maps")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// How many tasks of a map are in the store.
fn tasks(place: &Place, name: &str) -> u64 {
    let path = dir(place, name).join("tasks.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let count = rusqlite::Connection::open_with_flags(path, flags)
        .and_then(|store| store.query_row("SELECT count(*) FROM task", (), |row| row.get(0)));
    // It is not there yet, or is being made.
    count.map_or(0, |count: i64| u64::try_from(count).unwrap())
}
