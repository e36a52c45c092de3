//! Events, told once to everybody who listens.

use std::sync::Arc;
use wh_domain::event::Event;
use wh_ports::clock::Clock;
use wh_ports::observe::Observer;

pub(crate) struct Bus {
    observers: Vec<Arc<dyn Observer>>,
    clock: Arc<dyn Clock>,
}

impl Bus {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>, clock: Arc<dyn Clock>) -> Self {
        Self { observers, clock }
    }

    pub(crate) fn tell(&self, event: &Event) {
        let at = self.clock.wall();
        for observer in &self.observers {
            observer.observe(at, event);
        }
    }
}
