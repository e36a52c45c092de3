//! Reads JSON into a tree of places. Whether it is JSON has been asked before; here it is only located.

use crate::assemble::{Entries, Stopped, refuse_depth};
use crate::report::Report;
use crate::source::At;
use crate::tree::{Node, Scalar, What};

/// Reads one text that is known to be JSON.
pub(crate) fn read(text: &str, report: &mut Report) -> Result<Node, Stopped> {
    Reader { text, next: 0, report }.node(0)
}

struct Reader<'t, 'r> {
    text: &'t str,
    /// The byte that is read next.
    next: usize,
    report: &'r mut Report,
}

impl Reader<'_, '_> {
    fn node(&mut self, depth: usize) -> Result<Node, Stopped> {
        let start = self.skip_space();
        match self.byte(start) {
            Some(b'{') => self.map(start, depth),
            Some(b'[') => self.list(start, depth),
            Some(b'"') => Ok(self.string(start)),
            _ => Ok(self.word(start)),
        }
    }

    fn map(&mut self, start: usize, depth: usize) -> Result<Node, Stopped> {
        refuse_depth(at(start, start + 1), depth, self.report)?;
        let mut entries = Entries::default();
        self.next = start + 1;
        while self.more(b'}') {
            let key = self.skip_space();
            let key = self.string(key);
            // The colon.
            self.next = self.skip_space() + 1;
            let value = self.node(depth + 1)?;
            entries.add(key, value, self.next, self.report);
        }
        Ok(Node { at: at(start, self.next), what: What::Map(entries.finish()) })
    }

    fn list(&mut self, start: usize, depth: usize) -> Result<Node, Stopped> {
        refuse_depth(at(start, start + 1), depth, self.report)?;
        let mut items = Vec::new();
        self.next = start + 1;
        while self.more(b']') {
            items.push(self.node(depth + 1)?);
        }
        Ok(Node { at: at(start, self.next), what: What::List(items) })
    }

    /// Passes a comma or the closing bracket; `false` after the latter and at the end.
    fn more(&mut self, close: u8) -> bool {
        let here = self.skip_space();
        match self.byte(here) {
            Some(byte) if byte == close => {
                self.next = here + 1;
                false
            }
            Some(b',') => {
                self.next = here + 1;
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    fn string(&mut self, start: usize) -> Node {
        let mut end = start + 1;
        while let Some(byte) = self.byte(end) {
            end += 1;
            match byte {
                b'"' => break,
                b'\\' => end += 1,
                _ => {}
            }
        }
        self.next = end;
        let place = at(start, end);
        let written = self.text.get(start..end).unwrap_or_default();
        let what = if let Ok(text) = serde_json::from_str::<String>(written) {
            What::Scalar(Scalar::new(&text, place, false))
        } else {
            // A lone surrogate passes where strings are only skipped over.
            self.report.error(
                place,
                "this text holds half a character",
                "write both halves, as in `\\ud83d\\ude00`",
            );
            What::Broken
        };
        Node { at: place, what }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, start: usize) -> Node {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c)).unwrap_or(rest.len());
        self.next = start + length;
        let place = at(start, self.next);
        let text = self.text.get(start..self.next).unwrap_or_default();
        Node { at: place, what: What::Scalar(Scalar::new(text, place, true)) }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Where the next sign stands.
    fn skip_space(&mut self) -> usize {
        while self.byte(self.next).is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.next += 1;
        }
        self.next
    }
}

fn at(start: usize, end: usize) -> At {
    At { source: 0, start, end }
}
