//! Chance that repeats itself.

use std::sync::Mutex;
use wh_domain::id::TaskId;
use wh_domain::retry::Dice;
use wh_ports::clock::Chance;

/// Dice and task ids from a seed: the same seed gives the same of both, in the same order.
#[derive(Debug)]
pub struct SeededChance {
    seed: u64,
    drawn: Mutex<(fastrand::Rng, u64)>,
}

impl SeededChance {
    /// Two of different seeds never give the same task id.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Mutex::new((fastrand::Rng::with_seed(seed), 0)) }
    }
}

impl Chance for SeededChance {
    fn dice(&self) -> Dice {
        Dice(self.drawn.lock().expect("no holder of this lock panics").0.u64(..))
    }

    fn task_id(&self) -> TaskId {
        let mut drawn = self.drawn.lock().expect("no holder of this lock panics");
        drawn.1 += 1;
        TaskId::new(format!("drawn-{:x}-{}", self.seed, drawn.1)).expect("short and printable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_dice_and_ids() {
        let (one, two, other) = (SeededChance::new(7), SeededChance::new(7), SeededChance::new(8));
        assert_eq!(one.dice().0, two.dice().0);
        assert_eq!(one.task_id(), two.task_id());
        assert_ne!(one.task_id(), one.task_id());
        assert_ne!(one.task_id(), other.task_id());
    }
}
