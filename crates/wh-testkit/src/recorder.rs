//! An observer that remembers.

use std::sync::Mutex;
use wh_domain::event::Event;
use wh_domain::time::Timestamp;
use wh_ports::observe::Observer;

/// Keeps every event in order.
#[derive(Debug, Default)]
pub struct Recorder {
    seen: Mutex<Vec<(Timestamp, Event)>>,
}

impl Recorder {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// All events so far, with their times.
    pub fn events(&self) -> Vec<(Timestamp, Event)> {
        self.seen.lock().expect("no holder of this lock panics").clone()
    }

    /// How many events so far are as `is` says.
    pub fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|(_, event)| is(event)).count()
    }
}

impl Observer for Recorder {
    fn observe(&self, at: Timestamp, event: &Event) {
        self.seen.lock().expect("no holder of this lock panics").push((at, event.clone()));
    }
}
