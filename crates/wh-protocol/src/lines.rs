//! Lines out of bytes that come in any cut, never holding more than one bounded line.

/// The longest log line that is kept, in bytes; the rest of a longer one is dropped and counted.
pub const LOG_LINE: usize = 8 * 1024;

/// One line, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes, at most the framer's bound.
    pub bytes: &'a [u8],
    /// How many more bytes it had; 0 for a whole line.
    pub lost: u64,
}

impl Line<'_> {
    /// Whether it is whole and holds nothing but blanks.
    pub fn is_blank(&self) -> bool {
        self.lost == 0 && self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// The line for a log: what is no UTF-8 replaced by U+FFFD, what was cut off named at the end.
    pub fn log_text(&self) -> String {
        if self.lost == 0 {
            return String::from_utf8_lossy(self.bytes).into_owned();
        }
        // A character that the cut went through is not the worker's mistake.
        let whole = match std::str::from_utf8(self.bytes) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.bytes.len(),
        };
        let kept = self.bytes.get(..whole).unwrap_or(self.bytes);
        let lost = self.lost + (self.bytes.len() - whole) as u64;
        format!("{} [{lost} more bytes]", String::from_utf8_lossy(kept))
    }
}

/// Cuts bytes into lines at LF; a CR before the LF, or before the end of the stream, belongs to the line end.
///
/// A line longer than the bound is given once, at its end, with the count of what was dropped: reading goes on
/// whatever a worker writes.
#[derive(Debug)]
pub struct LineFramer {
    bound: usize,
    held: Vec<u8>,
    /// Bytes of the unfinished line that are not in `held`.
    lost: u64,
    /// Whether the last byte was a CR, which may belong to the line end.
    ends_in_cr: bool,
}

impl LineFramer {
    /// A framer for lines of at most `bound` bytes.
    pub fn new(bound: usize) -> Self {
        Self { bound, held: Vec::new(), lost: 0, ends_in_cr: false }
    }

    /// Takes the next bytes and hands out every line that ends in them.
    pub fn push(&mut self, chunk: &[u8], mut line: impl FnMut(Line<'_>)) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                // The usual case, a whole line in one piece, needs no copy.
                Some(body) if self.is_idle() && body.len() <= self.bound => {
                    line(Line { bytes: body.strip_suffix(b"\r").unwrap_or(body), lost: 0 });
                }
                Some(body) => {
                    self.take(body);
                    self.end(&mut line);
                }
                None => self.take(piece),
            }
        }
    }

    /// Hands out what is left when the stream ends, or where a line is to be broken on purpose.
    pub fn finish(&mut self, mut line: impl FnMut(Line<'_>)) {
        if !self.is_idle() {
            self.end(&mut line);
        }
    }

    /// Bytes held for the unfinished line.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn is_idle(&self) -> bool {
        self.held.is_empty() && self.lost == 0
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let (fits, over) = bytes.split_at((self.bound - self.held.len()).min(bytes.len()));
        self.held.extend_from_slice(fits);
        self.lost += over.len() as u64;
        self.ends_in_cr = *last == b'\r';
    }

    fn end(&mut self, line: &mut impl FnMut(Line<'_>)) {
        match (std::mem::take(&mut self.ends_in_cr), self.lost) {
            (true, 0) => drop(self.held.pop()),
            (true, 1..) => self.lost -= 1,
            (false, _) => {}
        }
        line(Line { bytes: &self.held, lost: self.lost });
        self.held.clear();
        self.lost = 0;
    }
}
