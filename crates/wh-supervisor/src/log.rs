//! The attempt's log: every line goes to whoever listens, to its file if it has one, and the last ones are kept.

use crate::redact::Redactor;
use crate::workspace::logfile::LogFile;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::event::LogLine;
use wh_ports::runner::{Listener, Said};
use wh_protocol::lines::{LOG_LINE, Line, LineFramer};
use wh_protocol::rate::RateLimit;

/// How much of a log's end stands in the termination record, in bytes.
pub(crate) const MAX_TAIL: usize = 8 << 10;

/// A log that is being written.
pub(crate) struct Log {
    listener: Listener,
    rate: RateLimit,
    file: Option<LogFile>,
    /// What has not been written to the file yet; flushed after each reading.
    pending: String,
    /// At least the last [`MAX_TAIL`] bytes, at most twice as many.
    tail: String,
    stderr: LineFramer,
    redactor: Arc<Redactor>,
}

impl Log {
    /// A log without secrets that passes on at most `lines_per_second` lines to `listener`; the file gets all.
    pub(crate) fn new(
        (listener, redactor): (Listener, Arc<Redactor>),
        lines_per_second: u32,
        file: Option<LogFile>,
    ) -> Self {
        Self {
            listener,
            redactor,
            rate: RateLimit::new(lines_per_second),
            file,
            pending: String::new(),
            tail: String::new(),
            stderr: LineFramer::new(LOG_LINE),
        }
    }

    /// Takes a piece of standard error.
    pub(crate) fn stderr(&mut self, bytes: &[u8], now: Duration) {
        let mut framer = std::mem::replace(&mut self.stderr, LineFramer::new(LOG_LINE));
        framer.push(bytes, |line| self.line(None, line, now));
        self.stderr = framer;
    }

    /// Ends standard error, where a last line may lack its end.
    pub(crate) fn end_stderr(&mut self, now: Duration) {
        let mut framer = std::mem::replace(&mut self.stderr, LineFramer::new(LOG_LINE));
        framer.finish(|line| self.line(None, line, now));
    }

    /// Takes a line of bytes.
    pub(crate) fn line(&mut self, level: Option<&str>, line: Line<'_>, now: Duration) {
        let redactor = Arc::clone(&self.redactor);
        if line.lost == 0 {
            return self.write(level, &redactor.hide(&line.log_text()), now);
        }
        // How much was cut off is said behind what is kept.
        let text = line.log_text();
        let (kept, rest) = text.rsplit_once(" [").unwrap_or((&text, ""));
        self.write(level, &format!("{} [{rest}", redactor.hide_cut(kept)), now);
    }

    /// Takes a line of text.
    pub(crate) fn text(&mut self, level: Option<&str>, text: &str, now: Duration) {
        let redactor = Arc::clone(&self.redactor);
        self.write(level, &redactor.hide(text), now);
    }

    /// What takes secrets out of it.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.redactor)
    }

    fn write(&mut self, level: Option<&str>, text: &str, now: Duration) {
        let start = self.pending.len();
        if let Some(level) = level {
            self.pending.push_str(level);
            self.pending.push_str(": ");
        }
        // One record, one line, whatever the text holds.
        self.pending.extend(text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
        self.pending.push('\n');
        self.tail.push_str(self.pending.get(start..).unwrap_or_default());
        self.trim();
        if self.file.is_none() {
            self.pending.clear();
        }
        if self.rate.admit(now) {
            let line = LogLine { level: level.map(Box::from), message: text.into() };
            (self.listener)(Said::Log(line));
        }
    }

    /// Tells the listener something that is no line of the log.
    pub(crate) fn tell(&self, said: Said) {
        (self.listener)(said);
    }

    /// Writes what has been taken to the file.
    pub(crate) fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && !self.pending.is_empty()
        {
            file.append(self.pending.as_bytes());
            self.pending.clear();
        }
    }

    /// How many lines the listener was not told.
    pub(crate) fn untold(&self) -> u64 {
        self.rate.dropped()
    }

    /// Ends the log: its last lines, at most [`MAX_TAIL`] bytes of them, and its file.
    pub(crate) fn finish(mut self) -> (Box<str>, Option<LogFile>) {
        self.flush();
        let from = self.tail.len().saturating_sub(MAX_TAIL);
        (last_lines(&self.tail, from).into(), self.file)
    }

    fn trim(&mut self) {
        if self.tail.len() > 2 * MAX_TAIL {
            let from = self.tail.len() - MAX_TAIL;
            self.tail = last_lines(&self.tail, from).to_owned();
        }
    }
}

/// What stands from byte `from` on, without the line that `from` cuts, unless it is the only one.
fn last_lines(text: &str, from: usize) -> &str {
    if from == 0 {
        return text;
    }
    let bytes = text.as_bytes();
    let cut_at = |at: usize| text.get(text.ceil_char_boundary(at)..).unwrap_or_default();
    match bytes.get(from - 1..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        Some(end) if from + end < text.len() => cut_at(from + end),
        Some(_) | None => cut_at(from),
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use std::sync::Mutex;

    fn log() -> (Log, Arc<Mutex<Vec<Said>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let listener: Listener = Arc::new(move |word| heard.lock().unwrap().push(word));
        (Log::new((listener, Arc::default()), 1_000, None), said)
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_record_is_one_line_whatever_it_holds() {
        let (mut log, said) = log();
        log.text(Some("ERROR"), "a\nfake: line\r\n", NOW);
        assert_eq!(said.lock().unwrap().len(), 1);
        assert_eq!(&*log.finish().0, "ERROR: a fake: line  \n");
    }

    #[test]
    fn the_tail_is_whole_lines_within_its_bound() {
        let (mut log, _) = log();
        for number in 0..5_000 {
            log.text(None, &format!("line {number} ééé"), NOW);
        }
        let (tail, _) = log.finish();
        assert!(tail.len() <= MAX_TAIL && tail.len() > MAX_TAIL - 40, "{}", tail.len());
        assert!(tail.starts_with("line ") && tail.ends_with("line 4999 ééé\n"), "{tail}");
    }

    #[test]
    fn a_line_longer_than_the_tail_shows_its_end() {
        let (mut log, _) = log();
        log.text(None, &"é".repeat(MAX_TAIL), NOW);
        let (tail, _) = log.finish();
        assert!(tail.len() <= MAX_TAIL && tail.len() >= MAX_TAIL - 1, "{}", tail.len());
    }

    #[test]
    fn the_listener_is_told_a_thousand_lines_a_second_and_the_rest_is_counted() {
        let (mut log, said) = log();
        log.stderr("x\n".repeat(1_234).as_bytes(), NOW);
        log.end_stderr(NOW);
        assert_eq!(said.lock().unwrap().len(), 1_000);
        assert_eq!(log.untold(), 234);
    }
}
