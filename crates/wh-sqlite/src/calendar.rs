//! How far the calendar is believed when it decides what is deleted: as far as the running clock agrees.
//!
//! A calendar that was set forward by mistake makes everything old, and what was swept does not come back when the
//! mistake is mended. So the sweeper remembers when it last believed the calendar. Where the calendar has gained more
//! since than the running clock has run, the sweeper goes on by the running clock, until the new calendar has stood
//! for an hour. To wait for nothing costs a little room; not to wait may cost every result.

use crate::failure::Tried;
use crate::tx::Tx;
use rusqlite::{OptionalExtension, Row};
use wh_domain::time::{StoreInstant, Timestamp};

/// The calendar may gain so much without being doubted: what is kept is kept for days. Also a machine that was off no
/// longer than this is as good as one that was not.
const TOLERATED: i64 = 3_600_000;
/// A calendar that has stood for so long is believed, as milliseconds of the running clock.
const STANDS: i64 = 3_600_000;

/// What both clocks said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    wall: Timestamp,
    instant: StoreInstant,
}

impl Look {
    /// How long the running clock has run since, at least: of another boot it knows only how long it is up.
    fn ran_until(&self, now: &Self) -> i64 {
        let from = if self.instant.boot == now.instant.boot { self.instant.millis } else { 0 };
        now.instant.millis.saturating_sub(from).max(0)
    }

    /// By how much the calendar has gained on the running clock; less than nothing if it was set back.
    fn gained_until(&self, now: &Self) -> i64 {
        now.wall.as_millis().saturating_sub(self.wall.as_millis()).saturating_sub(self.ran_until(now))
    }
}

/// What is remembered from one sweep to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Belief {
    /// When the calendar was last believed.
    believed: Look,
    /// The last look at a calendar that is not, and for how long it has stood by then.
    doubted: Option<(Look, i64)>,
}

impl Belief {
    const fn in_calendar(believed: Look) -> Self {
        Self { believed, doubted: None }
    }

    /// What is believed from now on, and the moment to go by.
    fn after(self, now: Look) -> (Self, Timestamp) {
        let trusted = (Self::in_calendar(now), now.wall);
        if self.believed.gained_until(&now) <= TOLERATED {
            return trusted;
        }
        let stood = match self.doubted {
            // Another boot's calendar stands as long as it does not go back: for how long the machine was off, nobody
            // can tell.
            Some((seen, stood)) if is_the_same(&seen, &now) => stood.saturating_add(seen.ran_until(&now)),
            _ => 0,
        };
        if stood >= STANDS {
            return trusted;
        }
        let at_least = self.believed.wall.as_millis().saturating_add(self.believed.ran_until(&now));
        (Self { doubted: Some((now, stood)), ..self }, Timestamp::from_millis(at_least))
    }
}

/// Whether a calendar that was looked at before has gone on as the running clock has.
fn is_the_same(seen: &Look, now: &Look) -> bool {
    let gained = seen.gained_until(now);
    gained >= -TOLERATED && (gained <= TOLERATED || seen.instant.boot != now.instant.boot)
}

/// The moment that a sweep goes by: the calendar's, or an earlier one where the calendar is not believed yet.
pub(crate) fn believed_now(tx: &Tx<'_>) -> Tried<Timestamp> {
    let now = Look { wall: tx.wall, instant: tx.instant };
    let (belief, moment) = match read(tx)? {
        Some(belief) => belief.after(now),
        // Nothing has been swept before, so there is nothing to compare with, and nothing old.
        None => (Belief::in_calendar(now), now.wall),
    };
    write(tx, &belief)?;
    Ok(moment)
}

