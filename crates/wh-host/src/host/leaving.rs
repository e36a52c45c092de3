//! Going down: commands, orders, and whether anything is left to wait for.

use super::{Command, Farewell, Host, Why};
use crate::arrival::Arrival;
use crate::draining::Stage;
use std::sync::Arc;
use tokio::time::Instant;
use wh_domain::event::Event;
use wh_ports::runner::Order;
use wh_ports::store::StoreError;

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
                self.publish_soon();
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

    pub(super) fn order_all(&self, order: Order) {
        for running in self.running.values() {
            // A full queue holds orders that come to the same.
            running.orders.try_send(order).ok();
        }
    }

    /// Whether nothing is left to wait for, and why the host ends.
    pub(super) fn is_over(&mut self) -> Option<Why> {
        match &self.end {
            Some(why @ Why::Failed(_)) => return Some(why.clone()),
            Some(why) if self.nothing_beside() || self.stage.is_hopeless(Instant::now()) => {
                return Some(why.clone());
            }
            Some(_) => return None,
            None => {}
        }
        let looks_idle = self.settings.until_idle
            && self.nothing_beside()
            && self.claiming.found_nothing
            && !self.claiming.wanted
            && !self.store_away;
        if looks_idle && !self.idle_asked {
            self.idle_asked = true;
            let lanes = self.roster.lanes_that_may_move();
            let tools = Arc::clone(&self.tools);
            self.beside.spawn(async move { Arrival::Retrying(tools.store.retrying(lanes).await) });
        }
        None
    }

    fn nothing_beside(&self) -> bool {
        self.running.is_empty()
            && self.settling == 0
            && !self.claiming.in_flight
            && self.burying == 0
            && !self.beating
    }

    pub(super) fn asked_idle(&mut self, answer: Result<u64, StoreError>) {
        match self.unless_failed(answer) {
            Some(0) if self.nothing_beside() && !self.claiming.wanted => self.end = Some(Why::Idle),
            // Something waits for its time, or has come meanwhile: look again when it moves.
            Some(_) => self.claiming.found_nothing = false,
            None => self.claim_later(),
        }
        self.idle_asked = false;
    }

    pub(super) async fn leave(mut self, why: Why) -> Farewell {
        self.beside.shutdown().await;
        if !matches!(why, Why::Failed(_)) {
            // A store that is away finds out by the lock that this host is gone.
            self.tools.store.leave(self.tools.host.clone()).await.ok();
        }
        self.tools.bus.tell(&Event::HostStopped { killed: self.killed });
        Farewell { why, killed: self.killed }
    }
}
