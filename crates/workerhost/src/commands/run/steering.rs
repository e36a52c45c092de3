//! What people ask of a running host: by signals, and by changing files.

use super::watch::{Changed, Watch};
use crate::configuration::{Configuration, reread};
use crate::context::Context;
use crate::globals::Globals;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wh_config::{Config, Loaded};
use wh_host::Command;

/// What is to be done.
pub(super) enum Wish {
    Command(Command),
    /// A new configuration holds.
    Configuration(Box<Config>, Command),
    /// Something for the log.
    Note(String),
    ReopenLog,
}

/// Listens.
pub(super) struct Steering {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Signal,
    reopen: Signal,
    globals: Globals,
    file: Option<PathBuf>,
    config: Config,
    watch: Option<Watch>,
    due: VecDeque<Wish>,
}

impl Steering {
    pub(super) fn new(configuration: &Configuration, context: &Context) -> io::Result<Self> {
        let mut steering = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined1())?,
            globals: context.globals.clone(),
            file: configuration.file.clone(),
            config: configuration.config.clone(),
            watch: None,
            due: VecDeque::new(),
        };
        steering.watch_files();
        Ok(steering)
    }

    /// The next wish. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Wish {
        loop {
            if let Some(wish) = self.due.pop_front() {
                return wish;
            }
            tokio::select! {
                Some(()) = self.terminate.recv() => return Wish::Command(Command::Drain),
                Some(()) = self.interrupt.recv() => return Wish::Command(Command::Drain),
                Some(()) = self.quit.recv() => self.at_once(),
                Some(()) = self.hangup.recv() => self.reload(),
                Some(()) = self.reopen.recv() => return Wish::ReopenLog,
                changed = next_change(&mut self.watch) => self.changed(changed),
            }
        }
    }

    /// SIGQUIT: as if asked three times, so without any waiting.
    fn at_once(&mut self) {
        self.due.extend((0..3).map(|_| Wish::Command(Command::Drain)));
    }

    fn changed(&mut self, changed: Changed) {
        if changed.configuration {
            self.reload();
        }
        if !changed.workers.is_empty() {
            self.due.push_back(Wish::Command(Command::Mended(changed.workers)));
        }
    }

    fn reload(&mut self) {
        let Some(file) = &self.file else { return };
        match reread(&self.globals, file) {
            Ok(Loaded { config, warnings }) => {
                if !warnings.is_empty() {
                    self.due.push_back(Wish::Note(warnings.to_string()));
                }
                if let Some(words) = needs_restart(&self.config, &config) {
                    self.due.push_back(Wish::Note(words));
                }
                let workers = config.workers.clone();
                self.config = config.clone();
                self.due.push_back(Wish::Configuration(Box::new(config), Command::Reload(workers)));
                self.watch_files();
            }
            Err(why) => self.due.push_back(Wish::Command(Command::Refused(why.into()))),
        }
    }

    fn watch_files(&mut self) {
        match Watch::new(self.file.as_deref(), &self.config.workers) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                self.watch = None;
                let words =
                    format!("changed files cannot be noticed, so send SIGHUP after a change: {error}");
                self.due.push_back(Wish::Note(words));
            }
        }
    }
}

async fn next_change(watch: &mut Option<Watch>) -> Changed {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// Which keys have changed that only hold from the next start on.
fn needs_restart(old: &Config, new: &Config) -> Option<String> {
    let changed = [
        ("store", old.store != new.store),
        ("data_dir", old.data_dir != new.data_dir),
        ("host", old.host != new.host),
        ("queue", old.queue != new.queue),
        ("retention", old.retention != new.retention),
        ("lease", old.lease != new.lease),
        ("logging", old.logging != new.logging),
    ];
    let keys: Vec<&str> = changed.iter().filter(|(_, changed)| *changed).map(|(key, _)| *key).collect();
    (!keys.is_empty())
        .then(|| format!("changes of {} hold from the next start of the host on", keys.join(", ")))
}
