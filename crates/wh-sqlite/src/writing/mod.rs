//! Everything that writes goes through one thread, which joins what waits into one commit.

mod backup;
mod batch;
mod checkpoint;
mod request;
#[cfg(test)]
mod tests;
mod thread;

pub(crate) use batch::Bench;
pub(crate) use thread::Writer;
