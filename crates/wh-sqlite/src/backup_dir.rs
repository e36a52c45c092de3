//! A backup as a directory: a copy of the database, and every large content that it refers to.
//!
//! Contents come first and once more after the database: what a task refers to at the moment of the copy was either
//! there before, or has come in since and is too young to be swept. So nothing can go between the two.

use crate::blob_dir::{BlobDir, all_on, is_intact};
use crate::connection::open;
use crate::failure::{classify, unavailable};
use crate::place::{BLOBS, private_dir, private_file, sync_dir};
use crate::steps::Steps;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wh_ports::store::StoreError;

/// The copy of the database, whatever the database is called.
const DATABASE: &str = "tasks.db";
/// Every digest that a database refers to.
const NEEDED: &str = "SELECT DISTINCT sha256 FROM blob_ref";

/// The database and the contents of a backup. A single file is a backup of the database alone.
pub(crate) fn parts(from: &Path) -> (PathBuf, Option<BlobDir>) {
    if !from.is_dir() {
        return (from.to_owned(), None);
    }
    (from.join(DATABASE), Some(BlobDir::new(from.join(BLOBS), Steps::default())))
}

/// A backup that is being written. Dropped before its end, it leaves nothing behind.
pub(crate) struct Unfinished {
    dir: TempDir,
    to: PathBuf,
}

