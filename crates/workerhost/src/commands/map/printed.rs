//! What has been printed, remembered on disk: two bits for each task, set after its result, or its failure, was told.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use wh_domain::id::Seq;
use wh_domain::task::StateName;

/// A file of bits. Written without waiting for the disk: what a power cut takes away is printed once more, and what a
/// killed process has written is there.
#[derive(Debug)]
pub(super) struct Printed(File);

impl Printed {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map(Self)
    }

    /// Another handle to the same bits.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Whether it has been told that the task ended in this state, with what came of it.
    pub(super) fn contains(&self, seq: Seq, state: StateName) -> io::Result<bool> {
        let (at, bit) = place(seq, state);
        Ok(self.byte(at)? & bit != 0)
    }

    /// Remembers that it has. One thread only may do that.
    pub(super) fn insert(&self, seq: Seq, state: StateName) -> io::Result<()> {
        let (at, bit) = place(seq, state);
        let byte = self.byte(at)?;
        self.0.write_all_at(&[byte | bit], at)
    }

    fn byte(&self, at: u64) -> io::Result<u8> {
        let mut byte = [0];
        // Beyond its end the file is all zeros.
        self.0.read_at(&mut byte, at).map(|_| byte[0])
    }
}

/// A failure and a result have a bit each: what was told to have failed may be tried again and have a result.
fn place(seq: Seq, state: StateName) -> (u64, u8) {
    // The store's numbers begin at 1.
    let number = u64::try_from(seq.0).unwrap_or(0);
    let place = number.saturating_mul(2) + u64::from(state == StateName::Completed);
    (place / 8, 1 << (place % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_still_known_after_the_file_was_opened_anew() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("printed");
        let seqs = [1, 3, 4, 5, 100_000];
        let printed = Printed::open(&path).unwrap();
        for seq in seqs {
            assert!(!printed.contains(Seq(seq), StateName::Completed).unwrap());
            printed.insert(Seq(seq), StateName::Completed).unwrap();
        }
        let printed = Printed::open(&path).unwrap();
        let known = |state| (1..=100_001).filter(|seq| printed.contains(Seq(*seq), state).unwrap()).collect();
        let (completed, poisoned): (Vec<i64>, Vec<i64>) =
            (known(StateName::Completed), known(StateName::Poisoned));
        assert_eq!((&*completed, &*poisoned), (&seqs[..], &[][..]));
        printed.insert(Seq(2), StateName::Poisoned).unwrap();
        assert!(!printed.contains(Seq(2), StateName::Completed).unwrap());
        assert!(printed.contains(Seq(2), StateName::Poisoned).unwrap());
    }
}
