//! Logs as they stand in files and on streams, by promise.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail a test the same way as tests do")]

mod events;
mod helpers;
mod injection;
mod keeping_up;
mod rotation;
