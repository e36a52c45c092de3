//! When the host claims, how much, and what it does with what it gets.

use super::{Host, Idle, Running};
use crate::arrival::Arrival;
use crate::carrying::{self, ORDERS};
use crate::settling;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use wh_domain::event::Event;
use wh_ports::claims::{Claim, Claimed, Lane};
use wh_ports::runner::Assignment;
use wh_ports::store::StoreError;

/// How often the machine is looked at while the host claims.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// And while it does not, because of what was seen.
const STRAINED_LOOK_EVERY: Duration = Duration::from_secs(1);

/// The state of claiming.
#[derive(Debug)]
pub(super) struct Claiming {
    pub(super) in_flight: bool,
    /// Something may have become claimable since the last claim.
    pub(super) wanted: bool,
    /// The last claim brought nothing, or there was no room for one.
    pub(super) found_nothing: bool,
    /// When a task becomes due, or a store that was away is asked again.
    pub(super) again_at: Option<Instant>,
    /// Calls in a row that a store that was away did not answer.
    pub(super) failures: u32,
    /// Attempts in a row that this host could not carry to an end.
    pub(super) hindrances: u32,
    /// Until when it leaves them to others.
    pub(super) rest_until: Option<Instant>,
    /// When the machine was looked at last, and whether it had enough to do.
    pub(super) looked_at: Option<Instant>,
    pub(super) is_strained: bool,
    /// Until when nobody looks again.
    pub(super) strained_until: Option<Instant>,
    /// Until when quarantines were looked at, on the running clock.
    pub(super) recovered_until: Duration,
}

impl Claiming {
    /// Whoever starts wants to claim.
    pub(super) fn new() -> Self {
        Self {
            in_flight: false,
            wanted: true,
            found_nothing: false,
            again_at: None,
            failures: 0,
            hindrances: 0,
            rest_until: None,
            looked_at: None,
            is_strained: false,
            strained_until: None,
            recovered_until: Duration::ZERO,
        }
    }
}

impl Host {
    pub(super) fn claim_if_possible(&mut self) {
        let now = self.tools.clock.running();
        let since = std::mem::replace(&mut self.claiming.recovered_until, now);
        self.claiming.wanted |= self.roster.recovered(since, now);
        if self.claiming.in_flight || !self.claiming.wanted || !self.may_start() || self.must_wait() {
            return;
        }
        let most = self.roster.room(now);
        if most == 0 {
            // Whatever makes room (an ending, a recovery, a person) wants a claim itself.
            self.claiming.wanted = false;
            self.found_nothing();
            return;
        }
        if self.must_spare_the_machine() {
            return;
        }
        let tools = Arc::clone(&self.tools);
        self.claiming.in_flight = true;
        if self.roster.lanes_version.is_none() {
            self.beside.spawn(async move { Arrival::Lanes(tools.store.lanes().await) });
            return;
        }
        self.claiming.wanted = false;
        let wants = self.roster.wants(now);
        self.beside
            .spawn(async move { Arrival::Claimed(tools.store.claim(tools.host.clone(), wants, most).await) });
    }

    /// Whether an attempt may be started now. A host whose renewals are overdue starts nothing: others may have taken
    /// over, and what it was given a pause ago may run elsewhere. What runs already goes on; only a refused renewal
    /// ends it.
    fn may_start(&self) -> bool {
        self.stage.claims() && self.end.is_none() && self.has_lease()
    }

    /// Whether to leave a store alone that was away, or that owes an answer for as many endings as there are streams:
    /// what has ended and is not durable is held in memory. Also whether to leave tasks alone, see
    /// [`Self::note_hindrance`].
    fn must_wait(&self) -> bool {
        let is_away = self.claiming.failures > 0 && self.claiming.again_at.is_some();
        let rests = self.claiming.rest_until.is_some();
        is_away || rests || self.owed() > self.settings.streams as usize
    }

