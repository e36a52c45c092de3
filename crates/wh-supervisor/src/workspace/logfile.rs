//! The log as a file that can be followed while it grows and never takes more than its bound.
//!
//! `worker.log` is always where lines are added. Beyond half of the bound it is put aside as the head, and from
//! then on two files of a quarter each take turns. At the end head and tail are put together again, with a line
//! between them that says how much is missing.

use crate::workspace::beneath;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, renameat, unlinkat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::io;
use std::sync::Arc;

/// The file that grows.
pub(super) const NAME: &CStr = c"worker.log";
/// Its first part, once it is put aside.
pub(super) const HEAD: &CStr = c"worker.log.head";
/// The latest part that is full.
pub(super) const EARLIER: &CStr = c"worker.log.earlier";

/// The log of one attempt. The file is made with its first line; a worker that keeps the same file itself shares it.
#[derive(Debug)]
pub(crate) struct LogFile {
    root: Arc<OwnedFd>,
    bound: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No line yet.
    Unwritten,
    /// Being written.
    Open(Open),
    /// Writing has failed; the log in memory goes on.
    Broken,
}

#[derive(Debug)]
struct Open {
    directory: OwnedFd,
    file: OwnedFd,
    /// Bytes in the file that grows.
    size: u64,
    parts: Parts,
}

/// What stands aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Nothing.
    Whole,
    /// The head; and of what followed the last part that is full, with the bytes that are gone for good.
    Cut { earlier: Option<u64>, lost: u64 },
}

impl LogFile {
    /// A log in `logs/` of the tree at `root`. It stays within `bound` bytes but for the line that says what is
    /// missing.
    pub(crate) fn new(root: Arc<OwnedFd>, bound: u64) -> Self {
        Self { root, bound, state: State::Unwritten }
    }

    /// Adds whole lines.
    pub(crate) fn append(&mut self, lines: &[u8]) {
        if let State::Unwritten = self.state {
            self.state = Open::new(&self.root).map_or(State::Broken, State::Open);
        }
        if let State::Open(open) = &mut self.state
            && open.append(lines, self.bound).is_err()
        {
            self.state = State::Broken;
        }
    }

    /// Makes one file of the parts. The error says that lines are missing.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.state {
            State::Unwritten => Ok(()),
            State::Open(open) => open.finish(),
            State::Broken => Err(io::Error::other("it could not be written")),
        }
    }
}

impl Open {
    fn new(root: &OwnedFd) -> io::Result<Self> {
        let directory = beneath::directory(root, c"logs")?;
        let (file, about) = beneath::append(&directory, NAME)?;
        let size = u64::try_from(about.st_size).unwrap_or(0);
        Ok(Self { directory, file, size, parts: Parts::Whole })
    }

