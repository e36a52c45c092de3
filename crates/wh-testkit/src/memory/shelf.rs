//! Blobs, as files in a folder that goes away with the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use wh_domain::time::Timestamp;
use wh_ports::answer::StoreError;

/// How long a blob is kept that no task refers to.
const UNUSED: Duration = Duration::from_secs(3_600);

/// The blobs.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Made with the first blob: most tests have none.
    folder: Option<TempDir>,
    kept_at: BTreeMap<Box<str>, Timestamp>,
}

impl Shelf {
    pub(super) fn holds(&self, sha256: &str) -> bool {
        self.kept_at.contains_key(sha256)
    }

    pub(super) fn path(&self, sha256: &str) -> PathBuf {
        self.folder.as_ref().map_or_else(|| PathBuf::from("no-blobs"), |it| it.path().into()).join(sha256)
    }

    pub(super) fn put(&mut self, sha256: &str, bytes: &[u8], at: Timestamp) -> Result<PathBuf, StoreError> {
        let broken = |error: std::io::Error| StoreError::Broken(format!("a blob cannot be kept: {error}"));
        if self.folder.is_none() {
            self.folder = Some(TempDir::new().map_err(broken)?);
        }
        let path = self.path(sha256);
        std::fs::write(&path, bytes).map_err(broken)?;
        self.kept_at.insert(sha256.into(), at);
        Ok(path)
    }

    /// Deletes what nobody needs and nobody has brought lately; answers how many.
    pub(super) fn sweep(&mut self, needed: &BTreeSet<Box<str>>, now: Timestamp) -> u64 {
        let mut gone = Vec::new();
        self.kept_at.retain(|sha256, at| {
            let stays = needed.contains(sha256) || now.since(*at) <= UNUSED;
            if !stays {
                gone.push(sha256.clone());
            }
            stays
        });
        for sha256 in &gone {
            // A file that stays behind goes with the folder.
            drop(std::fs::remove_file(self.path(sha256)));
        }
        u64::try_from(gone.len()).unwrap_or(u64::MAX)
    }
}
