//! A text with its name: turns byte ranges into lines and columns, and hides what must not be shown.

use crate::problem::Place;
use crate::secret;
use std::ops::Range;

/// The most characters shown before, at and after the place that is meant, each.
const MOST_SHOWN: usize = 100;

/// A range of bytes in one of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At {
    /// Position in the list of sources; 0 is the file.
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A text that values come from.
pub(crate) struct Source {
    pub(crate) name: String,
    text: String,
    line_starts: Vec<usize>,
    /// Byte ranges that are never shown, in order and apart from each other.
    masks: Vec<Range<usize>>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(line_ends(text));
        let mut source =
            Self { name: name.to_owned(), text: text.to_owned(), line_starts, masks: Vec::new() };
        source.hide(secret::inside(text));
        source
    }

    /// Hides ranges of bytes from everything that is shown.
    pub(crate) fn hide(&mut self, ranges: impl IntoIterator<Item = Range<usize>>) {
        let mut all = std::mem::take(&mut self.masks);
        all.extend(ranges);
        all.sort_by_key(|range| range.start);
        for range in all {
            match self.masks.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => self.masks.push(range),
            }
        }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text between two bytes; empty where these are no character bounds.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= byte)
    }

    /// The place of a range. A range over several lines is cut at the end of its first.
    pub(crate) fn place(&self, range: Range<usize>) -> Place {
        let start = range.start.min(self.text.len());
        let line = self.line(start);
        let line_start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let next = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let line_end = line_start + self.slice(line_start..next).trim_end_matches(['\n', '\r']).len();
        let end = range.end.clamp(start, line_end.max(start));
        let before = self.shown_before(line_start..start);
        let meant = self.shown(start..end);
        let after = self.shown(end..line_end.max(end));
        Place {
            file: self.name.clone(),
            line,
            column: self.slice(line_start..start).chars().count() + 1,
            length: self.slice(start..end).chars().count().max(1),
            highlight: before.len()..before.len() + meant.len(),
            text: format!("{before}{meant}{after}"),
        }
    }

    /// The last characters of a range.
    fn shown_before(&self, range: Range<usize>) -> String {
        match self.slice(range.clone()).char_indices().rev().nth(MOST_SHOWN) {
            Some((cut, c)) => format!("…{}", self.redacted(range.start + cut + c.len_utf8()..range.end)),
            None => self.redacted(range),
        }
    }

    /// The first characters of a range.
    fn shown(&self, range: Range<usize>) -> String {
        match self.slice(range.clone()).char_indices().nth(MOST_SHOWN) {
            Some((cut, _)) => format!("{}…", self.redacted(range.start..range.start + cut)),
            None => self.redacted(range),
        }
    }

    /// The text of a range with every hidden part replaced.
    fn redacted(&self, range: Range<usize>) -> String {
        let first = self.masks.partition_point(|mask| mask.end <= range.start);
        let (mut out, mut from) = (String::new(), range.start);
        for mask in self.masks.iter().skip(first).take_while(|mask| mask.start < range.end) {
            out.push_str(self.slice(from..mask.start.max(from)));
            out.push_str(secret::REDACTED);
            from = mask.end.min(range.end);
        }
        out.push_str(self.slice(from..range.end.max(from)));
        out
    }
}

/// Where lines begin after the first: `\n`, `\r\n` and `\r` alone all end one.
fn line_ends(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter_map(move |(at, byte)| match byte {
        b'\n' => Some(at + 1),
        b'\r' if bytes.get(at + 1) != Some(&b'\n') => Some(at + 1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_in_every_usual_way() {
        let source = Source::new("f", "ä: 1\r\nbé: 2\rc: 3\nd");
        let check = |needle: &str, line: usize, column: usize| {
            let start = source.text.find(needle).unwrap();
            let place = source.place(start..start + needle.len());
            assert_eq!((place.line, place.column), (line, column), "{needle}");
            assert_eq!(place.text.get(place.highlight), Some(needle));
        };
        check("1", 1, 4);
        check("2", 2, 5);
        check("3", 3, 4);
        check("d", 4, 1);
    }

    #[test]
    fn a_very_long_line_is_cut_around_its_place() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let place = Source::new("f", &text).place(5_000..5_001);
        assert_eq!(place.column, 5_001);
        assert_eq!(place.text.chars().count(), 2 * MOST_SHOWN + 3);
        assert_eq!(place.text.get(place.highlight), Some("X"));
    }

    #[test]
    fn what_is_hidden_is_never_part_of_a_place() {
        let mut source = Source::new("f", "{api_key: hunter2, b: c}");
        source.hide(Some(10..17));
        let place = source.place(19..20);
        assert_eq!(place.text, "{api_key: <redacted>, b: c}");
        assert_eq!(place.column, 20);
        assert_eq!(place.text.get(place.highlight), Some("b"));
        assert!(!source.place(12..14).text.contains("hunter"));
    }
}
