//! What `--json` prints: one object a line, each with its schema and version. Fields are only ever added.

mod ack;
mod attempt;
mod content;
mod mapped;
mod task;
mod wish;
mod worker;

pub(crate) use ack::{ACK, Ack};
pub(crate) use mapped::{Mapped, mapped_line};
pub(crate) use task::{Page, TaskObject};
pub(crate) use wish::Heard;
pub(crate) use worker::WorkerObject;
