//! Standard input as lines: read on a thread of its own, handed on as soon as no more of it is there.

use super::input::{Digest, Identity, Input};
use serde_json::value::RawValue;
use std::io::{self, BufRead, BufReader, Read};
use tokio::sync::mpsc;
use wh_domain::task::Payload;
use wh_domain::worker::Protocol;

/// The longest line without its newline, in bytes.
pub(super) const LONGEST_LINE: usize = 8 << 20;
/// Lines that share a commit at most.
pub(super) const MOST_LINES: usize = 250;
/// Bytes that share a commit at most, but for the last line.
const MOST_BYTES: usize = 1 << 20;

/// A line: an input, or the index of a line that cannot be one and why.
pub(super) type Line = Result<Input, (u64, String)>;
/// Lines that came together.
pub(super) type Batch = Vec<Line>;

/// Begins to read. At most one batch waits to be taken while the next one is made.
pub(super) fn read_on_a_thread(
    source: impl Read + Send + 'static,
    protocol: Protocol,
) -> io::Result<mpsc::Receiver<io::Result<Batch>>> {
    let (sender, batches) = mpsc::channel(1);
    // Not joined: a read from a terminal ends when it likes, and the process need not wait for it.
    std::thread::Builder::new().name("lines".to_owned()).spawn(move || read(source, protocol, &sender))?;
    Ok(batches)
}

fn read(source: impl Read, protocol: Protocol, sender: &mpsc::Sender<io::Result<Batch>>) {
    let mut source = BufReader::with_capacity(64 << 10, source);
    let (mut batch, mut bytes, mut index) = (Batch::new(), 0, 0);
    loop {
        index += 1;
        match read_line(&mut source) {
            Ok(Some(Ok(line))) => {
                bytes += line.len();
                batch.push(input(index, line, protocol));
            }
            Ok(Some(Err(why))) => batch.push(Err((index, why))),
            Ok(None) => break,
            Err(error) => {
                // If nobody takes it, the map has ended already.
                sender.blocking_send(Ok(batch)).ok();
                sender.blocking_send(Err(error)).ok();
                return;
            }
        }
        let has_more = source.buffer().contains(&b'\n');
        if !has_more || batch.len() >= MOST_LINES || bytes >= MOST_BYTES {
            bytes = 0;
            if sender.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
                return;
            }
        }
    }
    if !batch.is_empty() {
        sender.blocking_send(Ok(batch)).ok();
    }
}

fn input(index: u64, line: Vec<u8>, protocol: Protocol) -> Line {
    let identity = Identity { index, digest: Digest::of(&line) };
    let payload = match protocol {
        Protocol::Raw => Payload::Bytes(line.into()),
        Protocol::Json | Protocol::Strict => Payload::Json(json(line).map_err(|why| (index, why))?),
    };
    Ok(Input { identity, payload })
}

/// The value as it is spelled, without the white space around it.
fn json(line: Vec<u8>) -> Result<Box<str>, String> {
    let text = String::from_utf8(line)
        .map_err(|error| format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))?;
    let value: &RawValue = serde_json::from_str(&text).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what);
        format!("it is no JSON value ({what}, at column {})", error.column())
    })?;
    Ok(value.get().into())
}

/// One line without its end, or why it is none; `None` at the end. Of a line that is too long the rest is skipped.
fn read_line(source: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, String>>> {
    let mut line = Vec::new();
    let most = LONGEST_LINE as u64 + 1;
    if source.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LONGEST_LINE {
        source.skip_until(b'\n')?;
        return Ok(Some(Err(format!("it is longer than {LONGEST_LINE} bytes"))));
    }
    Ok(Some(Ok(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(bytes: impl Read + Send + 'static, protocol: Protocol) -> Vec<Line> {
        let mut batches = read_on_a_thread(bytes, protocol).unwrap();
        std::iter::from_fn(|| batches.blocking_recv()).flat_map(Result::unwrap).collect()
    }

    fn bytes_of(line: &Line) -> &[u8] {
        line.as_ref().unwrap().payload.bytes()
    }

    #[test]
    fn every_line_is_an_input_empty_ones_too_and_the_last_one_needs_no_newline() {
        let lines = lines_of(&b"a\n\n\xff\x00\r\na"[..], Protocol::Raw);
        let bytes: Vec<&[u8]> = lines.iter().map(bytes_of).collect();
        assert_eq!(bytes, [&b"a"[..], b"", b"\xff\x00\r", b"a"]);
        let indexes: Vec<u64> = lines.iter().map(|line| line.as_ref().unwrap().identity.index).collect();
        assert_eq!(indexes, [1, 2, 3, 4]);
        assert_eq!(lines_of(&b""[..], Protocol::Raw), []);
        assert_eq!(lines_of(&b"\n"[..], Protocol::Raw).len(), 1);
    }

    #[test]
    fn a_line_of_the_longest_length_is_an_input_and_one_byte_more_is_refused_alone() {
        let mut bytes = vec![b'x'; LONGEST_LINE];
        bytes.push(b'\n');
        bytes.extend(vec![b'y'; LONGEST_LINE + 1]);
        bytes.extend(b"\nz");
        let lines = lines_of(io::Cursor::new(bytes), Protocol::Raw);
        assert_eq!(bytes_of(&lines[0]).len(), LONGEST_LINE);
        assert_eq!(lines[1], Err((2, "it is longer than 8388608 bytes".to_owned())));
        assert_eq!(bytes_of(&lines[2]), b"z");
    }

    #[test]
    fn a_value_keeps_its_spelling_and_what_is_no_value_is_told_with_its_place() {
        let lines = lines_of(&b" {\"b\": 1.0} \n{\n\n\xff\n"[..], Protocol::Json);
        assert_eq!(bytes_of(&lines[0]), b"{\"b\": 1.0}");
        let why: Vec<&str> = lines[1..].iter().map(|line| &*line.as_ref().unwrap_err().1).collect();
        assert_eq!(why[2], "it is not UTF-8 at byte 0");
        assert!(why[..2].iter().all(|why| why.starts_with("it is no JSON value (EOF")), "{why:?}");
    }

    #[test]
    fn what_is_there_is_handed_on_before_more_comes() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut batches = read_on_a_thread(reader, Protocol::Raw).unwrap();
        io::Write::write_all(&mut writer, b"first\n").unwrap();
        assert_eq!(batches.blocking_recv().unwrap().unwrap().len(), 1);
        drop(writer);
        assert!(batches.blocking_recv().is_none());
    }
}
