//! What every verb of a store returns, and what may go wrong with it, by what the caller does next.

use std::future::Future;
use std::pin::Pin;

/// A future that somebody else made.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What every verb of a store returns.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written, and the store will be back: wait, then make the same call again.
    #[error("the store cannot be used for now: {0}")]
    Unavailable(String),
    /// Others have taken over what this host held: end every attempt, write nothing, join anew.
    #[error("this host was given up for dead and its tasks were taken over")]
    Expelled,
    /// The disk did not confirm a write, so nothing it says can be trusted: end the process (exit code 74).
    #[error("stable storage failed: {0}")]
    Untrusted(String),
    /// The store is damaged, or of a version that this program cannot use: a person must mend it.
    #[error("{0}")]
    Broken(String),
}
