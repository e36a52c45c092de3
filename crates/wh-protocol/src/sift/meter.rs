//! Where a line grows beyond its bound.

/// Measures lines that come in any cut.
#[derive(Debug, Default)]
pub(crate) struct LineMeter {
    /// Bytes of the line so far: at most the bound, or one more where the last of them is a CR.
    length: u64,
    over: bool,
}

impl LineMeter {
    /// Takes a piece that holds no LF but perhaps at its end; tells how many of its bytes are within the bound.
    ///
    /// A CR may be the one byte too many, for it may belong to the line end.
    pub(crate) fn measure(&mut self, piece: &[u8], bound: u64) -> usize {
        let ends = piece.last() == Some(&b'\n');
        let body = piece.len() - usize::from(ends);
        let fits = if self.over { 0 } else { self.fitting(piece, body, bound) };
        self.over = fits < body;
        self.length += fits as u64;
        if !ends {
            return fits;
        }
        let whole = !self.over;
        *self = Self::default();
        if whole { piece.len() } else { fits }
    }

    fn fitting(&self, piece: &[u8], body: usize, bound: u64) -> usize {
        let room = usize::try_from(bound.saturating_sub(self.length)).unwrap_or(usize::MAX);
        if body <= room {
            body
        } else if self.length <= bound && piece.get(room) == Some(&b'\r') {
            room + 1
        } else {
            room
        }
    }
}
