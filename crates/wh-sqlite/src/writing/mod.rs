//! Everything that writes goes through one connection, and what waits is joined into one commit.

mod backup;
mod batch;
mod checkpoint;
mod clerk;
mod request;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use batch::Bench;
pub(crate) use writer::Writer;
