//! What the host has heard: the bell, and where it is in the sequence of wishes.

use wh_ports::claims::Cursor;
use wh_ports::doorbell::Bell;

/// An ear. Without a bell it is deaf, and heartbeats alone bring news.
#[derive(Default)]
pub(crate) struct Ear {
    /// Up to which wish it has listened.
    pub(crate) cursor: Cursor,
    /// Whether the store is being asked for wishes.
    pub(crate) looking: bool,
    /// Whether the bell has rung since.
    pub(crate) again: bool,
    pub(crate) bell: Option<Box<dyn Bell>>,
    /// Whether a bell is being asked for.
    pub(crate) listening: bool,
}

impl Ear {
    /// Returns when the bell has rung; never while there is none.
    pub(crate) async fn rung(&mut self) {
        match &mut self.bell {
            Some(bell) => bell.rung().await,
            None => std::future::pending().await,
        }
    }
}
