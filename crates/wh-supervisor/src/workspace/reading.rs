//! An attempt's log for whoever wants to read it: while it grows, while it is put away, and afterwards.
//!
//! The reader holds the directory of the log, which stays the same when it is moved to the finished ones, and the
//! part that it reads. So of what it has once found it misses nothing, however the parts take turns; only a reader
//! that is slower than the bound of the log loses what the log itself has dropped.

use crate::workspace::logfile::{EARLIER, HEAD, NAME};
use crate::workspace::marker::{self, FINISHED, Stream, kept_names};
use crate::workspace::{beneath, content};
use rustix::fd::OwnedFd;
use rustix::fs::{Stat, fstat};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use wh_domain::id::{Fence, Seq};

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// The log of one attempt.
#[derive(Debug)]
pub struct AttemptLog {
    data_dir: PathBuf,
    seq: Seq,
    fence: Fence,
    place: Option<Place>,
    /// The first part: its number in the file system and its length, once the reader has left it.
    head: Option<(u64, u64)>,
    part: Option<Part>,
    has_gap: bool,
}

/// Where the log lies.
#[derive(Debug)]
struct Place {
    logs: OwnedFd,
    /// The stream it is written by; `None` once it is put away.
    stream: Option<Stream>,
}

/// A file of the log and how much of it has been read.
#[derive(Debug)]
struct Part {
    file: File,
    inode: u64,
    read: u64,
}

impl AttemptLog {
    /// The log of that attempt of that task, wherever it lies below `data_dir`. Looks at nothing yet.
    pub fn new(data_dir: impl Into<PathBuf>, seq: Seq, fence: Fence) -> Self {
        Self { data_dir: data_dir.into(), seq, fence, place: None, head: None, part: None, has_gap: false }
    }

    /// The youngest attempt of a task that some stream of the data directory has begun. It may be over.
    ///
    /// # Errors
    /// The data directory cannot be read.
    pub fn youngest(data_dir: &Path, seq: Seq) -> io::Result<Option<Fence>> {
        Ok(marker::find(data_dir, seq)?.iter().map(Stream::fence).max())
    }

    /// Adds to `into` what comes next, at most 64 KiB. Nothing is the end for now; and for ever, if the attempt's
    /// end was known before the call.
    ///
    /// # Errors
    /// Something that is there cannot be read. A log that is not there (yet, or no longer) is no error.
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            if let Some(read) = self.read_part(into)? {
                return Ok(read);
            }
            let Some(next) = self.next_part()? else { return Ok(0) };
            // Between the first reading and the moment when it was put aside more may have come.
            if let Some(read) = self.read_part(into)? {
                return Ok(read);
            }
            self.turn_to(next)?;
        }
    }

    /// Whether a file of it has been found.
    pub fn is_found(&self) -> bool {
        self.part.is_some()
    }

    /// Whether lines may be missing in what was read since the last call, because they came faster than they were
    /// read or before the reading began.
    pub fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.has_gap)
    }

    fn read_part(&mut self, into: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let Some(part) = &mut self.part else { return Ok(None) };
        let begin = into.len();
        into.resize(begin + PIECE, 0);
        let read = part.file.read_at(into.get_mut(begin..).unwrap_or_default(), part.read);
        into.truncate(begin + read.as_ref().map_or(0, |read| *read));
        let read = read?;
        part.read += read as u64;
        Ok((read > 0).then_some(read))
    }

    /// The file that follows the part, which has been read to its end; the first one where there is no part yet.
    fn next_part(&mut self) -> io::Result<Option<Next>> {
        if self.place.is_none() {
            self.place = self.find()?;
        }
        let Some(place) = &self.place else { return Ok(None) };
        // In this order: what takes a turn meanwhile is found under the later name too.
        let (name, head, earlier) = (place.open(NAME)?, place.open(HEAD)?, place.open(EARLIER)?);
        if !self.is_ours(place) {
            self.place = None;
            return Ok(None);
        }
        let Some(part) = &self.part else {
            return Ok(head.or(name).map(Next::Part));
        };
        let Some(name) = name.filter(|name| name.inode != part.inode) else { return Ok(None) };
        let first = self.head.map_or(part.inode, |(inode, _)| inode);
        Ok(Some(match earlier {
            _ if name.inode == first => Next::Whole(name),
            Some(earlier) if earlier.inode != part.inode => Next::Gap(earlier),
            Some(_) | None => Next::Part(name),
        }))
    }

    fn turn_to(&mut self, next: Next) -> io::Result<()> {
        let left = self.part.take();
        if let Some(part) = &left {
            self.head.get_or_insert((part.inode, part.read));
        }
        self.part = Some(match (next, left) {
            (Next::Whole(whole), Some(left)) => {
                let head = self.head.map_or(0, |(_, length)| length);
                let end = content::end_within(&left.file, left.read, &whole.file, head)?;
                self.has_gap |= end.is_none();
                Part { read: end.unwrap_or(head), ..whole }
            }
            (Next::Gap(part), _) => {
                self.has_gap = true;
                part
            }
            (Next::Part(part) | Next::Whole(part), _) => part,
        });
        Ok(())
    }

    fn find(&self) -> io::Result<Option<Place>> {
        if let Some(logs) = self.put_away()? {
            return Ok(Some(Place { logs, stream: None }));
        }
        let streams = marker::find(&self.data_dir, self.seq)?;
        let Some(stream) = streams.into_iter().find(|stream| stream.fence() == self.fence) else {
            return Ok(None);
        };
        let tree = if_there(beneath::directory(&stream.within, &stream.tree))?;
        let logs = tree.map(|tree| if_there(beneath::directory(&tree, c"logs"))).transpose()?.flatten();
        Ok(logs.map(|logs| Place { logs, stream: Some(stream) }))
    }

    /// The log's directory among the finished ones.
    fn put_away(&self) -> io::Result<Option<OwnedFd>> {
        let Some(data) = if_there(File::open(&self.data_dir))? else { return Ok(None) };
        let Some(finished) = if_there(beneath::directory(&data, FINISHED))? else { return Ok(None) };
        // Of several the last is the youngest.
        for name in kept_names(self.seq, self.fence).rev() {
            if let Some(kept) = if_there(beneath::directory(&finished, &CString::new(name)?))? {
                return if_there(beneath::directory(&kept, c"logs"));
            }
        }
        Ok(None)
    }

    /// Whether what was found there just now belongs to this attempt: a stream uses an empty directory again.
    fn is_ours(&self, place: &Place) -> bool {
        let Some(stream) = &place.stream else { return true };
        let is_here = |other: OwnedFd| {
            let same = |a: Stat, b: Stat| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino);
            fstat(&other).and_then(|other| Ok(same(other, fstat(&place.logs)?))).unwrap_or(false)
        };
        stream.is_still_named() || self.put_away().ok().flatten().is_some_and(is_here)
    }
}

