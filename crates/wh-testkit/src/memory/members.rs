//! Which hosts there are, and which of them are dead.

use super::guards::{Guard, Guards};
use super::row::MemberNo;
use std::collections::BTreeMap;
use std::time::Duration;
use wh_domain::id::HostId;
use wh_domain::lease::LeasePolicy;
use wh_domain::time::{StoreInstant, Timestamp, millis};
use wh_ports::answer::StoreError;
use wh_ports::claims::{Introduction, WorkerReport};

/// A host that has joined.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) introduction: Introduction,
    pub(super) slot: u32,
    pub(super) joined_at: Timestamp,
    pub(super) workers: Vec<WorkerReport>,
    /// Until when nobody may judge it by its silence.
    lease: StoreInstant,
    /// Until when it judges nobody by a lease.
    amnesty_until: StoreInstant,
    /// Whether its process has gone, as the free lock of its slot tells.
    lock_is_free: bool,
    /// Whether it has left, or others have begun to take over from it.
    is_out: bool,
}

/// All hosts, by the order in which they joined.
#[derive(Debug, Default)]
pub(super) struct Members {
    last: u64,
    all: BTreeMap<MemberNo, Member>,
}

impl Members {
    pub(super) fn join(&mut self, introduction: Introduction, wall: Timestamp, now: StoreInstant) -> u32 {
        if let Ok(no) = self.find(&introduction.host) {
            self.put_out(no);
        }
        let slots: Vec<u32> =
            self.all.values().filter(|it| !it.is_out && !it.lock_is_free).map(|it| it.slot).collect();
        let slot = (0..u32::MAX).find(|slot| !slots.contains(slot)).expect("fewer hosts than numbers");
        self.last += 1;
        let member = Member {
            introduction,
            slot,
            joined_at: wall,
            workers: Vec::new(),
            lease: now.after(LeasePolicy::default().length),
            amnesty_until: now,
            lock_is_free: false,
            is_out: false,
        };
        self.all.insert(MemberNo(self.last), member);
        slot
    }

    /// The membership of a host that may still act.
    pub(super) fn find(&self, host: &HostId) -> Result<MemberNo, StoreError> {
        let found = self.all.iter().rev().find(|(_, it)| !it.is_out && it.introduction.host == *host);
        found.map(|(no, _)| *no).ok_or(StoreError::Expelled)
    }

    pub(super) fn renew(&mut self, no: MemberNo, now: StoreInstant) {
        self.notice_a_gap(no, now);
        if let Some(member) = self.all.get_mut(&no) {
            member.lease = now.after(LeasePolicy::default().length);
        }
    }

    /// After a gap of its own, which may have been everybody's, a host gives all others one lease's time to show
    /// that they live. A gap is what was missed beyond the regular rhythm.
    pub(super) fn notice_a_gap(&mut self, no: MemberNo, now: StoreInstant) {
        let policy = LeasePolicy::default();
        let Some(member) = self.all.get_mut(&no) else { return };
        let renewed_at = member.lease.millis.saturating_sub(millis(policy.length));
        let silent_since = renewed_at.saturating_add(millis(policy.renew_every));
        let gap = now.millis.saturating_sub(silent_since).max(0).unsigned_abs();
        if member.lease.boot != now.boot || policy.needs_amnesty(Duration::from_millis(gap)) {
            member.amnesty_until = now.after(policy.length);
        }
    }

    pub(super) fn report(&mut self, no: MemberNo, workers: Vec<WorkerReport>) {
        if let Some(member) = self.all.get_mut(&no) {
            member.workers = workers;
        }
    }

    /// Those whose claims `judge` may take, itself never among them.
    pub(super) fn dead(&self, judge: MemberNo, now: StoreInstant, guards: Guards) -> Vec<MemberNo> {
        let judges_leases = !guards.hold(Guard::Amnesty)
            || self.all.get(&judge).is_some_and(|it| it.amnesty_until.lease_is_over(now));
        let is_dead = |member: &Member| {
            let lease_is_over = !guards.hold(Guard::LeaseProtects) || is_over(member.lease, now, guards);
            member.is_out || member.lock_is_free || (judges_leases && lease_is_over)
        };
        self.all.iter().filter(|(no, it)| **no != judge && is_dead(it)).map(|(no, _)| *no).collect()
    }

    /// From now on it can neither renew nor claim.
    pub(super) fn put_out(&mut self, no: MemberNo) {
        if let Some(member) = self.all.get_mut(&no) {
            member.is_out = true;
        }
    }

    /// Forgets who is out, unless it holds something.
    pub(super) fn forget_who_is_out(&mut self, holds: impl Fn(MemberNo) -> bool) {
        self.all.retain(|no, it| !it.is_out || holds(*no));
    }

    pub(super) fn free_lock(&mut self, host: &HostId) {
        for member in self.all.values_mut().filter(|it| it.introduction.host == *host) {
            member.lock_is_free = true;
        }
    }

    pub(super) fn free_all_locks(&mut self) {
        self.all.values_mut().for_each(|it| it.lock_is_free = true);
    }

    /// Everyone, and whether it is alive.
    pub(super) fn views(&self, now: StoreInstant) -> impl Iterator<Item = (&Member, bool)> {
        self.all.values().map(move |it| (it, !it.is_out && !it.lock_is_free && !it.lease.lease_is_over(now)))
    }
}

fn is_over(lease: StoreInstant, now: StoreInstant, guards: Guards) -> bool {
    let lease =
        if guards.hold(Guard::BootOnLease) { lease } else { StoreInstant { boot: now.boot, ..lease } };
    lease.lease_is_over(now)
}
