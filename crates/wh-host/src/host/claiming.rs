//! When the host claims, how much, and what it does with what it gets.

use super::{Host, Running};
use crate::arrival::Arrival;
use crate::carrying::{self, ORDERS};
use crate::settling;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::mpsc;
use tokio::time::Instant;
use wh_ports::claims::{Claim, Claimed};
use wh_ports::runner::Assignment;

impl Host {
    /// The bell rang: look for tasks, and for what people asked.
    pub(super) fn look(&mut self) {
        self.claiming.wanted = true;
        if self.ear.listening {
            self.ear.again = true;
            return;
        }
        self.ear.listening = true;
        let (tools, cursor) = (Arc::clone(&self.tools), self.ear.cursor);
        self.beside.spawn(async move { Arrival::Heeded(tools.store.heed(tools.host.clone(), cursor).await) });
    }

    pub(super) fn claim_if_possible(&mut self) {
        let recovered = self.roster.recovered(self.tools.clock.running());
        self.claiming.wanted |= recovered;
        if !self.stage.claims() || self.claiming.in_flight || !self.claiming.wanted || self.end.is_some() {
            return;
        }
        let tools = Arc::clone(&self.tools);
        if self.roster.lanes_version.is_none() {
            self.claiming.in_flight = true;
            self.beside.spawn(async move { Arrival::Lanes(tools.store.lanes().await) });
            return;
        }
        let (wants, most) = self.roster.wants(tools.clock.running());
        if most == 0 {
            return;
        }
        self.claiming.in_flight = true;
        self.claiming.wanted = false;
        self.beside
            .spawn(async move { Arrival::Claimed(tools.store.claim(tools.host.clone(), wants, most).await) });
    }

    pub(super) fn claimed(&mut self, claimed: Claimed) {
        self.claiming.found_nothing = claimed.claims.is_empty();
        self.claiming.again_at = claimed.next_due.map(|wait| Instant::now() + wait);
        // Something was there, so there may be more for streams that were free but not asked for.
        self.claiming.wanted |= !claimed.claims.is_empty();
        if self.roster.lanes_version != Some(claimed.lanes_version) {
            self.roster.lanes_version = None;
            self.claiming.wanted = true;
        }
        let mut released = Vec::new();
        for claim in claimed.claims {
            match self.roster.occupy(&claim.worker).filter(|_| self.stage.claims()) {
                Some((worker, stream)) => self.start(Assignment {
                    host: self.tools.host.clone(),
                    slot: self.tools.slot,
                    attempt: claim.history.attempt(&worker.retry),
                    max_attempts: claim.history.max_attempts(&worker.retry),
                    worker,
                    stream,
                    claim,
                }),
                None => released.push(claim),
            }
        }
        self.release(released);
    }

    fn start(&mut self, assignment: Assignment) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let key = (assignment.claim.seq, assignment.claim.fence);
        let cancel_wished = Arc::new(AtomicBool::new(assignment.claim.history.cancel_wished));
        self.running.insert(key, Running { orders, cancel_wished });
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(carrying::carry(tools, assignment, receiver, notes));
        self.publish_soon();
    }

    /// Gives back what was claimed for a worker that is gone, or while the host began to go down.
    fn release(&mut self, claims: Vec<Claim>) {
        if claims.is_empty() {
            return;
        }
        self.settling += 1;
        let tools = Arc::clone(&self.tools);
        let settlements: Vec<_> = claims.iter().map(settling::release).collect();
        self.beside.spawn(async move { Arrival::Settled(settling::settle_all(&tools, settlements).await) });
    }

    /// The store did not answer a claim: ask again after a pause that grows.
    pub(super) fn claim_later(&mut self) {
        self.claiming.again_at = Some(Instant::now() + settling::pause(self.claiming.failures));
        self.claiming.failures = self.claiming.failures.saturating_add(1);
    }
}
