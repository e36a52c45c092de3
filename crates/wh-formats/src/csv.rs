//! Comma-separated values, as RFC 4180 has them.

use crate::flaw::Flaw;
use crate::text::Checking;
use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use std::io::Read;

/// Counts quotation marks on their way: in a whole file they are even.
struct Counting<R> {
    file: Checking<R>,
    marks: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(room)?;
        let piece = room.get(..read).unwrap_or_default();
        for byte in piece {
            self.marks += u64::from(*byte == b'"');
        }
        Ok(read)
    }
}

/// Rows of as many fields each, at least one; text.
pub(crate) fn rows(file: impl Read) -> Result<(), Flaw> {
    let counting = Counting { file: Checking::new(file), marks: 0 };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(false).from_reader(counting);
    let (mut record, mut rows) = (ByteRecord::new(), 0_u64);
    loop {
        let read = reader.read_byte_record(&mut record);
        if let Some(flaw) = reader.get_mut().file.flaw.take() {
            return Err(flaw);
        }
        if !read.map_err(flaw)? {
            break;
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(Flaw::format("csv", "there is no row in it"));
    }
    if reader.get_ref().marks % 2 == 1 {
        return Err(Flaw::Incomplete("a quotation mark has no second one".to_owned()));
    }
    Ok(())
}

fn flaw(error: csv::Error) -> Flaw {
    match error.into_kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(0, |pos| pos.line());
            let fields = if len == 1 { "1 field" } else { &format!("{len} fields") };
            let why = format!("the row in line {line} has {fields}, and the first has {expected_len}");
            Flaw::format("csv", why)
        }
        ErrorKind::Io(error) => Flaw::Unreadable(error),
        other => Flaw::format("csv", format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_as_many_fields_and_every_quotation_mark_a_second_one() {
        let said = |text: &[u8]| rows(text).err().map(|flaw| flaw.to_string()).unwrap_or_default();
        for good in ["a,b\n1,2\n", "a\r\n1", "\"a, \"\"b\"\"\",2\n", "\"two\nlines\",2\n"] {
            assert_eq!(said(good.as_bytes()), "", "{good:?}");
        }
        assert_eq!(said(b""), "is no csv: there is no row in it");
        assert_eq!(said(b"a,b\n1,2\n1\n"), "is no csv: the row in line 3 has 1 field, and the first has 2");
        assert_eq!(said(b"a,b\n\xff,2\n"), "is no UTF-8 text: byte 4 is none");
        assert_eq!(said(b"a,b\n\0\0\0"), "is no text: byte 4 is NUL", "what was never written");
        assert_eq!(said(b"a,b\n1,\"two"), "breaks off: a quotation mark has no second one");
    }
}
