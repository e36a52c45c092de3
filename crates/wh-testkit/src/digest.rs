//! Digests, as stores name blobs by them.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// SHA-256 as lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> Box<str> {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text.into()
}
