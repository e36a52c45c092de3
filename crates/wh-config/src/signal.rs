//! Signals by name, with the numbers Linux gives them.

/// Signals a worker can catch.
const SIGNALS: [(&str, i32); 18] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("TRAP", 5),
    ("ABRT", 6),
    ("USR1", 10),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("CONT", 18),
    ("TSTP", 20),
    ("URG", 23),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
];

/// Reads `USR1`, `SIGUSR1`, in any case, or `10`.
pub(crate) fn parse(text: &str) -> Option<i32> {
    let upper = text.trim().to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number: Option<i32> = name.parse().ok();
    SIGNALS.iter().find(|(known, value)| *known == name || number == Some(*value)).map(|(_, value)| *value)
}

/// The name of a signal that [`parse`] gave.
pub(crate) fn name(number: i32) -> &'static str {
    SIGNALS.iter().find(|(_, value)| *value == number).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_read_by_name_or_number_and_only_if_it_can_be_caught() {
        for text in ["USR1", "SIGUSR1", "sigusr1", "10", " usr1 "] {
            assert_eq!(parse(text), Some(10), "{text}");
        }
        for text in ["KILL", "SIGKILL", "9", "19", "STOP", "0", "-10", "", "SIG", "USR3", "99999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for (name_of, number) in SIGNALS {
            assert_eq!(name(number), name_of);
        }
    }
}
