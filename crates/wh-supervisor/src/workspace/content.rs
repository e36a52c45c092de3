//! Where the content of one file stands in another.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is compared at once.
const PIECE: u64 = 64 << 10;
/// Longer than the line that says how much is missing.
const GAP_LINE: usize = 128;

/// Where in `whole` the first `length` bytes of `part` end. They stand at its end, at `from`, or behind the line that
/// begins at `from`.
pub(super) fn end_within(part: &File, length: u64, whole: &File, from: u64) -> io::Result<Option<u64>> {
    let size = whole.metadata()?.len();
    let starts = [size.checked_sub(length), Some(from), after_line(whole, from)?];
    for start in starts.into_iter().flatten().filter(|start| *start >= from && start + length <= size) {
        if is_same(part, length, whole, start)? {
            return Ok(Some(start + length));
        }
    }
    Ok(None)
}

fn after_line(file: &File, from: u64) -> io::Result<Option<u64>> {
    let mut bytes = [0; GAP_LINE];
    let read = file.read_at(&mut bytes, from)?;
    let end = bytes.iter().take(read).position(|byte| *byte == b'\n');
    Ok(end.map(|end| from + end as u64 + 1))
}

fn is_same(part: &File, length: u64, whole: &File, start: u64) -> io::Result<bool> {
    let mut at = 0;
    while at < length {
        let piece = usize::try_from(PIECE.min(length - at)).unwrap_or(usize::MAX);
        let (mut one, mut other) = (vec![0; piece], vec![0; piece]);
        part.read_exact_at(&mut one, at)?;
        whole.read_exact_at(&mut other, start + at)?;
        if one != other {
            return Ok(false);
        }
        at += piece as u64;
    }
    Ok(true)
}
