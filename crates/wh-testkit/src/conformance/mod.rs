//! The suite that every store passes: one sentence per promise, each a test of its own.
//!
//! [`store_conformance!`](crate::store_conformance) makes the tests. A sentence can be run alone by
//! [`hold`], which is how the suite itself is tested: for each guard that is taken out of the reference store, a
//! named sentence fails.

mod blobs;
mod claims;
mod facts;
mod harness;
mod intake;
mod lanes;
mod model;
mod notes;
mod reader;
mod sentences;
mod settle;
mod takeover;
mod upkeep;
mod waits;
mod wishes;

pub use harness::{MAX_PENDING, StoreUnderTest};
pub use model::{Size, model};

use harness::Harness;
use wh_ports::answer::BoxFuture;

/// A promise of every store.
#[derive(Debug, Clone, Copy)]
pub struct Sentence {
    /// Its name: the file it stands in, and the sentence itself.
    pub name: &'static str,
    run: for<'a> fn(&'a Harness) -> BoxFuture<'a, ()>,
}

/// All promises.
pub const SENTENCES: &[Sentence] = crate::sentences!(@all table);

/// Runs one sentence on a fresh store, and then has the store check itself.
///
/// # Panics
/// If the store breaks the promise, or finds damage in itself.
pub async fn hold(name: &str, store: impl StoreUnderTest + 'static) {
    let sentence = SENTENCES.iter().find(|sentence| sentence.name == name).expect("there is such a sentence");
    let harness = Harness::new(store);
    (sentence.run)(&harness).await;
    let findings = harness.store().check().await.expect("the store answers");
    assert_eq!(findings, Vec::<String>::new(), "the store finds itself sound");
}