/// What follows a part.
enum Next {
    /// Another part.
    Part(Part),
    /// Another part, but perhaps not the next one.
    Gap(Part),
    /// All parts, put together.
    Whole(Part),
}

impl Place {
    fn open(&self, name: &CStr) -> io::Result<Option<Part>> {
        let found = if_there(beneath::regular(&self.logs, name))?.flatten();
        Ok(found.map(|(file, about)| Part { file: file.into(), inode: about.st_ino, read: 0 }))
    }
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::workspace::logfile::LogFile;
    use proptest::prelude::*;
    use std::fs;
    use std::sync::Arc;
    use tempfile::TempDir;
    use wh_domain::id::StreamNo;

    const ATTEMPT: (Seq, Fence) = (Seq(7), Fence(2));

    /// A data directory with one stream that carries [`ATTEMPT`].
    struct Stage {
        data_dir: TempDir,
    }

    impl Stage {
        fn new() -> Self {
            let stage = Self { data_dir: tempfile::tempdir().unwrap() };
            fs::create_dir_all(stage.tree().join("logs")).unwrap();
            stage.mark(1, ATTEMPT);
            stage
        }

        fn mark(&self, stream: u32, attempt: (Seq, Fence)) {
            marker::name(File::open(self.tree()).unwrap(), StreamNo(stream), attempt).unwrap();
        }

        fn tree(&self) -> PathBuf {
            self.data_dir.path().join("work/1/w/stream-1")
        }

        fn log(&self, bound: u64) -> LogFile {
            LogFile::new(Arc::new(File::open(self.tree()).unwrap().into()), bound)
        }

        fn put_away(&self) {
            let to = self.data_dir.path().join("finished/7-2");
            fs::create_dir_all(&to).unwrap();
            fs::rename(self.tree().join("logs"), to.join("logs")).unwrap();
            fs::create_dir(self.tree().join("logs")).unwrap();
        }

        fn reader(&self) -> AttemptLog {
            AttemptLog::new(self.data_dir.path(), ATTEMPT.0, ATTEMPT.1)
        }
    }

