//! Who is told what happened.

use wh_domain::event::Event;
use wh_domain::time::Timestamp;

/// Listens to events. Must return at once and must not fail: an observer that cannot keep up drops and counts.
pub trait Observer: Send + Sync {
    /// Called in the order of events, on the host's own thread.
    fn observe(&self, at: Timestamp, event: &Event);
}
