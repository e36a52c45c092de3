//! Ends an attempt: next state, record, result and follow-up tasks, all of it or nothing.

use crate::blob_dir::BlobDir;
use crate::content::{Content, is_small};
use crate::failure::{Tried, damaged};
use crate::policy::Policy;
use crate::record;
use crate::row::CHAIN;
use crate::stage::Stage;
use crate::tasks::enqueue::{Arrival, Origin, enqueue, refer};
use crate::tx::Tx;
use rusqlite::{OptionalExtension, named_params};
use sha2::{Digest, Sha256};
use wh_domain::attempt::OutcomeName;
use wh_domain::id::{Fence, Seq, TaskId};
use wh_domain::lifecycle::{Decision, Next, Wait};
use wh_domain::priority::Ageing;
use wh_domain::task::{Due, PoisonReason, WaitingFor};
use wh_ports::claims::{Settled, Settlement};
use wh_ports::intake::Enqueued;
use wh_ports::store::StoreError;

/// A settlement whose large contents are blobs already.
#[derive(Debug)]
pub(crate) struct Prepared {
    seq: Seq,
    fence: Fence,
    decision: Decision,
    saw_cancel: bool,
    /// Its fence, its outcome, and the record as text.
    record: Option<(Fence, OutcomeName, String)>,
    result: Option<(Content, bool)>,
    follow_ups: Vec<Arrival>,
    print: i64,
}

/// The print of the attempt of a fence, from the facts in `chain`.
pub(crate) const PRINT: &str = "SELECT print FROM chain CROSS JOIN attempt USING (fact) WHERE fence = ?2";

impl Prepared {
    /// Whether [`Self::prepare`] will write a file.
    pub(crate) fn is_large(settlement: &Settlement, policy: &Policy) -> bool {
        settlement.result.as_ref().is_some_and(|result| !is_small(&result.payload, policy.inline_result))
            || settlement.follow_ups.iter().any(|task| Arrival::is_large(task, policy))
    }

    /// Moves large contents into blobs.
    pub(crate) fn prepare(
        settlement: Settlement,
        policy: &Policy,
        blobs: &BlobDir,
    ) -> Result<Self, StoreError> {
        let Settlement { seq, fence, decision, saw_cancel, record, result, follow_ups } = settlement;
        let result = result
            .map(|result| {
                Content::prepare(result.payload, policy.inline_result, blobs)
                    .map(|content| (content, result.partial))
            })
            .transpose()?;
        let follow_ups = follow_ups
            .into_iter()
            .map(|task| Arrival::prepare(task, policy, blobs))
            .collect::<Result<_, _>>()?;
        let record = record
            .map(|record| record::write(&record).map(|text| (record.fence, record.outcome, text)))
            .transpose()?;
        let mut prepared = Self { seq, fence, decision, saw_cancel, record, result, follow_ups, print: 0 };
        prepared.print = prepared.print();
        Ok(prepared)
    }
}

impl Prepared {
    /// Tells this settlement, sent again, from another one under the same fence. Not by `saw_cancel`: a host that lost
    /// an answer may have heard of a wish since.
    fn print(&self) -> i64 {
        let mut hasher = Sha256::new();
        hasher.update(format!("{:?}", (self.seq, self.fence, self.decision, &self.follow_ups)));
        if let Some((fence, outcome, text)) = &self.record {
            hasher.update(format!("{fence} {}", outcome.as_str()));
            hasher.update(text);
        }
        if let Some((content, partial)) = &self.result {
            hasher.update([u8::from(*partial)]);
            content.hash(&mut hasher);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize()[..8]);
        i64::from_le_bytes(first)
    }
}

/// What a settlement needs to know of its task.
struct Before {
    stage: Stage,
    fence: Fence,
    cancel_wished: bool,
    priority: i32,
    last_attempt: Option<i64>,
}

fn look(tx: &Tx<'_>, seq: Seq) -> Tried<Option<Before>> {
    let mut find =
        tx.prepare("SELECT stage, fence, cancel_wished, priority, last_attempt FROM task WHERE seq = ?1")?;
    let mut rows = find.query([seq.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Before {
        stage: Stage::of(row.get(0)?)?,
        fence: Fence(row.get(1)?),
        cancel_wished: row.get(2)?,
        priority: row.get(3)?,
        last_attempt: row.get(4)?,
    }))
}

