//! Counts the commits in a write-ahead log, by the format that SQLite promises (sqlite.org/fileformat2.html, 4.1).

use crate::trouble::Trouble;
use std::path::Path;

/// Bytes before the first frame, and before the page of each.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// Commits since the log began anew.
pub(crate) fn commits(log: &Path) -> Result<u32, Trouble> {
    Ok(count(&std::fs::read(log)?))
}

fn count(log: &[u8]) -> u32 {
    let Some((header, mut frames)) = log.split_at_checked(HEADER) else { return 0 };
    let (page, salts) = (number(header, 8), header.get(16..24));
    let mut count = 0;
    while let Some((frame, rest)) = frames.split_at_checked(FRAME) {
        // Frames of an older log lie behind those of this one.
        if frame.get(8..16) != salts {
            break;
        }
        // Only the last frame of a commit says how large the database is.
        count += u32::from(number(frame, 4) > 0);
        frames = rest.get(page as usize..).unwrap_or_default();
    }
    count
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|it| it.try_into().ok()).map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transaction_that_wrote_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let connection = rusqlite::Connection::open(dir.path().join("db")).unwrap();
        crate::raw::durable(&connection).unwrap();
        let log = dir.path().join("db-wal");
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        let before = commits(&log).unwrap();
        connection
            .execute_batch("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (zeroblob(9000)); COMMIT")
            .unwrap();
        connection.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        connection.execute_batch("BEGIN; SELECT * FROM t; COMMIT").unwrap();
        assert_eq!(commits(&log).unwrap() - before, 2);
    }
}
