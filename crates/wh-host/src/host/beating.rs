//! What a heartbeat brings: what people asked, and what the dead left.

use super::Host;
use crate::arrival::Beat;
use crate::duties;
use crate::settling;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use wh_domain::event::Event;
use wh_domain::id::WorkerName;
use wh_ports::claims::{Heeded, Orphan};
use wh_ports::runner::Order;
use wh_ports::store::StoreError;

impl Host {
    pub(super) fn beaten(&mut self, answer: Result<Beat, StoreError>) {
        self.beating = false;
        let rhythm = self.settings.lease.renew_every;
        let Some(beat) = self.unless_failed(answer) else {
            self.next_beat = Instant::now() + rhythm.min(settling::pause(3));
            return;
        };
        let late = self.tools.clock.running().saturating_sub(beat.sent_at);
        self.next_beat = Instant::now() + rhythm.saturating_sub(late);
        self.claiming.wanted |= beat.changed;
        self.heed(beat.heeded);
        if !beat.orphans.is_empty() {
            self.bury(beat.orphans);
        }
    }

    /// Takes over from the dead: first their processes end, then their tasks are settled.
    fn bury(&mut self, orphans: Vec<Orphan>) {
        self.burying += 1;
        let orphans = orphans.into_iter().map(|orphan| {
            let policy = self.roster.policy(&orphan.worker);
            (orphan, policy)
        });
        self.beside.spawn(duties::bury(Arc::clone(&self.tools), orphans.collect()));
    }

    pub(super) fn buried(&mut self, answer: Result<(), StoreError>) {
        self.burying -= 1;
        // There may be more where these came from.
        self.next_beat = Instant::now();
        self.claiming.wanted = true;
        self.unless_failed(answer);
    }

    pub(super) fn heed(&mut self, heeded: Heeded) {
        self.ear.cursor = self.ear.cursor.max(heeded.cursor);
        for key in heeded.cancel {
            if let Some(running) = self.running.get(&key)
                && !running.cancel_wished.swap(true, Ordering::Relaxed)
            {
                // A full queue holds a stronger order already.
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
                self.publish_soon();
            }
        }
    }
}
