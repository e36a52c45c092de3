//! Whether the database is still the file that was opened. SQLite goes on writing to a file that was moved or deleted,
//! and everything that was acknowledged since would be gone with it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wh_ports::store::StoreError;

/// A file, by its path and by what the path stood for.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Identity {
    /// The file that is there now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: data.dev(), inode: data.ino() })
    }

    /// Refuses when another file, or none, is in its place.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let same = |data: fs::Metadata| data.dev() == self.device && data.ino() == self.inode;
        if fs::metadata(&self.path).is_ok_and(same) {
            return Ok(());
        }
        Err(StoreError::Broken(format!(
            "the database {} was moved, replaced or deleted while it was in use; stop everything that uses it, put it \
             back or run `workerhost db restore`, and start again",
            self.path.display()
        )))
    }
}
