//! Chance in earnest.

use wh_domain::id::{HostId, TaskId};
use wh_domain::retry::Dice;
use wh_ports::clock::Chance;

/// The machine's own randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MachineChance;

impl Chance for MachineChance {
    fn dice(&self) -> Dice {
        Dice(fastrand::u64(..))
    }

    fn task_id(&self) -> TaskId {
        fresh(TaskId::new)
    }
}

/// An id for a host that starts now.
pub(crate) fn host_id() -> HostId {
    fresh(HostId::new)
}

fn fresh<T>(new: impl Fn(String) -> Result<T, wh_domain::id::BadName>) -> T {
    loop {
        // A UUID is 36 printable bytes, so the first one is taken.
        if let Ok(id) = new(uuid::Uuid::now_v7().to_string()) {
            return id;
        }
    }
}
