//! Going down: commands, orders, and whether anything is left to wait for.

use super::{Command, Farewell, Host, Idle, Why};
use crate::arrival::Arrival;
use crate::draining::Stage;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::event::Event;
use wh_ports::runner::Order;
use wh_ports::store::StoreError;

/// How long a host that goes waits for the store to hear of it. A store that does not finds out by the lock.
const GOODBYE: Duration = Duration::from_secs(3);

impl Host {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Drain => {
                let (stage, order) = self.stage.asked(Instant::now(), self.settings.drain);
                self.go_down(stage, order);
            }
            Command::Reload(workers) => {
                let changes = self.roster.reload(workers);
                self.claiming.wanted = true;
                // Types that nobody took may have a worker now, and the other way round.
                self.roster.lanes_version = None;
                self.tools.bus.tell(&Event::ConfigReloaded {
                    added: changes.added,
                    changed: changes.changed,
                    removed: changes.removed,
                });
                self.publishing.soon();
            }
            Command::Refused(why) => self.tools.bus.tell(&Event::ConfigRefused { why }),
            Command::Mended(workers) => self.mended(workers),
        }
    }

    pub(super) fn go_down(&mut self, stage: Stage, order: Option<Order>) {
        if self.stage == Stage::Working && stage != Stage::Working {
            self.tools.bus.tell(&Event::HostDraining { running: self.running.len() });
            self.end.get_or_insert(Why::Drained);
        }
        self.stage = stage;
        if let Some(order) = order {
            self.order_all(order);
        }
    }

    /// Others have taken over what this host held: everything ends, and nothing is written any more.
    pub(super) fn expel(&mut self) {
        if std::mem::replace(&mut self.expelled, true) {
            return;
        }
        self.end.get_or_insert(Why::Expelled);
        self.stage = Stage::killing(Instant::now());
        self.order_all(Order::Kill);
    }

    fn order_all(&self, order: Order) {
        for running in self.running.values() {
            // Each order is given once, so a queue that is full holds this one already.
            running.orders.try_send(order).ok();
        }
    }

    /// Whether nothing is left to wait for, and why the host ends.
    pub(super) fn is_over(&mut self) -> Option<Why> {
        let is_idle = self.idle == Idle::Sure && !self.claiming.wanted && self.reaps_nothing();
        if self.end.is_none() && is_idle && self.nothing_beside() {
            self.end = Some(Why::Idle);
        }
        match &self.end {
            Some(Why::Failed(_)) => self.end.clone(),
            // A heartbeat and burials are left alone: what they took over goes on to whoever comes next.
            Some(_) if self.nothing_beside() || self.stage.is_hopeless(Instant::now()) => self.end.clone(),
            Some(_) => None,
            None => {
                self.ask_whether_idle();
                None
            }
        }
    }

    /// Asks first what waits and claims once more afterwards, so that nothing becomes due unseen in between.
    fn ask_whether_idle(&mut self) {
        let looks_idle = self.settings.until_idle
            && self.idle == Idle::No
            && self.claiming.found_nothing
            && !self.claiming.wanted
            && self.reaps_nothing()
            && self.nothing_beside()
            && self.roster.next_recovery(self.tools.clock.running()).is_none();
        if looks_idle {
            self.idle = Idle::Asking;
            let lanes = self.roster.lanes_that_may_move();
            let tools = Arc::clone(&self.tools);
            self.beside.spawn(async move { Arrival::Retrying(tools.store.retrying(lanes).await) });
        }
    }

    pub(super) fn asked_idle(&mut self, answer: Result<u64, StoreError>) {
        let overtaken = std::mem::replace(&mut self.idle, Idle::No) == Idle::Overtaken;
        match self.unless_failed(answer) {
            Some(_) if overtaken => {}
            Some(0) => {
                self.idle = Idle::NothingWaits;
                self.claiming.wanted = true;
            }
            // Asked again once it has moved, or the store is back, and something was to be claimed.
            Some(_) => self.claiming.found_nothing = false,
            None => {
                self.claiming.found_nothing = false;
                self.claim_later();
            }
        }
    }

    fn nothing_beside(&self) -> bool {
        // Whoever took over sees to trees that are stuck.
        let unsettled = if self.expelled { self.owed() } else { self.settling };
        self.running.is_empty() && unsettled == 0 && !self.claiming.in_flight
    }

    fn reaps_nothing(&self) -> bool {
        self.burying == 0 && !self.heartbeat.is_under_way()
    }

    pub(super) async fn leave(mut self, why: Why) -> Farewell {
        // What a claim brought that was never answered has not been started.
        self.killed += self.running.len() + self.settling;
        self.beside.shutdown().await;
        if !matches!(why, Why::Failed(_)) {
            let goodbye = self.tools.store.leave(self.tools.host.clone());
            tokio::time::timeout(GOODBYE, goodbye).await.ok();
        }
        self.tools.bus.tell(&Event::HostStopped { killed: self.killed });
        Farewell { why, killed: self.killed }
    }
}
