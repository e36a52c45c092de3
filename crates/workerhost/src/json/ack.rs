//! What became of one enqueued task.

use serde::Serialize;

/// The schema's name.
pub(crate) const ACK: &str = "workerhost.ack/v1";

/// One acknowledgement. Whatever `status` says is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ack {
    pub(crate) schema: &'static str,
    /// Which line of the input, from 1, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// `created`, `existing`, `duplicate`, `conflict`, `full` or `refused`.
    pub(crate) status: &'static str,
    /// The state of a task that was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    /// The unfinished task that holds the unique key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
    /// What is wrong, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}
