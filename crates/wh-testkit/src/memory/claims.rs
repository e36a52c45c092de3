//! What a host does while it lives: join, claim, renew, listen, note, report, leave.

use super::MemoryStore;
use super::faults::Verb;
use super::guards::Guard;
use super::ledger::{Entry, Ledger, Now};
use super::row::{Held, MemberNo, Row};
use std::time::Duration;
use wh_domain::id::{Fence, HostId, LaneId, Seq, WorkerName};
use wh_domain::priority::Rank;
use wh_domain::task::{Due, TaskState};
use wh_ports::answer::{Answer, StoreError};
use wh_ports::claims::{
    Claim, Claimed, Claims, Cursor, Heeded, Introduction, Lane, Membership, Note, Orphan, Settled,
    Settlement, Want, WorkerReport,
};

impl Claims for MemoryStore {
    fn join(&self, introduction: Introduction) -> Answer<'_, Membership> {
        self.answer(Verb::Join, move |ledger, now| {
            let slot = ledger.members.join(introduction, now.wall, now.instant);
            Ok(Membership { slot, token: None })
        })
    }

    fn lanes(&self) -> Answer<'_, (u64, Vec<Lane>)> {
        self.answer(Verb::Lanes, |ledger, _| {
            let mut lanes: Vec<Lane> = ledger
                .lanes
                .iter()
                .map(|(task_type, id)| Lane { id: *id, task_type: task_type.clone() })
                .collect();
            lanes.sort_by_key(|lane| lane.id);
            Ok((ledger.lanes_version(), lanes))
        })
    }

    fn claim(&self, host: HostId, wants: Vec<Want>, most: u32) -> Answer<'_, Claimed> {
        self.answer(Verb::Claim, move |ledger, now| ledger.claim(&host, &wants, most, now))
    }

    fn renew(&self, host: HostId) -> Answer<'_, ()> {
        self.answer(Verb::Renew, move |ledger, now| {
            let no = ledger.member(&host, Guard::ExpelledOnRenew)?;
            ledger.members.renew(no, now.instant);
            Ok(())
        })
    }

    fn heed(&self, host: HostId, after: Cursor) -> Answer<'_, Heeded> {
        self.answer(Verb::Heed, move |ledger, _| Ok(ledger.heed(&host, after)))
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, Vec<bool>> {
        self.answer(Verb::Note, move |ledger, _| {
            Ok(notes.into_iter().map(|note| ledger.note(note)).collect())
        })
    }

    fn settle(&self, settlements: Vec<Settlement>) -> Answer<'_, Vec<Settled>> {
        self.answer(Verb::Settle, move |ledger, now| {
            settlements.into_iter().map(|settlement| ledger.settle(settlement, now)).collect()
        })
    }

    fn take_over(&self, host: HostId, most: u32) -> Answer<'_, Vec<Orphan>> {
        self.answer(Verb::TakeOver, move |ledger, now| ledger.take_over(&host, most, now))
    }

    fn report(&self, host: HostId, workers: Vec<WorkerReport>) -> Answer<'_, ()> {
        self.answer(Verb::Report, move |ledger, _| {
            if let Ok(no) = ledger.members.find(&host) {
                ledger.members.report(no, workers);
            }
            Ok(())
        })
    }

    fn leave(&self, host: HostId) -> Answer<'_, ()> {
        self.answer(Verb::Leave, move |ledger, _| {
            if let Ok(no) = ledger.members.find(&host) {
                ledger.members.put_out(no);
                ledger.changes += 1;
            }
            Ok(())
        })
    }
}

/// A task that could be claimed: best first.
type Candidate = (Rank, Seq, LaneId);

impl Ledger {
    fn lanes_version(&self) -> u64 {
        u64::try_from(self.lanes.len()).unwrap_or(u64::MAX)
    }

    /// The membership of a host that calls; a host that is out is refused, unless that guard is missing.
    fn member(&self, host: &HostId, guard: Guard) -> Result<MemberNo, StoreError> {
        match self.members.find(host) {
            Err(error) if self.guards.hold(guard) => Err(error),
            found => Ok(found.unwrap_or(MemberNo::NOBODY)),
        }
    }

