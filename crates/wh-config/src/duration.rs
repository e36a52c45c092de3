//! Durations as people write them: `300`, `5m`, `1h30m`, `15_minutes`, `1.5h`, `500ms`, `7d`.

use crate::decimal::{self, BadNumber};
use std::time::Duration;

/// The longest duration that can be written: ten years.
pub const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// Units by their spellings, in nanoseconds.
const UNITS: [(&[&str], u64); 7] = [
    (&["ns", "nanosecond", "nanoseconds"], 1),
    (&["us", "µs", "microsecond", "microseconds"], 1_000),
    (&["ms", "milli", "millis", "millisecond", "milliseconds"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
];

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDuration {
    /// It is not a number with a unit.
    Form,
    /// It is below zero.
    Negative,
    /// It is longer than [`LONGEST`].
    TooLong,
}

impl std::fmt::Display for BadDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => "is no duration",
            Self::Negative => "is below zero",
            Self::TooLong => "is longer than ten years",
        })
    }
}

impl std::error::Error for BadDuration {}

impl From<BadNumber> for BadDuration {
    fn from(bad: BadNumber) -> Self {
        match bad {
            BadNumber::Form => Self::Form,
            BadNumber::TooLarge => Self::TooLong,
        }
    }
}

/// Reads a duration. A number alone is seconds; parts add up; `_` and spaces may stand between number and unit.
///
/// # Errors
/// [`BadDuration`] says what is wrong; the caller adds an example.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let mut rest = text.trim();
    if rest.starts_with('-') {
        return Err(BadDuration::Negative);
    }
    if rest.is_empty() {
        return Err(BadDuration::Form);
    }
    let mut nanos: u128 = 0;
    let mut parts = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, decimal::is_number);
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let scale = match unit {
            "" if parts == 0 && after.is_empty() => 1_000_000_000,
            "" => return Err(BadDuration::Form),
            unit => scale_of(unit).ok_or(BadDuration::Form)?,
        };
        nanos = nanos.saturating_add(decimal::times(number.trim_end_matches('_'), scale)?);
        rest = after.trim_start_matches([' ', '_']);
        parts += 1;
    }
    if nanos > LONGEST.as_nanos() {
        return Err(BadDuration::TooLong);
    }
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| BadDuration::TooLong)
}

/// Writes a duration in the largest units that say it exactly, so that [`parse_duration`] reads it back.
pub fn format_duration(duration: Duration) -> String {
    if duration.subsec_nanos() > 0
        && duration.as_secs() < 60
        && duration.subsec_nanos().is_multiple_of(1_000_000)
    {
        return format!("{}ms", duration.as_millis());
    }
    let mut rest = duration.as_nanos();
    let mut out = String::new();
    for (spellings, scale) in UNITS.iter().rev() {
        let count = rest / u128::from(*scale);
        rest %= u128::from(*scale);
        if count > 0 {
            out.push_str(&count.to_string());
            out.push_str(spellings[0]);
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn scale_of(unit: &str) -> Option<u64> {
    let unit = unit.to_lowercase();
    UNITS.iter().find(|(spellings, _)| spellings.contains(&unit.as_str())).map(|(_, scale)| *scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_write_a_duration_is_read() {
        let check = |text: &str, millis: u64| {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        };
        check("300", 300_000);
        check("300s", 300_000);
        check("5m", 300_000);
        check("1h30m", 5_400_000);
        check("1h 30m", 5_400_000);
        check("15_minutes", 900_000);
        check("15 minutes", 900_000);
        check("1 minute", 60_000);
        check("1.5h", 5_400_000);
        check("0.1s", 100);
        check("2.5", 2_500);
        check("500ms", 500);
        check("7d", 604_800_000);
        check("1_000", 1_000_000);
        check("5M", 300_000);
        check("0", 0);
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        use BadDuration::{Form, Negative, TooLong};
        let check = |text: &str, error: BadDuration| assert_eq!(parse_duration(text), Err(error), "{text}");
        for text in ["", " ", "m", "5x", "5 m x", "1.2.3s", ".5s", "5.", "1h30", "five", "5m,", "_"] {
            check(text, Form);
        }
        check("-5s", Negative);
        check("3651d", TooLong);
        check("99999999999999999999999s", TooLong);
        check("18446744073709551615d", TooLong);
        assert_eq!(parse_duration("3650d"), Ok(LONGEST));
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back_the_same(nanos in 0..=315_360_000_000_000_000_u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            prop_assert!(parse_duration(&text).is_ok_and(|time| time <= LONGEST) || parse_duration(&text).is_err());
        }
    }
}
