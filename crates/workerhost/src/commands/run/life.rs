//! One host's life: it joins the store, carries tasks, leaves.

use super::steering::{Steering, Wish};
use super::tally::Tally;
use super::wiring;
use crate::chance::{MachineChance, host_id};
use crate::configuration::Configuration;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use wh_host::{Farewell, Host, Parts};
use wh_ports::claims::{Claims, Introduction};
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;
use wh_sqlite::{SqliteStore, SystemClock};
use wh_supervisor::{ProcessRunner, RunnerOptions};
use wh_telemetry::LogObserver;

/// Commands that may wait for the host: more than a person can give before it looks.
const COMMANDS: usize = 16;

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
        let host = host_id();
        let introduction = Introduction {
            host: host.clone(),
            name: wiring::host_name(config).into(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let membership = self.store.join(introduction).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = RunnerOptions {
            token: membership.token.clone(),
            ..RunnerOptions::new(config.data_dir.clone(), Arc::clone(&clock))
        };
        let runner = ProcessRunner::new(options)
            .map_err(|error| Failure::new(Exit::Failed, format!("no worker can be started: {error}")))?;
        let parts = Parts {
            store: Arc::clone(&self.store) as _,
            runner: Arc::new(runner),
            clock,
            chance: Arc::new(MachineChance),
            observers: self.observers(context),
        };
        let settings = wiring::settings(config, self.until_idle);
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let life = Host::new(parts, host, membership.slot, config.workers.clone(), settings).run(receiver);
        let mut life = pin!(life);
        loop {
            tokio::select! {
                farewell = &mut life => return Ok(farewell),
                wish = steering.next() => match wish {
                    // A full queue holds so many commands that one more makes no difference.
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
