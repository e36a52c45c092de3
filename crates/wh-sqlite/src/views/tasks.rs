//! Tasks, singly, in lists, and with all that belongs to them.

use crate::blob_dir::BlobDir;
use crate::content::{Content, inputs_of};
use crate::failure::{Tried, damaged};
use crate::record;
use crate::row::{CHAIN, TASKS, task_of};
use crate::stage::Stage;
use rusqlite::{Connection, OptionalExtension, Params};
use wh_domain::attempt::AttemptRecord;
use wh_domain::id::{Seq, TaskId, TaskType};
use wh_domain::task::{StateName, Task};
use wh_ports::blobs::Stored;
use wh_ports::reader::{Dossier, Filter, Page, RecentAttempt};

/// A page holds so many tasks unless told.
const PAGE: u32 = 100;
/// And never more than so many.
const LARGEST_PAGE: u32 = 10_000;

/// A task's attempts, from the facts in `chain`. `CROSS JOIN` keeps the planner from reading every attempt there is in
/// the order that is asked for.
pub(crate) const ATTEMPTS: &str =
    "SELECT fence, outcome, record FROM chain CROSS JOIN attempt USING (fact) ORDER BY fact";

fn one(connection: &Connection, condition: &str, params: impl Params) -> Tried<Option<Task>> {
    let mut find = connection.prepare_cached(&format!("{TASKS}WHERE {condition}"))?;
    let mut rows = find.query(params)?;
    rows.next()?.map(task_of).transpose()
}

/// The task of an id.
pub(crate) fn by_id(connection: &Connection, id: &TaskId) -> Tried<Option<Task>> {
    one(connection, "t.id = ?1", [id.as_str()])
}

/// The task of a number.
pub(crate) fn by_seq(connection: &Connection, seq: Seq) -> Tried<Option<Task>> {
    one(connection, "t.seq = ?1", [seq.0])
}

/// A page of tasks, newest first.
pub(crate) fn list(connection: &Connection, filter: &Filter) -> Tried<Page> {
    let most = if filter.most == 0 { PAGE } else { filter.most.min(LARGEST_PAGE) };
    let mut conditions = vec!["t.seq < ?1".to_owned()];
    if !filter.states.is_empty() {
        let codes: Vec<String> = filter
            .states
            .iter()
            .flat_map(|state| Stage::of_state(*state))
            .map(|stage| stage.code().to_string())
            .collect();
        conditions.push(format!("t.stage IN ({})", codes.join(", ")));
    }
    if filter.task_type.is_some() {
        conditions.push("l.task_type = ?3".to_owned());
    } else {
        // The statement keeps its three parameters, whatever is asked.
        conditions.push("?3 IS NULL".to_owned());
    }
    let (index, condition) = index_for(&filter.states);
    conditions.extend(condition.map(str::to_owned));
    let sql = format!(
        "{} WHERE {} ORDER BY t.seq DESC LIMIT ?2",
        TASKS.replace("FROM task t", &format!("FROM task t {index}")),
        conditions.join(" AND ")
    );
    let before = filter.before.map_or(i64::MAX, |seq| seq.0);
    let task_type = filter.task_type.as_ref().map(TaskType::as_str);
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query((before, most.saturating_add(1), task_type))?;
    let mut tasks = Vec::new();
    while let Some(row) = rows.next()? {
        tasks.push(task_of(row)?);
    }
    let is_more = tasks.len() > usize::try_from(most).unwrap_or(usize::MAX);
    tasks.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let next = if is_more { tasks.last().map(|task| task.seq) } else { None };
    Ok(Page { tasks, next })
}

/// States that few tasks are in have indexes, which SQLite uses only when their own condition is repeated; all others
/// are found by walking back from the newest.
fn index_for(states: &[StateName]) -> (&'static str, Option<&'static str>) {
    let only = |few: &[StateName]| !states.is_empty() && states.iter().all(|state| few.contains(state));
    if only(&[StateName::Claimed]) {
        ("INDEXED BY task_claimed", Some("t.stage = 2"))
    } else if only(&[StateName::Poisoned, StateName::Cancelled]) {
        ("INDEXED BY task_given_up", Some("t.stage >= 4"))
    } else {
        ("NOT INDEXED", None)
    }
}