impl Unfinished {
    /// Begins with the contents that are there now. `to` must not be there yet, or be an empty directory.
    pub(crate) fn begin(blobs: &BlobDir, to: PathBuf) -> Result<Self, StoreError> {
        let failed = |error: io::Error| unavailable(&format!("write the backup {}", to.display()), &error);
        if !is_free(&to).map_err(failed)? {
            let words = format!("{} is there already; name another directory", to.display());
            return Err(StoreError::Unavailable(words));
        }
        let mut prefix = to.file_name().unwrap_or_default().to_owned();
        prefix.push(".unfinished-");
        let dir = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent(&to))
            .map_err(failed)?;
        let unfinished = Self { dir, to: to.clone() };
        for shelf in blobs.shelves().map_err(failed)? {
            for (sha256, path) in all_on(&shelf).map_err(failed)? {
                // One that was swept meanwhile is needed by nobody.
                unfinished.take(&sha256, &path).map_err(failed)?;
            }
        }
        Ok(unfinished)
    }

    /// Where the copy of the database goes.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join(DATABASE)
    }

    /// Adds what has come in since, drops what the copy does not need, and gives the backup its name. Durable when
    /// it returns.
    pub(crate) fn finish(self, blobs: &BlobDir) -> Result<(), StoreError> {
        let failed =
            |error: io::Error| unavailable(&format!("write the backup {}", self.to.display()), &error);
        let needed = needed(&self.database())?;
        for sha256 in &needed {
            if !self.own().holds(sha256) && !self.take(sha256, &blobs.path(sha256)).map_err(failed)? {
                return Err(StoreError::Broken(format!(
                    "the blob {sha256} is missing, so no backup would be complete; `workerhost db check` has all \
                     findings"
                )));
            }
        }
        self.tidy(&needed).map_err(failed)?;
        sync_dir(self.dir.path()).map_err(failed)?;
        fs::rename(self.dir.path(), &self.to).map_err(failed)?;
        let parent = parent(&self.to).to_owned();
        // There is nothing of that name any more that could be deleted.
        drop(self.dir.keep());
        sync_dir(&parent).map_err(|error| unavailable("make the backup durable", &error))
    }

    fn own(&self) -> BlobDir {
        BlobDir::new(self.dir.path().join(BLOBS), Steps::default())
    }

    /// Gives a content a second name here, or copies it where that cannot be. Answers whether it was there.
    fn take(&self, sha256: &str, path: &Path) -> io::Result<bool> {
        let to = self.own().path(sha256);
        private_dir(to.parent().unwrap_or(&to))?;
        match fs::hard_link(path, &to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(_) => copy(path, &to),
        }
    }

    /// Leaves only what is needed, with durable names.
    fn tidy(&self, needed: &BTreeSet<String>) -> io::Result<()> {
        for shelf in self.own().shelves()? {
            for (sha256, path) in all_on(&shelf)? {
                if !needed.contains(&sha256) {
                    fs::remove_file(path)?;
                }
            }
            sync_dir(&shelf)?;
        }
        match sync_dir(&self.dir.path().join(BLOBS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// What a restored database still lacks after [`bring_back`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// How many contents.
    pub(crate) count: usize,
    /// One of them.
    pub(crate) sha256: String,
}

/// Brings every content that `database` refers to back from a backup, unless it is there, whole. Durable when it
/// returns.
pub(crate) fn bring_back(
    database: &Path,
    from: Option<&BlobDir>,
    into: &BlobDir,
) -> Result<Option<Lack>, StoreError> {
    let mut lack = None::<Lack>;
    for sha256 in needed(database)? {
        if !is_back(&sha256, from, into)? {
            let count = lack.map_or(0, |lack| lack.count) + 1;
            lack = Some(Lack { count, sha256 });
        }
    }
    Ok(lack)
}

fn is_back(sha256: &str, from: Option<&BlobDir>, into: &BlobDir) -> Result<bool, StoreError> {
    let failed = |error: io::Error| unavailable(&format!("bring the blob {sha256} back"), &error);
    let own = into.path(sha256);
    if is_intact(&own, sha256).map_err(failed)? {
        return Ok(true);
    }
    let Some(kept) = from.map(|from| from.path(sha256)) else { return Ok(false) };
    if !is_intact(&kept, sha256).map_err(failed)? {
        return Ok(false);
    }
    // A damaged one in its place would be taken for the right one.
    match fs::remove_file(&own) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    into.keep_file(&kept).map(|(found, _)| *found == *sha256)
}

/// The digests that `database` refers to and whose contents are missing or damaged.
pub(crate) fn broken(database: &Path, blobs: &BlobDir) -> Result<Vec<String>, StoreError> {
    let mut broken = Vec::new();
    for sha256 in needed(database)? {
        let failed = |error: io::Error| unavailable(&format!("read the blob {sha256}"), &error);
        if !is_intact(&blobs.path(&sha256), &sha256).map_err(failed)? {
            broken.push(sha256);
        }
    }
    Ok(broken)
}

fn needed(database: &Path) -> Result<BTreeSet<String>, StoreError> {
    let ask = |connection: &Connection| -> rusqlite::Result<BTreeSet<String>> {
        connection.prepare(NEEDED)?.query_map((), |row| row.get(0))?.collect()
    };
    open(database).and_then(|connection| ask(&connection)).map_err(|error| classify(&error))
}

/// Answers whether there was something to copy.
fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut target = private_file(to)?;
    target.set_len(0)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all().map(|()| true)
}

fn is_free(to: &Path) -> io::Result<bool> {
    match fs::read_dir(to) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_or_goes_while_the_backup_is_written_is_in_it_if_its_database_needs_it() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobDir::new(dir.path().join("blobs"), Steps::default());
        let keep = |text: &str| blobs.keep_bytes(text.as_bytes()).unwrap();
        let (before, unneeded) = (keep("there before"), keep("needed by nobody"));
        let to = dir.path().join("copy");
        let unfinished = Unfinished::begin(&blobs, to.clone()).unwrap();
        let between = keep("came in before the database was copied");
        let database = Connection::open(unfinished.database()).unwrap();
        database.execute_batch("CREATE TABLE blob_ref (sha256 TEXT, seq INTEGER)").unwrap();
        for sha256 in [&before, &between] {
            database.execute("INSERT INTO blob_ref VALUES (?1, 1)", [sha256]).unwrap();
        }
        drop(database);
        // As the sweeper does once its task is gone from the store.
        fs::remove_file(blobs.path(&before)).unwrap();
        unfinished.finish(&blobs).unwrap();
        let copy = BlobDir::new(to.join(BLOBS), Steps::default());
        assert_eq!([&before, &between, &unneeded].map(|sha256| copy.holds(sha256)), [true, true, false]);
        assert!(is_intact(&copy.path(&between), &between).unwrap());
    }
}
