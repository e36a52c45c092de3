//! What keeps a measurement from going on.

/// Anything; it ends the measurement and is told to the person who started it.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Trouble in words.
pub(crate) fn trouble(words: impl Into<String>) -> Trouble {
    words.into().into()
}