fn read(tx: &Tx<'_>) -> Tried<Option<Belief>> {
    let look = |row: &Row<'_>, at: usize| -> rusqlite::Result<Look> {
        let boot: i64 = row.get(at + 1)?;
        let instant = StoreInstant { boot: boot.cast_unsigned(), millis: row.get(at + 2)? };
        Ok(Look { wall: Timestamp::from_millis(row.get(at)?), instant })
    };
    let mut find = tx.prepare(
        "SELECT believed_at, believed_boot, believed_millis, seen_at, seen_boot, seen_millis, stood \
         FROM calendar WHERE one = 1",
    )?;
    let belief = find.query_row((), |row| {
        let stood: Option<i64> = row.get(6)?;
        let doubted = stood.map(|stood| look(row, 3).map(|seen| (seen, stood))).transpose()?;
        Ok(Belief { believed: look(row, 0)?, doubted })
    });
    Ok(belief.optional()?)
}

fn write(tx: &Tx<'_>, belief: &Belief) -> Tried<()> {
    let Look { wall, instant } = belief.believed;
    let seen = belief.doubted.map(|(seen, _)| seen);
    tx.prepare(
        "INSERT OR REPLACE INTO calendar (one, believed_at, believed_boot, believed_millis, seen_at, seen_boot, \
         seen_millis, stood) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?.execute((
        wall.as_millis(),
        instant.boot.cast_signed(),
        instant.millis,
        seen.map(|seen| seen.wall.as_millis()),
        seen.map(|seen| seen.instant.boot.cast_signed()),
        seen.map(|seen| seen.instant.millis),
        belief.doubted.map(|(_, stood)| stood),
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the calendar should say, in hours, and what it says, in hours more; the boot, and hours since it began.
    type Moment = (i64, i64, u64, i64);

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24;

    fn look((wall, ahead, boot, up): Moment) -> Look {
        let instant = StoreInstant { boot, millis: up * HOUR };
        Look { wall: Timestamp::from_millis((wall + ahead) * HOUR), instant }
    }

    /// The hours that each sweep goes by, after one at hour 100 of a boot that was hour 10 of it.
    fn check(name: &str, rows: &[(Moment, i64)]) {
        let mut belief = Belief::in_calendar(look((100, 0, 1, 10)));
        for (at, (moment, expected)) in rows.iter().enumerate() {
            let (next, goes_by) = belief.after(look(*moment));
            assert_eq!(goes_by.as_millis(), expected * HOUR, "{name}, row {at}");
            belief = next;
        }
    }

    #[test]
    fn a_calendar_is_believed_as_far_as_the_running_clock_agrees_or_once_it_has_stood() {
        check("it goes as it should", &[((101, 0, 1, 11), 101), ((900, 0, 1, 810), 900)]);
        check("a step within what is tolerated", &[((101, 1, 1, 11), 102)]);
        check("forward for one sweep", &[((100, 8 * DAY, 1, 10), 100), ((101, 0, 1, 11), 101)]);
        check("forward for good", &[((100, 192, 1, 10), 100), ((101, 192, 1, 11), 293)]);
        check(
            "forward and further forward",
            &[((100, 192, 1, 10), 100), ((101, 400, 1, 11), 101), ((102, 400, 1, 12), 502)],
        );
        check(
            "forward and not all the way back",
            &[((100, 192, 1, 10), 100), ((101, 96, 1, 11), 101), ((102, 96, 1, 12), 198)],
        );
        check(
            "back, and right again",
            &[((101, -50, 1, 11), 51), ((102, 0, 1, 12), 52), ((103, 0, 1, 13), 103)],
        );
        check("a boot anew", &[((101, 0, 2, 0), 101), ((102, 0, 2, 1), 102)]);
        check("off for two weeks", &[((436, 0, 2, 0), 100), ((437, 0, 2, 1), 437)]);
        check("booted into a wrong year", &[((101, 9_000, 2, 0), 100), ((102, 0, 2, 1), 102)]);
        check("off every day", &[((124, 0, 2, 0), 100), ((148, 0, 3, 0), 100), ((172, 0, 4, 1), 172)]);
    }
}
