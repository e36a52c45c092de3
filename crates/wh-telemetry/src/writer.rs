//! The thread that writes: it may wait for a disk or a terminal, nobody waits for it.

use crate::format::Format;
use crate::level::Level;
use crate::queue::Queue;
use crate::record::Record;
use crate::rotate::RotatingFile;
use std::io::{self, Write};
use wh_domain::time::Timestamp;

/// Where lines go.
pub(crate) enum Place {
    File(RotatingFile),
    Stream(Box<dyn Write + Send>),
}

/// A place, how lines look there, and what could not be written to it.
pub(crate) struct Output {
    pub(crate) place: Place,
    pub(crate) format: Format,
    /// The least important lines that are written.
    pub(crate) level: Level,
    lost: u64,
}

impl Output {
    pub(crate) fn new(place: Place, format: Format, level: Level) -> Self {
        Self { place, format, level, lost: 0 }
    }

    /// Writes a record. A place that cannot be written to is tried again with the next record, and says then how
    /// many lines it lacks.
    fn write(&mut self, record: &Record) {
        if self.lost > 0 {
            let words = format!("{} lines before this one could not be written", self.lost);
            let gap = Record::new(record.at, Level::Warning, "log_lost", words).number("lines", self.lost);
            if self.try_write(&gap).is_err() {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        if self.try_write(record).is_err() {
            self.lost += 1;
        }
    }

    fn try_write(&mut self, record: &Record) -> io::Result<()> {
        let line = self.format.line(record);
        match &mut self.place {
            Place::File(file) => file.append(line.as_bytes()),
            Place::Stream(stream) => stream.write_all(line.as_bytes()),
        }
    }

    fn flush(&mut self) {
        if let Place::Stream(stream) = &mut self.place
            && stream.flush().is_err()
        {
            self.lost += 1;
        }
    }

    fn reopen(&mut self) {
        // A file that cannot be opened anew is written to where it is.
        if let Place::File(file) = &mut self.place
            && file.reopen().is_err()
        {
            self.lost += 1;
        }
    }
}

/// Writes what comes until the queue is closed.
pub(crate) fn run(queue: &Queue, mut outputs: Vec<Output>) {
    let mut latest = Timestamp::from_millis(0);
    loop {
        let batch = queue.take();
        latest = batch.records.last().map_or(latest, |record| record.at);
        for output in &mut outputs {
            if batch.reopen {
                output.reopen();
            }
            let level = output.level;
            for record in batch.records.iter().filter(|record| record.level <= level) {
                output.write(record);
            }
            if batch.dropped > 0 {
                output.write(&gap(latest, batch.dropped));
            }
            output.flush();
        }
        queue.done(&batch);
        if batch.last {
            return;
        }
    }
}

fn gap(at: Timestamp, dropped: u64) -> Record {
    let words = format!("{dropped} lines were dropped because the log could not keep up");
    Record::new(at, Level::Warning, "log_dropped", words).number("lines", dropped)
}
