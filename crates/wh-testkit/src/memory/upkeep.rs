//! What keeps the store small, and what it says of its own health.

use super::MemoryStore;
use super::faults::Verb;
use super::guards::Guard;
use super::ledger::{Ledger, Now};
use super::row::Row;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use wh_domain::id::Seq;
use wh_domain::task::StateName;
use wh_ports::answer::{Answer, StoreError};
use wh_ports::upkeep::{Retention, Swept, Upkeep};

/// Tasks that one round deletes at most.
const BATCH: usize = 1_000;
/// How long a task of a given id is kept after its end, whatever retention says.
const REMEMBERED: Duration = Duration::from_secs(86_400);

impl Upkeep for MemoryStore {
    fn sweep(&self, retention: Retention) -> Answer<'_, Swept> {
        self.answer(Verb::Sweep, move |ledger, now| Ok(ledger.sweep(&retention, now)))
    }

    fn check(&self) -> Answer<'_, Vec<String>> {
        self.answer(Verb::Check, |ledger, _| Ok(ledger.check()))
    }

    fn backup(&self, to: PathBuf) -> Answer<'_, ()> {
        self.answer(Verb::Backup, move |ledger, _| {
            let copy = format!("{ledger:#?}");
            std::fs::write(&to, copy)
                .map_err(|error| StoreError::Broken(format!("{} cannot be written: {error}", to.display())))
        })
    }
}

impl Ledger {
    fn sweep(&mut self, retention: &Retention, now: Now) -> Swept {
        let mut goes = self.overdue(retention, now);
        // As in a store whose tasks go a round before their contents.
        let more = !goes.is_empty();
        goes.truncate(BATCH);
        let tasks = u64::try_from(goes.len()).unwrap_or(u64::MAX);
        for seq in goes {
            self.forget(seq);
        }
        let needed: BTreeSet<Box<str>> = self.rows.values().flat_map(Row::blobs).map(Into::into).collect();
        Swept { tasks, blobs: self.shelf.sweep(&needed, now.wall), more }
    }

    /// What retention allows to go, oldest end first.
    fn overdue(&self, retention: &Retention, now: Now) -> Vec<Seq> {
        let mut ended: Vec<&Row> = self.rows.values().filter(|row| self.has_ended(row)).collect();
        ended.sort_by_key(|row| (row.task.changed_at, row.task.seq));
        let finished = usize::try_from(retention.finished).unwrap_or(usize::MAX);
        let beyond = ended.len().saturating_sub(finished);
        let goes = |(at, row): &(usize, &Row)| {
            let age = now.wall.since(row.task.changed_at);
            let is_remembered = row.id_is_given && age <= REMEMBERED && self.guards.hold(Guard::IdMemory);
            !is_remembered && (*at < beyond || age > keep(retention, row.state()))
        };
        ended.into_iter().enumerate().filter(goes).map(|(_, row)| row.task.seq).collect()
    }

    fn has_ended(&self, row: &Row) -> bool {
        row.state().has_ended() || !self.guards.hold(Guard::SweepEndedOnly)
    }

    fn forget(&mut self, seq: Seq) {
        if let Some(row) = self.rows.remove(&seq) {
            self.ids.remove(&row.task.id);
            if self.guards.hold(Guard::FenceFloor) {
                self.fence_floor = self.fence_floor.max(row.task.fence.0);
            }
        }
    }

    fn check(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut keys = BTreeSet::new();
        for row in self.rows.values() {
            let id = &row.task.id;
            let claimed = row.state() == StateName::Claimed;
            if claimed != row.held.is_some() {
                findings.push(format!("{id} is {} but its claim says otherwise", row.state().as_str()));
            }
            if claimed && row.task.fence.0 < 1 {
                findings.push(format!("{id} is claimed without a fence"));
            }
            if self.ids.get(id) != Some(&row.task.seq) {
                findings.push(format!("{id} cannot be found by its id"));
            }
            let open = row.task.unique.as_ref().filter(|_| !row.state().has_ended());
            if open.is_some_and(|key| !keys.insert(key)) {
                findings.push(format!("{id} holds a unique key that another one holds too"));
            }
        }
        findings
    }
}

/// How long an ended task is kept.
fn keep(retention: &Retention, state: StateName) -> Duration {
    match state {
        StateName::Poisoned => retention.poisoned,
        StateName::Cancelled => retention.cancelled,
        StateName::Completed | StateName::Pending | StateName::Claimed => retention.completed,
    }
}
