//! Why a result object cannot be taken.

/// Why a result object cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResult {
    /// The text is no JSON object.
    #[error("it is no JSON object: {0}")]
    NotAnObject(String),
    /// A field has a wrong shape.
    #[error("`{path}` {why}")]
    Field {
        /// Where, like `tasks[2].type`.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

pub(super) fn bad(path: impl Into<String>, why: impl Into<String>) -> BadResult {
    BadResult::Field { path: path.into(), why: why.into() }
}
