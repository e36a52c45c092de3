//! Notices changes of the configuration and of the files that workers are made of.

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::unix::pipe;
use wh_domain::id::WorkerName;
use wh_domain::worker::Worker;

/// Editors write in several steps; so long after the first, all are looked at together.
const SETTLING: Duration = Duration::from_millis(200);

/// What has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) configuration: bool,
    pub(super) workers: Vec<WorkerName>,
}

/// Whom a file concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Configuration,
    Worker(WorkerName),
}

/// Watches directories, because files are usually replaced and not written.
pub(super) struct Watch {
    /// No pipe, but read like one.
    inotify: pipe::Receiver,
    /// The watch's number and the name in its directory.
    files: BTreeMap<(i32, Vec<u8>), Vec<Whose>>,
}

impl Watch {
    pub(super) fn new(configuration: Option<&Path>, workers: &[Worker]) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let of_workers = workers.iter().flat_map(|worker| {
            worker.files.iter().map(|file| (file.clone(), Whose::Worker(worker.name.clone())))
        });
        let own = configuration.map(|file| (file.to_owned(), Whose::Configuration));
        let mut files: BTreeMap<(i32, Vec<u8>), Vec<Whose>> = BTreeMap::new();
        for (file, whose) in own.into_iter().chain(of_workers) {
            let Some((directory, name)) = apart(&file) else { continue };
            let flags =
                WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
            match inotify::add_watch(&inotify, &directory, flags) {
                Ok(number) => files.entry((number, name)).or_default().push(whose),
                // A directory that is not there cannot change; the host tells what a worker lacks when it starts it.
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { inotify: pipe::Receiver::from_owned_fd_unchecked(inotify)?, files })
    }

    /// Waits for a change. May be dropped and called again.
    pub(super) async fn changed(&mut self) -> Changed {
        loop {
            if self.inotify.readable().await.is_err() {
                return std::future::pending().await;
            }
            tokio::time::sleep(SETTLING).await;
            let changed = self.gather();
            if changed != Changed::default() {
                return changed;
            }
        }
    }

    /// Takes all that is there.
    fn gather(&self) -> Changed {
        let mut whose = BTreeSet::new();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = self.inotify.try_read(&mut buffer) {
            for notice in notices(buffer.get(..read).unwrap_or_default()) {
                if notice.is_overflow {
                    whose.extend(self.files.values().flatten().cloned());
                }
                whose.extend(self.files.get(&(notice.watch, notice.name)).into_iter().flatten().cloned());
            }
        }
        let configuration = whose.remove(&Whose::Configuration);
        let workers = whose.into_iter().filter_map(|whose| match whose {
            Whose::Worker(name) => Some(name),
            Whose::Configuration => None,
        });
        Changed { configuration, workers: workers.collect() }
    }
}

/// One thing that the kernel tells.
#[derive(Debug, PartialEq, Eq)]
struct Notice {
    watch: i32,
    is_overflow: bool,
    name: Vec<u8>,
}

/// Takes apart what was read: watch, mask, cookie and length, four bytes each, then the name, filled up with zeros
/// (inotify(7)).
fn notices(mut bytes: &[u8]) -> Vec<Notice> {
    const HEAD: usize = 16;
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        let word = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
        let (Some(watch), Some(mask), Some(length)) = (word(0), word(4), word(12)) else { break };
        let Some((name, next)) = rest.split_at_checked(length as usize) else { break };
        found.push(Notice {
            watch: watch.cast_signed(),
            is_overflow: ReadFlags::from_bits_retain(mask).contains(ReadFlags::QUEUE_OVERFLOW),
            name: name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
        });
        bytes = next;
    }
    found
}

/// A file's directory and its name in it.
fn apart(file: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let name = file.file_name()?.as_encoded_bytes().to_vec();
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    Some((directory.unwrap_or(Path::new(".")).to_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn a_file_that_is_replaced_or_written_is_told_and_its_neighbours_are_not() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("workerhost.yaml");
        fs::write(&file, "1").unwrap();
        let mut watch = Watch::new(Some(&file), &[]).unwrap();
        fs::write(place.path().join("other"), "2").unwrap();
        let next = place.path().join("next");
        fs::write(&next, "2").unwrap();
        fs::rename(&next, &file).unwrap();
        let changed = Changed { configuration: true, workers: Vec::new() };
        assert_eq!(watch.changed().await, changed);
        fs::write(&file, "3").unwrap();
        assert_eq!(watch.changed().await, changed);
    }

    #[test]
    fn what_the_kernel_tells_is_taken_apart_and_a_torn_end_is_left() {
        let mut bytes = Vec::new();
        for word in [7_u32, 8, 0, 4] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(b"ab\0\0");
        let one = Notice { watch: 7, is_overflow: false, name: b"ab".to_vec() };
        assert_eq!(notices(&bytes), [one]);
        assert_eq!(notices(&bytes[..17]), []);
    }
}