/// Ends one attempt.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    settlement: &Prepared,
    policy: &Policy,
    blobs: &BlobDir,
) -> Tried<Settled> {
    let Some(row) = look(tx, settlement.seq)? else { return Ok(Settled::Fenced) };
    if row.stage != Stage::Claimed || row.fence != settlement.fence {
        return already_settled(tx, settlement);
    }
    if row.cancel_wished && !settlement.saw_cancel {
        return Ok(Settled::CancelWished);
    }
    if let Some((content, _)) = &settlement.result {
        content.check_held(blobs)?;
    }
    if settlement.follow_ups.is_empty() {
        return write(tx, settlement, &row, policy).map(|()| Settled::Done);
    }
    // The task's own end may free the key that a follow-up asks for, so it is written first, and taken back when a
    // follow-up turns out to be impossible.
    let mark = tx.mark();
    tx.connection().execute_batch("SAVEPOINT settlement")?;
    write(tx, settlement, &row, policy)?;
    let answer = bring_forth(tx, settlement, policy, blobs)?;
    if answer == Settled::Done {
        tx.connection().execute_batch("RELEASE settlement")?;
    } else {
        tx.connection().execute_batch("ROLLBACK TO settlement; RELEASE settlement")?;
        tx.back_to(mark);
    }
    Ok(answer)
}

fn bring_forth(tx: &mut Tx<'_>, settlement: &Prepared, policy: &Policy, blobs: &BlobDir) -> Tried<Settled> {
    let parent: String =
        tx.prepare("SELECT id FROM task WHERE seq = ?1")?.query_row([settlement.seq.0], |row| row.get(0))?;
    let parent = TaskId::new(parent).map_err(damaged)?;
    for (at, follow_up) in settlement.follow_ups.iter().enumerate() {
        match enqueue(tx, follow_up, Origin::Parent(&parent), policy, blobs)? {
            Enqueued::Created(_) | Enqueued::Existing { .. } | Enqueued::Duplicate { .. } => {}
            Enqueued::Conflict | Enqueued::Full { .. } | Enqueued::MissingInput(_) => {
                return Ok(Settled::FollowUpConflict(at));
            }
        }
    }
    Ok(Settled::Done)
}

/// Whether the very same settlement is durable already, because its answer got lost.
fn already_settled(tx: &Tx<'_>, settlement: &Prepared) -> Tried<Settled> {
    let print: Option<i64> = match &settlement.record {
        Some((fence, ..)) => tx
            .prepare(&format!("{CHAIN} {PRINT}"))?
            .query_row((settlement.seq.0, fence.0), |row| row.get(0))
            .optional()?,
        None => tx
            .prepare("SELECT print FROM release WHERE seq = ?1 AND fence = ?2")?
            .query_row((settlement.seq.0, settlement.fence.0), |row| row.get(0))
            .optional()?,
    };
    Ok(if print == Some(settlement.print) { Settled::Done } else { Settled::Fenced })
}

/// The next state, spelt out as columns.
struct Target {
    stage: Stage,
    due: Option<Due>,
    waiting_for: Option<WaitingFor>,
    poison: Option<PoisonReason>,
}

impl Target {
    fn of(next: Next, tx: &Tx<'_>) -> Self {
        let ended = |stage| Self { stage, due: None, waiting_for: None, poison: None };
        match next {
            Next::Completed => ended(Stage::Completed),
            Next::Cancelled => ended(Stage::Cancelled),
            Next::Poisoned(reason) => Self { poison: Some(reason), ..ended(Stage::Poisoned) },
            Next::Pending { wait, waiting_for } => {
                let due = match wait {
                    Wait::Now => Due { at: tx.wall, instant: None },
                    Wait::For(pause) => {
                        Due { at: tx.wall.after(pause), instant: Some(tx.instant.after(pause)) }
                    }
                    Wait::Until(moment) => Due { at: moment, instant: None },
                };
                let stage = if due.has_come(tx.wall, tx.instant) { Stage::Ready } else { Stage::Waiting };
                Self { stage, due: Some(due), waiting_for, poison: None }
            }
        }
    }
}