    fn append(&mut self, lines: &[u8], bound: u64) -> io::Result<()> {
        let mut rest = lines;
        while !rest.is_empty() {
            let part = match self.parts {
                Parts::Whole => bound / 2,
                Parts::Cut { .. } => bound / 4,
            };
            let (now, later) = split_at_line(rest, part.saturating_sub(self.size), self.size == 0);
            if now.is_empty() {
                self.turn()?;
                continue;
            }
            write_all(self.file.as_fd(), now)?;
            self.size += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// Puts the file aside and begins another.
    fn turn(&mut self) -> io::Result<()> {
        let directory = self.directory.as_fd();
        self.parts = match self.parts {
            Parts::Whole => {
                renameat(directory, NAME, directory, HEAD)?;
                Parts::Cut { earlier: None, lost: 0 }
            }
            Parts::Cut { earlier, lost } => {
                renameat(directory, NAME, directory, EARLIER)?;
                Parts::Cut { earlier: Some(self.size), lost: lost + earlier.unwrap_or(0) }
            }
        };
        self.file = beneath::append(directory, NAME)?.0;
        self.size = 0;
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let Parts::Cut { earlier, lost } = self.parts else { return Ok(()) };
        let directory = self.directory.as_fd();
        let mut whole = std::fs::File::from(beneath::append(directory, HEAD)?.0);
        if lost > 0 {
            let line = format!("[{lost} bytes were left out here (bounds.log)]\n");
            io::Write::write_all(&mut whole, line.as_bytes())?;
        }
        for part in earlier.map(|_| EARLIER).into_iter().chain([NAME]) {
            if let Some((file, _)) = beneath::regular(directory, part)? {
                io::copy(&mut std::fs::File::from(file), &mut whole)?;
            }
        }
        renameat(directory, HEAD, directory, NAME)?;
        match unlinkat(directory, EARLIER, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn write_all(file: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// As many whole lines as fit into `room`; where not even one does and `must`, one line all the same.
fn split_at_line(lines: &[u8], room: u64, must: bool) -> (&[u8], &[u8]) {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if lines.len() <= room {
        return (lines, &[]);
    }
    let fits = lines.get(..room).unwrap_or(lines).iter().rposition(|byte| *byte == b'\n');
    let end = match fits {
        Some(end) => end + 1,
        None if must => lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1),
        None => 0,
    };
    lines.split_at(end)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn begun(bound: u64) -> (tempfile::TempDir, LogFile) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let root = Arc::new(std::fs::File::open(folder.path()).unwrap().into());
        (folder, LogFile::new(root, bound))
    }

    fn written(lines: &[String], bound: u64) -> String {
        let (folder, mut log) = begun(bound);
        let logs = folder.path().join("logs");
        for line in lines {
            log.append(line.as_bytes());
            let on_disk: u64 = logs.read_dir().unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
            assert!(on_disk <= bound, "{on_disk} bytes on disk");
        }
        log.finish().unwrap();
        assert_eq!(logs.read_dir().unwrap().count(), 1, "parts are left");
        std::fs::read_to_string(logs.join("worker.log")).unwrap()
    }

    fn lines(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("line {number:04}\n")).collect()
    }

    #[test]
    fn a_log_within_its_bound_is_kept_as_it_is() {
        let lines = lines(100);
        assert_eq!(written(&lines, 2_000), lines.concat());
    }

    #[test]
    fn a_log_between_half_and_all_of_its_bound_loses_nothing() {
        let lines = lines(170);
        assert_eq!(written(&lines, 2_000), lines.concat());
    }

    #[test]
    fn of_a_longer_log_head_and_tail_are_kept_and_the_gap_is_named() {
        let text = written(&lines(1_000), 2_000);
        assert!(text.starts_with("line 0000\n") && text.ends_with("line 0999\n"), "{text}");
        let gap = text.lines().find(|line| line.starts_with('[')).unwrap();
        let missing = 10_000 - (text.len() - gap.len() - 1);
        assert_eq!(gap, format!("[{missing} bytes were left out here (bounds.log)]"));
    }

    #[test]
    fn a_worker_that_keeps_the_log_itself_shares_it() {
        let (folder, mut log) = begun(1_000);
        let path = folder.path().join("logs/worker.log");
        std::fs::write(&path, "its own\n").unwrap();
        log.append(b"the host's\n");
        log.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "its own\nthe host's\n");
    }

    #[test]
    fn whatever_a_worker_puts_in_the_place_is_not_written_through() {
        let victim = tempfile::NamedTempFile::new().unwrap();
        let plants: [fn(&std::path::Path, &std::path::Path); 3] = [
            |victim, place| std::os::unix::fs::symlink(victim, place).unwrap(),
            |victim, place| std::fs::hard_link(victim, place).unwrap(),
            |_, place| rustix::fs::mkfifoat(rustix::fs::CWD, place, beneath::PRIVATE_DIRECTORY).unwrap(),
        ];
        for plant in plants {
            let (folder, mut log) = begun(1_000);
            let path = folder.path().join("logs/worker.log");
            plant(victim.path(), &path);
            log.append(b"line\n");
            log.finish().unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "line\n");
            assert_eq!(std::fs::read_to_string(victim.path()).unwrap(), "");
        }
    }

    #[test]
    fn without_its_directory_the_log_says_that_lines_are_missing() {
        let (folder, mut log) = begun(1_000);
        std::fs::remove_dir(folder.path().join("logs")).unwrap();
        std::os::unix::fs::symlink("/tmp", folder.path().join("logs")).unwrap();
        log.append(b"line\n");
        assert!(log.finish().is_err());
    }
}
