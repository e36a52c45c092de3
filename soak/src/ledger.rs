//! A file that grows by whole lines: one write each, so that no kill can tear one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file that grows by whole lines.
#[derive(Debug)]
pub struct Ledger(File);

impl Ledger {
    /// Goes on with the file at `path`, or begins it.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self)
    }

    /// Adds a line.
    pub fn add(&self, line: &str) -> io::Result<()> {
        (&self.0).write_all(format!("{line}\n").as_bytes())
    }

    /// Adds a line while nobody else adds one.
    pub fn add_alone(&self, line: &str) -> io::Result<()> {
        self.0.lock()?;
        let added = self.add(line);
        self.0.unlock()?;
        added
    }
}

/// Nanoseconds since this machine booted, the same for every process.
pub fn boottime() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    // No machine has been up for 500 years.
    u64::try_from(nanos).unwrap_or(0)
}
