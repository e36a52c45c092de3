//! What became of something that a person asked for.

use serde::Serialize;

/// The answer to one wish.
#[derive(Debug, Serialize)]
pub(crate) struct Heard<'a> {
    /// `workerhost.cancel/v1`, `workerhost.retry/v1` or `workerhost.resume/v1`.
    pub(crate) schema: &'static str,
    /// The task or the worker; none where many were asked for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    /// `cancelled`, `asked`, `retried`, `resumed`, `unchanged`, `duplicate` or `unknown`.
    pub(crate) status: &'static str,
    /// The state of a task for which there was nothing to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    /// The unfinished task that holds the unique key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
    /// How many tasks it was, where many were asked for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks: Option<u64>,
}

impl<'a> Heard<'a> {
    /// An answer about one thing that says no more than its status.
    pub(crate) fn new(schema: &'static str, id: &'a str, status: &'static str) -> Self {
        Self { schema, id: Some(id), status, state: None, of: None, tasks: None }
    }
}
