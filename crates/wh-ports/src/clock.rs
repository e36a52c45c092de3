//! Time and chance, as things that can be faked.

use std::time::Duration;
use wh_domain::id::TaskId;
use wh_domain::retry::Dice;
use wh_domain::time::{StoreInstant, Timestamp};

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The calendar's time. May jump.
    fn wall(&self) -> Timestamp;

    /// This machine's running clock; goes on through sleep.
    fn instant(&self) -> StoreInstant;

    /// The same as a duration since boot, for measuring within one process.
    fn running(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.instant().millis).unwrap_or(0))
    }
}

/// Where chance comes from.
pub trait Chance: Send + Sync {
    /// A fresh random number.
    fn dice(&self) -> Dice;

    /// A fresh task id.
    fn task_id(&self) -> TaskId;
}