/// All that is kept of a task.
pub(crate) fn dossier(connection: &Connection, id: &TaskId, blobs: &BlobDir) -> Tried<Option<Dossier>> {
    let snapshot = connection.unchecked_transaction()?;
    let Some(task) = by_id(&snapshot, id)? else { return Ok(None) };
    let seq = task.seq.0;
    let mut find = snapshot.prepare_cached(
        "SELECT kind, body, size, metadata, inputs, traceparent FROM payload WHERE seq = ?1",
    )?;
    let mut rows = find.query([seq])?;
    let row = rows.next()?.ok_or_else(|| damaged(format_args!("task {id} has no params")))?;
    let note: Option<(Option<Box<str>>, Option<String>)> = snapshot
        .prepare_cached("SELECT checkpoint, progress FROM note WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (checkpoint, progress) = note.unwrap_or_default();
    Ok(Some(Dossier {
        task,
        params: Content::read(row, 0)?.stored(blobs),
        metadata: row.get(3)?,
        inputs: inputs_of(row.get::<_, Option<String>>(4)?.as_deref())?,
        traceparent: row.get(5)?,
        result: result(&snapshot, seq, blobs)?,
        checkpoint,
        progress: progress.as_deref().map(record::read_progress).transpose()?,
        attempts: attempts(&snapshot, seq)?,
    }))
}

fn result(connection: &Connection, seq: i64, blobs: &BlobDir) -> Tried<Option<(Stored, bool)>> {
    let mut find =
        connection.prepare_cached("SELECT kind, body, size, partial FROM result WHERE seq = ?1")?;
    let mut rows = find.query([seq])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((Content::read(row, 0)?.stored(blobs), row.get(3)?)))
}

/// How many attempts of a task are on record.
pub(crate) fn attempts_made(connection: &Connection, seq: Seq) -> Tried<u32> {
    let mut count = connection.prepare_cached(&format!("{CHAIN} SELECT count(*) FROM chain"))?;
    Ok(count.query_row([seq.0], |row| row.get(0))?)
}

/// The last attempts of all, newest first. `CROSS JOIN` keeps the order in which they are to be read.
pub(crate) const RECENT: &str = "SELECT t.id, l.task_type, a.fence, a.outcome, a.record \
    FROM attempt a CROSS JOIN task t ON t.seq = a.seq CROSS JOIN lane l ON l.id = t.lane ORDER BY a.fact DESC LIMIT ?1";

/// The last attempts that were settled, newest first.
pub(crate) fn recent_attempts(connection: &Connection, most: u32) -> Tried<Vec<RecentAttempt>> {
    let mut find = connection.prepare_cached(RECENT)?;
    let mut rows = find.query([most.min(LARGEST_PAGE)])?;
    let mut recent = Vec::new();
    while let Some(row) = rows.next()? {
        let (outcome, text): (String, String) = (row.get(3)?, row.get(4)?);
        recent.push(RecentAttempt {
            task: TaskId::new(row.get::<_, String>(0)?).map_err(damaged)?,
            task_type: TaskType::new(row.get::<_, String>(1)?).map_err(damaged)?,
            record: record::read(row.get(2)?, &outcome, &text)?,
        });
    }
    Ok(recent)
}

fn attempts(connection: &Connection, seq: i64) -> Tried<Vec<AttemptRecord>> {
    let mut find = connection.prepare_cached(&format!("{CHAIN} {ATTEMPTS}"))?;
    let mut rows = find.query([seq])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        let (outcome, text): (String, String) = (row.get(1)?, row.get(2)?);
        attempts.push(record::read(row.get(0)?, &outcome, &text)?);
    }
    Ok(attempts)
}
