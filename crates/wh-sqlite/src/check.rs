//! Looks for damage: SQLite's own check first, then what must hold between rows, counters and files.

use crate::blob_dir::BlobDir;
use crate::failure::Tried;
use crate::schema::MIGRATIONS;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// As many findings are told.
const MOST: usize = 100;

/// Questions that must answer zero, each with what it means if they do not.
const MUST_BE_NONE: [(&str, &str); 10] = [
    (
        "SELECT count(*) FROM task WHERE stage = 2 AND (host IS NULL OR worker IS NULL OR claimed_at IS NULL)",
        "claimed tasks name no host",
    ),
    (
        "SELECT count(*) FROM task t WHERE stage = 2 AND NOT EXISTS (SELECT 1 FROM host WHERE no = t.host)",
        "claimed tasks name a host that nobody knows",
    ),
    ("SELECT count(*) FROM task WHERE stage NOT BETWEEN 0 AND 5", "tasks are in no known stage"),
    ("SELECT count(*) FROM task WHERE stage <> 2 AND host IS NOT NULL", "unclaimed tasks name a host"),
    ("SELECT count(*) FROM task WHERE stage = 4 AND poison IS NULL", "poisoned tasks give no reason"),
    (
        "SELECT count(*) FROM task t WHERE NOT EXISTS (SELECT 1 FROM lane WHERE id = t.lane)",
        "tasks are in a lane that is not there",
    ),
    (
        "SELECT count(*) FROM task t WHERE NOT EXISTS (SELECT 1 FROM payload WHERE seq = t.seq)",
        "tasks have no params",
    ),
    (
        "SELECT count(*) FROM task t WHERE last_attempt IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM attempt WHERE fact = t.last_attempt AND seq = t.seq)",
        "tasks have lost their attempts",
    ),
    (
        "SELECT (SELECT count(*) FROM task WHERE stage <= 1) <> pending \
         OR (SELECT count(*) FROM task WHERE stage >= 3) <> ended FROM tally",
        "the running numbers of pending and ended tasks are wrong",
    ),
    (
        "SELECT (SELECT coalesce(max(seq), 0) FROM task) > last_seq \
         OR (SELECT coalesce(max(fact), 0) FROM attempt) > last_fact \
         OR (SELECT coalesce(max(no), 0) FROM fact) > last_fact FROM tally",
        "the running numbers lag behind what they number",
    ),
];

/// What of the tables and indexes is not as this program's steps make them. SQLite's own check believes whatever the
/// file says that they are. Those of a newer schema may be others.
fn wrong_schema(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    if MIGRATIONS.last().is_none_or(|last| i64::from(last.version) != version) {
        return Ok(None);
    }
    let fresh = Connection::open_in_memory()?;
    for step in MIGRATIONS {
        fresh.execute_batch(step.sql)?;
    }
    let changed: Vec<String> = declared(connection)?
        .symmetric_difference(&declared(&fresh)?)
        .map(|(name, _)| name.clone())
        .collect();
    Ok((!changed.is_empty()).then(|| format!("the schema was changed ({})", changed.join(", "))))
}

/// Names and declarations of all tables and indexes of ours.
fn declared(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String)>> {
    let mut find =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'")?;
    let rows =
        find.query_map((), |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default())))?;
    rows.collect()
}

/// Every finding; none is good.
pub(crate) fn check(connection: &Connection, blobs: &BlobDir) -> Tried<Vec<String>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut findings: Vec<String> = snapshot
        .prepare("PRAGMA integrity_check")?
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    findings.retain(|finding| finding != "ok");
    findings.extend(wrong_schema(&snapshot)?);
    for (question, meaning) in MUST_BE_NONE {
        let count: i64 = snapshot.query_row(question, (), |row| row.get(0))?;
        if count > 0 {
            findings.push(format!("{meaning} ({count})"));
        }
    }
    let mut find = snapshot.prepare("SELECT DISTINCT sha256 FROM blob_ref")?;
    let mut rows = find.query(())?;
    while let Some(row) = rows.next()? {
        let sha256: String = row.get(0)?;
        if findings.len() < MOST && !blobs.holds(&sha256) {
            findings.push(format!("the blob {sha256} is missing"));
        }
    }
    findings.truncate(MOST);
    Ok(findings)
}
