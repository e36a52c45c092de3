//! One host's life: it joins the store, carries tasks, leaves.

use super::screen::Screen;
use super::steering::{Steering, Wish};
use super::tally::Tally;
use super::wiring;
use crate::configuration::Configuration;
use crate::context::Context;
use crate::failure::Failure;
use crate::hosting::{self, Hosted, Hosting};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_host::Farewell;
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;
use wh_ports::reader::Reader;
use wh_sqlite::{SqliteStore, SystemClock};
use wh_telemetry::LogObserver;

/// The screen learns so often how many tasks there are.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Counting may take its time where there are millions; then the pause is so many times as long.
const COUNT_PAUSE: u32 = 20;

/// What every host of this process shares.
pub(super) struct Life {
    pub(super) configuration: Configuration,
    pub(super) store: Arc<SqliteStore>,
    pub(super) log: Arc<LogObserver>,
    pub(super) tally: Arc<Tally>,
    /// Behind the log, which has its last words on it.
    pub(super) screen: Option<Screen>,
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
            private: self.configuration.private(),
            settings: wiring::settings(config, self.until_idle),
            observers: self.observers(context),
        };
        let Hosted { commands, mut life } = hosting.begin(|runner| Arc::new(runner)).await?;
        let mut counting = pin!(count_on(&self.store, self.screen.as_ref()));
        loop {
            tokio::select! {
                farewell = &mut life => return Ok(farewell),
                () = &mut counting => {}
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
        observers.extend(self.screen.as_ref().map(Screen::observer));
        observers.push(Arc::clone(&self.tally) as _);
        observers.push(Arc::clone(&self.log) as _);
        observers
    }

    /// Words of this process itself, for the log.
    pub(super) fn note(&self, words: &str) {
        self.log.note(SystemClock::new().wall(), wh_telemetry::Level::Warning, words);
    }
}

/// Tells the screen, if there is one, how many tasks there are, again and again.
async fn count_on(store: &SqliteStore, screen: Option<&Screen>) {
    let Some(screen) = screen else { return std::future::pending().await };
    loop {
        let begin = Instant::now();
        // Without an answer the screen goes by what happens.
        if let Ok(counts) = store.counts().await {
            screen.count(&counts);
        }
        tokio::time::sleep(COUNT_EVERY.max(begin.elapsed() * COUNT_PAUSE)).await;
    }
}