    /// Whether the machine has enough to do. Looks at it now and then only: hundreds of claims may be made in a second.
    fn must_spare_the_machine(&mut self) -> bool {
        let now = Instant::now();
        if self.claiming.strained_until.is_some() {
            return true;
        }
        if self.claiming.looked_at.is_some_and(|at| now < at + LOOK_EVERY) {
            return false;
        }
        self.claiming.looked_at = Some(now);
        let strain =
            self.settings.watermarks.strain(&self.tools.machine.readings(), self.claiming.is_strained);
        match strain {
            Some(strain) if !self.claiming.is_strained => {
                self.tools.bus.tell(&Event::HostStrained { strain });
            }
            None if self.claiming.is_strained => self.tools.bus.tell(&Event::HostRelieved),
            _ => {}
        }
        self.claiming.is_strained = strain.is_some();
        self.claiming.strained_until = strain.map(|_| now + STRAINED_LOOK_EVERY);
        strain.is_some()
    }

    /// Endings that are on their way to the store; those that wait for a stuck tree are not.
    pub(super) fn owed(&self) -> usize {
        self.settling.saturating_sub(self.roster.stuck())
    }

    /// An attempt has ended. After one that only this host kept from its end (no room on its disk, a process of its own
    /// killed) it claims no more for a while: a queue could be spent on what fails at once.
    pub(super) fn note_hindrance(&mut self, was_hindered: bool) {
        if was_hindered {
            self.claiming.rest_until = Some(Instant::now() + settling::pause(self.claiming.hindrances));
            self.claiming.hindrances = self.claiming.hindrances.saturating_add(1);
        } else {
            self.claiming.hindrances = 0;
        }
    }

    pub(super) fn learned(&mut self, answer: Result<(u64, Vec<Lane>), StoreError>) {
        self.claiming.in_flight = false;
        let Some((version, lanes)) = self.unless_failed(answer) else { return self.claim_later() };
        for task_type in self.roster.learn(version, lanes) {
            self.tools.bus.tell(&Event::NoWorker { task_type });
        }
    }

    pub(super) fn claimed(&mut self, claimed: Claimed) {
        self.claiming.failures = 0;
        self.claiming.again_at = claimed.next_due.map(|wait| Instant::now() + wait);
        if claimed.claims.is_empty() {
            self.found_nothing();
        } else {
            // It has brought all there was or filled every room, so nothing is wanted by that.
            self.found_something();
        }
        if self.roster.lanes_version != Some(claimed.lanes_version) {
            self.roster.lanes_version = None;
            self.claiming.wanted = true;
            self.found_something();
        }
        let mut released = Vec::new();
        for claim in claimed.claims {
            let place = if self.may_start() { self.roster.occupy(&claim.worker) } else { None };
            match place {
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

    fn found_nothing(&mut self) {
        self.claiming.found_nothing = true;
        if self.idle == Idle::NothingWaits {
            self.idle = Idle::Sure;
        }
    }

    fn found_something(&mut self) {
        self.claiming.found_nothing = false;
        self.idle = match self.idle {
            Idle::Asking | Idle::Overtaken => Idle::Overtaken,
            Idle::No | Idle::NothingWaits | Idle::Sure => Idle::No,
        };
    }

    fn start(&mut self, assignment: Assignment) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let key = (assignment.claim.seq, assignment.claim.fence);
        self.running.insert(key, Running { orders, cancel_wished: false });
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(carrying::carry(tools, assignment, receiver, notes));
        self.publishing.soon();
    }

    /// Gives back what was claimed for a worker that is gone, or while the host began to go down.
    fn release(&mut self, claims: Vec<Claim>) {
        if claims.is_empty() || self.expelled {
            return;
        }
        self.settling += 1;
        let tools = Arc::clone(&self.tools);
        let settlements: Vec<_> = claims.iter().map(settling::release).collect();
        self.beside.spawn(async move {
            Arrival::Settled(settling::settle_all(&tools, settlements).await.map(drop))
        });
    }

    /// The store did not answer: ask again after a pause that grows.
    pub(super) fn claim_later(&mut self) {
        self.claiming.again_at = Some(Instant::now() + settling::pause(self.claiming.failures));
        self.claiming.failures = self.claiming.failures.saturating_add(1);
    }
}
