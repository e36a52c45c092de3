//! The streaming reader of standard output.

use super::bounds::{SiftBounds, Stray};
use super::found::{SiftFault, Sifted};
use super::meter::LineMeter;
use super::skim::{Skim, Skimmed};
use super::utf8::Utf8Watch;
use crate::grammar::{Frame, Grammar, Stop};
use crate::lines::{LOG_LINE, Line, LineFramer};
use std::ops::Range;

/// What the sifter is in the middle of.
#[derive(Debug)]
enum Within {
    /// Text outside any object.
    Text,
    /// An object; its bytes are in `held`.
    Object,
    /// An object that is too deep to be the result; its bytes have gone to the log.
    Deep(Skim),
}

/// What was found wrong so far, by kind, so that the answer does not depend on how the bytes were cut.
#[derive(Debug, Default)]
struct Faults {
    output_too_large: bool,
    line_too_long: bool,
    too_deep: bool,
    stray: Option<u64>,
}

/// The streaming reader. Feed it with [`Sifter::push`], end with [`Sifter::finish`].
#[derive(Debug)]
pub struct Sifter {
    stray: Stray,
    bounds: SiftBounds,
    within: Within,
    grammar: Grammar,
    /// How many bytes of a byte order mark at the very beginning have been seen; `None` once it cannot come.
    bom: Option<usize>,
    /// Offset of the next byte.
    at: u64,
    /// The object being read, and its offset.
    held: Vec<u8>,
    held_at: u64,
    /// Where in `held` an inner object stands that counts if the outer one never ends.
    spare: Option<Range<usize>>,
    result_at: u64,
    log: LineFramer,
    utf8: Utf8Watch,
    line: LineMeter,
    faults: Faults,
    examined: u64,
    sifted: Sifted,
}

