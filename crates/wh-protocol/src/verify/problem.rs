//! What a worker did wrong.

/// What was seen, and what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) got: String,
    pub(super) mend: &'static str,
}

/// A problem, as an error.
pub(super) fn problem<T>(got: impl Into<String>, mend: &'static str) -> Result<T, Problem> {
    Err(Problem { got: got.into(), mend })
}

/// A text for people: one line of at most 300 characters, with nothing in it that moves a cursor.
pub(super) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 300;
    // No character is longer than four bytes, so these hold all that can be shown.
    let head = bytes.get(..bytes.len().min(4 * MOST + 4)).unwrap_or_default();
    let text = String::from_utf8_lossy(head.trim_ascii_end());
    let mut line = String::new();
    for c in text.chars().take(MOST) {
        match c {
            '"' | '\'' | '\\' => line.push(c),
            _ => line.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}
