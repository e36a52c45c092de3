//! One host's life: it joins the store, carries tasks, leaves.

use super::steering::{Steering, Wish};
use super::tally::Tally;
use super::wiring;
use crate::configuration::Configuration;
use crate::context::Context;
use crate::failure::Failure;
use crate::hosting::{self, Hosted, Hosting};
use std::sync::Arc;
use wh_host::Farewell;
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;
use wh_sqlite::{SqliteStore, SystemClock};
use wh_telemetry::LogObserver;

/// What every host of this process shares.
pub(super) struct Life {
    pub(super) configuration: Configuration,
    pub(super) store: Arc<SqliteStore>,
    pub(super) log: Arc<LogObserver>,
    pub(super) tally: Arc<Tally>,
    pub(super) until_idle: bool,
}

impl Life {
    /// Lives once.
    pub(super) async fn live(
        &mut self,
        steering: &mut Steering,
        context: &Context,
    ) -> Result<Farewell, Failure> {
        let config = &self.configuration.config;
        let hosting = Hosting {
            store: Arc::clone(&self.store),
            data_dir: config.data_dir.clone(),
            name: hosting::name(config),
            workers: config.workers.clone(),
            settings: wiring::settings(config, self.until_idle),
            observers: self.observers(context),
        };
        let Hosted { commands, mut life } = hosting.begin(|runner| Arc::new(runner)).await?;
        loop {
            tokio::select! {
                farewell = &mut life => return Ok(farewell),
                wish = steering.next() => match wish {
                    Wish::Command(command) => drop(commands.try_send(command)),
                    Wish::Configuration(loaded, command) => {
                        self.configuration.config = *loaded;
                        drop(commands.try_send(command));
                    }
                    Wish::Note(words) => self.note(&words),
                    Wish::ReopenLog => self.log.reopen(),
                },
            }
        }
    }

    fn observers(&self, context: &Context) -> Vec<Arc<dyn Observer>> {
        let mut observers: Vec<Arc<dyn Observer>> = Vec::new();
        observers.extend(context.hooks.observer.clone());
        observers.push(Arc::clone(&self.tally) as _);
        observers.push(Arc::clone(&self.log) as _);
        observers
    }

    fn note(&self, words: &str) {
        self.log.note(SystemClock::new().wall(), wh_telemetry::Level::Warning, words);
    }
}
