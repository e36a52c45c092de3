//! A log file that is set aside when it is full, so that all of them together stay within a bound.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// When a file is full and how many are kept. Together they take at most `max_bytes × (backups + 1)`, unless one line
/// alone is longer than a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The size that a file does not exceed.
    pub max_bytes: u64,
    /// How many full files are kept, as `NAME.1` (the latest) to `NAME.N`; with none, a full file begins anew.
    pub backups: u32,
}

/// The file. No other process may rotate it; one that moves it away asks for [`RotatingFile::reopen`] afterwards.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    rotation: Rotation,
    file: File,
    size: u64,
}

impl RotatingFile {
    /// Opens the file at its end, with the directories above it.
    pub(crate) fn open(path: PathBuf, rotation: Rotation) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let (file, size) = open(&path)?;
        Ok(Self { path, rotation, file, size })
    }

    /// Opens whatever stands under the name now.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.size) = open(&self.path)?;
        Ok(())
    }

    /// Appends one line in one write, to a new file where it does not fit. Where that cannot be, the line is not
    /// written: the bound goes before the log.
    pub(crate) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let more = line.len() as u64;
        if self.size > 0 && self.size + more > self.rotation.max_bytes {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Half a line would run into the next one.
            self.file.set_len(self.size)?;
            return Err(error);
        }
        self.size += more;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.rotation.backups == 0 {
            self.file.set_len(0)?;
            self.size = 0;
            return Ok(());
        }
        for number in (1..self.rotation.backups).rev() {
            rename_if_there(&self.backup(number), &self.backup(number + 1))?;
        }
        rename_if_there(&self.path, &self.backup(1))?;
        self.reopen()
    }

    fn backup(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    // Lines hold words of workers, so the file is nobody else's business.
    let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
