//! What a case came to.

use std::time::Duration;
use wh_protocol::verify::{Case, Finding};

/// What a case came to.
pub(super) struct Verdict {
    pub(super) case: Case,
    /// How long the worker took.
    pub(super) elapsed: Duration,
    /// `None` where it passed.
    pub(super) finding: Option<Finding>,
}
