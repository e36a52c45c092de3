//! Where a soak takes place.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The program under test, which is the soak itself.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_soak");

/// Directories that are gone afterwards.
pub(crate) struct Rooms {
    books: TempDir,
    disk: TempDir,
}

impl Rooms {
    pub(crate) fn new() -> Self {
        Self { books: tempfile::tempdir().unwrap(), disk: tempfile::tempdir().unwrap() }
    }

    /// For everything that is not under test.
    pub(crate) fn books(&self) -> &Path {
        self.books.path()
    }

    /// For a file system of its own.
    pub(crate) fn disk(&self) -> &Path {
        self.disk.path()
    }

    /// For the store.
    pub(crate) fn data(&self) -> PathBuf {
        self.disk.path().join("data")
    }
}
