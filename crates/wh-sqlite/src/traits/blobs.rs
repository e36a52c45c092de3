//! Large contents and attached files.

use crate::store::SqliteStore;
use std::path::PathBuf;
use wh_domain::task::InputFile;
use wh_ports::blobs::Blobs;
use wh_ports::store::Answer;

impl Blobs for SqliteStore {
    fn keep_file(&self, name: Box<str>, from: PathBuf) -> Answer<'_, InputFile> {
        Box::pin(self.files.ask(move |blobs| {
            let (sha256, size) = blobs.keep_file(&from)?;
            Ok(InputFile { name, sha256, size })
        }))
    }

    fn blob_path(&self, sha256: &str) -> PathBuf {
        self.blobs.path(sha256)
    }
}