    fn all(reader: &mut AttemptLog) -> String {
        let mut bytes = Vec::new();
        while reader.read(&mut bytes).unwrap() > 0 {}
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn whoever_reads_along_gets_every_line_once_whenever_he_looks(
            steps in prop::collection::vec((1..12_usize, any::<bool>()), 1..80),
            before_the_end in any::<bool>(),
        ) {
            let stage = Stage::new();
            // Parts of 400 bytes: as long as he looks between any two of them, nothing is lost.
            let (mut log, mut reader) = (stage.log(1_600), stage.reader());
            let (mut written, mut read) = (String::new(), String::new());
            let mut unseen = 0;
            for (lines, looks) in steps {
                for _ in 0..lines {
                    let line = format!("line {:04}\n", written.len() / 10);
                    log.append(line.as_bytes());
                    written.push_str(&line);
                    unseen += line.len();
                    if unseen >= 300 {
                        read.push_str(&all(&mut reader));
                        unseen = 0;
                    }
                }
                if looks {
                    read.push_str(&all(&mut reader));
                    unseen = 0;
                }
            }
            if before_the_end {
                read.push_str(&all(&mut reader));
            }
            log.finish().unwrap();
            stage.put_away();
            stage.mark(1, (Seq(8), Fence(1)));
            read.push_str(&all(&mut reader));
            prop_assert_eq!(read, written);
            prop_assert!(!reader.take_gap());
        }
    }

    #[test]
    fn whoever_comes_later_reads_the_log_as_it_is_kept() {
        let stage = Stage::new();
        let mut log = stage.log(400);
        (0..500).for_each(|number| log.append(format!("line {number:04}\n").as_bytes()));
        log.finish().unwrap();
        stage.put_away();
        let kept = fs::read_to_string(stage.data_dir.path().join("finished/7-2/logs/worker.log")).unwrap();
        assert!(kept.contains("bytes were left out here"), "{kept}");
        assert_eq!(all(&mut stage.reader()), kept);
    }

    #[test]
    fn whoever_was_too_slow_gets_the_rest_and_is_told() {
        let stage = Stage::new();
        let (mut log, mut reader) = (stage.log(400), stage.reader());
        log.append(b"line 0000\n");
        assert_eq!(all(&mut reader), "line 0000\n");
        (1..500).for_each(|number| log.append(format!("line {number:04}\n").as_bytes()));
        log.finish().unwrap();
        let rest = all(&mut reader);
        assert!(rest.starts_with("line 0001\n") && rest.ends_with("line 0499\n"), "{rest}");
        assert!(rest.contains("bytes were left out here"), "{rest}");
        assert!(!reader.take_gap(), "the log says itself what is missing");

        let stage = Stage::new();
        let (mut log, mut reader) = (stage.log(400), stage.reader());
        (0..25).for_each(|number| log.append(format!("line {number:04}\n").as_bytes()));
        all(&mut reader);
        (25..500).for_each(|number| log.append(format!("line {number:04}\n").as_bytes()));
        let rest = all(&mut reader);
        assert!(rest.ends_with("line 0499\n"), "{rest}");
        assert!(reader.take_gap());
        log.finish().unwrap();
        assert_eq!(all(&mut reader), "");
    }

    #[test]
    fn the_lines_of_the_streams_next_attempt_are_not_this_ones() {
        let stage = Stage::new();
        let mut reader = stage.reader();
        assert_eq!(all(&mut reader), "");
        // It wrote nothing, so its directory serves the next attempt.
        stage.mark(1, (Seq(8), Fence(1)));
        stage.log(1_000).append(b"of another\n");
        assert_eq!(all(&mut reader), "");
        assert!(!reader.is_found());
        assert_eq!(all(&mut stage.reader()), "");
    }

    #[test]
    fn of_several_attempts_that_streams_name_the_youngest_is_told() {
        let stage = Stage::new();
        let youngest = || AttemptLog::youngest(stage.data_dir.path(), Seq(7)).unwrap();
        assert_eq!(youngest(), Some(Fence(2)));
        stage.mark(2, (Seq(7), Fence(3)));
        assert_eq!(youngest(), Some(Fence(3)));
        assert_eq!(AttemptLog::youngest(stage.data_dir.path(), Seq(9)).unwrap(), None);
        assert_eq!(AttemptLog::youngest(Path::new("/nowhere"), Seq(7)).unwrap(), None);
    }

    #[test]
    fn what_a_worker_plants_in_the_place_of_its_log_is_not_read() {
        let stage = Stage::new();
        std::os::unix::fs::symlink("/etc/hostname", stage.tree().join("logs/worker.log")).unwrap();
        assert_eq!(all(&mut stage.reader()), "");
    }
}
