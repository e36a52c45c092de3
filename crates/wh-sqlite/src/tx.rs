//! A transaction in progress: the moment it happens at, and the running numbers that are read first and written last.

use crate::failure::{Tried, damaged};
use crate::stage::Stage;
use rusqlite::{CachedStatement, Connection};
use wh_domain::id::{Seq, TaskType};
use wh_domain::time::{StoreInstant, Timestamp};

/// The one row of running numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    pending: i64,
    ended: i64,
    last_seq: i64,
    last_fact: i64,
    lanes_version: i64,
    fence_floor: i64,
}

/// What a failed request must not leave behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    tally: Tally,
    arrivals: Option<(i64, i64)>,
    ring: bool,
    forgets: bool,
}

/// A transaction in progress.
#[derive(Debug)]
pub(crate) struct Tx<'c> {
    connection: &'c Connection,
    /// The calendar's time, one for the whole transaction.
    pub(crate) wall: Timestamp,
    /// The store clock's time, one for the whole transaction.
    pub(crate) instant: StoreInstant,
    as_read: Tally,
    now: Mark,
}

impl<'c> Tx<'c> {
    /// Reads the running numbers; the transaction must have begun.
    pub(crate) fn begin(connection: &'c Connection, wall: Timestamp, instant: StoreInstant) -> Tried<Self> {
        let tally = connection
            .prepare_cached(
                "SELECT pending, ended, last_seq, last_fact, lanes_version, fence_floor FROM tally WHERE one = 1",
            )?
            .query_row((), |row| {
                Ok(Tally {
                    pending: row.get(0)?,
                    ended: row.get(1)?,
                    last_seq: row.get(2)?,
                    last_fact: row.get(3)?,
                    lanes_version: row.get(4)?,
                    fence_floor: row.get(5)?,
                })
            })?;
        let now = Mark { tally, arrivals: None, ring: false, forgets: false };
        Ok(Self { connection, wall, instant, as_read: tally, now })
    }

    /// Writes the running numbers if they changed. Answers whether others want to know of this transaction.
    pub(crate) fn finish(mut self) -> Tried<bool> {
        self.write_arrivals()?;
        let tally = self.now.tally;
        if tally != self.as_read {
            self.prepare(
                "UPDATE tally SET pending = ?1, ended = ?2, last_seq = ?3, last_fact = ?4, lanes_version = ?5, \
                 fence_floor = ?6 WHERE one = 1",
            )?
            .execute((
                tally.pending,
                tally.ended,
                tally.last_seq,
                tally.last_fact,
                tally.lanes_version,
                tally.fence_floor,
            ))?;
        }
        Ok(self.now.ring)
    }

    /// A statement, from the connection's cache.
    pub(crate) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql)
    }

    /// The bare connection, for savepoints and the like.
    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// What to go back to when a request fails.
    pub(crate) fn mark(&self) -> Mark {
        self.now
    }

    /// Forgets what a failed request did to the running numbers.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.now = mark;
    }

    /// Others may want to look once this is committed.
    pub(crate) fn ring(&mut self) {
        self.now.ring = true;
    }

    /// A task that may have needed a blob was deleted.
    pub(crate) fn forgot(&mut self) {
        self.now.forgets = true;
    }

    /// Whether a blob that nobody needs here may still be needed by what is committed.
    pub(crate) fn has_forgotten(&self) -> bool {
        self.now.forgets
    }

    /// How many tasks are pending.
    pub(crate) fn pending(&self) -> i64 {
        self.now.tally.pending
    }

    /// How many tasks have ended.
    pub(crate) fn ended(&self) -> i64 {
        self.now.tally.ended
    }

    /// No claim gets this fence or a lower one.
    pub(crate) fn fence_floor(&self) -> i64 {
        self.now.tally.fence_floor
    }

    /// No claim gets `fence` or a lower one from now on.
    pub(crate) fn raise_fence_floor(&mut self, fence: i64) {
        let floor = &mut self.now.tally.fence_floor;
        *floor = (*floor).max(fence);
    }

    /// Grows with every lane.
    pub(crate) fn lanes_version(&self) -> i64 {
        self.now.tally.lanes_version
    }

    /// The number of the last fact so far.
    pub(crate) fn last_fact(&self) -> i64 {
        self.now.tally.last_fact
    }

    /// A task came into being in `stage`, moved, or went.
    pub(crate) fn moved(&mut self, from: Option<Stage>, to: Option<Stage>) {
        let tally = &mut self.now.tally;
        for (stage, by) in [(from, -1), (to, 1)] {
            match stage {
                Some(Stage::Ready | Stage::Waiting) => tally.pending += by,
                Some(Stage::Completed | Stage::Poisoned | Stage::Cancelled) => tally.ended += by,
                Some(Stage::Claimed) | None => {}
            }
        }
    }

    /// The next task's number, never given out before.
    pub(crate) fn next_seq(&self) -> Seq {
        Seq(self.now.tally.last_seq + 1)
    }

    /// A task with the number from [`Self::next_seq`] has been written.
    pub(crate) fn arrived(&mut self, seq: Seq) {
        self.now.tally.last_seq = seq.0;
        self.now.arrivals = Some((self.now.arrivals.map_or(seq.0, |(from, _)| from), seq.0));
        self.ring();
    }

    /// The number of a new fact. Facts are numbered in the order of their commits, because only one transaction
    /// at a time, of all processes, gets this far.
    pub(crate) fn next_fact(&mut self) -> Tried<i64> {
        self.write_arrivals()?;
        Ok(self.draw_fact())
    }

    fn draw_fact(&mut self) -> i64 {
        self.ring();
        self.now.tally.last_fact += 1;
        self.now.tally.last_fact
    }

    /// Arrivals of one transaction are one fact as long as nothing else happens in between.
    fn write_arrivals(&mut self) -> Tried<()> {
        let Some((from, to)) = self.now.arrivals.take() else { return Ok(()) };
        let no = self.draw_fact();
        self.prepare("INSERT INTO fact (no, kind, a, b) VALUES (?1, 0, ?2, ?3)")?.execute((no, from, to))?;
        Ok(())
    }

    /// A person's wish was heard for a task.
    pub(crate) fn wished(&mut self, seq: Seq, stage: Stage) -> Tried<()> {
        let no = self.next_fact()?;
        self.prepare("INSERT INTO fact (no, kind, a, b) VALUES (?1, 1, ?2, ?3)")?.execute((
            no,
            seq.0,
            stage.code(),
        ))?;
        Ok(())
    }

    /// The lane of a type, if there is one.
    pub(crate) fn find_lane(&self, task_type: &TaskType) -> Tried<Option<i64>> {
        let mut find = self.prepare("SELECT id FROM lane WHERE task_type = ?1")?;
        let mut rows = find.query([task_type.as_str()])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Makes the lane of a type that has none.
    pub(crate) fn open_lane(&mut self, task_type: &TaskType) -> Tried<i64> {
        self.prepare("INSERT INTO lane (task_type) VALUES (?1)")?.execute([task_type.as_str()])?;
        self.now.tally.lanes_version += 1;
        Ok(self.connection.last_insert_rowid())
    }

    /// The type of a lane.
    pub(crate) fn task_type_of(&self, lane: i64) -> Tried<TaskType> {
        let text: String =
            self.prepare("SELECT task_type FROM lane WHERE id = ?1")?.query_row([lane], |row| row.get(0))?;
        TaskType::new(text).map_err(damaged)
    }
}
