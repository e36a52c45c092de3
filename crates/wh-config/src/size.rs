//! Sizes as people write them: `1048576`, `1MiB`, `10MB`, `1.5 GiB`.

use crate::decimal::{self, BadNumber};

/// Units by their spellings, in bytes.
const UNITS: [(&[&str], u64); 9] = [
    (&["b", "byte", "bytes"], 1),
    (&["kb", "k"], 1_000),
    (&["kib", "ki"], 1 << 10),
    (&["mb", "m"], 1_000_000),
    (&["mib", "mi"], 1 << 20),
    (&["gb", "g"], 1_000_000_000),
    (&["gib", "gi"], 1 << 30),
    (&["tb", "t"], 1_000_000_000_000),
    (&["tib", "ti"], 1 << 40),
];

/// Why a text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSize {
    /// It is not a number with a unit.
    Form,
    /// It is below zero.
    Negative,
    /// It is more than a file can hold (2^63 − 1 bytes).
    TooLarge,
}

impl std::fmt::Display for BadSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => "is no size",
            Self::Negative => "is below zero",
            Self::TooLarge => "is larger than any file",
        })
    }
}

impl std::error::Error for BadSize {}

impl From<BadNumber> for BadSize {
    fn from(bad: BadNumber) -> Self {
        match bad {
            BadNumber::Form => Self::Form,
            BadNumber::TooLarge => Self::TooLarge,
        }
    }
}

/// Reads a size in bytes. A number alone is bytes; `MB` is a million, `MiB` is 2^20.
///
/// # Errors
/// [`BadSize`] says what is wrong; the caller adds an example.
pub fn parse_size(text: &str) -> Result<u64, BadSize> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(BadSize::Negative);
    }
    let end = text.find(|c| !decimal::is_number(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_lowercase();
    let scale = match unit.as_str() {
        "" => 1,
        unit => UNITS.iter().find(|(spellings, _)| spellings.contains(&unit)).ok_or(BadSize::Form)?.1,
    };
    let bytes = decimal::times(number, scale)?;
    match u64::try_from(bytes) {
        Ok(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(BadSize::TooLarge),
    }
}

/// Writes a size in the largest binary unit that says it exactly, so that [`parse_size`] reads it back.
pub fn format_size(bytes: u64) -> String {
    for (unit, scale) in [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= scale && bytes.is_multiple_of(scale) {
            return format!("{}{unit}", bytes / scale);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_write_a_size_is_read() {
        let check = |text: &str, bytes: u64| assert_eq!(parse_size(text), Ok(bytes), "{text}");
        check("10485760", 10_485_760);
        check("10_485_760", 10_485_760);
        check("1MiB", 1 << 20);
        check("10MB", 10_000_000);
        check("1.5 GiB", 3 << 29);
        check("20GiB", 20 << 30);
        check("4k", 4_000);
        check("0", 0);
        check("7 bytes", 7);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let check = |text: &str, error: BadSize| assert_eq!(parse_size(text), Err(error), "{text}");
        for text in ["", "MiB", "1XB", "1 2", "1.2.3", "1.", ".5MB", "ten"] {
            check(text, BadSize::Form);
        }
        check("-1", BadSize::Negative);
        check("9223372036854775808", BadSize::TooLarge);
        check("99999999TiB", BadSize::TooLarge);
        assert_eq!(parse_size("9223372036854775807"), Ok(u64::MAX / 2));
    }

    proptest! {
        #[test]
        fn a_written_size_reads_back_the_same(bytes in 0..=u64::MAX / 2) {
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            prop_assert!(parse_size(&text).is_err() || parse_size(&text).is_ok());
        }
    }
}
