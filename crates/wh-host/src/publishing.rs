//! When a host publishes progress and how its workers are doing.

use crate::notes::KEEP_EVERY;
use crate::settling;
use tokio::time::Instant;

/// At most one publication is under way, and what comes meanwhile goes with the next.
#[derive(Debug)]
pub(crate) struct Publishing {
    at: Option<Instant>,
    is_under_way: bool,
}

impl Publishing {
    /// The first is due at once.
    pub(crate) fn new() -> Self {
        Self { at: Some(Instant::now()), is_under_way: false }
    }

    /// When the next one is due; `None` where there is nothing to tell, or while one is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.at.filter(|_| !self.is_under_way)
    }

    /// Begins the next one if it is due; false if it is not.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let begins = self.due().is_some_and(|due| due <= now);
        if begins {
            *self = Self { at: None, is_under_way: true };
        }
        begins
    }

    /// There is something to tell, which others join within a moment.
    pub(crate) fn soon(&mut self) {
        self.at.get_or_insert(Instant::now() + KEEP_EVERY);
    }

    /// The store has taken what was told, or has not: then it is told again.
    pub(crate) fn ended(&mut self, is_taken: bool) {
        self.is_under_way = false;
        if !is_taken {
            self.at.get_or_insert(Instant::now() + settling::LONGEST_PAUSE);
        }
    }
}
