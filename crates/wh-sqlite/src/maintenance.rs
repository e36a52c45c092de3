//! What a person does with a store as a file: look at it, bring it up to date, put a backup in its place.

use crate::backup_dir::{Lack, bring_back, broken, parts};
use crate::bell::Ringer;
use crate::blob_dir::BlobDir;
use crate::connection::{for_writing, open, page_size, pages};
use crate::hosts::slots::Slots;
use crate::lock::WriterLock;
use crate::numbers::Numbers;
use crate::open_error::OpenError;
use crate::options::{Mode, Options};
use crate::place::{BLOBS, Place, private_file, sync_dir};
use crate::ready::prepared_place;
use crate::schema::{Found, MIGRATIONS, inspect, open_ready, sql_error};
use crate::steps::Steps;
use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One step of a copy takes so many bytes.
const STEP: i64 = 4 << 20;
/// What a copy with pages of the right size is called behind the database's own name.
const FITTED: &str = ".fitted";
/// How long to wait when another program holds the database.
const PAUSE: Duration = Duration::from_millis(20);

/// What a store's file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its schema.
    pub schema: u32,
    /// The newest schema that this program knows.
    pub newest: u32,
    /// Pending tasks.
    pub pending: u64,
    /// Claimed tasks.
    pub claimed: u64,
    /// Ended tasks.
    pub ended: u64,
    /// The file's size in bytes, without its log.
    pub size: u64,
    /// Large contents that lie beside it.
    pub contents: u64,
    /// Their size in bytes.
    pub contents_size: u64,
}

/// Looks at a store's file and changes nothing.
///
/// # Errors
/// [`OpenError`] if it is not there, not ours, or damaged.
pub fn describe(path: &Path) -> Result<Description, OpenError> {
    let sql = |error: rusqlite::Error| sql_error(path, &error);
    let connection = open(path).map_err(sql)?;
    let Found::Ours { version, .. } = inspect(&connection, path)? else {
        return Err(OpenError::Foreign { path: path.to_owned(), why: "it is empty".to_owned() });
    };
    let number = |question: &str| -> Result<u64, OpenError> {
        let number: i64 = connection.query_row(question, (), |row| row.get(0)).map_err(sql)?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let failed = |error: io::Error| OpenError::io("look at the database", &error);
    let beside = path.parent().unwrap_or(Path::new("")).join(BLOBS);
    let (contents, contents_size) = BlobDir::new(beside, Steps::default()).weigh().map_err(failed)?;
    Ok(Description {
        schema: version,
        newest: newest(),
        pending: number("SELECT pending FROM tally WHERE one = 1")?,
        claimed: number("SELECT count(*) FROM task WHERE stage = 2")?,
        ended: number("SELECT ended FROM tally WHERE one = 1")?,
        size: fs::metadata(path).map_err(failed)?.len(),
        contents,
        contents_size,
    })
}

/// Reads every large content that tasks of the store need. Answers the digests of those that are missing or hold
/// something else than their digest says.
///
/// # Errors
/// [`OpenError`] if the store is not there, not ours, or damaged, or a content cannot be read.
pub fn damaged_contents(options: &Options) -> Result<Vec<String>, OpenError> {
    let place = Place { data_dir: options.data_dir.clone(), database: options.database.clone() };
    let blobs = BlobDir::new(place.blobs(), Steps::default());
    broken(&place.database, &blobs).map_err(|error| OpenError::Io {
        doing: "read the large contents".to_owned(),
        why: error.to_string(),
    })
}

/// Brings a store up to date, whatever the options' mode says. Answers the names of the steps it took.
///
/// # Errors
/// [`OpenError`] if it is newer than this program, not ours, or cannot be written.
pub fn migrate(options: &Options) -> Result<Vec<&'static str>, OpenError> {
    let place = prepared_place(options)?;
    open_ready(&place, Mode::Migrate, MIGRATIONS, options.clock.wall()).map(|(_, steps)| steps)
}

/// Puts the backup `from` in the place of the store: a directory that a backup made, or the file of a database whose
/// large contents are still in the data directory. Fences jump ahead of all that this directory is known to have given
/// out, so that no attempt from before can write; its claims go to whoever takes over.
///
/// # Errors
/// [`OpenError::InUse`] while a host is alive; [`OpenError::Incomplete`] where a large content is missing; others if
/// the backup is damaged or the store cannot be written. The store is then as it was.
pub fn restore(from: &Path, options: &Options) -> Result<(), OpenError> {
    let place = prepared_place(options)?;
    let lock = WriterLock::open(&place.writer_lock())
        .map_err(|error| OpenError::io("open the lock for writers", &error))?;
    // Hosts join under the same lock: none can come while this goes on.
    let _turn = lock.wait().map_err(|error| OpenError::io("wait for the turn to write", &error))?;
    refuse_if_in_use(&place)?;
    let staged = beside(&place.database, ".restored");
    let (database, kept) = parts(from);
    let result = stage(&database, &staged)
        .and_then(|()| bring_contents_back(from, kept.as_ref(), &staged, &place))
        .and_then(|()| move_ahead(&staged, &place))
        .and_then(|()| replace(&staged, &place, options));
    // What is left of the copies is of no use, whatever became of it.
    drop(fs::remove_file(&staged));
    drop(fs::remove_file(beside(&place.database, FITTED)));
    result?;
    Ringer::new(place.bells()).ring();
    Ok(())
}

