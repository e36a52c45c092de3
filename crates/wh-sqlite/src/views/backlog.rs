//! What waits of each type, counted only as far as anybody wants to know.

use crate::failure::{Tried, damaged};
use rusqlite::Connection;
use std::collections::BTreeMap;
use wh_domain::id::TaskType;
use wh_domain::time::{StoreInstant, Timestamp};
use wh_ports::reader::Backlog;

/// How many are ready in a lane, at most `?2`.
pub(crate) const READY: &str =
    "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_ready WHERE stage = 0 AND lane = ?1 LIMIT ?2)";
/// When the first of them was due.
pub(crate) const FIRST: &str =
    "SELECT due_at FROM task INDEXED BY task_ready WHERE stage = 0 AND lane = ?1 ORDER BY rank, seq LIMIT 1";
/// How many wait in a lane, at most `?2`.
pub(crate) const WAITING: &str = "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_waiting WHERE stage = 1 AND lane = ?1 LIMIT ?2)";
/// Those whose moment has come by either clock, while no host is there that makes them ready.
pub(crate) const DUE: &str = "SELECT lane, count(*), min(due_at) FROM (\
    SELECT * FROM (SELECT seq, lane, due_at FROM task INDEXED BY task_due \
        WHERE stage = 1 AND due_at <= ?1 ORDER BY due_at LIMIT ?2) \
    UNION SELECT * FROM (SELECT seq, lane, due_at FROM task INDEXED BY task_due_instant \
        WHERE stage = 1 AND due_boot = ?3 AND due_millis <= ?4 ORDER BY due_millis LIMIT ?2)\
    ) GROUP BY lane";

/// What waits of each type, each number at most `most`.
pub(crate) fn backlog(
    connection: &Connection,
    most: u32,
    (wall, now): (Timestamp, StoreInstant),
) -> Tried<Vec<Backlog>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut due = BTreeMap::new();
    let mut find = snapshot.prepare_cached(DUE)?;
    let mut rows = find.query((wall.as_millis(), most, now.boot.cast_signed(), now.millis))?;
    while let Some(row) = rows.next()? {
        due.insert(row.get::<_, i64>(0)?, (row.get::<_, u32>(1)?, row.get::<_, i64>(2)?));
    }
    let mut find = snapshot.prepare_cached("SELECT id, task_type FROM lane ORDER BY task_type")?;
    let mut rows = find.query(())?;
    let mut backlogs = Vec::new();
    while let Some(row) = rows.next()? {
        let lane: i64 = row.get(0)?;
        let count = |sql| -> Tried<u32> {
            Ok(snapshot.prepare_cached(sql)?.query_row((lane, most), |row| row.get(0))?)
        };
        let (ready, waiting) = (count(READY)?, count(WAITING)?);
        let (come, first_come) = due.get(&lane).map_or((0, None), |(come, first)| (*come, Some(*first)));
        if ready + waiting == 0 {
            continue;
        }
        let since = if ready > 0 {
            Some(snapshot.prepare_cached(FIRST)?.query_row([lane], |row| row.get(0))?)
        } else {
            first_come
        };
        backlogs.push(Backlog {
            task_type: TaskType::new(row.get::<_, String>(1)?).map_err(damaged)?,
            due: ready.saturating_add(come).min(most).into(),
            since: since.map(Timestamp::from_millis),
            later: waiting.saturating_sub(come).into(),
        });
    }
    Ok(backlogs)
}
