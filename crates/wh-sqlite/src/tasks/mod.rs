//! What is done to tasks, one verb per file. Each runs inside a transaction that somebody else began.

pub(crate) mod cancel;
pub(crate) mod claim;
pub(crate) mod enqueue;
pub(crate) mod note;
pub(crate) mod promote;
pub(crate) mod retry;
pub(crate) mod settle;
pub(crate) mod sweep;
pub(crate) mod take_over;
