//! Host and worker, as bytes: what the host writes, what a worker answers, and what it may say meanwhile.
//!
//! Nothing here reads or writes by itself. Bytes come in as slices, in any cut, and go out into a `Vec`; time
//! comes in as an argument. `docs/protocol.md` says the same for authors of workers.
//!
//! * to the worker: [`task`] on standard input, [`mod@env`], [`control`] lines on the channel
//! * from the worker: [`sift`] finds the result on standard output, [`result`] reads it, [`channel`] reads events,
//!   [`lines`] cuts standard error into log lines
//! * [`verify`]: how a worker is shown to keep its side

pub mod channel;
pub mod control;
pub mod env;
mod fields;
mod grammar;
pub mod lines;
pub mod moment;
pub mod rate;
pub mod result;
pub mod sift;
pub mod task;
pub mod verify;
