//! The bell, rung after every change.

use super::MemoryStore;
use super::faults::Verb;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::Notify;
use wh_ports::answer::{Answer, BoxFuture};
use wh_ports::doorbell::{Bell, Doorbell};

/// Whoever listens.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    all: Mutex<Vec<Weak<Notify>>>,
    changed: AtomicBool,
}

impl Listeners {
    pub(super) fn ring(&self) {
        self.changed.store(true, Ordering::SeqCst);
        let mut all = self.all.lock().expect("no holder of this lock panics");
        all.retain(|listener| listener.upgrade().map(|listener| listener.notify_one()).is_some());
    }

    fn listen(&self) -> Arc<Notify> {
        let listener = Arc::new(Notify::new());
        self.all.lock().expect("no holder of this lock panics").push(Arc::downgrade(&listener));
        listener
    }
}

struct MemoryBell(Arc<Notify>);

impl Bell for MemoryBell {
    fn rung(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.notified())
    }
}

impl Doorbell for MemoryStore {
    fn listen(&self) -> Answer<'_, Box<dyn Bell>> {
        self.answer(Verb::Listen, |_, _| Ok(Box::new(MemoryBell(self.listeners.listen())) as Box<dyn Bell>))
    }

    /// Tells of this process's own changes too: in memory there is no other.
    fn has_changed(&self) -> Answer<'_, bool> {
        self.answer(Verb::HasChanged, |_, _| Ok(self.listeners.changed.swap(false, Ordering::SeqCst)))
    }
}
