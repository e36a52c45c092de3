//! What goes in and out as bytes, by promise.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail a test the same way as tests do"
)]

mod channel;
mod documents;
mod env;
mod framing;
mod json_classes;
mod result;
mod schema;
mod sift;
mod sift_any_bytes;
mod sift_bounds;
mod task;
mod verify;
