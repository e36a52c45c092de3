//! Moments of the calendar as RFC 3339 writes them.

/// Milliseconds since 1970-01-01 UTC of an RFC 3339 text, with what is finer cut off; `None` for any other text.
///
/// The separator may be `T`, `t` or a space, the zone `Z`, `z` or an offset. A leap second counts as the second
/// after it.
pub fn parse(text: &str) -> Option<i64> {
    let mut cursor = Cursor(text.as_bytes());
    let year = cursor.number(4)?;
    cursor.one_of(b"-")?;
    let month = cursor.number_within(2, 1, 12)?;
    cursor.one_of(b"-")?;
    let day = cursor.number_within(2, 1, days_in(year, month))?;
    cursor.one_of(b"Tt ")?;
    let hour = cursor.number_within(2, 0, 23)?;
    cursor.one_of(b":")?;
    let minute = cursor.number_within(2, 0, 59)?;
    cursor.one_of(b":")?;
    let second = cursor.number_within(2, 0, 60)?;
    let millis = cursor.fraction()?;
    let offset_minutes = cursor.zone()?;
    if !cursor.0.is_empty() {
        return None;
    }
    let minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1000 + millis)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, choices: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        choices.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digit(&mut self) -> Option<i64> {
        self.one_of(b"0123456789").map(|digit| i64::from(digit - b'0'))
    }

    fn number(&mut self, digits: u32) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    fn number_within(&mut self, digits: u32, least: i64, most: i64) -> Option<i64> {
        self.number(digits).filter(|number| (least..=most).contains(number))
    }

    fn fraction(&mut self) -> Option<i64> {
        if self.one_of(b".").is_none() {
            return Some(0);
        }
        let mut millis = self.digit()? * 100;
        let mut weight = 10;
        while let Some(digit) = self.digit() {
            millis += digit * weight;
            weight /= 10;
        }
        Some(millis)
    }

    fn zone(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number_within(2, 0, 23)?;
        self.one_of(b":")?;
        Some(sign * (hours * 60 + self.number_within(2, 0, 59)?))
    }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts years from March, so that the leap day is the last one (H. Hinnant, *chrono-Compatible Low-Level Date
/// Algorithms*, `days_from_civil`).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn texts_of_rfc_3339_are_moments_and_others_are_not() {
        let rows = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("2026-11-21T12:34:56Z", Some(1_795_264_496_000)),
            ("2026-11-21t13:34:56.789456+01:00", Some(1_795_264_496_789)),
            ("2026-11-21 04:04:56.7-08:30", Some(1_795_264_496_700)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799_000)),
            ("0000-01-01T00:00:00Z", Some(-62_167_219_200_000)),
            ("1900-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-00-01T00:00:00Z", None),
            ("2026-04-31T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01T00:60:00Z", None),
            ("2026-01-01T00:00:61Z", None),
            ("2026-01-01T00:00:00", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01T00:00:00+0100", None),
            ("2026-01-01T00:00:00Z ", None),
            ("2026-1-1T00:00:00Z", None),
            ("2026-01-01", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("٢٠٢٦-01-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, millis) in rows {
            assert_eq!(parse(text), millis, "{text}");
        }
    }
}
