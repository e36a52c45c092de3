//! Which schema a file has, and how an older one is brought up to date.

use crate::connection::{for_writing, open};
use crate::digest::hex;
use crate::lock::WriterLock;
use crate::open_error::OpenError;
use crate::options::Mode;
use crate::place::{Place, private_file, sync_dir};
use rusqlite::{Connection, ErrorCode};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wh_domain::time::Timestamp;

/// Marks the file as ours: `WOH1`.
const APPLICATION_ID: i32 = 0x574F_4831;

/// One step from a schema to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All steps, first one first. A step that was released is never changed.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "init", sql: include_str!("0001_init.sql") }];

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Fresh,
    /// A store of this schema, which programs from schema `min_writer` on may write.
    Ours { version: u32, min_writer: u32 },
}

/// Looks at a file through SQLite, writing nothing.
pub(crate) fn inspect(connection: &Connection, path: &Path) -> Result<Found, OpenError> {
    // All in one look: another process may be making the store at this moment.
    let snapshot = connection.unchecked_transaction().map_err(|error| sql_error(path, &error))?;
    let number = |sql: &str| {
        snapshot.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(|error| sql_error(path, &error))
    };
    let foreign = |why: &str| OpenError::Foreign { path: path.to_owned(), why: why.to_owned() };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application == i64::from(APPLICATION_ID) && version > 0 {
        let min_writer = number("SELECT value FROM meta WHERE key = 'min_writer'")?;
        let bounded = |number: i64| u32::try_from(number).map_err(|_| foreign("its version makes no sense"));
        return Ok(Found::Ours { version: bounded(version)?, min_writer: bounded(min_writer)? });
    }
    if application == 0 && version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Found::Fresh);
    }
    Err(foreign("it is another program's database"))
}

/// Opens the database for writing, made or brought up to date as `mode` allows. Answers the steps it took.
pub(crate) fn open_ready(
    place: &Place,
    mode: Mode,
    migrations: &[Migration],
    wall: Timestamp,
) -> Result<(Connection, Vec<&'static str>), OpenError> {
    let path = &place.database;
    place
        .touch_database()
        .map_err(|error| OpenError::io(format!("make the database {}", path.display()), &error))?;
    let connection = open(path).map_err(|error| sql_error(path, &error))?;
    let known = migrations.last().map_or(0, |last| last.version);
    if let Found::Ours { version, min_writer } = inspect(&connection, path)? {
        if version > known && min_writer > known {
            return Err(OpenError::Newer { path: path.clone(), found: version, known });
        }
        if version < known && mode == Mode::AsIs {
            return Err(OpenError::Older { path: path.clone(), found: version, needed: known });
        }
        if version >= known {
            for_writing(&connection).map_err(|error| sql_error(path, &error))?;
            return Ok((connection, Vec::new()));
        }
    }
    let steps = bring_up_to_date(&connection, place, migrations, wall)?;
    Ok((connection, steps))
}

/// Applies what is missing, while no other process of ours can write.
fn bring_up_to_date(
    connection: &Connection,
    place: &Place,
    migrations: &[Migration],
    wall: Timestamp,
) -> Result<Vec<&'static str>, OpenError> {
    let path = &place.database;
    let locking = |error: io::Error| OpenError::io("lock the store for writing", &error);
    let lock = WriterLock::open(&place.writer_lock()).map_err(locking)?;
    let _turn = lock.wait().map_err(locking)?;
    // Another process may have done it while this one waited.
    let from = match inspect(connection, path)? {
        Found::Fresh => 0,
        Found::Ours { version, .. } => version,
    };
    for_writing(connection).map_err(|error| sql_error(path, &error))?;
    let missing: Vec<&Migration> = migrations.iter().filter(|step| step.version > from).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let copy = if from > 0 { Some(keep_copy(connection, place, from, wall)?) } else { None };
    if let Err(error) = apply(connection, &missing, wall) {
        // The database is as it was, and every further try would leave one more; unless the disk failed, when nobody
        // knows how the database is.
        if let Some(copy) = copy.filter(|_| error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure)) {
            drop(fs::remove_file(copy));
        }
        return Err(sql_error(path, &error));
    }
    sync_dir(&place.data_dir).map_err(|error| OpenError::io("make the new database durable", &error))?;
    Ok(missing.iter().map(|step| step.name).collect())
}

