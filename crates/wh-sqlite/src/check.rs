//! Looks for damage: SQLite's own check first, then what must hold between rows, counters and files.

use crate::blob_dir::BlobDir;
use crate::failure::Outcome;
use rusqlite::Connection;

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

/// Every finding; none is good.
pub(crate) fn check(connection: &Connection, blobs: &BlobDir) -> Outcome<Vec<String>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut findings: Vec<String> = snapshot
        .prepare("PRAGMA integrity_check")?
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    findings.retain(|finding| finding != "ok");
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
