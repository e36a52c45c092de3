//! Whether a file is what it is declared to be. Nothing here is changed. Some formats are looked at as a whole, up to a bound;
//! of others a part is held that a hostile file can make long: whoever calls this bounds the memory and the time of it.

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
const MOST_AT_ONCE: u64 = 64 << 20;
/// What is held against a schema is held in memory in pieces of its own: up to this size, in bytes.
const MOST_FOR_A_SCHEMA: u64 = 16 << 20;

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
            check_with(file, size, &schema)
        }
        Format::Markdown => text::markdown(&whole(file, (size, MOST_AT_ONCE))?),
        Format::Csv => csv::rows(file),
        Format::Yaml => yaml::well_formed(&whole(file, (size, MOST_AT_ONCE))?),
        Format::Utf8 => text::utf8(file),
    }
}

/// Looks at a file of so many bytes that is to be as a schema says.
///
/// # Errors
/// [`Flaw`], the first there is.
pub fn check_with(file: impl Read, size: u64, schema: &Schema) -> Result<(), Flaw> {
    schema.check(&whole(file, (size, MOST_FOR_A_SCHEMA))?)
}

fn whole(file: impl Read, (size, most): (u64, u64)) -> Result<Vec<u8>, Flaw> {
    let too_large = || Flaw::TooLarge(most >> 20);
    if size > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may have grown since it was looked at.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}
