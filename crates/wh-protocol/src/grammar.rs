//! One JSON object, checked byte by byte: RFC 8259 as a machine that can stop anywhere.

/// An object or array that is not closed yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Offset of its first byte from the outermost object's.
    pub(crate) start: usize,
    /// Whether it begins a line.
    pub(crate) at_line_start: bool,
    /// Whether the last member named `success` is a boolean.
    pub(crate) has_success: bool,
    is_object: bool,
}

/// Why [`Grammar::advance`] stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// All bytes were taken and the object goes on.
    Hungry,
    /// An object ended with the last byte taken; `depth` levels are still open around it.
    Closed { object: Frame, depth: usize },
    /// The first byte not taken cannot stand there. `after_string` tells whether the last byte taken ended a string.
    Broken { after_string: bool },
    /// The last byte taken opens one level too many.
    TooDeep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    KeyOrEnd,
    Key,
    Colon,
    Value,
    ValueOrEnd,
    CommaOrEnd,
    Text { is_key: bool },
    Escape { is_key: bool },
    Hex { left: u8, is_key: bool },
    Word(&'static [u8]),
    Number(Number),
}

/// What of a number has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Power,
    PowerSign,
    PowerDigits,
}

/// The machine. Begin with [`Grammar::begin`] once the opening brace was seen.
#[derive(Debug)]
pub(crate) struct Grammar {
    open: Vec<Frame>,
    expect: Expect,
    taken: usize,
    nesting: usize,
    /// How many letters of `success` the key has matched so far; `None` once it differs.
    matched: Option<usize>,
    /// Whether the value to come belongs to a key `success`.
    for_success: bool,
    after_newline: bool,
    after_string: bool,
}

const SUCCESS: &[u8] = b"success";

impl Grammar {
    /// A machine for objects of at most `nesting` levels.
    pub(crate) fn new(nesting: usize) -> Self {
        Self {
            open: Vec::new(),
            expect: Expect::KeyOrEnd,
            taken: 0,
            nesting,
            matched: None,
            for_success: false,
            after_newline: false,
            after_string: false,
        }
    }

    /// Begins an object whose opening brace has just been read.
    pub(crate) fn begin(&mut self) {
        self.open.clear();
        self.open.push(Frame { start: 0, at_line_start: false, has_success: false, is_object: true });
        self.expect = Expect::KeyOrEnd;
        self.taken = 1;
        self.for_success = false;
        self.after_newline = false;
        self.after_string = false;
    }

