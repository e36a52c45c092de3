//! How far a worker says it is.

/// How far the worker says it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// Items done.
    pub current: Option<f64>,
    /// Items in all.
    pub total: Option<f64>,
    /// 0 to 100, given or computed.
    pub percent: Option<f64>,
    /// The worker's words.
    pub message: Option<Box<str>>,
}
