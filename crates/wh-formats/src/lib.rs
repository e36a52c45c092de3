//! Whether a file is what it is declared to be. Nothing here is changed, and nothing is held in memory that grows with the
//! file, but for formats that can only be looked at as a whole: those are bounded.

mod csv;
mod flaw;
mod json;
mod text;
mod yaml;

pub use flaw::Flaw;
pub use json::{BadSchema, Schema};

use std::io::Read;
use wh_domain::outputs::Format;

/// What can only be looked at as a whole is looked at up to this size, in bytes.
pub const MOST_AT_ONCE: u64 = 64 << 20;

/// Looks at a file of so many bytes.
///
/// # Errors
/// [`Flaw`], the first there is.
pub fn check(file: impl Read, size: u64, format: &Format) -> Result<(), Flaw> {
    match format {
        Format::Any => Ok(()),
        Format::Json => json::well_formed(file),
        Format::JsonSchema(schema) => {
            let schema = Schema::read(schema).map_err(|bad| Flaw::Schema(bad.to_string()))?;
            schema.check(&whole(file, size)?)
        }
        Format::Markdown => text::markdown(&whole(file, size)?),
        Format::Csv => csv::rows(file),
        Format::Yaml => yaml::well_formed(&whole(file, size)?),
        Format::Utf8 => text::utf8(file),
    }
}

fn whole(file: impl Read, size: u64) -> Result<Vec<u8>, Flaw> {
    if size > MOST_AT_ONCE {
        return Err(Flaw::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may have grown since it was looked at.
    file.take(MOST_AT_ONCE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_AT_ONCE { Err(Flaw::TooLarge) } else { Ok(bytes) }
}
