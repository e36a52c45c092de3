//! Files named by the digest of what they hold. Whoever sees one sees all of it, also after a power cut.

use crate::digest::hex;
use crate::failure::unavailable;
use crate::place::{parent_of, private_dir, sync_dir};
use crate::steps::Steps;
use crate::trust::Trust;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use wh_ports::store::StoreError;

/// A blob that no task refers to is kept for so long: its task may be on the way.
pub(crate) const UNCLAIMED_FOR: Duration = Duration::from_secs(3_600);
/// How much of a file is held in memory while it is copied.
const CHUNK: usize = 64 * 1024;
/// The beginning of a name under which a file is being written.
const UNFINISHED: &str = "unfinished-";

/// The directory of blobs.
#[derive(Clone)]
pub(crate) struct BlobDir {
    root: PathBuf,
    steps: Steps,
    trust: Trust,
    /// The shelves whose names are durable, as far as this process knows. One that is there may have been made by a
    /// process that died before it could see to that.
    durable: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl BlobDir {
    pub(crate) fn new(root: PathBuf, steps: Steps) -> Self {
        Self { root, steps, trust: Trust::default(), durable: Arc::default() }
    }

    /// The same, as part of a store that is written no more once the disk has failed either of them.
    pub(crate) fn sharing(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Where the blob of that digest lies: `blobs/ab/cdef…`.
    pub(crate) fn path(&self, sha256: &str) -> PathBuf {
        let (shelf, rest) = sha256.split_at_checked(2).unwrap_or(("xx", sha256));
        self.root.join(shelf).join(rest)
    }

    /// Whether it is there.
    pub(crate) fn holds(&self, sha256: &str) -> bool {
        self.path(sha256).is_file()
    }

    /// Keeps bytes; durable when it returns. Answers their digest.
    pub(crate) fn keep_bytes(&self, bytes: &[u8]) -> Result<Box<str>, StoreError> {
        self.keep(bytes)
            .map(|(sha256, _)| sha256)
            .map_err(|error| self.trust.note(unavailable("keep a large content", &error)))
    }

    /// Keeps a copy of a file; durable when it returns. Answers its digest and size.
    pub(crate) fn keep_file(&self, from: &Path) -> Result<(Box<str>, u64), StoreError> {
        let doing = format!("keep a copy of {}", from.display());
        let file = File::open(from).map_err(|error| unavailable(&doing, &unreadable(&error)))?;
        self.keep(file).map_err(|error| self.trust.note(unavailable(&doing, &error)))
    }

    fn keep(&self, mut from: impl Read) -> io::Result<(Box<str>, u64)> {
        private_dir(&self.root)?;
        let mut unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.root)?;
        let (sha256, size) = copy(&mut from, unfinished.as_file_mut())?;
        let path = self.path(&sha256);
        if self.refresh(&path)? {
            return Ok((sha256, size));
        }
        unfinished.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        unfinished.as_file().sync_all()?;
        self.steps.pass("blob.after_write");
        let shelf = path.parent().unwrap_or(&self.root);
        self.make_durable(shelf)?;
        unfinished.persist(&path).map_err(|error| error.error)?;
        sync_dir(shelf)?;
        self.steps.pass("blob.after_rename");
        Ok((sha256, size))
    }

    /// Says that a blob is wanted again, so that its hour begins anew. Answers whether it is there.
    fn refresh(&self, path: &Path) -> io::Result<bool> {
        match File::options().write(true).open(path) {
            Ok(file) => {
                file.set_times(FileTimes::new().set_modified(SystemTime::now()))?;
                // It may have been renamed by a process that died before it could make the name durable.
                let shelf = path.parent().unwrap_or(&self.root);
                self.make_durable(shelf)?;
                sync_dir(shelf)?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a shelf, and the names above it durable; once for each shelf and process.
    fn make_durable(&self, shelf: &Path) -> io::Result<()> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if !durable.contains(shelf) {
            private_dir(shelf)?;
            sync_dir(&self.root)?;
            sync_dir(parent_of(&self.root))?;
            durable.insert(shelf.to_owned());
        }
        Ok(())
    }

    /// The shelves there are, in order.
    pub(crate) fn shelves(&self) -> io::Result<Vec<PathBuf>> {
        let mut shelves: Vec<PathBuf> =
            entries(&self.root)?.into_iter().filter(|path| path.is_dir()).collect();
        shelves.sort();
        Ok(shelves)
    }

    /// How many there are, and how many bytes they have.
    pub(crate) fn weigh(&self) -> io::Result<(u64, u64)> {
        let (mut count, mut size) = (0, 0);
        for shelf in self.shelves()? {
            for (_, path) in all_on(&shelf)? {
                // One that is swept meanwhile counts for nothing.
                let Ok(data) = fs::metadata(path) else { continue };
                count += 1;
                size += data.len();
            }
        }
        Ok((count, size))
    }

    /// Deletes what a process left half written when it died.
    pub(crate) fn drop_unfinished(&self, ahead: Duration) -> io::Result<()> {
        for path in entries(&self.root)? {
            let unfinished =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED));
            if unfinished && is_old(&path, ahead) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for BlobDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BlobDir").field(&self.root).finish()
    }
}

/// The blobs on a shelf that have lain there for [`UNCLAIMED_FOR`], by a calendar that is `ahead` of what is believed,
/// each with its digest.
pub(crate) fn old_on(shelf: &Path, ahead: Duration) -> io::Result<Vec<(String, PathBuf)>> {
    let mut blobs = all_on(shelf)?;
    blobs.retain(|(_, path)| is_old(path, ahead));
    Ok(blobs)
}

/// All blobs on a shelf, each with its digest.
pub(crate) fn all_on(shelf: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(first) = name(shelf) else { return Ok(Vec::new()) };
    Ok(entries(shelf)?
        .into_iter()
        .filter_map(|path| name(&path).map(|rest| (format!("{first}{rest}"), path)))
        .collect())
}

/// Whether a file holds what its digest says; `false` where it is not there.
pub(crate) fn is_intact(path: &Path, sha256: &str) -> io::Result<bool> {
    match File::open(path) {
        Ok(mut file) => copy(&mut file, &mut io::sink()).map(|(found, _)| *found == *sha256),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_old(path: &Path, ahead: Duration) -> bool {
    let young = UNCLAIMED_FOR.saturating_add(ahead);
    let age = |modified: SystemTime| SystemTime::now().duration_since(modified).unwrap_or_default();
    fs::metadata(path).and_then(|data| data.modified()).is_ok_and(|modified| age(modified) > young)
}

/// Trouble with a file that is not the store's, which says nothing about the store's disk.
fn unreadable(error: &io::Error) -> io::Error {
    io::Error::other(format!("it cannot be read: {error}"))
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<(Box<str>, u64)> {
    let (mut hasher, mut size, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        hasher.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
        size += read as u64;
    }
    Ok((hex(&hasher.finalize()), size))
}