    fn claim(&mut self, host: &HostId, wants: &[Want], most: u32, now: Now) -> Result<Claimed, StoreError> {
        let no = self.member(host, Guard::ExpelledOnClaim)?;
        self.promote(now);
        let mut free: Vec<u32> = wants
            .iter()
            .map(|want| if self.guards.hold(Guard::LimitPerWant) { want.most } else { u32::MAX })
            .collect();
        let most = if self.guards.hold(Guard::LimitInAll) { most } else { u32::MAX };
        let mut claims = Vec::new();
        for (_, seq, lane) in self.candidates() {
            if u32::try_from(claims.len()).is_ok_and(|claimed| claimed >= most) {
                break;
            }
            let mut takers = wants.iter().zip(&mut free);
            let Some((want, left)) = takers.find(|(want, left)| **left > 0 && want.lanes.contains(&lane))
            else {
                continue;
            };
            *left -= 1;
            claims.extend(self.take(seq, host, no, want, now));
        }
        Ok(Claimed { claims, next_due: self.next_due(now), lanes_version: self.lanes_version() })
    }

    /// Puts in line whatever has become due.
    fn promote(&mut self, now: Now) {
        let due: Vec<(Seq, Due)> = self
            .rows
            .values()
            .filter(|row| !row.ready)
            .filter_map(|row| match row.task.state {
                TaskState::Pending { due, .. } => Some((row.task.seq, due)),
                _ => None,
            })
            .collect();
        for (seq, due) in due {
            let ready = self.has_come(due, now);
            if let Some(row) = self.rows.get_mut(&seq) {
                row.ready = ready;
            }
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = self
            .rows
            .values()
            .filter(|row| row.ready)
            .map(|row| (row.rank, row.task.seq, row.lane))
            .collect();
        candidates.sort_unstable();
        candidates
    }

    fn take(&mut self, seq: Seq, host: &HostId, no: MemberNo, want: &Want, now: Now) -> Option<Claim> {
        let worker = want.worker.clone();
        let state = TaskState::Claimed { host: host.clone(), worker: worker.clone(), since: now.wall };
        self.change(seq, state, now);
        let floor = self.fence_floor;
        let row = self.rows.get_mut(&seq)?;
        row.task.fence = Fence(row.task.fence.0.max(floor) + 1);
        row.held = Some(Held { by: no, claimed_at: now.wall, lost_is_final: want.lost_is_final, lost: None });
        let row = self.rows.get(&seq)?;
        Some(self.claim_of(row, worker, now))
    }

    fn claim_of(&self, row: &Row, worker: WorkerName, now: Now) -> Claim {
        Claim {
            seq: row.task.seq,
            id: row.task.id.clone(),
            task_type: row.task.task_type.clone(),
            fence: row.task.fence,
            worker,
            priority: row.task.priority,
            history: row.history(),
            params: row.params.clone(),
            metadata: row.metadata.clone(),
            inputs: row.inputs.iter().map(|input| (input.clone(), self.shelf.path(&input.sha256))).collect(),
            traceparent: row.traceparent.clone(),
            checkpoint: row.checkpoint.clone(),
            created_at: row.task.created_at,
            claimed_at: now.wall,
        }
    }

    fn next_due(&self, now: Now) -> Option<Duration> {
        let waits = self.rows.values().filter(|row| !row.ready).filter_map(|row| match row.task.state {
            TaskState::Pending { due, .. } => Some(until(due, now)),
            _ => None,
        });
        waits.min()
    }

    fn heed(&self, host: &HostId, after: Cursor) -> Heeded {
        let is_its_own =
            |row: &&Row| matches!(&row.task.state, TaskState::Claimed { host: by, .. } if by == host);
        let wished = self.rows.values().filter(is_its_own).filter(|row| row.task.cancel_wished);
        let mended = self.entries.range(after.0.saturating_add(1)..).filter_map(|(_, entry)| match entry {
            Entry::Resume(worker) => Some(worker.clone()),
            Entry::Fact(_) => None,
        });
        Heeded {
            cancel: wished.map(|row| (row.task.seq, row.task.fence)).collect(),
            resume: mended.collect(),
            cursor: Cursor(self.last_entry().max(after.0)),
        }
    }

    fn note(&mut self, note: Note) -> bool {
        let guarded = self.guards.hold(Guard::FenceOnNote);
        let Some(row) = self.rows.get_mut(&note.seq) else { return false };
        if guarded && !row.is_held_under(note.fence) {
            return false;
        }
        row.progress = note.progress.or(row.progress.take());
        row.checkpoint = note.checkpoint.or(row.checkpoint.take());
        true
    }
}

/// How long until a task's moment comes, by whichever clock is first.
fn until(due: Due, now: Now) -> Duration {
    let by_wall = due.at.since(now.wall);
    let by_instant = due.instant.filter(|instant| instant.boot == now.instant.boot).map(|instant| {
        Duration::from_millis(instant.millis.saturating_sub(now.instant.millis).max(0).unsigned_abs())
    });
    by_instant.map_or(by_wall, |by_instant| by_wall.min(by_instant))
}
