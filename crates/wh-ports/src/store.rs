//! The store as one thing.

pub use crate::answer::{Answer, BoxFuture, StoreError};

use crate::blobs::Blobs;
use crate::claims::Claims;
use crate::doorbell::Doorbell;
use crate::intake::Intake;
use crate::reader::Reader;
use crate::upkeep::Upkeep;
use crate::wishes::Wishes;

/// All of a store.
pub trait Store: Intake + Claims + Reader + Wishes + Upkeep + Blobs + Doorbell {}

impl<T: Intake + Claims + Reader + Wishes + Upkeep + Blobs + Doorbell> Store for T {}
