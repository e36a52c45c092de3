//! Where an isolated worker without a workspace may write: a directory of its stream's, empty before each attempt.

use crate::workspace::beneath;
use crate::workspace::place::{directory_name, open_data_dir};
use crate::workspace::remove;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, fstat};
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wh_domain::id::{StreamNo, WorkerName};

/// The directory, empty.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: Arc<OwnedFd>,
    path: PathBuf,
}

impl Scratch {
    /// Makes it below `data_dir`, or empties the one that is there.
    pub(crate) fn make(
        data_dir: &Path,
        (slot, worker, stream): (u32, &WorkerName, StreamNo),
    ) -> io::Result<Self> {
        let mut at = open_data_dir(data_dir)?;
        let mut path = std::fs::canonicalize(data_dir)?;
        let stream = format!("stream-{stream}");
        for step in ["work", &slot.to_string(), &directory_name(worker.as_str()), &stream] {
            path.push(step);
            at = beneath::make_directory(&at, &CString::new(step)?)?;
        }
        path.push("working");
        // Made anew rather than emptied: its owner may have taken everybody's right to look into it.
        remove::tree(&at, c"working")?;
        at = beneath::make_directory(&at, c"working")?;
        Ok(Self { directory: Arc::new(at), path })
    }

    /// Whether it is not as it was made: something was left in it, or its mode was changed.
    pub(crate) fn is_used(&self) -> bool {
        let is_empty = beneath::entries(&self.directory, 1).is_ok_and(|entries| entries.is_empty());
        let is_open = fstat(&self.directory)
            .is_ok_and(|about| Mode::from_raw_mode(about.st_mode) == beneath::PRIVATE_DIRECTORY);
        !(is_empty && is_open)
    }

    /// The directory itself.
    pub(crate) fn directory(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.directory)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_anew_whatever_the_last_one_did_to_it() {
        let data_dir = tempfile::tempdir().unwrap();
        let worker = WorkerName::new("w").unwrap();
        let make = || Scratch::make(data_dir.path(), (0, &worker, StreamNo(1))).unwrap();
        let scratch = make();
        assert!(!scratch.is_used());
        fs::write(scratch.path().join("left"), "").unwrap();
        assert!(scratch.is_used());
        let scratch = make();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o000)).unwrap();
        assert!(scratch.is_used(), "nobody else could enter it");
        assert!(!make().is_used());
    }
}
