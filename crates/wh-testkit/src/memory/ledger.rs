//! All that the store knows, and the few changes that several verbs make.

use super::guards::{Guard, Guards};
use super::members::Members;
use super::row::{MemberNo, Row};
use super::shelf::Shelf;
use crate::digest::sha256;
use std::collections::BTreeMap;
use wh_domain::id::{LaneId, Seq, TaskId, TaskType, UniqueKey, WorkerName};
use wh_domain::priority::Ageing;
use wh_domain::task::{Due, Payload, StateName, TaskState, WaitingFor};
use wh_domain::time::{StoreInstant, Timestamp};
use wh_ports::answer::StoreError;
use wh_ports::blobs::Stored;
use wh_ports::reader::Fact;

/// Params and results up to this size are kept in their row, larger ones as blobs.
pub(super) const INLINE: usize = 1 << 20;

/// Both clocks, read once per call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) wall: Timestamp,
    pub(super) instant: StoreInstant,
}

/// Something committed, in the order of commits.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Fact(Fact),
    Resume(WorkerName),
}

/// The whole store.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) guards: Guards,
    pub(super) max_pending: u64,
    pub(super) ageing: Ageing,
    pub(super) last_seq: i64,
    /// No claim gets this fence or a lower one.
    pub(super) fence_floor: i64,
    pub(super) rows: BTreeMap<Seq, Row>,
    pub(super) ids: BTreeMap<TaskId, Seq>,
    pub(super) lanes: BTreeMap<TaskType, LaneId>,
    pub(super) members: Members,
    pub(super) entries: BTreeMap<i64, Entry>,
    pub(super) shelf: Shelf,
    /// Grows with every change that others may want to see.
    pub(super) changes: u64,
}

impl Ledger {
    pub(super) fn new(guards: Guards, max_pending: u64, ageing: Ageing) -> Self {
        Self {
            guards,
            max_pending,
            ageing,
            last_seq: 0,
            fence_floor: 0,
            rows: BTreeMap::new(),
            ids: BTreeMap::new(),
            lanes: BTreeMap::new(),
            members: Members::default(),
            entries: BTreeMap::new(),
            shelf: Shelf::default(),
            changes: 0,
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let no = self.last_entry() + 1;
        self.entries.insert(no, entry);
        self.changes += 1;
    }

    pub(super) fn last_entry(&self) -> i64 {
        self.entries.last_key_value().map_or(0, |(no, _)| *no)
    }

    pub(super) fn seq_of(&self, id: &TaskId) -> Option<Seq> {
        self.ids.get(id).copied()
    }

    pub(super) fn row_of(&self, id: &TaskId) -> Option<&Row> {
        self.seq_of(id).and_then(|seq| self.rows.get(&seq))
    }

    pub(super) fn pending(&self) -> u64 {
        let pending = self.rows.values().filter(|row| row.state() == StateName::Pending).count();
        u64::try_from(pending).unwrap_or(u64::MAX)
    }

    /// The unfinished task that holds a key.
    pub(super) fn holder(&self, key: Option<&UniqueKey>) -> Option<&Row> {
        let key = key.filter(|_| self.guards.hold(Guard::Unique))?;
        self.rows.values().find(|row| !row.state().has_ended() && row.task.unique.as_ref() == Some(key))
    }

    pub(super) fn holds_something(&self, no: MemberNo) -> bool {
        self.rows.values().any(|row| row.held.as_ref().is_some_and(|held| held.by == no))
    }

    /// Whether the moment to claim a task has come.
    pub(super) fn has_come(&self, due: Due, now: Now) -> bool {
        let blind = !self.guards.hold(Guard::BootOnWait);
        let seen = |instant: StoreInstant| {
            if blind { StoreInstant { boot: now.instant.boot, ..instant } } else { instant }
        };
        Due { instant: due.instant.map(seen), ..due }.has_come(now.wall, now.instant)
    }

    /// Puts a task in line.
    pub(super) fn make_pending(&mut self, seq: Seq, due: Due, waiting_for: Option<WaitingFor>, now: Now) {
        let (ageing, ready) = (self.ageing, self.has_come(due, now));
        let Some(row) = self.rows.get_mut(&seq) else { return };
        row.rank = ageing.rank(row.task.priority, due.at);
        row.ready = ready;
        self.change(seq, TaskState::Pending { due, waiting_for }, now);
    }

    /// Gives a task its next state; whatever held it lets go.
    pub(super) fn change(&mut self, seq: Seq, state: TaskState, now: Now) {
        let Some(row) = self.rows.get_mut(&seq) else { return };
        row.held = None;
        row.ready &= state.name() == StateName::Pending;
        row.task.state = state;
        row.task.cancel_wished = false;
        row.task.changed_at = now.wall;
        self.changes += 1;
    }

    /// Keeps a payload: in its row, or as a blob if it is large.
    pub(super) fn keep(&mut self, payload: Payload, now: Now) -> Result<Stored, StoreError> {
        if payload.bytes().len() <= INLINE {
            return Ok(Stored::Inline(payload));
        }
        let digest = sha256(payload.bytes());
        let path = self.shelf.put(&digest, payload.bytes(), now.wall)?;
        let size = u64::try_from(payload.bytes().len()).unwrap_or(u64::MAX);
        Ok(Stored::Blob { path, sha256: digest, size, json: matches!(payload, Payload::Json(_)) })
    }
}
