//! What people asked of a host.

use crate::failure::{Tried, damaged};
use crate::views::facts::latest;
use rusqlite::Connection;
use wh_domain::id::{Fence, HostId, Seq, WorkerName};
use wh_ports::claims::{Cursor, Heeded};

/// The claims of a host that are to be cancelled.
pub(crate) const TO_CANCEL: &str = "SELECT seq, fence FROM task INDEXED BY task_cancel \
    WHERE stage = 2 AND cancel_wished = 1 AND host = (SELECT no FROM host WHERE uuid = ?1)";

/// What people asked since `after`.
pub(crate) fn heed(connection: &Connection, host: &HostId, after: Cursor) -> Tried<Heeded> {
    let snapshot = connection.unchecked_transaction()?;
    let cursor = latest(&snapshot)?;
    let cancel = snapshot
        .prepare_cached(TO_CANCEL)?
        .query_map([host.as_str()], |row| Ok((Seq(row.get(0)?), Fence(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    let mut resume = Vec::new();
    if cursor > after {
        let mut find = snapshot.prepare_cached(
            "SELECT DISTINCT worker FROM fact INDEXED BY fact_resume WHERE kind = 2 AND no > ?1",
        )?;
        for worker in find.query_map([after.0], |row| row.get::<_, String>(0))? {
            resume.push(WorkerName::new(worker?).map_err(damaged)?);
        }
    }
    Ok(Heeded { cancel, resume, cursor })
}
