//! Every key there is, declared once: reading, suggestions, the reference and the JSON Schema follow from here.

mod host;
mod key;
mod older;
mod root;
mod worker;

pub(crate) use key::{Effect, Fallback, Key, Kind, Means, Section, Word};
pub(crate) use root::{ROOT, all_sections};
