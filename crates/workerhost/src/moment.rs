//! Moments as text.

use wh_domain::time::Timestamp;

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    // Beyond jiff's years no calendar is of use; the number says as much.
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.as_millis().to_string(), |moment| format!("{moment:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_rfc_3339_with_milliseconds_however_far_they_lie() {
        assert_eq!(rfc3339(Timestamp::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Timestamp::from_millis(1_763_728_496_789)), "2025-11-21T12:34:56.789Z");
        assert_eq!(rfc3339(Timestamp::from_millis(i64::MAX)), i64::MAX.to_string());
    }
}
