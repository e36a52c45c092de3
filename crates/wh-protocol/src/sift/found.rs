//! What standard output held, and how it broke the protocol.

/// How standard output broke the protocol. Of several, the one that stands first here is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiftFault {
    /// More output than the bound. All the rest is skipped.
    #[error("more than {limit} bytes of output")]
    OutputTooLarge {
        /// The bound.
        limit: u64,
    },
    /// A line beyond the bound. Its rest is skipped.
    #[error("a line of more than {limit} bytes")]
    LineTooLong {
        /// The bound.
        limit: u64,
    },
    /// A byte that is no UTF-8.
    #[error("no UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Its offset.
        offset: u64,
    },
    /// An object nested beyond the bound, and no result after it.
    #[error("an object nested deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: u32,
    },
    /// Text beside the result, where it is forbidden.
    #[error("text that is not the result at byte {offset}, which `protocol: strict` forbids")]
    StrayOutput {
        /// Where it begins.
        offset: u64,
    },
}

/// What standard output held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sifted {
    /// The result object's text, exactly as written. There may be one beside a fault.
    pub result: Option<String>,
    /// How the output broke the protocol.
    pub fault: Option<SiftFault>,
    /// Objects with a boolean `success`; all but the last went to the log.
    pub results: u64,
    /// Bytes that are neither the result nor white space.
    pub stray_bytes: u64,
    /// Whether the output ended in the middle of an object.
    pub unfinished: bool,
    /// All bytes written, kept or not.
    pub total_bytes: u64,
}
