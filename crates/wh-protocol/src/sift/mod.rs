//! Finds the result among whatever a worker writes to standard output, in one pass and bounded memory.
//!
//! The result is the last JSON object that has a boolean `success`. It may be spread over lines, stand behind a
//! banner on the same line, or be followed by anything; everything else is text for the log. What counts as
//! "an object" when stray text holds braces too:
//!
//! * An object may begin at any `{` outside another object. If what follows is no JSON, the search goes on at the
//!   byte that broke it, so `Loading {...} {"success":true}` is found.
//! * A stray quote must not hide the result: in `{"a {"success":true}` the second brace seemed to stand in a string
//!   until the text after the quote broke it; the search goes back to that brace.
//! * Half an answer is no answer: objects inside one that never ends are not taken for the result, unless they begin
//!   a line, for there an unfinished object is more likely to be stray text that the result follows.
//!
//! `success` is recognised when its key is spelled without escapes. Where a key is repeated, its last value counts.

mod bounds;
mod found;
mod meter;
mod sifter;
mod skim;
mod utf8;

pub use bounds::{SiftBounds, Stray};
pub use found::{SiftFault, Sifted};
pub use sifter::Sifter;