fn apply(connection: &Connection, missing: &[&Migration], wall: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for step in missing {
        transaction.execute_batch(step.sql)?;
        transaction.execute(
            "INSERT INTO migration (version, name, sha256, applied_at) VALUES (?1, ?2, ?3, ?4)",
            (step.version, step.name, &*hex(&Sha256::digest(step.sql)), wall.as_millis()),
        )?;
        transaction.pragma_update(None, "user_version", step.version)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// Writes `tasks.db.schema-N-MOMENT.backup` beside the database. It has its name only once it is whole and durable, so
/// what a process left that was killed while it wrote is never taken for it; nor is a copy from before.
fn keep_copy(
    connection: &Connection,
    place: &Place,
    version: u32,
    wall: Timestamp,
) -> Result<PathBuf, OpenError> {
    let named = |end: &str| {
        let mut name = place.database.as_os_str().to_owned();
        name.push(format!(".schema-{version}{end}"));
        PathBuf::from(name)
    };
    let (copy, unfinished) = (named(&format!("-{}.backup", wall.as_millis())), named(".unfinished"));
    let doing = format!("keep a copy of the database in {}", copy.display());
    let failed = |error: io::Error| OpenError::io(&doing, &error);
    if copy.exists() {
        return Err(OpenError::io(&doing, &"there is one of the same moment already"));
    }
    private_file(&unfinished).and_then(|file| file.set_len(0)).map_err(failed)?;
    let text = unfinished.to_string_lossy().into_owned();
    connection.execute("VACUUM INTO ?1", [text]).map_err(|error| OpenError::io(&doing, &error))?;
    private_file(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&unfinished, &copy).and_then(|()| sync_dir(&place.data_dir)).map_err(failed)?;
    Ok(copy)
}

/// What an error means while a file is being opened.
pub(crate) fn sql_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            OpenError::Foreign { path, why: "it is no SQLite database".to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, why: error.to_string() },
        _ => OpenError::io(format!("open the database {}", path.display()), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const LATER: Migration =
        Migration { version: 2, name: "later", sql: "CREATE TABLE later (a INTEGER) STRICT" };

    fn steps() -> Vec<Migration> {
        [MIGRATIONS, &[LATER]].concat()
    }

    fn place(dir: &TempDir) -> Place {
        let data_dir = dir.path().join("data");
        let place = Place { database: data_dir.join("tasks.db"), data_dir };
        crate::home::make_data_dir(&place.data_dir, None).unwrap();
        place
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1)
    }

    #[test]
    fn an_older_store_is_refused_as_it_is_and_migrated_after_a_copy() {
        let dir = TempDir::new().unwrap();
        let place = place(&dir);
        open_ready(&place, Mode::AsIs, MIGRATIONS, now()).unwrap();
        let refused = open_ready(&place, Mode::AsIs, &steps(), now()).unwrap_err();
        assert_eq!(refused, OpenError::Older { path: place.database.clone(), found: 1, needed: 2 });
        let (connection, taken) = open_ready(&place, Mode::Migrate, &steps(), now()).unwrap();
        assert_eq!(taken, ["later"]);
        connection.execute("INSERT INTO later VALUES (1)", ()).unwrap();
        let copy = open(&place.data_dir.join("tasks.db.schema-1-1.backup")).unwrap();
        assert_eq!(inspect(&copy, &place.database).unwrap(), Found::Ours { version: 1, min_writer: 1 });
        let sums: Vec<String> = connection
            .prepare("SELECT sha256 FROM migration ORDER BY version")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(sums[1], *hex(&Sha256::digest(LATER.sql)));
    }

    #[test]
    fn what_a_killed_migration_left_half_written_is_never_taken_for_the_copy() {
        let dir = TempDir::new().unwrap();
        let place = place(&dir);
        let (connection, _) = open_ready(&place, Mode::AsIs, MIGRATIONS, now()).unwrap();
        connection.execute("UPDATE tally SET last_seq = 7", ()).unwrap();
        drop(connection);
        let left = ["tasks.db.schema-1.unfinished", "tasks.db.schema-1.backup", "tasks.db.schema-1-0.backup"];
        for name in left {
            fs::write(place.data_dir.join(name), b"SQLite format 3\0 and then nothing").unwrap();
        }
        open_ready(&place, Mode::Migrate, &steps(), now()).unwrap();
        let copy = open(&place.data_dir.join("tasks.db.schema-1-1.backup")).unwrap();
        let last: i64 = copy.query_row("SELECT last_seq FROM tally", (), |row| row.get(0)).unwrap();
        assert_eq!(last, 7);
        assert!(!place.data_dir.join(left[0]).exists());
    }

    #[test]
    fn a_migration_that_fails_leaves_the_store_as_it_was_and_no_copy() {
        let dir = TempDir::new().unwrap();
        let place = place(&dir);
        open_ready(&place, Mode::AsIs, MIGRATIONS, now()).unwrap();
        let bad =
            [MIGRATIONS, &[Migration { sql: "CREATE TABLE task (a INTEGER) STRICT", ..LATER }]].concat();
        open_ready(&place, Mode::Migrate, &bad, now()).unwrap_err();
        let (_, steps) = open_ready(&place, Mode::AsIs, MIGRATIONS, now()).unwrap();
        assert_eq!(steps, [] as [&str; 0]);
        let names = fs::read_dir(&place.data_dir).unwrap().map(|entry| entry.unwrap().file_name());
        let copies = names.filter(|name| name.to_string_lossy().contains("schema-"));
        assert_eq!(copies.collect::<Vec<_>>(), [] as [&str; 0]);
    }

    #[test]
    fn the_neighbouring_newer_schema_is_used_and_one_that_says_no_is_refused() {
        let dir = TempDir::new().unwrap();
        let place = place(&dir);
        let (connection, _) = open_ready(&place, Mode::Migrate, &steps(), now()).unwrap();
        open_ready(&place, Mode::AsIs, MIGRATIONS, now()).unwrap();
        connection.execute("UPDATE meta SET value = 2 WHERE key = 'min_writer'", ()).unwrap();
        let refused = open_ready(&place, Mode::Migrate, MIGRATIONS, now()).unwrap_err();
        assert_eq!(refused, OpenError::Newer { path: place.database.clone(), found: 2, known: 1 });
    }

    #[test]
    fn of_many_that_start_at_once_one_makes_the_store_and_all_can_use_it() {
        let dir = TempDir::new().unwrap();
        let place = place(&dir);
        let made: usize = std::thread::scope(|scope| {
            let open = || open_ready(&place, Mode::AsIs, &steps(), now()).unwrap().1.len();
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            openers.into_iter().map(|opener| opener.join().unwrap()).sum()
        });
        assert_eq!(made, 2, "each step was taken once");
    }
}
