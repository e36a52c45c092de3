//! What a test may hang into the program.

use std::sync::Arc;
use wh_ports::observe::Observer;
use wh_sqlite::OnStep;

/// Called on the way; the program itself needs none.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
pub struct Hooks {
    /// At each of the store's named steps.
    pub on_step: Option<OnStep>,
    /// Told every event of a host, before anybody else.
    pub observer: Option<Arc<dyn Observer>>,
}
