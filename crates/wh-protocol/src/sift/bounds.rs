//! How much a worker may write to standard output, and whether only the result.

/// What happens to text around the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// It goes to the log.
    Logged,
    /// It goes to the log and is a fault, unless it is white space (`protocol: strict`).
    Forbidden,
}

/// The numbers that bound standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiftBounds {
    /// The longest line, in bytes without its line end.
    pub line: u64,
    /// All of it, in bytes. No more than this is ever held.
    pub total: u64,
    /// How deep an object may nest, itself included.
    pub nesting: u32,
}

impl Default for SiftBounds {
    fn default() -> Self {
        Self { line: 8 << 20, total: 64 << 20, nesting: 128 }
    }
}
