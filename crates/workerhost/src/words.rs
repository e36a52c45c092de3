//! How things are told to people.

use std::time::Duration;
use wh_domain::attempt::Progress;

/// A duration as people say it: two units at most.
pub(crate) fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Progress in a few characters.
pub(crate) fn progress(progress: &Progress) -> String {
    let share = match (progress.current, progress.total, progress.percent) {
        (Some(current), Some(total), _) => format!("{current}/{total}"),
        (Some(current), None, _) => format!("{current}"),
        (None, _, Some(percent)) => format!("{percent:.0} %"),
        (None, _, None) => String::new(),
    };
    match progress.message.as_deref() {
        Some(message) if share.is_empty() => message.to_owned(),
        Some(message) => format!("{share} {message}"),
        None => share,
    }
}

/// A number of bytes in the unit that fits it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = count as f64;
    let mut unit = None;
    for next in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = Some(next);
    }
    unit.map_or_else(|| some(count, "byte"), |unit| format!("{size:.1} {unit}"))
}

/// "1 task", "2 tasks".
pub(crate) fn some(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units_at_most() {
        let rows = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_500, "1.5 s"),
            (61_000, "1 min 1 s"),
            (3_661_000, "1 h 1 min"),
            (90_061_000, "1 d 1 h"),
        ];
        for (millis, words) in rows {
            assert_eq!(lasting(Duration::from_millis(millis)), words);
        }
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        let rows = [
            (1, "1 byte"),
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            (1_536 << 20, "1.5 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ];
        for (count, words) in rows {
            assert_eq!(bytes(count), words);
        }
    }

    #[test]
    fn progress_is_told_with_what_is_known() {
        let told = |current, total, percent, message: Option<&str>| {
            progress(&Progress { current, total, percent, message: message.map(Into::into) })
        };
        assert_eq!(told(Some(3.0), Some(10.0), Some(30.0), Some("page")), "3/10 page");
        assert_eq!(told(Some(3.0), None, None, None), "3");
        assert_eq!(told(None, None, Some(55.4), None), "55 %");
        assert_eq!(told(None, None, None, Some("busy")), "busy");
    }
}
