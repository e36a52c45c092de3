//! Payloads and attached files as columns.

use crate::blob_dir::BlobDir;
use crate::failure::{Tried, damaged};
use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wh_domain::task::{InputFile, Payload};
use wh_ports::blobs::Stored;
use wh_ports::store::StoreError;

/// A payload, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Inline(Payload),
    Blob { sha256: Box<str>, size: u64, json: bool },
}

impl Content {
    /// Moves a payload of more than `inline` bytes into a blob.
    pub(crate) fn prepare(payload: Payload, inline: u64, blobs: &BlobDir) -> Result<Self, StoreError> {
        if is_small(&payload, inline) {
            return Ok(Self::Inline(payload));
        }
        let bytes = payload.bytes();
        let json = matches!(payload, Payload::Json(_));
        Ok(Self::Blob { sha256: blobs.keep_bytes(bytes)?, size: bytes.len() as u64, json })
    }

    /// The blob it needs, if any.
    pub(crate) fn blob(&self) -> Option<&str> {
        match self {
            Self::Inline(_) => None,
            Self::Blob { sha256, .. } => Some(sha256),
        }
    }

    /// Refuses, within a transaction that is to refer to it, a blob that is not there: between [`Self::prepare`] and the
    /// turn to write it may have been swept away. From here on nobody can sweep it before the reference is written.
    pub(crate) fn check_held(&self, blobs: &BlobDir) -> Result<(), StoreError> {
        if self.blob().is_none_or(|sha256| blobs.holds(sha256)) {
            return Ok(());
        }
        Err(StoreError::Unavailable("a large content was swept away meanwhile".to_owned()))
    }

    /// Adds what it holds to a digest; a blob is known by its own.
    pub(crate) fn hash(&self, hasher: &mut Sha256) {
        hasher.update(self.kind().to_le_bytes());
        match self {
            Self::Inline(payload) => hasher.update(payload.bytes()),
            Self::Blob { sha256, .. } => hasher.update(sha256.as_bytes()),
        }
    }

    pub(crate) const fn kind(&self) -> i64 {
        match self {
            Self::Inline(Payload::Json(_)) => 0,
            Self::Inline(Payload::Bytes(_)) => 1,
            Self::Blob { json: true, .. } => 2,
            Self::Blob { json: false, .. } => 3,
        }
    }

    pub(crate) fn body(&self) -> ToSqlOutput<'_> {
        ToSqlOutput::Borrowed(match self {
            Self::Inline(Payload::Json(text)) => ValueRef::Text(text.as_bytes()),
            Self::Inline(Payload::Bytes(bytes)) => ValueRef::Blob(bytes),
            Self::Blob { sha256, .. } => ValueRef::Text(sha256.as_bytes()),
        })
    }

    pub(crate) fn size(&self) -> i64 {
        let size = match self {
            Self::Inline(payload) => payload.bytes().len() as u64,
            Self::Blob { size, .. } => *size,
        };
        i64::try_from(size).unwrap_or(i64::MAX)
    }

    /// Reads `kind, body, size` from three columns, the first of which is `at`.
    pub(crate) fn read(row: &Row<'_>, at: usize) -> Tried<Self> {
        let kind: i64 = row.get(at)?;
        Ok(match kind {
            0 => Self::Inline(Payload::Json(row.get(at + 1)?)),
            1 => Self::Inline(Payload::Bytes(row.get(at + 1)?)),
            2 | 3 => {
                let size: i64 = row.get(at + 2)?;
                let size = u64::try_from(size).map_err(damaged)?;
                Self::Blob { sha256: row.get(at + 1)?, size, json: kind == 2 }
            }
            other => return Err(damaged(format_args!("a content has kind {other}"))),
        })
    }

    /// As others see it.
    pub(crate) fn stored(self, blobs: &BlobDir) -> Stored {
        match self {
            Self::Inline(payload) => Stored::Inline(payload),
            Self::Blob { sha256, size, json } => {
                Stored::Blob { path: blobs.path(&sha256), sha256, size, json }
            }
        }
    }
}

/// Whether a payload stays in the row.
pub(crate) fn is_small(payload: &Payload, inline: u64) -> bool {
    payload.bytes().len() as u64 <= inline
}

#[derive(Serialize, Deserialize)]
struct InputRow<'a> {
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    sha256: std::borrow::Cow<'a, str>,
    size: u64,
}

/// Attached files as one column; `None` for none.
pub(crate) fn inputs_column(inputs: &[InputFile]) -> Tried<Option<String>> {
    if inputs.is_empty() {
        return Ok(None);
    }
    let rows: Vec<InputRow<'_>> = inputs
        .iter()
        .map(|input| InputRow {
            name: (&*input.name).into(),
            sha256: (&*input.sha256).into(),
            size: input.size,
        })
        .collect();
    serde_json::to_string(&rows).map(Some).map_err(damaged)
}

/// Attached files from their column.
pub(crate) fn inputs_of(column: Option<&str>) -> Tried<Vec<InputFile>> {
    let Some(text) = column else { return Ok(Vec::new()) };
    let rows: Vec<InputRow<'_>> = serde_json::from_str(text).map_err(damaged)?;
    Ok(rows
        .into_iter()
        .map(|row| InputFile { name: row.name.into(), sha256: row.sha256.into(), size: row.size })
        .collect())
}
