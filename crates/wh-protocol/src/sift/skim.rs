//! The end of an object that is nested too deeply to be checked: only brackets and strings are followed.

/// Where the skimming stands after some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Skimmed {
    /// All bytes belong to the object and it goes on.
    Hungry,
    /// The object's last byte was taken.
    Closed,
    /// The first byte not taken, a control character within a string, shows that this was no JSON.
    Broken,
}

/// Follows an object in constant memory.
#[derive(Debug)]
pub(crate) struct Skim {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Skim {
    /// Goes on outside of any string with `depth` levels open.
    pub(crate) fn new(depth: usize) -> Self {
        Self { depth, in_string: false, escaped: false }
    }

    /// Takes bytes up to the end of the object; also says how many.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> (usize, Skimmed) {
        for (at, byte) in bytes.iter().enumerate() {
            match (self.in_string, byte) {
                (true, 0..=0x1f) => return (at, Skimmed::Broken),
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (_, b'"') => self.in_string = !self.in_string,
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, Skimmed::Closed);
                    }
                }
                _ => {}
            }
        }
        (bytes.len(), Skimmed::Hungry)
    }
}
