//! Reads YAML into a tree of places; refuses what hides meaning from the reader of a file.

use crate::assemble::{Entries, MOST_NESTING, Stopped, refuse_depth, too_deep};
use crate::report::Report;
use crate::source::At;
use crate::tree::{Node, Scalar, What};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput};

/// Reads one document. Mistakes that leave the shape of the file clear are reported and passed over.
pub(crate) fn read(text: &str, report: &mut Report) -> Result<Node, Stopped> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
        // Our own count is the bound that is told; these only keep the parser's state small.
        flow_nesting_limit: 2 * MOST_NESTING,
        block_nesting_limit: 2 * MOST_NESTING,
    };
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { events, report, whole: At::default(), read_to: 0 };
    reader.document()
}

struct Reader<'t, 'r> {
    events: Parser<'t, StrInput<'t>>,
    report: &'r mut Report,
    /// The place of a document without content.
    whole: At,
    /// The byte up to which everything has been read.
    read_to: usize,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<Node, Stopped> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    self.report.error(
                        at,
                        "a second document begins here",
                        "keep one document in a file: take out `---` and what follows it",
                    );
                    return Err(Stopped);
                }
                Event::DocumentStart(..) => {}
                event => root = Some(self.node(event, at, 0)?),
            }
        }
        let empty = || Node { at: self.whole, what: What::Scalar(Scalar::new("", self.whole, true)) };
        Ok(root.unwrap_or_else(empty))
    }

    fn next(&mut self) -> Result<(Event<'t>, At), Stopped> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.refuse_tag(&event, &span);
                let at = at(&span);
                self.read_to = self.read_to.max(at.end);
                Ok((event, at))
            }
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, self.whole)),
        }
    }

    fn node(&mut self, event: Event<'t>, at: At, depth: usize) -> Result<Node, Stopped> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.refuse_anchor(anchor)?;
                let plain = matches!(style, ScalarStyle::Plain);
                Ok(Node { at, what: What::Scalar(Scalar::new(&text, at, plain)) })
            }
            Event::SequenceStart(_, anchor, _) => {
                refuse_depth(at, depth, self.report)?;
                self.refuse_anchor(anchor)?;
                self.list(at, depth + 1)
            }
            Event::MappingStart(_, anchor, _) => {
                refuse_depth(at, depth, self.report)?;
                self.refuse_anchor(anchor)?;
                self.map(at, depth + 1)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.report.is_odd();
                self.report.error(
                    at,
                    "an alias points to another part of the file",
                    "write the value out here; aliases and anchors are not read",
                );
                Ok(Node { at, what: What::Broken })
            }
            _ => {
                let help = "look for a bracket or a quote that is never closed";
                self.report.error(at, "the file ends where a value should stand", help);
                Err(Stopped)
            }
        }
    }

    fn list(&mut self, start: At, depth: usize) -> Result<Node, Stopped> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let at = place(start, at, items.first().map(|item| item.at));
                return Ok(Node { at, what: What::List(items) });
            }
            items.push(self.node(event, at, depth)?);
        }
    }

    fn map(&mut self, start: At, depth: usize) -> Result<Node, Stopped> {
        let mut entries = Entries::default();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let entries = entries.finish();
                let at = place(start, at, entries.first().map(|entry| entry.key.at));
                return Ok(Node { at, what: What::Map(entries) });
            }
            let key = self.node(event, at, depth)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth)?;
            entries.add(key, value, self.read_to, self.report);
        }
    }

    /// An anchored node is followed at once by the event of its anchor.
    fn refuse_anchor(&mut self, anchor: usize) -> Result<(), Stopped> {
        if anchor == 0 {
            return Ok(());
        }
        let (_, at) = self.next()?;
        self.report.is_odd();
        self.report.error(
            at,
            "an anchor marks a value for use elsewhere",
            "take it out and write the value where it is needed; aliases and anchors are not read",
        );
        Ok(())
    }

    fn refuse_tag(&mut self, event: &Event<'_>, span: &Span) {
        if event.tag().is_some() {
            let at = span.tag_span().map_or(at(span), |tag| at(&tag));
            self.report.is_odd();
            self.report.error(
                at,
                "a tag gives a value a type",
                "take it out; types follow from the keys (quotes keep a text a text)",
            );
        }
    }

    fn syntax_error(&mut self, error: &ScanError) -> Stopped {
        let start = error.marker().byte_offset().unwrap_or(0);
        let at = At { source: 0, start, end: start };
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            // The parser looks ahead, so it may meet its own bound before we count to ours.
            return too_deep(at, self.report);
        }
        self.report.error(
            at,
            format!("this is no YAML: {}", error.kind()),
            "mend this first; the rest of the file could not be read; texts with `{`, `[`, `: ` or `#` in them, \
             `${NAME}` inside brackets among them, need quotes",
        );
        Stopped
    }
}

/// Where a map or list stands: from bracket to bracket, or what it begins with where it has none.
fn place(start: At, end: At, first: Option<At>) -> At {
    let has_brackets = start.end > start.start;
    match first {
        Some(first) if !has_brackets => first,
        _ => At { end: end.end.max(start.end), ..start },
    }
}

fn at(span: &Span) -> At {
    let range = span.byte_range().unwrap_or(0..0);
    At { source: 0, start: range.start, end: range.end }
}
