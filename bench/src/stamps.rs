//! How workers say when they began: each writes a line to a pipe in the file system.

use crate::clock;
use crate::trouble::{Trouble, trouble};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any measurement waits for a worker.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes that the worker of the task in the environment was at it at that time.
pub(crate) fn say(pipe: &Path, at: Duration) -> std::io::Result<()> {
    let task = std::env::var("WORKERHOST_TASK_ID").unwrap_or_default();
    let line = format!("{task} {}\n", at.as_nanos());
    OpenOptions::new().write(true).open(pipe)?.write_all(line.as_bytes())
}

/// What a worker said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) task: String,
    pub(crate) at: Duration,
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Stamps {
    pipe: File,
    path: PathBuf,
    bytes: VecDeque<u8>,
}

impl Stamps {
    /// A pipe at `path`, which must not be there yet.
    pub(crate) fn new(path: PathBuf) -> Result<Self, Trouble> {
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        // Open for both, so that it never ends while no worker runs.
        let pipe = OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { pipe, path, bytes: VecDeque::new() })
    }

    /// Where workers write to.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next line, whoever wrote it.
    pub(crate) fn next(&mut self) -> Result<Stamp, Trouble> {
        let deadline = clock::now() + PATIENCE;
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return parse(&String::from_utf8(line)?).ok_or_else(|| trouble("a worker wrote nonsense"));
            }
            let left = Timespec::try_from(deadline.saturating_sub(clock::now()))?;
            if poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&left))? == 0 {
                return Err(trouble("no worker has begun for a minute"));
            }
            let mut piece = [0; 4096];
            let got = self.pipe.read(&mut piece)?;
            self.bytes.extend(piece.iter().take(got));
        }
    }

    /// The next line, which must be about that task.
    pub(crate) fn of(&mut self, task: &str) -> Result<Duration, Trouble> {
        let stamp = self.next()?;
        if stamp.task == task {
            return Ok(stamp.at);
        }
        Err(trouble(format!("a worker began with {}, but {task} was due", stamp.task)))
    }
}

fn parse(line: &str) -> Option<Stamp> {
    let (task, nanos) = line.trim_end().split_once(' ')?;
    Some(Stamp { task: task.to_owned(), at: Duration::from_nanos(nanos.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_in_order_however_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut stamps = Stamps::new(dir.path().join("stamps")).unwrap();
        let mut writer = OpenOptions::new().write(true).open(stamps.path()).unwrap();
        writer.write_all(b"a 1\nb 2").unwrap();
        assert_eq!(stamps.next().unwrap(), Stamp { task: "a".to_owned(), at: Duration::from_nanos(1) });
        writer.write_all(b"0\n").unwrap();
        assert_eq!(stamps.of("b").unwrap(), Duration::from_nanos(20));
        writer.write_all(b"c 3\n").unwrap();
        assert!(stamps.of("d").is_err());
    }
}
