//! What the host hears: the bell, and what people asked.

use super::Host;
use crate::arrival::Arrival;
use std::sync::Arc;
use wh_domain::event::Event;
use wh_domain::id::WorkerName;
use wh_ports::claims::Heeded;
use wh_ports::doorbell::Bell;
use wh_ports::runner::Order;
use wh_ports::store::StoreError;

impl Host {
    /// Asks for a bell, unless there is one.
    pub(super) fn listen(&mut self) {
        if self.ear.bell.is_some() || self.ear.listening {
            return;
        }
        self.ear.listening = true;
        let tools = Arc::clone(&self.tools);
        self.beside.spawn(async move { Arrival::Listening(tools.store.listen().await) });
    }

    pub(super) fn hears(&mut self, answer: Result<Box<dyn Bell>, StoreError>) {
        self.ear.listening = false;
        self.ear.bell = self.unless_failed(answer);
        if self.ear.bell.is_some() {
            // It may have rung before anybody listened.
            self.stirred();
        }
    }

    /// Something has changed: there may be tasks, and wishes.
    pub(super) fn stirred(&mut self) {
        self.claiming.wanted = true;
        self.ear.heard();
    }

    pub(super) fn heeded(&mut self, answer: Result<Heeded, StoreError>) {
        self.ear.answered();
        // A store that is away is asked again by the next heartbeat.
        if let Some(heeded) = self.unless_failed(answer) {
            self.heed(heeded);
        }
    }

    pub(super) fn heed(&mut self, heeded: Heeded) {
        self.ear.cursor = self.ear.cursor.max(heeded.cursor);
        for key in heeded.cancel {
            if let Some(running) = self.running.get_mut(&key)
                && !std::mem::replace(&mut running.cancel_wished, true)
            {
                // A queue that is full or closed belongs to an attempt that is ending already.
                running.orders.try_send(Order::Cancel).ok();
            }
        }
        self.mended(heeded.resume);
    }

    pub(super) fn mended(&mut self, workers: Vec<WorkerName>) {
        for worker in workers {
            let Some(health) = self.roster.health(&worker) else { continue };
            if health.quarantine().is_some() {
                health.resume();
                self.tools.bus.tell(&Event::WorkerRecovered { worker });
                self.claiming.wanted = true;
                self.publishing.soon();
            }
        }
    }
}
