//! One transaction: takes turns with other processes, does what waits, commits, answers, rings.

use super::request::{Message, Request};
use crate::bell::Ringer;
use crate::failure::{Fail, Tried, unavailable};
use crate::identity::Identity;
use crate::lock::WriterLock;
use crate::steps::Steps;
use crate::trust::Trust;
use crate::tx::Tx;
use rusqlite::Connection;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wh_ports::clock::Clock;
use wh_ports::store::StoreError;

/// One transaction serves at most so many requests.
pub(super) const MOST: usize = 512;
/// And takes no new ones after this long.
const LONGEST: Duration = Duration::from_millis(200);

/// What the writer works with.
pub(crate) struct Bench {
    pub(super) connection: Connection,
    database: Identity,
    pub(super) lock: WriterLock,
    clock: Arc<dyn Clock>,
    steps: Steps,
    ringer: Arc<Ringer>,
    /// Once the disk has failed to confirm a write, nothing is written any more.
    pub(super) trust: Trust,
    /// Whether commits wait for the disk at the moment.
    waits_for_disk: Cell<bool>,
}

impl Bench {
    pub(crate) fn new(
        connection: Connection,
        database: Identity,
        lock: WriterLock,
        clock: Arc<dyn Clock>,
        steps: Steps,
        ringer: Arc<Ringer>,
        trust: Trust,
    ) -> Self {
        let waits_for_disk = Cell::new(true);
        Self { connection, database, lock, clock, steps, ringer, trust, waits_for_disk }
    }

    /// Serves `first` and what waits behind it in one commit. Answers a message that could not be part of it.
    pub(super) fn serve(
        &self,
        first: Box<dyn Request>,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Option<Message> {
        let mut batch = vec![first];
        let (mut left_over, mut ring) = (None, false);
        let trusted = self.trust.check();
        let committed = trusted.and_then(|()| self.transact(&mut batch, queue, &mut left_over));
        let committed = committed.map(|rings| ring = rings).map_err(|error| self.trust.note(error));
        if committed.is_ok() {
            for request in &batch {
                self.steps.pass(request.verb().steps().1);
            }
        }
        for request in batch {
            request.answer(committed.clone());
        }
        if ring {
            self.steps.pass("bell.before");
            self.ringer.ring();
            self.steps.pass("bell.after");
        }
        left_over
    }

    fn transact(
        &self,
        batch: &mut Vec<Box<dyn Request>>,
        queue: &mut mpsc::Receiver<Message>,
        left_over: &mut Option<Message>,
    ) -> Result<bool, StoreError> {
        let turn = self.lock.wait().map_err(|error| unavailable("wait for the turn to write", &error));
        let _turn = turn.inspect_err(|_| take_all(queue, batch, left_over))?;
        self.database.check()?;
        let began = Instant::now();
        let waits = self.wait_for_disk(batch.iter().any(|request| !request.verb().may_be_lost()));
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute(()))
            .map_err(sql)?;
        let ring = self.fill(batch, |so_far| {
            if so_far >= MOST || began.elapsed() >= LONGEST {
                return None;
            }
            match queue.try_recv().ok()? {
                Message::Write(request) if waits || request.verb().may_be_lost() => Some(request),
                other => {
                    *left_over = Some(other);
                    None
                }
            }
        });
        let ring = match ring {
            Ok(ring) => ring,
            Err(fail) => {
                self.roll_back();
                return Err(fail.into());
            }
        };
        for request in batch.iter() {
            self.steps.pass(request.verb().steps().0);
        }
        let committed = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute(()));
        if let Err(error) = committed {
            self.roll_back();
            return Err(sql(error));
        }
        Ok(ring)
    }

    /// Performs the first request and as many more as `next` brings. Answers whether the bell is to be rung.
    fn fill(
        &self,
        batch: &mut Vec<Box<dyn Request>>,
        mut next: impl FnMut(usize) -> Option<Box<dyn Request>>,
    ) -> Tried<bool> {
        let begin = || Tx::begin(&self.connection, self.clock.wall(), self.clock.instant());
        let mut tx = begin()?;
        let mut at = 0;
        while let Some(request) = batch.get_mut(at) {
            if at > 0 {
                self.perform(&mut tx, request.as_mut())?;
            } else if let Err(error) = request.perform(&mut tx) {
                self.distrust(error)?;
                // Most requests come alone and succeed, so the first one goes without a savepoint: there is nothing
                // else in the transaction that its failure could take along.
                self.roll_back();
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
                tx = begin()?;
            }
            at += 1;
            if at == batch.len() {
                batch.extend(next(at));
            }
        }
        tx.finish()
    }

    /// Performs one request so that its failure takes back what it wrote and nothing else.
    fn perform(&self, tx: &mut Tx<'_>, request: &mut dyn Request) -> Tried<()> {
        let mark = tx.mark();
        self.connection.prepare_cached("SAVEPOINT request")?.execute(())?;
        let done = request.perform(tx);
        if let Err(error) = done {
            self.distrust(error)?;
        }
        if self.connection.is_autocommit() {
            return Err(Fail::Store(StoreError::Unavailable(
                "the transaction was given up because of another request".to_owned(),
            )));
        }
        if done.is_err() {
            self.connection.prepare_cached("ROLLBACK TO request")?.execute(())?;
            tx.back_to(mark);
        }
        self.connection.prepare_cached("RELEASE request")?.execute(())?;
        Ok(())
    }

    /// What one request learnt about the disk holds for all: none of those that share its commit is acknowledged.
    fn distrust(&self, error: &StoreError) -> Result<(), StoreError> {
        self.trust.note(error.clone());
        self.trust.check()
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // SQLite takes the transaction back by itself at the latest when the next one begins or the connection
            // is closed, so there is nothing to do about a failure here.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    /// Sets whether the next commit waits for the disk; one that does covers all before it. Answers what holds.
    fn wait_for_disk(&self, wait: bool) -> bool {
        if self.waits_for_disk.get() != wait {
            // Never from the statement cache: this one takes effect when it is prepared.
            let mode = if wait { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            if self.connection.execute_batch(mode).is_ok() {
                self.waits_for_disk.set(wait);
            }
        }
        self.waits_for_disk.get()
    }
}

/// Whoever waits behind one whose turn did not come would wait as long again for the same answer.
fn take_all(
    queue: &mut mpsc::Receiver<Message>,
    batch: &mut Vec<Box<dyn Request>>,
    left_over: &mut Option<Message>,
) {
    while let Ok(message) = queue.try_recv() {
        match message {
            Message::Write(request) => batch.push(request),
            other => {
                *left_over = Some(other);
                return;
            }
        }
    }
}

fn sql(error: rusqlite::Error) -> StoreError {
    Fail::Sql(error).into()
}