    /// Reads on until something is to be told; also says how many bytes it took.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> (usize, Stop) {
        let from = self.taken;
        let mut rest = bytes;
        loop {
            rest = self.skip_plain_text(rest);
            let Some((byte, after)) = rest.split_first() else { return (self.taken - from, Stop::Hungry) };
            match self.step(*byte) {
                Some(Stop::Broken { after_string }) => {
                    return (self.taken - from, Stop::Broken { after_string });
                }
                told => {
                    self.taken += 1;
                    self.after_newline = *byte == b'\n';
                    if let Some(stop) = told {
                        return (self.taken - from, stop);
                    }
                }
            }
            rest = after;
        }
    }

    /// Strings are the bulk of most results, so they are taken in one go up to the next byte that matters.
    fn skip_plain_text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Expect::Text { is_key } = self.expect else { return bytes };
        let plain = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(plain);
        if is_key && !text.is_empty() {
            self.matched =
                self.matched.and_then(|n| SUCCESS.get(n..)?.starts_with(text).then_some(n + text.len()));
        }
        self.taken += plain;
        rest
    }

    fn step(&mut self, byte: u8) -> Option<Stop> {
        let after_string = std::mem::take(&mut self.after_string);
        let broken = Some(Stop::Broken { after_string });
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.expect {
            Expect::Text { is_key } => self.text(byte, is_key),
            Expect::Escape { is_key } => self.escape(byte, is_key),
            Expect::Hex { left, is_key } => match (byte.is_ascii_hexdigit(), left) {
                (false, _) => broken,
                (true, 1) => self.then(Expect::Text { is_key }),
                (true, _) => self.then(Expect::Hex { left: left - 1, is_key }),
            },
            Expect::Word(rest) => match rest.split_first() {
                Some((expected, rest)) if *expected == byte => {
                    self.then(if rest.is_empty() { Expect::CommaOrEnd } else { Expect::Word(rest) })
                }
                _ => broken,
            },
            Expect::Number(number) => match number.next(byte) {
                Some(next) => self.then(Expect::Number(next)),
                None if number.may_end() => {
                    self.expect = Expect::CommaOrEnd;
                    self.step(byte)
                }
                None => broken,
            },
            _ if blank => None,
            Expect::KeyOrEnd | Expect::Key if byte == b'"' => {
                self.matched = Some(0);
                self.then(Expect::Text { is_key: true })
            }
            Expect::KeyOrEnd if byte == b'}' => self.close(),
            Expect::Colon if byte == b':' => self.then(Expect::Value),
            Expect::ValueOrEnd if byte == b']' => self.close(),
            Expect::Value | Expect::ValueOrEnd => self.value(byte),
            Expect::CommaOrEnd => match (byte, self.in_object()) {
                (b',', true) => self.then(Expect::Key),
                (b',', false) => self.then(Expect::Value),
                (b'}', true) | (b']', false) => self.close(),
                _ => Some(Stop::Broken { after_string }),
            },
            Expect::KeyOrEnd | Expect::Key | Expect::Colon => broken,
        }
    }

    fn then(&mut self, expect: Expect) -> Option<Stop> {
        self.expect = expect;
        None
    }

    fn text(&mut self, byte: u8, is_key: bool) -> Option<Stop> {
        match byte {
            b'"' => {
                self.after_string = true;
                if !is_key {
                    return self.then(Expect::CommaOrEnd);
                }
                self.for_success = self.matched == Some(SUCCESS.len());
                self.then(Expect::Colon)
            }
            b'\\' => {
                self.matched = None;
                self.then(Expect::Escape { is_key })
            }
            // `skip_plain_text` has taken everything else, so this is a bare control character.
            _ => Some(Stop::Broken { after_string: false }),
        }
    }

    fn escape(&mut self, byte: u8, is_key: bool) -> Option<Stop> {
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.then(Expect::Text { is_key }),
            b'u' => self.then(Expect::Hex { left: 4, is_key }),
            _ => Some(Stop::Broken { after_string: false }),
        }
    }

    fn value(&mut self, byte: u8) -> Option<Stop> {
        if std::mem::take(&mut self.for_success)
            && let Some(frame) = self.open.last_mut()
        {
            frame.has_success = matches!(byte, b't' | b'f');
        }
        match byte {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'"' => self.then(Expect::Text { is_key: false }),
            b't' => self.then(Expect::Word(b"rue")),
            b'f' => self.then(Expect::Word(b"alse")),
            b'n' => self.then(Expect::Word(b"ull")),
            b'-' => self.then(Expect::Number(Number::Minus)),
            b'0' => self.then(Expect::Number(Number::Zero)),
            b'1'..=b'9' => self.then(Expect::Number(Number::Whole)),
            _ => Some(Stop::Broken { after_string: false }),
        }
    }

    fn open(&mut self, is_object: bool) -> Option<Stop> {
        if self.open.len() >= self.nesting {
            return Some(Stop::TooDeep);
        }
        let frame =
            Frame { start: self.taken, at_line_start: self.after_newline, has_success: false, is_object };
        self.open.push(frame);
        self.then(if is_object { Expect::KeyOrEnd } else { Expect::ValueOrEnd })
    }

    fn close(&mut self) -> Option<Stop> {
        self.expect = Expect::CommaOrEnd;
        let frame = self.open.pop()?;
        frame.is_object.then_some(Stop::Closed { object: frame, depth: self.open.len() })
    }

    fn in_object(&self) -> bool {
        self.open.last().is_some_and(|frame| frame.is_object)
    }
}

impl Number {
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Power,
            (Self::Power, b'+' | b'-') => Self::PowerSign,
            (Self::Power | Self::PowerSign | Self::PowerDigits, b'0'..=b'9') => Self::PowerDigits,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::PowerDigits)
    }
}

/// Whether `object`, a text that begins with a brace, nests deeper than `nesting` levels.
pub(crate) fn is_too_deep(object: &[u8], nesting: usize) -> bool {
    let mut grammar = Grammar::new(nesting);
    grammar.begin();
    let mut rest = object.get(1..).unwrap_or_default();
    loop {
        match grammar.advance(rest) {
            (_, Stop::TooDeep) => return true,
            (taken, Stop::Closed { depth: 1.., .. }) => (_, rest) = rest.split_at(taken),
            _ => return false,
        }
    }
}
