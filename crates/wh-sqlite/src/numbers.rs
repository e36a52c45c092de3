//! Which fences and numbers may have been given out, so that none is given out again after a restore.
//!
//! A backup knows those up to its own moment, the store that it replaces those since. Where that store is gone or
//! damaged, a file beside it still tells how far earlier restores went: the same backup may come back again and again.

use crate::connection::Reading;
use crate::place::{Place, private_file, sync_dir};
use rusqlite::Connection;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// By how much everything jumps ahead of the highest that is known: more than anybody gives out between two backups.
/// A million restores still leave numbers that JSON carries exactly.
const JUMP: i64 = 1 << 32;
/// What is beyond this was read from a damaged file.
const BELIEVED: i64 = 1 << 60;

/// The highest of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Numbers {
    fence: i64,
    seq: i64,
    fact: i64,
}

impl Numbers {
    /// What a store has given out.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        connection.query_row(
            "SELECT max(fence_floor, (SELECT coalesce(max(fence), 0) FROM task)), last_seq, last_fact \
             FROM tally WHERE one = 1",
            (),
            |row| Ok(Self { fence: row.get(0)?, seq: row.get(1)?, fact: row.get(2)? }),
        )
    }

    /// Where numbering goes on when a backup with these takes the place of the store, or of what is left of it.
    pub(crate) fn after_restore(self, place: &Place) -> Self {
        let replaced = Reading::open(&place.database).and_then(|it| Self::of(&it.connection)).ok();
        let earlier = fs::read_to_string(place.numbers()).ok().and_then(|text| Self::parse(&text));
        let known = [replaced, earlier].into_iter().flatten().filter(Self::is_believable);
        let Self { fence, seq, fact } = known.fold(self, Self::highest);
        let ahead = |number: i64| number.saturating_add(JUMP);
        Self { fence: ahead(fence), seq: ahead(seq), fact: ahead(fact) }
    }

    /// Lets a store go on from here.
    pub(crate) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            "UPDATE tally SET fence_floor = ?1, last_seq = ?2, last_fact = ?3 WHERE one = 1",
            (self.fence, self.seq, self.fact),
        )?;
        Ok(())
    }

    /// Remembers, durably and before the store is replaced, that a restore goes on from here.
    pub(crate) fn remember(self, place: &Place) -> io::Result<()> {
        let Self { fence, seq, fact } = self;
        let path = place.numbers();
        let unfinished = path.with_extension("unfinished");
        let mut file = private_file(&unfinished)?;
        file.set_len(0)?;
        writeln!(file, "{fence} {seq} {fact}")?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        sync_dir(path.parent().unwrap_or(Path::new(".")))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map_while(|word| word.parse().ok());
        Some(Self { fence: numbers.next()?, seq: numbers.next()?, fact: numbers.next()? })
    }

    fn is_believable(&self) -> bool {
        [self.fence, self.seq, self.fact].into_iter().all(|number| (0..BELIEVED).contains(&number))
    }

    fn highest(self, other: Self) -> Self {
        Self {
            fence: self.fence.max(other.fence),
            seq: self.seq.max(other.seq),
            fact: self.fact.max(other.fact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_numbers_that_make_no_sense_none_is_taken_on() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().to_owned();
        let place = Place { database: data_dir.join("tasks.db"), data_dir };
        let own = Numbers { fence: 3, seq: 2, fact: 1 };
        let ahead = Numbers { fence: JUMP + 3, seq: JUMP + 2, fact: JUMP + 1 };
        for left in ["", "9", "9 9", "9 9 x", "-1 9 9", &format!("9 9 {BELIEVED}")] {
            fs::write(place.numbers(), left).unwrap();
            assert_eq!(own.after_restore(&place), ahead, "{left:?}");
        }
        ahead.remember(&place).unwrap();
        assert_eq!(own.after_restore(&place).fence, JUMP * 2 + 3);
    }
}
