//! Which database a data directory belongs to. Locks, host slots, bells and blobs lie beside the database: with two
//! databases in one directory each would delete the other's blobs, and with one database reached from two directories
//! each host would take the other for dead.

use crate::lock::WriterLock;
use crate::open_error::OpenError;
use crate::place::{Place, private_file, sync_dir};
use crate::steps::Steps;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// More is no name of a file.
const LONGEST: u64 = 4_096;

/// Refuses a database that does not lie directly in the data directory under its only name.
pub(crate) fn check_place(place: &Place) -> Result<(), OpenError> {
    let parent = place.database.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if place.database.file_name().is_none() || !is_same(parent, &place.data_dir) {
        let (database, data_dir) = (place.database.clone(), place.data_dir.clone());
        return Err(OpenError::Apart { database, data_dir });
    }
    let linked = |what| Err(OpenError::Linked { path: place.database.clone(), what });
    match fs::symlink_metadata(&place.database) {
        Ok(data) if data.is_symlink() => linked("a symbolic link"),
        Ok(data) if data.is_file() && data.nlink() > 1 => linked("one of several names of a file"),
        // What cannot be looked at cannot be opened either, and opening says why.
        _ => Ok(()),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Makes the directory that of this database, for ever, or refuses it as another one's.
pub(crate) fn claim(place: &Place, steps: &Steps) -> Result<(), OpenError> {
    let path = place.marker();
    let failed = |error: io::Error| OpenError::io(format!("say in {} whose it is", path.display()), &error);
    let own = place.database.file_name().unwrap_or_default();
    let mut holder = read(&path).map_err(failed)?;
    if holder.is_none() {
        // Of two that come at once, for two databases, one makes the marker and the other one finds it.
        let lock = WriterLock::open(&place.writer_lock()).map_err(failed)?;
        let _turn = lock.wait().map_err(failed)?;
        holder = read(&path).map_err(failed)?;
        if holder.is_none() {
            return make(place, own, steps).map_err(failed);
        }
    }
    match holder {
        Some(holder) if holder != own => Err(OpenError::OtherStore {
            data_dir: place.data_dir.clone(),
            holder: PathBuf::from(holder),
            asked: PathBuf::from(own),
            marker: path,
        }),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<Option<OsString>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut name = Vec::new();
    file.take(LONGEST).read_to_end(&mut name)?;
    if name.ends_with(b"\n") {
        name.pop();
    }
    Ok(Some(OsString::from_vec(name)))
}

/// Durable before the database is made: at no moment is there a database in a directory that could still be
/// another's. A process that dies in between leaves at most a directory that waits for this very database.
fn make(place: &Place, own: &OsStr, steps: &Steps) -> io::Result<()> {
    let unfinished = place.data_dir.join("database.name.unfinished");
    let mut file = private_file(&unfinished)?;
    file.set_len(0)?;
    file.write_all(&[own.as_bytes(), b"\n"].concat())?;
    file.sync_all()?;
    steps.pass("mark.after_write");
    fs::rename(&unfinished, place.marker())?;
    sync_dir(&place.data_dir)?;
    steps.pass("mark.after_rename");
    Ok(())
}
