//! Whether the disk has ever failed to confirm a write. What it says afterwards means nothing: asked again, it answers
//! that all is well, and the data is gone. So from the first failure on, nothing is acknowledged any more.

use std::sync::{Arc, OnceLock};
use wh_ports::store::StoreError;

/// Shared by all that write for one store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust(Arc<OnceLock<StoreError>>);

impl Trust {
    /// The failure, if there has been one.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.0.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Takes note of an error, for ever if it means that a write was not confirmed.
    pub(crate) fn note(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::Untrusted(_)) {
            // The first one is told; those that follow are its consequence.
            return self.0.get_or_init(|| error).clone();
        }
        error
    }
}
