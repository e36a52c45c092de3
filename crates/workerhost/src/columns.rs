//! Texts in columns of a terminal, where some characters take two and some none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Ends a text that was cut. Two plain dots: other signs are wider on some terminals than on others.
const CUT: &str = "..";

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut where it takes more than so many columns.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(CUT));
    let (mut kept, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.extend(CUT.chars().take(columns));
    kept
}

/// The text in exactly so many columns: cut, or filled up with blanks.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut text = fit(text, columns);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&text))));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_the_columns_it_takes_and_says_so() {
        let rows = [
            ("order", 5, "order"),
            ("order", 4, "or.."),
            ("注文番号", 8, "注文番号"),
            ("注文番号", 7, "注文.."),
            ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"),
            ("order", 2, ".."),
            ("order", 1, "."),
            ("order", 0, ""),
        ];
        for (text, columns, shown) in rows {
            assert_eq!(fit(text, columns), shown, "{text} in {columns}");
        }
    }

    #[test]
    fn whatever_is_padded_takes_exactly_its_columns() {
        for text in ["", "a", "注文番号", "e\u{301}", "a long one"] {
            for columns in 0..12 {
                assert_eq!(width(&pad(text, columns)), columns, "{text} in {columns}");
            }
        }
    }
}
