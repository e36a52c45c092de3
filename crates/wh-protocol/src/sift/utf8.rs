//! Where a stream of bytes stops being UTF-8.

/// Watches a stream that comes in any cut for the first byte that is no UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Utf8Watch {
    /// An unfinished character at the end of what was seen: at most three bytes.
    open: Vec<u8>,
    /// Bytes before `open`.
    seen: u64,
    bad: Option<u64>,
}

impl Utf8Watch {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut chunk: &[u8]) {
        while self.bad.is_none() && !self.open.is_empty() {
            let Some((first, rest)) = chunk.split_first() else { return };
            self.open.push(*first);
            chunk = rest;
            let open = std::mem::take(&mut self.open);
            self.judge(&open);
        }
        if self.bad.is_none() {
            self.judge(chunk);
        }
    }

    /// The offset of the first bad byte, so far.
    pub(crate) fn bad(&self) -> Option<u64> {
        self.bad
    }

    /// The same at the end of the stream, where an unfinished character is bad too.
    pub(crate) fn finish(&self) -> Option<u64> {
        self.bad.or((!self.open.is_empty()).then_some(self.seen))
    }

    fn judge(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(_) => self.seen += bytes.len() as u64,
            Err(error) => {
                let (good, rest) = bytes.split_at(error.valid_up_to());
                self.seen += good.len() as u64;
                match error.error_len() {
                    Some(_) => self.bad = Some(self.seen),
                    None => self.open = rest.to_vec(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8Watch;

    #[test]
    fn every_cut_finds_the_same_bad_byte() {
        let rows: [(&[u8], Option<u64>); 8] = [
            (b"plain", None),
            ("žluťoučký 🐎".as_bytes(), None),
            (b"ab\xff", Some(2)),
            (b"ab\xc3", Some(2)),
            (b"ab\xf0\x9f\x90", Some(2)),
            (b"ab\xf0\x9f\x90x", Some(2)),
            (b"\xed\xa0\x80", Some(0)),
            (b"\xc0\xaf", Some(0)),
        ];
        for (bytes, bad) in rows {
            for cut in 1..=bytes.len() {
                let mut watch = Utf8Watch::default();
                bytes.chunks(cut).for_each(|chunk| watch.push(chunk));
                assert_eq!(watch.finish(), bad, "{bytes:x?} in pieces of {cut}");
            }
        }
    }
}
