//! Reads the four accounts: lines of files, and plain SQL that shares nothing with the store.

use crate::Tried;
use crate::arena::{Arena, witness};
use crate::history::{Attempt, Entry, History, Seen, Task, Told, What};
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use std::path::Path;

/// Reads everything of an arena.
pub fn history(arena: &Arena) -> Tried<History> {
    let mut history = History::default();
    let mut damage = Vec::new();
    history.books = lines(&arena.acknowledgements(), &mut damage, entry)?;
    let heard = lines(&arena.told(), &mut damage, told)?;
    history.fenced = heard.iter().filter(|heard| matches!(heard, Heard::TooLate)).count();
    history.told = heard.into_iter().filter_map(Heard::settled).collect();
    history.runs = lines(&witness(&arena.ground()), &mut damage, seen)?;
    history.damage = damage;
    read_database(arena, &mut history)?;
    Ok(history)
}

/// Every line of a file that may not be there; what cannot be read is damage.
fn lines<T>(path: &Path, damage: &mut Vec<String>, read: impl Fn(&[&str]) -> Option<T>) -> Tried<Vec<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for line in text.lines() {
        match read(&line.split(' ').collect::<Vec<_>>()) {
            Some(it) => found.push(it),
            None => damage.push(format!("{}: {line:?}", path.display())),
        }
    }
    Ok(found)
}

fn entry(words: &[&str]) -> Option<Entry> {
    match words {
        ["sent", id] => Some(Entry::Sent((*id).to_owned())),
        ["acknowledged", id, status] => Some(Entry::Acknowledged((*id).to_owned(), (*status).to_owned())),
        ["doomed", id] => Some(Entry::Doomed((*id).to_owned())),
        ["answered", id, status] => Some(Entry::Answered((*id).to_owned(), (*status).to_owned())),
        _ => None,
    }
}

/// A line of a host.
enum Heard {
    Settled(Told),
    TookOver,
    TooLate,
}

impl Heard {
    fn settled(self) -> Option<Told> {
        match self {
            Self::Settled(told) => Some(told),
            Self::TookOver | Self::TooLate => None,
        }
    }
}

fn told(words: &[&str]) -> Option<Heard> {
    match words {
        ["settled", attempt, outcome, next] => {
            let (id, fence) = attempt.rsplit_once(':')?;
            let (id, fence) = (id.to_owned(), fence.parse().ok()?);
            Some(Heard::Settled(Told { id, fence, outcome: (*outcome).to_owned(), next: (*next).to_owned() }))
        }
        ["reclaimed", ..] => Some(Heard::TookOver),
        ["fenced", ..] => Some(Heard::TooLate),
        _ => None,
    }
}

fn seen(words: &[&str]) -> Option<Seen> {
    let [what, id, fence, pid, at] = words else { return None };
    let what = match *what {
        "start" => What::Start,
        "crowded" => What::Crowded,
        "end" => What::End,
        _ => return None,
    };
    let (fence, pid, at) = (fence.parse().ok()?, pid.parse().ok()?, at.parse().ok()?);
    Some(Seen { id: (*id).to_owned(), fence, pid, at, what })
}

/// Opens the database as any reader would.
pub fn open(arena: &Arena) -> Tried<Connection> {
    let connection = Connection::open_with_flags(arena.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn read_database(arena: &Arena, history: &mut History) -> Tried<()> {
    let connection = open(arena)?;
    history.damage.extend(integrity(&connection)?);
    let mut find = connection.prepare(
        "SELECT t.seq, t.id, l.task_type, t.parent, t.stage, t.poison, t.fence, t.attempts, t.lost, \
         t.worker_broken + t.deferrals + t.interruptions, t.last_attempt, r.kind, r.body \
         FROM task t JOIN lane l ON l.id = t.lane LEFT JOIN result r ON r.seq = t.seq ORDER BY t.seq",
    )?;
    let mut rows = find.query(())?;
    while let Some(row) = rows.next()? {
        history.tasks.push(task(row, arena)?);
    }
    let mut find =
        connection.prepare("SELECT fact, previous, seq, fence, outcome, stage FROM attempt ORDER BY fact")?;
    let attempts = find.query_map((), |row| {
        Ok(Attempt {
            fact: row.get(0)?,
            previous: row.get(1)?,
            seq: row.get(2)?,
            fence: row.get(3)?,
            outcome: row.get(4)?,
            stage: row.get(5)?,
        })
    })?;
    history.attempts = attempts.collect::<Result<_, _>>()?;
    Ok(())
}

/// What SQLite finds wrong with the file; nothing where it is sound.
pub fn integrity(connection: &Connection) -> Tried<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let words: Vec<String> = check.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(words.into_iter().filter(|word| word != "ok").collect())
}

fn task(row: &Row<'_>, arena: &Arena) -> Tried<Task> {
    let result = match row.get::<_, Option<i64>>(11)? {
        None => None,
        Some(0) => Some(row.get(12)?),
        // The body names a file, by what it holds.
        Some(_) => Some(blob(arena, &row.get::<_, String>(12)?)),
    };
    let result: Option<Value> = result.and_then(|text: String| serde_json::from_str(&text).ok());
    let named = |key: &str| result.as_ref().and_then(|result| result[key].as_str()).map(str::to_owned);
    Ok(Task {
        seq: row.get(0)?,
        id: row.get(1)?,
        task_type: row.get(2)?,
        parent: row.get(3)?,
        stage: row.get(4)?,
        poison: row.get(5)?,
        fence: row.get(6)?,
        counted: row.get(7)?,
        lost: row.get(8)?,
        uncounted: row.get(9)?,
        last_attempt: row.get(10)?,
        result_fence: named("fence").and_then(|fence| fence.parse().ok()),
        result_id: named("id"),
    })
}

/// A file that is not there, or not whole, is no result.
fn blob(arena: &Arena, sha256: &str) -> String {
    let (shelf, rest) = sha256.split_at_checked(2).unwrap_or(("", sha256));
    std::fs::read_to_string(arena.data.join("blobs").join(shelf).join(rest)).unwrap_or_default()
}
