//! A gate that holds up whoever comes while it is shut, and lets them through in the order in which they came.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A gate; open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    shut: AtomicBool,
    // Not a `watch`: that one wakes in an order of its own, and a life would not be the same twice.
    opened: Notify,
}

impl Gate {
    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::Relaxed);
    }

    pub(super) fn open(&self) {
        self.shut.store(false, Ordering::Relaxed);
        self.opened.notify_waiters();
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    pub(super) async fn passes(&self) {
        while self.is_shut() {
            let mut opened = pin!(self.opened.notified());
            opened.as_mut().enable();
            if self.is_shut() {
                opened.await;
            }
        }
    }
}
