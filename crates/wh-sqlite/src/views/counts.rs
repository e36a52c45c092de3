//! How many tasks are where, read from indexes that hold a lane and nothing else.

use crate::failure::{Tried, damaged};
use crate::stage::Stage;
use rusqlite::Connection;
use std::collections::BTreeMap;
use wh_domain::id::{LaneId, TaskType};
use wh_domain::task::StateName;
use wh_domain::time::{StoreInstant, Timestamp};
use wh_ports::claims::Lane;
use wh_ports::reader::Count;

/// Each stage counted through its own index.
const COUNTS: &str = "SELECT l.task_type, c.stage, sum(c.tasks) FROM (\
    SELECT lane, 0 AS stage, count(*) AS tasks FROM task INDEXED BY task_ready WHERE stage = 0 GROUP BY lane \
    UNION ALL SELECT lane, 1, count(*) FROM task INDEXED BY task_waiting WHERE stage = 1 GROUP BY lane \
    UNION ALL SELECT lane, 2, count(*) FROM task INDEXED BY task_claimed WHERE stage = 2 GROUP BY lane \
    UNION ALL SELECT lane, stage, count(*) FROM task INDEXED BY task_ended WHERE stage >= 3 GROUP BY stage, lane\
    ) c JOIN lane l ON l.id = c.lane GROUP BY c.lane, c.stage ORDER BY l.task_type, c.stage";

/// How many tasks of each type are in each state.
pub(crate) fn counts(connection: &Connection) -> Tried<Vec<Count>> {
    let mut find = connection.prepare_cached(COUNTS)?;
    let mut rows = find.query(())?;
    let mut sums: BTreeMap<(TaskType, StateName), u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let task_type = TaskType::new(row.get::<_, String>(0)?).map_err(damaged)?;
        let tasks: u64 = u64::try_from(row.get::<_, i64>(2)?).map_err(damaged)?;
        *sums.entry((task_type, Stage::of(row.get(1)?)?.state())).or_default() += tasks;
    }
    Ok(sums.into_iter().map(|((task_type, state), tasks)| Count { task_type, state, tasks }).collect())
}

/// How many tasks of these lanes wait at this moment because an attempt made them wait.
pub(crate) fn retrying(
    connection: &Connection,
    lanes: &[LaneId],
    wall: Timestamp,
    now: StoreInstant,
) -> Tried<u64> {
    let mut find = connection.prepare_cached(
        "SELECT count(*) FROM task INDEXED BY task_waiting \
         WHERE stage = 1 AND lane = ?1 AND waiting_for IS NOT NULL AND due_at > ?2 \
         AND NOT (due_boot IS NOT NULL AND due_boot = ?3 AND due_millis <= ?4)",
    )?;
    let mut sum = 0;
    for lane in lanes {
        let asked = (lane.0, wall.as_millis(), now.boot.cast_signed(), now.millis);
        let tasks: i64 = find.query_row(asked, |row| row.get(0))?;
        sum += u64::try_from(tasks).map_err(damaged)?;
    }
    Ok(sum)
}

/// Every lane, with the version that grows when there is another one.
pub(crate) fn lanes(connection: &Connection) -> Tried<(u64, Vec<Lane>)> {
    let snapshot = connection.unchecked_transaction()?;
    let version: i64 = snapshot
        .prepare_cached("SELECT lanes_version FROM tally WHERE one = 1")?
        .query_row((), |row| row.get(0))?;
    let mut find = snapshot.prepare_cached("SELECT id, task_type FROM lane ORDER BY id")?;
    let mut rows = find.query(())?;
    let mut lanes = Vec::new();
    while let Some(row) = rows.next()? {
        let task_type = TaskType::new(row.get::<_, String>(1)?).map_err(damaged)?;
        lanes.push(Lane { id: LaneId(row.get(0)?), task_type });
    }
    Ok((u64::try_from(version).map_err(damaged)?, lanes))
}
