//! A directory with a configuration, and the program run in it.

use crate::schema;
use rustix::process::Pid;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of a test's own.
pub(crate) struct Place(TempDir);

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// With this configuration; an empty one is none.
    pub(crate) fn with(configuration: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        if !configuration.is_empty() {
            place.write("workerhost.yaml", configuration);
        }
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments, ready to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workerhost"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap());
        // A home in which nothing can be made: what is kept lies in the place itself.
        command
            .env("HOME", "/dev/null/home")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command that was made ready to its end.
    pub(crate) fn said(command: &mut Command) -> Said {
        Said::of(command.spawn().unwrap())
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).spawn().unwrap())
    }

    /// The same, with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let feeding = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let said = Said::of(child);
        // A program that has ended early does not read on.
        feeding.join().unwrap().ok();
        said
    }

    /// Runs it to its end, which must be a good one.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said
    }

    /// A task as `show --json` tells it.
    pub(crate) fn show(&self, id: &str) -> Value {
        self.show_with("workerhost.yaml", id)
    }

    fn show_with(&self, configuration: &str, id: &str) -> Value {
        self.ok(&["-c", configuration, "show", id, "--json"]).objects().remove(0)
    }

    /// Looks for a file again and again until it is there.
    pub(crate) fn until_there(&self, name: &str) {
        until_so(&format!("{name} is there"), || self.path().join(name).exists());
    }

    /// Looks into a file again and again until `words` stand in it so many times.
    pub(crate) fn until_told(&self, name: &str, words: &str, times: usize) {
        let told = || fs::read_to_string(self.path().join(name)).unwrap_or_default();
        until_so(&format!("{name} says `{words}`"), || told().matches(words).count() >= times);
    }

    /// The process whose number a worker has written to a file.
    pub(crate) fn worker_pid(&self, name: &str) -> Pid {
        let read = || fs::read_to_string(self.path().join(name)).ok()?.trim_end().parse().ok();
        until_so(&format!("{name} holds a number"), || read().is_some());
        Pid::from_raw(read().unwrap()).unwrap()
    }

    /// Looks at a task again and again until it is as wished.
    pub(crate) fn until(&self, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
        self.until_with("workerhost.yaml", id, wished)
    }

    /// The same, with another configuration.
    pub(crate) fn until_with(&self, configuration: &str, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let mut task = Value::Null;
        until_so(&format!("{id} is as wished"), || {
            task = self.show_with(configuration, id);
            wished(&task)
        });
        task
    }
}

/// Looks at a condition again and again until it holds.
pub(crate) fn until_so(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "it does not come to this: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Said {
    /// Reads all that a child says and waits for it.
    pub(crate) fn of(mut child: Child) -> Self {
        let mut err = child.stderr.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).unwrap();
            text
        });
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let status: ExitStatus = child.wait().unwrap();
        Self { code: status.code(), out, err: reading.join().unwrap() }
    }

    /// Each line of standard output as JSON that is as its schema says.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let objects: Vec<Value> = self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        objects.iter().for_each(schema::check);
        objects
    }
}
