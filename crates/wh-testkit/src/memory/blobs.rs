//! How large contents come in and are found again.

use super::MemoryStore;
use super::faults::Verb;
use crate::digest::sha256;
use std::path::PathBuf;
use wh_domain::task::InputFile;
use wh_ports::answer::{Answer, StoreError};
use wh_ports::blobs::Blobs;

impl Blobs for MemoryStore {
    fn keep_file(&self, name: Box<str>, from: PathBuf) -> Answer<'_, InputFile> {
        self.answer(Verb::KeepFile, move |ledger, now| {
            let bytes = std::fs::read(&from)
                .map_err(|error| StoreError::Broken(format!("{} cannot be read: {error}", from.display())))?;
            let digest = sha256(&bytes);
            ledger.shelf.put(&digest, &bytes, now.wall)?;
            Ok(InputFile { name, sha256: digest, size: u64::try_from(bytes.len()).unwrap_or(u64::MAX) })
        })
    }

    fn blob_path(&self, sha256: &str) -> PathBuf {
        self.ledger().shelf.path(sha256)
    }
}
