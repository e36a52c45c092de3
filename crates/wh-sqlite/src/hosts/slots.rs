//! One lock file per host slot. A free lock means that the host and everything that shares its lock is gone; the file
//! holds the host's id and is never deleted, because a name that comes and goes cannot be locked reliably.

use crate::failure::unavailable;
use crate::place::private_file;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use wh_domain::id::HostId;
use wh_ports::store::StoreError;

/// As many hosts may share a data directory.
const MOST: u32 = 1_024;

/// The directory of lock files.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    dir: PathBuf,
}

impl Slots {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn path(&self, slot: u32) -> PathBuf {
        self.dir.join(format!("slot-{slot}.lock"))
    }

    /// Takes the first free slot for as long as the descriptor, or a copy of it, is open anywhere.
    pub(crate) fn take(&self, host: &HostId) -> Result<(u32, OwnedFd), StoreError> {
        let failed = |error: io::Error| unavailable("take a host slot", &error);
        for slot in 1..=MOST {
            let mut file = private_file(&self.path(slot)).map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    file.set_len(0).and_then(|()| writeln!(file, "{host}")).map_err(failed)?;
                    return Ok((slot, file.into()));
                }
                Err(Errno::WOULDBLOCK) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(StoreError::Unavailable(format!(
            "{MOST} hosts are running on this data directory; stop one first"
        )))
    }

    /// The slots that are taken, and by whom.
    pub(crate) fn taken(&self) -> io::Result<Vec<(u32, String)>> {
        let mut taken = Vec::new();
        for slot in 1..=MOST {
            let mut file = match File::open(self.path(slot)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK) {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                taken.push((slot, holder.trim_end().to_owned()));
            }
        }
        Ok(taken)
    }

    /// Whether that host has let go of its slot. Asks with a shared lock, so that two who ask do not see each other.
    pub(crate) fn is_free_of(&self, slot: u32, host: &str) -> Result<bool, StoreError> {
        let failed = |error: io::Error| unavailable("look at a host slot", &error);
        let mut file = match File::open(self.path(slot)) {
            Ok(file) => file,
            // Somebody has tampered with the directory, so the lock tells nothing; the lease still does.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                Ok(holder.trim_end() != host)
            }
            Err(error) => Err(failed(error.into())),
        }
    }
}
