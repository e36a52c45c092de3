//! Text that cannot act on a terminal, a pager or a log reader.

use std::fmt::Write as _;

/// Whether a character could begin a line, move a cursor, start an escape sequence or turn the writing direction:
/// C0, DEL and C1 controls, line and paragraph separators, and the bidirectional controls.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` on one line, with every character that [`acts`] as an escape like `\n` or `\u{1b}`.
pub fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// The same for text that is JSON already: such a character stands within a string there, and becomes a JSON escape.
pub(crate) fn plain_json(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            // Writing to a String cannot fail.
            write!(line, "\\u{:04x}", u32::from(c)).unwrap_or_default();
        } else {
            line.push(c);
        }
    }
    line
}
