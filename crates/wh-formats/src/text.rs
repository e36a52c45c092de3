//! Text, and Markdown.

use crate::flaw::Flaw;
use std::io::{self, Read};

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;

/// Bytes that are UTF-8, and none of them NUL: that is what is left of what was never written.
pub(crate) fn utf8(file: impl Read) -> Result<(), Flaw> {
    let mut file = Checking::new(file);
    let mut bytes = vec![0; PIECE];
    loop {
        let read = file.read(&mut bytes);
        if let Some(flaw) = file.flaw.take() {
            return Err(flaw);
        }
        if read? == 0 {
            return Ok(());
        }
    }
}

/// Hands on what it reads for as long as that is text.
pub(crate) struct Checking<R> {
    file: R,
    /// The beginning of a character, until the rest of it comes.
    held: Vec<u8>,
    offset: u64,
    /// What is wrong, once something is: nothing is handed on from there.
    pub(crate) flaw: Option<Flaw>,
}

impl<R: Read> Checking<R> {
    pub(crate) const fn new(file: R) -> Self {
        Self { file, held: Vec::new(), offset: 0, flaw: None }
    }

    fn look_at(&mut self, piece: &[u8]) -> Result<(), Flaw> {
        let at_end = piece.is_empty();
        self.held.extend_from_slice(piece);
        let good = match std::str::from_utf8(&self.held) {
            Ok(_) => self.held.len(),
            // A character that is cut goes on with the next piece, if there is one.
            Err(error) if error.error_len().is_none() && !at_end => error.valid_up_to(),
            Err(error) => {
                let at = self.offset + error.valid_up_to() as u64;
                return Err(Flaw::format("UTF-8 text", format!("byte {at} is none")));
            }
        };
        if let Some(at) = self.held.iter().take(good).position(|byte| *byte == 0) {
            return Err(Flaw::format("text", format!("byte {} is NUL", self.offset + at as u64)));
        }
        self.held.drain(..good);
        self.offset += good as u64;
        Ok(())
    }
}

impl<R: Read> Read for Checking<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(room)?;
        match self.look_at(room.get(..read).unwrap_or_default()) {
            Ok(()) => Ok(read),
            Err(flaw) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, flaw.to_string());
                self.flaw = Some(flaw);
                Err(error)
            }
        }
    }
}

/// Text with something to read, in which no block of code is left open (CommonMark 0.31, 4.5 "Fenced code blocks").
pub(crate) fn markdown(bytes: &[u8]) -> Result<(), Flaw> {
    utf8(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    if text.trim().is_empty() {
        return Err(Flaw::format("markdown", "there is nothing to read in it"));
    }
    let mut open: Option<(Fence, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        match open {
            None => {
                open = Fence::of(without_marks(line)).filter(Fence::is_near).map(|fence| (fence, number + 1));
            }
            // What ends it may stand as deep as the list that it is in.
            Some((begun, _))
                if Fence::of(line.trim_start_matches(['>', ' '])).is_some_and(|it| it.closes(begun)) =>
            {
                open = None;
            }
            Some(_) => {}
        }
    }
    match open {
        Some((_, line)) => {
            Err(Flaw::Incomplete(format!("the block of code that begins in line {line} has no end")))
        }
        None => Ok(()),
    }
}

/// A line without the marks of the lists and quotations that it is in.
fn without_marks(line: &str) -> &str {
    let mut rest = line;
    loop {
        let text = rest.trim_start_matches(' ');
        let after = text.strip_prefix('>').or_else(|| {
            let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let mark = if digits.len() < text.len() {
                digits.strip_prefix(['.', ')'])
            } else {
                text.strip_prefix(['-', '*', '+'])
            };
            mark.filter(|rest| rest.starts_with(' '))
        });
        match after {
            Some(after) if rest.len() - text.len() <= 3 => rest = after,
            _ => return rest,
        }
    }
}

/// A line that begins or ends a block of code.
#[derive(Debug, Clone, Copy)]
struct Fence {
    /// How far it stands from the beginning of its line.
    depth: usize,
    mark: char,
    length: usize,
    /// Whether nothing follows, as it must at the end of a block.
    is_bare: bool,
}

impl Fence {
    fn of(line: &str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let rest = text.trim_start_matches(mark);
        let length = text.len() - rest.len();
        let is_fence = length >= 3 && !(mark == '`' && rest.contains('`'));
        is_fence.then(|| Self {
            depth: line.len() - text.len(),
            mark,
            length,
            is_bare: rest.trim().is_empty(),
        })
    }

    /// Whether it is no text that is code because it stands so deep.
    const fn is_near(&self) -> bool {
        self.depth <= 3
    }

    const fn closes(self, begun: Self) -> bool {
        self.is_bare && self.mark as u32 == begun.mark as u32 && self.length >= begun.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<(), Flaw>) -> String {
        result.err().map(|flaw| flaw.to_string()).unwrap_or_default()
    }

    #[test]
    fn text_is_utf8_without_nul_wherever_pieces_are_cut() {
        let long = "ü".repeat(PIECE) + "x" + &"€".repeat(PIECE);
        utf8(long.as_bytes()).unwrap();
        utf8(&b""[..]).unwrap();
        assert_eq!(said(utf8(&b"ab\xff"[..])), "is no UTF-8 text: byte 2 is none");
        assert_eq!(said(utf8(&"aü".as_bytes()[..2])), "is no UTF-8 text: byte 1 is none", "cut at its end");
        assert_eq!(said(utf8(&b"ab\0"[..])), "is no text: byte 2 is NUL");
        let mut late = long.into_bytes();
        late.push(0xff);
        let at = late.len() - 1;
        assert_eq!(said(utf8(&late[..])), format!("is no UTF-8 text: byte {at} is none"));
    }

    #[test]
    fn markdown_has_words_and_every_block_of_code_an_end() {
        for good in [
            "# A\n\ntext",
            "```rust\nlet x = 1;\n```\n",
            "~~~~\n~~~\n~~~~",
            "    ```\ncode by indent",
            "a ``` b",
            "- ```bash\n  npm i\n  ```\n\ndone",
            "1. a\n\n    ```sh\n    b\n    ```\n",
            "> ```\n> quoted\n> ```\n",
        ] {
            assert_eq!(said(markdown(good.as_bytes())), "", "{good:?}");
        }
        assert_eq!(said(markdown(b" \n\n")), "is no markdown: there is nothing to read in it");
        let open = "breaks off: the block of code that begins in line 2 has no end";
        for bad in ["a\n```\ncode", "a\n````\ncode\n```", "a\n```\n~~~", "a\n```\n``` more"] {
            assert_eq!(said(markdown(bad.as_bytes())), open, "{bad:?}");
        }
    }
}
