//! What every command is given: how to talk, and what holds.

use crate::configuration::{self, Configuration, Need};
use crate::exit::Exit;
use crate::failure::{Ended, Failure};
use crate::globals::Globals;
use crate::hooks::Hooks;
use crate::opening;
use crate::terminal::Terminal;
use std::future::Future;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use wh_sqlite::{Mode, SqliteStore, Writing};

/// What every command is given.
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) terminal: Terminal,
    pub(crate) hooks: Hooks,
    /// The command line as the parser knows it, for those who describe it.
    pub(crate) grammar: fn() -> clap::Command,
}

impl Context {
    /// The configuration that holds. Its warnings are told to those who asked for details.
    pub(crate) fn configuration(&self, need: Need) -> Result<Configuration, Failure> {
        let configuration = configuration::find(&self.globals, need, &self.terminal)?;
        self.tell_warnings(&configuration);
        Ok(configuration)
    }

    /// Tells a configuration's warnings to those who asked for details.
    pub(crate) fn tell_warnings(&self, configuration: &Configuration) {
        if self.terminal.verbosity() > 0 && !configuration.warnings.is_empty() {
            self.terminal.complain(configuration.warnings.render(self.terminal.colours_talk()).trim_end());
        }
    }

    /// The store of a configuration.
    pub(crate) fn store_of(
        &self,
        configuration: &Configuration,
        mode: Mode,
        writing: Writing,
    ) -> Result<Arc<SqliteStore>, Failure> {
        opening::open(&configuration.config, (mode, writing), self.hooks.on_step.clone())
    }
}

/// Runs a command's asynchronous part on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(Failure::new(Exit::Failed, format!("cannot start: {error}"))),
    }
}

/// The same for what waits for others: a signal ends it, and nothing of it is left behind.
pub(crate) fn block_on_wait(work: impl Future<Output = Ended>) -> Ended {
    block_on(async {
        let listen = |kind| signal(kind).map_err(|error| Failure::of_io("listen to signals", &error));
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        tokio::select! {
            ended = work => ended,
            _ = interrupt.recv() => Ok(Exit::Interrupted),
            _ = terminate.recv() => Ok(Exit::Terminated),
        }
    })
}
