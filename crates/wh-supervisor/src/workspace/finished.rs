//! Kept workspaces, as they lie in the data directory.

use crate::workspace::marker::FINISHED;
use crate::workspace::place::open_data_dir;
use crate::workspace::{beneath, remove};
use rustix::fd::OwnedFd;
use rustix::fs::FileType;
use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The most that are looked at in one go.
const MOST: usize = 100_000;

/// The deepest directory whose files are counted.
const MAX_DEPTH: u32 = 32;

/// A kept workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its name.
    pub(crate) name: CString,
    /// When it was put there.
    pub(crate) since: SystemTime,
    /// What it takes on disk.
    pub(crate) bytes: u64,
}

/// All of them.
pub(crate) fn list(data_dir: &Path) -> io::Result<Vec<Kept>> {
    let finished = beneath::directory(open_data_dir(data_dir)?, FINISHED)?;
    let entries = beneath::entries(&finished, MOST)?;
    Ok(entries.into_iter().filter_map(|entry| describe(&finished, entry.name)).collect())
}

fn describe(finished: &OwnedFd, name: CString) -> Option<Kept> {
    let about = beneath::look(finished, &name)?;
    let seconds = u64::try_from(about.st_mtime).ok()?;
    let since = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    let bytes = beneath::directory(finished, &name).map_or(0, |directory| bytes(&directory, 0));
    Some(Kept { name, since, bytes })
}

fn bytes(directory: &OwnedFd, depth: u32) -> u64 {
    let entries = beneath::entries(directory, MOST).unwrap_or_default();
    let of = |entry: &beneath::Entry| {
        let blocks = beneath::look(directory, &entry.name).map_or(0, |about| about.st_blocks);
        let below = match beneath::directory(directory, &entry.name) {
            Ok(below) if entry.kind == FileType::Directory && depth < MAX_DEPTH => bytes(&below, depth + 1),
            Ok(_) | Err(_) => 0,
        };
        u64::try_from(blocks).unwrap_or(0) * 512 + below
    };
    entries.iter().map(of).sum()
}

/// Deletes one.
pub(crate) fn delete(data_dir: &Path, name: &CStr) -> io::Result<()> {
    remove::tree(beneath::directory(open_data_dir(data_dir)?, FINISHED)?, name)
}