/// Contents come back before the tasks that need them: at no moment is there a task without its own.
fn bring_contents_back(
    from: &Path,
    kept: Option<&BlobDir>,
    staged: &Path,
    place: &Place,
) -> Result<(), OpenError> {
    let own = BlobDir::new(place.blobs(), Steps::default());
    let lack = bring_back(staged, kept, &own).map_err(|error| OpenError::Io {
        doing: format!("bring the large contents of {} back", from.display()),
        why: error.to_string(),
    })?;
    match lack {
        None => Ok(()),
        Some(Lack { count, sha256 }) => Err(OpenError::Incomplete {
            path: from.to_owned(),
            data_dir: place.data_dir.clone(),
            missing: count,
            sha256,
        }),
    }
}

fn newest() -> u32 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

fn refuse_if_in_use(place: &Place) -> Result<(), OpenError> {
    let taken = Slots::new(place.slots()).taken();
    let taken = taken.map_err(|error| OpenError::io("look at the host slots", &error))?;
    match taken.into_iter().next() {
        Some((slot, host)) => Err(OpenError::InUse { path: place.data_dir.clone(), slot, host }),
        None => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Copies the backup to a file of its own, and checks it.
fn stage(from: &Path, staged: &Path) -> Result<(), OpenError> {
    let sql = |error: rusqlite::Error| sql_error(from, &error);
    let source = open(from).map_err(sql)?;
    match inspect(&source, from)? {
        Found::Ours { version, .. } if version > newest() => {
            return Err(OpenError::Newer { path: from.to_owned(), found: version, known: newest() });
        }
        Found::Ours { .. } => {}
        Found::Fresh => {
            return Err(OpenError::Foreign { path: from.to_owned(), why: "it is empty".to_owned() });
        }
    }
    let io = |error: io::Error| OpenError::io(format!("make {}", staged.display()), &error);
    private_file(staged).and_then(|file| file.set_len(0)).map_err(io)?;
    let mut copy = Connection::open(staged).map_err(sql)?;
    copy_all(&source, &mut copy).map_err(sql)?;
    // One file without a log, so that it can be read back as it is.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(sql)?;
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0)).map_err(sql)?;
    if verdict != "ok" {
        return Err(OpenError::Damaged { path: from.to_owned(), why: verdict });
    }
    copy.execute_batch("UPDATE host SET standing = 2 WHERE standing = 0").map_err(sql)
}

/// Moves the copy's running numbers beyond whatever may have been given out, so nobody who still holds any of that is
/// believed.
fn move_ahead(staged: &Path, place: &Place) -> Result<(), OpenError> {
    let sql = |error: rusqlite::Error| sql_error(staged, &error);
    let copy = Connection::open(staged).map_err(sql)?;
    let numbers = Numbers::of(&copy).map_err(sql)?.after_restore(place);
    numbers.write(&copy).map_err(sql)?;
    numbers
        .remember(place)
        .map_err(|error| OpenError::io(format!("write {}", place.numbers().display()), &error))
}

/// Writes the staged copy over the database, through SQLite, so that every process that has it open sees the new
/// content. A database that is too damaged for that is moved aside.
fn replace(staged: &Path, place: &Place, options: &Options) -> Result<(), OpenError> {
    let path = &place.database;
    match write_over(staged, place) {
        Err(error) if is_damage(&error) => {
            let aside = format!(".damaged-{}", options.clock.wall().as_millis());
            for suffix in ["", "-wal", "-shm"] {
                let part = beside(path, suffix);
                if part.exists() {
                    let io =
                        |error: io::Error| OpenError::io(format!("move {} aside", part.display()), &error);
                    fs::rename(&part, beside(path, &format!("{aside}{suffix}"))).map_err(io)?;
                }
            }
            write_over(staged, place)
        }
        other => other,
    }
    .map_err(|error| sql_error(path, &error))?;
    sync_dir(&place.data_dir).map_err(|error| OpenError::io("make the restored database durable", &error))
}

fn write_over(staged: &Path, place: &Place) -> rusqlite::Result<()> {
    // If it cannot be made, opening it fails and says why.
    drop(place.touch_database());
    let mut target = open(&place.database)?;
    for_writing(&target)?;
    let source = fitting(Connection::open(staged)?, &target, &beside(&place.database, FITTED))?;
    copy_all(&source, &mut target)?;
    for_writing(&target)
}

/// The same content in pages of the size that the target has, in a file of its own if need be: with others SQLite writes
/// over no database that has a log.
fn fitting(copy: Connection, target: &Connection, file: &Path) -> rusqlite::Result<Connection> {
    let wanted = page_size(target)?;
    if page_size(&copy)? == wanted {
        return Ok(copy);
    }
    // If it cannot be made, writing it fails and says why. What a restore that was killed left of it goes.
    drop(private_file(file).and_then(|file| file.set_len(0)));
    let name = file.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(file.to_owned()))?;
    copy.pragma_update(None, "page_size", wanted)?;
    copy.execute("VACUUM INTO ?1", [name])?;
    Connection::open(file)
}

fn copy_all(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let step = pages(from, STEP)?;
    Backup::new(from, to)?.run_to_completion(step, PAUSE, None)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}
