//! Adds a task, or says why not.

use crate::blob_dir::BlobDir;
use crate::content::{Content, inputs_column, is_small};
use crate::failure::{Tried, damaged};
use crate::policy::Policy;
use crate::stage::Stage;
use crate::tx::Tx;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use wh_domain::id::{Seq, TaskId, UniqueKey};
use wh_domain::task::{NewTask, Payload};
use wh_ports::intake::Enqueued;
use wh_ports::store::StoreError;

/// A task whose large params are a blob already.
#[derive(Debug)]
pub(crate) struct Arrival {
    task: NewTask,
    params: Content,
}

impl Arrival {
    /// Whether [`Self::prepare`] will write a file.
    pub(crate) fn is_large(task: &NewTask, policy: &Policy) -> bool {
        !is_small(&task.params, policy.inline_params)
    }

    /// Moves large params into a blob.
    pub(crate) fn prepare(mut task: NewTask, policy: &Policy, blobs: &BlobDir) -> Result<Self, StoreError> {
        let params = std::mem::replace(&mut task.params, Payload::Bytes(Box::default()));
        Ok(Self { params: Content::prepare(params, policy.inline_params, blobs)?, task })
    }
}

/// Who brings a task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A producer, who is refused when so many tasks are pending.
    Producer(u64),
    /// The result of this task, which nobody may refuse for want of room.
    Parent(&'a TaskId),
}

/// Adds one task.
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    arrival: &Arrival,
    origin: Origin<'_>,
    policy: &Policy,
    blobs: &BlobDir,
) -> Tried<Enqueued> {
    let task = &arrival.task;
    if let Origin::Producer(max) = origin
        && u64::try_from(tx.pending()).map_err(damaged)? >= max
    {
        return Ok(standing_in_the_way(tx, arrival)?.unwrap_or(Enqueued::Full { max }));
    }
    if let Some(missing) = task.inputs.iter().find(|input| !blobs.holds(&input.sha256)) {
        let known = standing_in_the_way(tx, arrival)?;
        return Ok(known.unwrap_or_else(|| Enqueued::MissingInput(missing.name.clone())));
    }
    arrival.params.check_held(blobs)?;
    let parent = match origin {
        Origin::Producer(_) => task.parent.as_ref(),
        Origin::Parent(parent) => Some(parent),
    };
    let lane = match tx.find_lane(&task.task_type)? {
        Some(lane) => lane,
        // A task that is refused must not leave a lane behind, so this is asked before one is made.
        None => match standing_in_the_way(tx, arrival)? {
            Some(answer) => return Ok(answer),
            None => tx.open_lane(&task.task_type)?,
        },
    };
    match insert_row(tx, task, lane, parent, policy)? {
        Some((seq, stage)) => {
            insert_payload(tx, seq, arrival)?;
            tx.arrived(seq);
            tx.moved(None, Some(stage));
            Ok(Enqueued::Created(seq))
        }
        None => standing_in_the_way(tx, arrival)?
            .ok_or_else(|| damaged("a task was refused though neither its id nor its key is taken")),
    }
}

/// The row, unless its id or its key is taken.
fn insert_row(
    tx: &Tx<'_>,
    task: &NewTask,
    lane: i64,
    parent: Option<&TaskId>,
    policy: &Policy,
) -> Tried<Option<(Seq, Stage)>> {
    let due = task.run_at.unwrap_or(tx.wall);
    let stage = if due > tx.wall { Stage::Waiting } else { Stage::Ready };
    let seq = tx.next_seq();
    let inserted = tx
        .prepare(
            "INSERT INTO task (seq, id, id_is_given, lane, stage, priority, rank, due_at, fence, attempts, crashes, \
             timeouts, lost, worker_broken, deferrals, interruptions, max_attempts, unique_key, parent, \
             created_at, changed_at, cancel_wished) \
             VALUES (:seq, :id, :given, :lane, :stage, :priority, :rank, :due, 0, 0, 0, 0, 0, 0, 0, 0, :most, \
             :key, :parent, :now, :now, 0) ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":seq": seq.0,
            ":id": task.id.as_str(),
            ":given": task.id_is_given,
            ":lane": lane,
            ":stage": stage.code(),
            ":priority": task.priority,
            // A moment that had passed before the task came gives it no age: it has not waited.
            ":rank": policy.ageing.rank(task.priority, due.max(tx.wall)).0,
            ":due": due.as_millis(),
            ":most": task.max_attempts,
            ":key": task.unique.as_ref().map(UniqueKey::as_str),
            ":parent": parent.map(TaskId::as_str),
            ":now": tx.wall.as_millis(),
        })?;
    Ok((inserted == 1).then_some((seq, stage)))
}

fn insert_payload(tx: &Tx<'_>, seq: Seq, arrival: &Arrival) -> Tried<()> {
    let Arrival { task, params } = arrival;
    tx.prepare(
        "INSERT INTO payload (seq, kind, body, size, metadata, inputs, traceparent) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        seq.0,
        params.kind(),
        params.body(),
        params.size(),
        task.metadata.as_deref(),
        inputs_column(&task.inputs)?,
        task.traceparent.as_deref(),
    ))?;
    let blobs = task.inputs.iter().map(|input| &*input.sha256).chain(params.blob());
    for sha256 in blobs {
        refer(tx, sha256, seq)?;
    }
    Ok(())
}

/// Notes that a task needs a blob.
pub(crate) fn refer(tx: &Tx<'_>, sha256: &str, seq: Seq) -> Tried<()> {
    tx.prepare("INSERT INTO blob_ref (sha256, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((sha256, seq.0))?;
    Ok(())
}

/// What already has the id or the key.
fn standing_in_the_way(tx: &Tx<'_>, arrival: &Arrival) -> Tried<Option<Enqueued>> {
    if let Some(answer) = same_id(tx, arrival)? {
        return Ok(Some(answer));
    }
    let Some(key) = &arrival.task.unique else { return Ok(None) };
    Ok(holder_of(tx, key.as_str())?.map(|of| Enqueued::Duplicate { of }))
}

/// The unfinished task that holds a key.
pub(crate) fn holder_of(tx: &Tx<'_>, key: &str) -> Tried<Option<TaskId>> {
    let id: Option<String> = tx
        .prepare("SELECT id FROM task WHERE unique_key = ?1 AND stage <= 2")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    id.map(|id| TaskId::new(id).map_err(damaged)).transpose()
}

/// The task of the same id, compared by content.
fn same_id(tx: &Tx<'_>, arrival: &Arrival) -> Tried<Option<Enqueued>> {
    let task = &arrival.task;
    let mut find = tx.prepare(
        "SELECT t.seq, t.stage, l.task_type, p.kind, p.body, p.size, p.metadata, p.inputs \
         FROM task t JOIN lane l ON l.id = t.lane JOIN payload p ON p.seq = t.seq WHERE t.id = ?1",
    )?;
    let mut rows = find.query([task.id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let same = row.get_ref(2)?.as_str().ok() == Some(task.task_type.as_str())
        && Content::read(row, 3)? == arrival.params
        && row.get::<_, Option<Box<str>>>(6)? == task.metadata
        && row.get::<_, Option<String>>(7)? == inputs_column(&task.inputs)?;
    if !same {
        return Ok(Some(Enqueued::Conflict));
    }
    let state = Stage::of(row.get(1)?)?.state();
    Ok(Some(Enqueued::Existing { seq: Seq(row.get(0)?), state }))
}
