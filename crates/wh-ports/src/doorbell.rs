//! "Something has changed, look again": always only a hint.

use crate::answer::{Answer, BoxFuture};

/// Somebody who waits for the bell.
pub trait Bell: Send {
    /// Returns when the bell has rung since the last call. Rings while nobody waits are remembered, as one.
    fn rung(&mut self) -> BoxFuture<'_, ()>;
}

/// For whoever waits for changes that another process makes.
pub trait Doorbell: Send + Sync {
    /// Begins to listen; the bell rings after every commit that others may want to see.
    fn listen(&self) -> Answer<'_, Box<dyn Bell>>;

    /// Whether another process has written since the last call, read cheaply: finds a ring that was lost with the
    /// process that owed it.
    fn has_changed(&self) -> Answer<'_, bool>;
}
