//! Contents too large for a row, kept under their digest.

use crate::answer::Answer;
use std::path::PathBuf;
use wh_domain::task::{InputFile, Payload};

/// A payload as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Small: here it is.
    Inline(Payload),
    /// Large: a file to read.
    Blob {
        /// Where it lies. Never written again once it is there.
        path: PathBuf,
        /// Lower-case hexadecimal SHA-256.
        sha256: Box<str>,
        /// Size in bytes.
        size: u64,
        /// Whether it is JSON text, else bytes.
        json: bool,
    },
}

/// For whoever brings or fetches large contents.
pub trait Blobs: Send + Sync {
    /// Copies the file at `from` into the store under its digest, durable before the answer; a blob that no task
    /// refers to within an hour may be deleted. `name` is the name a worker will see.
    fn keep_file(&self, name: Box<str>, from: PathBuf) -> Answer<'_, InputFile>;

    /// Where an attached file lies.
    fn blob_path(&self, sha256: &str) -> PathBuf;
}
