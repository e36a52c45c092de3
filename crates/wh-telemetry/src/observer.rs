//! The observer that writes logs.

use crate::format::Format;
use crate::level::Level;
use crate::queue::Queue;
use crate::record::Record;
use crate::rotate::{RotatingFile, Rotation};
use crate::tell;
use crate::writer::{self, Output, Place};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::event::Event;
use wh_domain::time::Timestamp;
use wh_ports::observe::Observer;

/// How many lines may wait to be written, unless [`crate::QUEUE_BYTES`] is reached first; more are dropped and counted.
pub const QUEUE: u64 = 8_192;

/// How long the end of an observer waits for its last lines.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A file to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where.
    pub path: PathBuf,
    /// How its lines look.
    pub format: Format,
    /// Its bounds.
    pub rotation: Rotation,
    /// The least important lines that are written.
    pub level: Level,
}

/// A stream to write to, such as standard error.
#[expect(missing_debug_implementations, reason = "a stream has nothing to show")]
pub struct LogStream {
    /// Where.
    pub to: Box<dyn Write + Send>,
    /// How its lines look.
    pub format: Format,
    /// The least important lines that are written.
    pub level: Level,
}

/// What is written and where.
#[expect(missing_debug_implementations, reason = "a stream has nothing to show")]
pub struct LogOptions {
    /// Whether the log lines of workers are written too.
    pub worker_lines: bool,
    /// A file, if any.
    pub file: Option<LogFile>,
    /// A stream, if any.
    pub stream: Option<LogStream>,
    /// How many lines may wait: [`QUEUE`] unless there is a reason.
    pub queue: u64,
}

/// Writes events down. Dropping it writes what is left, for two seconds at most.
#[derive(Debug)]
pub struct LogObserver {
    /// Of the place that wants most; `None` where nothing is written.
    level: Option<Level>,
    worker_lines: bool,
    queue: Arc<Queue>,
}

impl LogObserver {
    /// Opens the file and starts the writing thread.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread can be started.
    pub fn start(options: LogOptions) -> io::Result<Self> {
        let LogOptions { worker_lines, file, stream, queue } = options;
        let mut outputs = Vec::new();
        if let Some(LogFile { path, format, rotation, level }) = file {
            outputs.push(Output::new(Place::File(RotatingFile::open(path, rotation)?), format, level));
        }
        if let Some(LogStream { to, format, level }) = stream {
            outputs.push(Output::new(Place::Stream(to), format, level));
        }
        let level = outputs.iter().map(|output| output.level).max();
        let queue = Arc::new(Queue::new(queue));
        let theirs = Arc::clone(&queue);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer::run(&theirs, outputs))?;
        Ok(Self { level, worker_lines, queue })
    }

    /// Writes words of the host's own that are no event.
    pub fn note(&self, at: Timestamp, level: Level, words: &str) {
        self.push(Record::new(at, level, "note", words));
    }

    /// Opens the file anew, for whoever moved it away.
    pub fn reopen(&self) {
        self.queue.reopen();
    }

    /// Waits until everything so far is written; `false` when `patience` ran out first.
    pub fn flush(&self, patience: Duration) -> bool {
        self.queue.flush(patience)
    }

    /// How many lines were dropped so far because the log could not keep up.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    fn push(&self, record: Record) {
        if Some(record.level) <= self.level {
            self.queue.push(record);
        }
    }
}

impl Observer for LogObserver {
    fn observe(&self, at: Timestamp, event: &Event) {
        // Most lines of a busy host are below the level; they cost no more than this look.
        let is_worker_line = matches!(event, Event::Logged { .. });
        if Some(tell::level(event)) <= self.level && (self.worker_lines || !is_worker_line) {
            self.push(tell::record(at, event));
        }
    }
}

impl Drop for LogObserver {
    fn drop(&mut self) {
        self.queue.close(LAST_WORDS);
    }
}
