//! The file of `--output`: every input's result in the order of the lines, there at once or not at all.

use super::ended::Ended;
use super::input::{Digest, Identity};
use super::name::Name;
use crate::exit::Exit;
use crate::failure::Failure;
use rustix::fs::Access;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wh_ports::reader::Reader;
use wh_sqlite::SqliteStore;

/// An index and a digest.
const ENTRY: usize = 8 + 32;
/// Results looked up ahead of the one that is written.
const AHEAD: usize = 32;

/// The inputs of this run in their order, on disk because there may be many. Of use to this run alone.
#[derive(Debug)]
pub(super) struct Order {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Order {
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    /// The next input.
    pub(super) fn push(&mut self, identity: &Identity) -> io::Result<()> {
        self.file.write_all(&identity.index.to_le_bytes())?;
        self.file.write_all(&identity.digest.0)
    }

    fn entries(mut self) -> io::Result<impl Iterator<Item = io::Result<Identity>>> {
        self.file.flush()?;
        let mut file = BufReader::new(File::open(&self.path)?);
        Ok(std::iter::from_fn(move || next(&mut file).transpose()))
    }
}

fn next(file: &mut impl Read) -> io::Result<Option<Identity>> {
    let mut entry = [0; ENTRY];
    match file.read_exact(&mut entry) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (index, digest) = entry.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    let digest = digest.try_into().map_err(|_| io::Error::other("an entry has another length"))?;
    Ok(Some(Identity { index: u64::from_le_bytes(*index), digest: Digest(digest) }))
}

/// Refuses a file that could not be written in the end, before anything is made.
pub(super) fn refuse_vain(path: &Path) -> Result<(), Failure> {
    let refused = |why: &str| Failure::usage(format!("--output {} {why}", path.display()));
    if path.file_name().is_none() {
        return Err(refused("names no file"));
    }
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(refused("is no regular file, and is to be replaced by one; use > instead"));
    }
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A name is put into the directory: that is what must be allowed.
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| refused(&format!("cannot be written: {}: {error}", directory.display())))
}

/// The file that results go to in the end. Dropping it takes away what was begun.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    unfinished: PathBuf,
}

impl Output {
    /// Refuses what could not be written in the end, before anything runs. To be called by whoever is at work on
    /// `map`, whose name keeps the unfinished files of two maps apart.
    pub(super) fn check(path: &Path, map: &Name) -> Result<Self, Failure> {
        refuse_vain(path)?;
        let refused = |why: &str| Failure::usage(format!("--output {} {why}", path.display()));
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{map}.unfinished"));
        let output = Self { path: path.to_owned(), unfinished: path.with_file_name(name) };
        output.begin().map_err(|error| refused(&format!("cannot be written: {error}")))?;
        Ok(output)
    }

    fn begin(&self) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(&self.unfinished)
    }

    /// Writes the file: on stable storage before it appears under its name.
    pub(super) async fn write(
        &self,
        order: Order,
        store: &std::sync::Arc<SqliteStore>,
        map: &Name,
        json: bool,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::of_io(&format!("write {}", self.path.display()), &error);
        let mut entries = order.entries().map_err(failed)?;
        let mut file = BufWriter::new(self.begin().map_err(failed)?);
        let mut asked = std::collections::VecDeque::new();
        loop {
            while asked.len() < AHEAD
                && let Some(identity) = entries.next()
            {
                let identity = identity.map_err(failed)?;
                let store = std::sync::Arc::clone(store);
                let id = identity.task_id(map).map_err(|error| failed(io::Error::other(error)))?;
                asked.push_back((identity, tokio::spawn(async move { store.dossier(id).await })));
            }
            let Some((identity, dossier)) = asked.pop_front() else { break };
            let dossier = dossier.await.map_err(|error| failed(io::Error::other(error)))??;
            let Some(ended) = dossier.and_then(Ended::kept) else {
                let message = format!("line {}: its result is no longer in the map's store", identity.index);
                return Err(Failure::new(Exit::Store, message));
            };
            file.write_all(&ended.data(&identity, json)?).map_err(failed)?;
        }
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&self.unfinished, &self.path).map_err(failed)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It is not there after it was given its name; one that stays is overwritten by the next run of this map.
        fs::remove_file(&self.unfinished).ok();
    }
}
