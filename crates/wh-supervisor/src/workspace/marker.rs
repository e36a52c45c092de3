//! Which attempt a stream carries: a small file beside its tree, by which others find the attempt's log.

use crate::workspace::beneath::{self, Entry};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{OFlags, openat};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use wh_domain::id::{Fence, Seq, StreamNo};

/// Directories that are looked at on each level: more than the hosts and workers of one machine.
const MOST: usize = 10_000;

/// Where kept files are, in the data directory.
pub(crate) const FINISHED: &CStr = c"finished";

/// How many attempts may have the same name there: a data directory that outlives its store sees the numbers again.
const NAMESAKES: u32 = 9;

const ENDING: &[u8] = b".attempt";

/// Longer than any two numbers.
const LONGEST: usize = 64;

/// Names the attempt that is to begin in the stream's tree. Nothing of an earlier one may be in it any more: whoever
/// sees the same name before and after opening a log has the log of that attempt.
pub(crate) fn name(tree: impl AsFd, stream: StreamNo, (seq, fence): (Seq, Fence)) -> io::Result<()> {
    // Opened each time: with many streams, descriptors are dearer than the few microseconds.
    let path = CString::new(format!("../stream-{stream}.attempt"))?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let marker = File::from(openat(tree, &path, flags, beneath::PRIVATE_FILE)?);
    marker.write_all_at(format!("{}\n", attempt_name(seq, fence)).as_bytes(), 0)
}

fn attempt_name(seq: Seq, fence: Fence) -> String {
    format!("{}-{fence}", seq.0)
}

/// The names that an attempt's kept files may have, the first one unless somebody has it already.
pub(crate) fn kept_names(seq: Seq, fence: Fence) -> impl DoubleEndedIterator<Item = String> {
    let name = attempt_name(seq, fence);
    (1..=NAMESAKES).map(move |number| if number == 1 { name.clone() } else { format!("{name}.{number}") })
}

/// A stream whose marker names an attempt. The attempt may be over.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The directory that holds the stream's tree and its marker.
    pub(crate) within: OwnedFd,
    /// The tree's name.
    pub(crate) tree: CString,
    /// The marker's name.
    marker: CString,
    attempt: (Seq, Fence),
}

impl Stream {
    /// The attempt's right to write.
    pub(crate) fn fence(&self) -> Fence {
        self.attempt.1
    }

    /// Whether the marker still names the attempt.
    pub(crate) fn is_still_named(&self) -> bool {
        read(&self.within, &self.marker) == Some(self.attempt)
    }
}

/// The streams whose markers name an attempt of that task.
pub(crate) fn find(data_dir: &Path, seq: Seq) -> io::Result<Vec<Stream>> {
    let mut found = Vec::new();
    let work = match File::open(data_dir.join("work")) {
        Ok(work) => OwnedFd::from(work),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for slot in beneath::entries(&work, MOST)? {
        let Some(slot) = enter(&work, &slot)? else { continue };
        for worker in beneath::entries(&slot, MOST)? {
            let Some(worker) = enter(&slot, &worker)? else { continue };
            for Entry { name: marker, .. } in beneath::entries(&worker, MOST)? {
                let Some(tree) = marker.to_bytes().strip_suffix(ENDING) else { continue };
                let (tree, attempt) = (CString::new(tree)?, read(&worker, &marker));
                if let Some(attempt) = attempt.filter(|(of, _)| *of == seq) {
                    found.push(Stream { within: worker.try_clone()?, tree, marker, attempt });
                }
            }
        }
    }
    Ok(found)
}

fn enter(within: &OwnedFd, entry: &Entry) -> io::Result<Option<OwnedFd>> {
    match beneath::directory(within, &entry.name) {
        Ok(directory) => Ok(Some(directory)),
        // A stray file, or something that went away in this moment.
        Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(within: &OwnedFd, marker: &CString) -> Option<(Seq, Fence)> {
    let (file, _) = beneath::regular(within, marker).ok()??;
    let mut bytes = [0; LONGEST];
    let read = File::from(file).read_at(&mut bytes, 0).ok()?;
    // A longer name that stood there before may show behind the first line.
    let line = bytes.get(..read)?.split(|byte| *byte == b'\n').next()?;
    let (seq, fence) = std::str::from_utf8(line).ok()?.split_once('-')?;
    Some((Seq(seq.parse().ok()?), Fence(fence.parse().ok()?)))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_marker_names_the_last_attempt_whatever_stood_there_before() {
        let data_dir = tempfile::tempdir().unwrap();
        let worker = data_dir.path().join("work/1/w");
        std::fs::create_dir_all(worker.join("stream-2")).unwrap();
        std::fs::write(data_dir.path().join("work/stray"), "").unwrap();
        let tree = File::open(worker.join("stream-2")).unwrap();
        let mark = |seq, fence| name(&tree, StreamNo(2), (Seq(seq), Fence(fence))).unwrap();
        std::fs::write(worker.join("stream-2.attempt"), "").unwrap();
        assert!(find(data_dir.path(), Seq(7)).unwrap().is_empty(), "an empty marker names nothing");
        mark(123_456, 99);
        mark(7, 1);
        assert!(find(data_dir.path(), Seq(123_456)).unwrap().is_empty());
        let found = find(data_dir.path(), Seq(7)).unwrap();
        assert_eq!((found[0].fence(), found[0].tree.as_c_str()), (Fence(1), c"stream-2"));
        assert!(found[0].is_still_named());
        mark(8, 1);
        assert!(!found[0].is_still_named());
    }

    #[test]
    fn without_any_streams_nothing_is_found() {
        let data_dir = tempfile::tempdir().unwrap();
        assert!(find(data_dir.path(), Seq(1)).unwrap().is_empty());
    }
}