fn write(tx: &mut Tx<'_>, settlement: &Prepared, before: &Before, policy: &Policy) -> Tried<()> {
    let target = Target::of(settlement.decision.next, tx);
    let fact = settlement.record.as_ref().map(|_| tx.next_fact()).transpose()?;
    write_task(tx, settlement, &target, fact, policy.ageing, before.priority)?;
    tx.moved(Some(Stage::Claimed), Some(target.stage));
    match &settlement.result {
        Some((content, partial)) => write_result(tx, settlement.seq, content, *partial)?,
        // What an earlier attempt left is no result of this one.
        None if target.stage == Stage::Completed => {
            tx.prepare("DELETE FROM result WHERE seq = ?1")?.execute([settlement.seq.0])?;
        }
        None => {}
    }
    if let Some(fact) = fact {
        return write_attempt(tx, fact, before.last_attempt, settlement, target.stage);
    }
    tx.prepare("INSERT INTO release (seq, fence, print) VALUES (?1, ?2, ?3)")?.execute((
        settlement.seq.0,
        settlement.fence.0,
        settlement.print,
    ))?;
    tx.ring();
    // No attempt, so no record; but whoever waits for the task must learn of its end.
    if target.stage.state().has_ended() { tx.wished(settlement.seq, target.stage) } else { Ok(()) }
}

fn write_task(
    tx: &Tx<'_>,
    settlement: &Prepared,
    target: &Target,
    fact: Option<i64>,
    ageing: Ageing,
    priority: i32,
) -> Tried<()> {
    let instant = target.due.and_then(|due| due.instant);
    let counters = settlement.decision.counters;
    tx.prepare(
        "UPDATE task SET stage = :stage, changed_at = :now, due_at = coalesce(:due, due_at), due_boot = :boot, \
         due_millis = :millis, rank = coalesce(:rank, rank), waiting_for = :waiting_for, poison = :poison, \
         attempts = :attempts, crashes = :crashes, timeouts = :timeouts, lost = :lost, \
         worker_broken = :worker_broken, deferrals = :deferrals, interruptions = :interruptions, \
         cancel_wished = 0, last_attempt = coalesce(:fact, last_attempt), host = NULL, worker = NULL, claimed_at = NULL, started = NULL, lost_is_final = NULL, \
         lost_fence = NULL, lost_host = NULL, lost_started = NULL \
         WHERE seq = :seq AND stage = 2 AND fence = :fence",
    )?
    .execute(named_params! {
        ":stage": target.stage.code(),
        ":now": tx.wall.as_millis(),
        ":due": target.due.map(|due| due.at.as_millis()),
        ":boot": instant.map(|instant| instant.boot.cast_signed()),
        ":millis": instant.map(|instant| instant.millis),
        ":rank": target.due.map(|due| ageing.rank(priority, due.at).0),
        ":fact": fact,
        ":waiting_for": target.waiting_for.map(WaitingFor::as_str),
        ":poison": target.poison.map(PoisonReason::as_str),
        ":attempts": counters.attempts,
        ":crashes": counters.crashes,
        ":timeouts": counters.timeouts,
        ":lost": counters.lost,
        ":worker_broken": counters.worker_broken,
        ":deferrals": counters.deferrals,
        ":interruptions": counters.interruptions,
        ":seq": settlement.seq.0,
        ":fence": settlement.fence.0,
    })?;
    Ok(())
}

fn write_result(tx: &Tx<'_>, seq: Seq, content: &Content, partial: bool) -> Tried<()> {
    tx.prepare("INSERT OR REPLACE INTO result (seq, kind, body, size, partial) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((seq.0, content.kind(), content.body(), content.size(), partial))?;
    match content.blob() {
        Some(sha256) => refer(tx, sha256, seq),
        None => Ok(()),
    }
}

fn write_attempt(
    tx: &Tx<'_>,
    fact: i64,
    previous: Option<i64>,
    settlement: &Prepared,
    stage: Stage,
) -> Tried<()> {
    let Some((fence, outcome, text)) = &settlement.record else { return Ok(()) };
    tx.prepare(
        "INSERT INTO attempt (fact, previous, seq, fence, outcome, stage, print, record) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        fact,
        previous,
        settlement.seq.0,
        fence.0,
        outcome.as_str(),
        stage.code(),
        settlement.print,
        text,
    ))?;
    Ok(())
}
