//! A machine whose readings are set by hand.

use std::sync::{Mutex, PoisonError};
use wh_domain::watermark::Readings;
use wh_ports::machine::Machine;

/// A machine whose readings are set by hand; nothing is known of it at first.
#[derive(Debug, Default)]
pub struct FakeMachine(Mutex<Readings>);

impl FakeMachine {
    /// From now on it is like that.
    pub fn set(&self, readings: Readings) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = readings;
    }
}

impl Machine for FakeMachine {
    fn readings(&self) -> Readings {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
