//! What happened, line by line: counted, digested, and printed when a seed is replayed.

use std::fmt::{Arguments, Write};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Mutex;
use std::time::Duration;

/// The trace of a life.
#[derive(Debug)]
pub(crate) struct Trace {
    written: Mutex<Written>,
    prints: bool,
}

#[derive(Debug, Default)]
struct Written {
    line: String,
    lines: u64,
    digest: DefaultHasher,
}

impl Trace {
    pub(crate) fn new(prints: bool) -> Self {
        Self { written: Mutex::default(), prints }
    }

    pub(crate) fn line(&self, at: Duration, what: Arguments<'_>) {
        let mut written = self.written.lock().unwrap();
        let mut line = std::mem::take(&mut written.line);
        line.clear();
        writeln!(line, "{:>10} {what}", at.as_millis()).unwrap();
        written.lines += 1;
        written.digest.write(line.as_bytes());
        if self.prints {
            print!("{line}");
        }
        written.line = line;
    }

    pub(crate) fn lines(&self) -> u64 {
        self.written.lock().unwrap().lines
    }

    /// The same for byte-identical traces only, as far as 64 bits can tell.
    pub(crate) fn digest(&self) -> u64 {
        self.written.lock().unwrap().digest.finish()
    }
}
