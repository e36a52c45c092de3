//! What waits of each type, counted only as far as anybody wants to know.

use crate::failure::{Tried, damaged};
use rusqlite::Connection;
use wh_domain::id::TaskType;
use wh_domain::task::WaitingFor;
use wh_domain::time::Timestamp;
use wh_ports::reader::Backlog;

/// How many are ready in a lane, at most `?2`.
pub(crate) const READY: &str =
    "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_ready WHERE stage = 0 AND lane = ?1 LIMIT ?2)";
/// Since when the first of them is due.
pub(crate) const FIRST: &str = "SELECT max(due_at, created_at) FROM task INDEXED BY task_ready WHERE stage = 0 AND lane = ?1 ORDER BY rank, seq LIMIT 1";
/// Whether anything waits in a lane.
pub(crate) const WAITS: &str =
    "SELECT 1 FROM task INDEXED BY task_waiting WHERE stage = 1 AND lane = ?1 LIMIT 1";
/// How many wait in a lane for this whose time has come, at most `?4`; and since when the first.
pub(crate) const COME: &str = "SELECT count(*), min(due_at) FROM (SELECT due_at FROM task INDEXED BY task_waiting \
    WHERE stage = 1 AND lane = ?1 AND waiting_for IS ?2 AND due_at <= ?3 ORDER BY due_at LIMIT ?4)";
/// How many wait in a lane for this whose time is still to come, at most `?4`.
pub(crate) const TO_COME: &str = "SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_waiting \
    WHERE stage = 1 AND lane = ?1 AND waiting_for IS ?2 AND due_at > ?3 LIMIT ?4)";

/// What waits of each type, each number at most `most`.
pub(crate) fn backlog(connection: &Connection, most: u32, wall: Timestamp) -> Tried<Vec<Backlog>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut find = snapshot.prepare_cached("SELECT id, task_type FROM lane ORDER BY task_type")?;
    let mut rows = find.query(())?;
    let mut backlogs = Vec::new();
    while let Some(row) = rows.next()? {
        let task_type = TaskType::new(row.get::<_, String>(1)?).map_err(damaged)?;
        let backlog = of_lane(&snapshot, (row.get(0)?, task_type), most, wall)?;
        backlogs.extend(Some(backlog).filter(|backlog| backlog.due + backlog.later > 0));
    }
    Ok(backlogs)
}

fn of_lane(
    snapshot: &Connection,
    (lane, task_type): (i64, TaskType),
    most: u32,
    wall: Timestamp,
) -> Tried<Backlog> {
    let one = |sql| snapshot.prepare_cached(sql);
    let ready: u32 = one(READY)?.query_row((lane, most), |row| row.get(0))?;
    let mut since: Option<i64> = match ready {
        0 => None,
        _ => Some(one(FIRST)?.query_row([lane], |row| row.get(0))?),
    };
    let (mut due, mut later) = (ready, 0_u32);
    if one(WAITS)?.exists([lane])? {
        // Or for nothing but their time.
        for reason in WaitingFor::ALL.map(Some).into_iter().chain([None]) {
            let asked = (lane, reason.map(WaitingFor::as_str), wall.as_millis(), most);
            let (come, first): (u32, Option<i64>) =
                one(COME)?.query_row(asked, |row| Ok((row.get(0)?, row.get(1)?)))?;
            let to_come: u32 = one(TO_COME)?.query_row(asked, |row| row.get(0))?;
            (due, later) = (due.saturating_add(come), later.saturating_add(to_come));
            // Only where no host is there that makes them ready.
            since = if ready > 0 { since } else { since.into_iter().chain(first).min() };
        }
    }
    let since = since.map(Timestamp::from_millis);
    Ok(Backlog { task_type, due: due.min(most).into(), since, later: later.min(most).into() })
}