/// A sink for log lines.
type Log<'a> = &'a mut dyn FnMut(Line<'_>);

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Sifter {
    /// A reader of one attempt's standard output.
    pub fn new(stray: Stray, bounds: SiftBounds) -> Self {
        Self {
            stray,
            bounds,
            within: Within::Text,
            grammar: Grammar::new(usize::try_from(bounds.nesting).unwrap_or(usize::MAX)),
            bom: Some(0),
            at: 0,
            held: Vec::new(),
            held_at: 0,
            spare: None,
            result_at: 0,
            log: LineFramer::new(LOG_LINE),
            utf8: Utf8Watch::default(),
            line: LineMeter::default(),
            faults: Faults::default(),
            examined: 0,
            sifted: Sifted::default(),
        }
    }

    /// Takes the next bytes, cut anywhere. Lines of stray text go to `log` as soon as they are known to be stray.
    pub fn push(&mut self, chunk: &[u8], log: &mut dyn FnMut(Line<'_>)) {
        let room = self.bounds.total.saturating_sub(self.sifted.total_bytes);
        let (kept, over) = chunk.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len()));
        self.sifted.total_bytes += chunk.len() as u64;
        self.utf8.push(kept);
        let text = self.skip_bom(kept, log);
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            self.piece(piece, log);
        }
        if !over.is_empty() {
            self.faults.output_too_large = true;
            self.abandon(log);
        }
    }

    /// What is wrong so far, for a host that ends a worker which writes too much.
    pub fn fault(&self) -> Option<SiftFault> {
        self.worst(self.utf8.bad())
    }

    /// Bytes held in memory: the result so far, the object being read and the unfinished log line.
    pub fn held(&self) -> usize {
        self.held.len() + self.log.held() + self.sifted.result.as_ref().map_or(0, String::len)
    }

    /// How often a byte was looked at: at most three times for each byte pushed, whatever they are.
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Ends the stream and tells what it held.
    pub fn finish(mut self, log: &mut dyn FnMut(Line<'_>)) -> Sifted {
        self.sifted.unfinished = !matches!(self.within, Within::Text);
        self.abandon(log);
        self.log.finish(skip_blank(log));
        self.sifted.fault = self.worst(self.utf8.finish());
        self.sifted
    }

    fn worst(&self, not_utf8: Option<u64>) -> Option<SiftFault> {
        let Faults { output_too_large, line_too_long, too_deep, stray } = self.faults;
        let SiftBounds { line, total, nesting } = self.bounds;
        None.or(output_too_large.then_some(SiftFault::OutputTooLarge { limit: total }))
            .or(line_too_long.then_some(SiftFault::LineTooLong { limit: line }))
            .or(not_utf8.map(|offset| SiftFault::NotUtf8 { offset }))
            .or(too_deep.then_some(SiftFault::TooDeep { limit: nesting }))
            .or(stray.map(|offset| SiftFault::StrayOutput { offset }))
    }

    /// The text without a byte order mark at the very beginning of the stream.
    fn skip_bom<'a>(&mut self, text: &'a [u8], log: Log<'_>) -> &'a [u8] {
        let (Some(seen), false) = (self.bom, text.is_empty()) else { return text };
        let expected = BOM.get(seen..).unwrap_or_default();
        let more = text.iter().zip(expected).take_while(|(byte, mark)| byte == mark).count();
        self.bom = (more == text.len() && seen + more < BOM.len()).then_some(seen + more);
        if self.bom.is_some() || seen + more == BOM.len() {
            self.at += more as u64;
            return text.get(more..).unwrap_or_default();
        }
        // It only began like one.
        self.at -= seen as u64;
        self.piece(BOM.get(..seen).unwrap_or_default(), log);
        text
    }

    /// One line, or the part of one that has arrived.
    fn piece(&mut self, piece: &[u8], log: Log<'_>) {
        let (fits, over) = piece.split_at(self.line.measure(piece, self.bounds.line));
        self.sift(fits, log);
        if over.is_empty() {
            return;
        }
        self.faults.line_too_long = true;
        self.abandon(log);
        self.note_stray(over, self.at, log);
        self.at += over.len() as u64;
    }

    fn sift(&mut self, mut rest: &[u8], log: Log<'_>) {
        while !rest.is_empty() {
            let taken = match &mut self.within {
                Within::Text => self.read_text(rest, log),
                Within::Object => self.read_object(rest, log),
                Within::Deep(skim) => {
                    let (taken, how) = skim.advance(rest);
                    if how != Skimmed::Hungry {
                        self.within = Within::Text;
                    }
                    self.note_stray(rest.get(..taken).unwrap_or_default(), self.at, log);
                    taken
                }
            };
            self.examined += taken as u64;
            self.at += taken as u64;
            (_, rest) = rest.split_at(taken);
        }
    }

    fn read_text(&mut self, rest: &[u8], log: Log<'_>) -> usize {
        let brace = rest.iter().position(|byte| *byte == b'{');
        let (text, _) = rest.split_at(brace.unwrap_or(rest.len()));
        self.note_stray(text, self.at, log);
        if brace.is_some() {
            self.begin_object(self.at + text.len() as u64);
        }
        text.len() + usize::from(brace.is_some())
    }

    fn begin_object(&mut self, at: u64) {
        self.grammar.begin();
        self.held.push(b'{');
        self.held_at = at;
        self.within = Within::Object;
    }

    fn read_object(&mut self, rest: &[u8], log: Log<'_>) -> usize {
        let (taken, stop) = self.grammar.advance(rest);
        self.held.extend_from_slice(rest.get(..taken).unwrap_or_default());
        match stop {
            Stop::Hungry => {}
            Stop::Closed { object, depth: 0 } => self.outermost_closed(object, log),
            Stop::Closed { object, .. } => self.inner_closed(object),
            Stop::Broken { after_string } => self.broken(after_string, log),
            Stop::TooDeep => {
                self.faults.too_deep = true;
                self.release(log);
                // The level that was one too many is open as well.
                let depth = usize::try_from(self.bounds.nesting).unwrap_or(usize::MAX).saturating_add(1);
                self.within = Within::Deep(Skim::new(depth));
            }
        }
        taken
    }

    fn outermost_closed(&mut self, object: Frame, log: Log<'_>) {
        self.spare = object.has_success.then_some(0..self.held.len());
        self.abandon(log);
    }

    fn inner_closed(&mut self, object: Frame) {
        if !object.at_line_start {
            return;
        }
        if object.has_success {
            self.spare = Some(object.start..self.held.len());
        } else if self.spare.as_ref().is_some_and(|spare| spare.start > object.start) {
            self.spare = None;
        }
    }

    fn broken(&mut self, after_string: bool, log: Log<'_>) {
        // The byte that broke it will be looked at again.
        self.examined += 1;
        let brace = if after_string { brace_before_quote(&self.held) } else { None };
        let Some(brace) = brace else { return self.abandon(log) };
        let again = self.held.split_off(brace);
        let again_at = self.held_at + brace as u64;
        self.abandon(log);
        self.begin_object(again_at);
        // A brace, blanks and a quote begin any object, so the machine takes them all.
        let inside = again.get(1..).unwrap_or_default();
        let (taken, _) = self.grammar.advance(inside);
        self.held.extend_from_slice(inside);
        self.examined += taken as u64;
    }

    /// Ends the object being read: takes the part of it that counts, and hands the rest to the log.
    fn abandon(&mut self, log: Log<'_>) {
        self.within = Within::Text;
        let Some(spare) = self.spare.take() else { return self.release(log) };
        let behind = self.held.split_off(spare.end);
        let text = self.held.split_off(spare.start);
        let text_at = self.held_at + spare.start as u64;
        let behind_at = self.held_at + spare.end as u64;
        self.release(log);
        match String::from_utf8(text) {
            Ok(text) => self.accept(text, text_at, log),
            Err(error) => self.note_stray(error.as_bytes(), text_at, log),
        }
        self.note_stray(&behind, behind_at, log);
    }

    /// Hands the held bytes to the log.
    fn release(&mut self, log: Log<'_>) {
        let held = std::mem::take(&mut self.held);
        self.spare = None;
        self.note_stray(&held, self.held_at, log);
    }

    fn accept(&mut self, text: String, at: u64, log: Log<'_>) {
        // The text before the result and the text behind it are two lines of the log.
        self.log.finish(skip_blank(log));
        self.faults.too_deep = false;
        self.sifted.results += 1;
        let earlier_at = std::mem::replace(&mut self.result_at, at);
        if let Some(earlier) = self.sifted.result.replace(text) {
            self.note_stray(earlier.as_bytes(), earlier_at, log);
            self.log.finish(skip_blank(log));
        }
    }

    fn note_stray(&mut self, bytes: &[u8], at: u64, log: Log<'_>) {
        let mut visible = bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
        if let Some((first, _)) = visible.next() {
            self.sifted.stray_bytes += 1 + visible.count() as u64;
            if self.stray == Stray::Forbidden {
                self.faults.stray.get_or_insert(at + first as u64);
            }
        }
        self.log.push(bytes, skip_blank(log));
    }
}

fn skip_blank(log: Log<'_>) -> impl FnMut(Line<'_>) {
    |line| {
        if !line.is_blank() {
            log(line);
        }
    }
}

/// Where the brace stands in text that ends with a brace, any number of spaces, and a quote.
fn brace_before_quote(text: &[u8]) -> Option<usize> {
    let before = text.strip_suffix(b"\"")?;
    let brace = before.iter().rposition(|byte| *byte != b' ')?;
    (before.get(brace) == Some(&b'{')).then_some(brace)
}
