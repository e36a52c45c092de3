//! Rounds that are measured while nobody else uses much of the machine.

use crate::trouble::Trouble;
use crate::usage;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Others may use so large a share of the machine. What the kernel does on our behalf is counted as theirs.
const SHARE: f64 = 0.15;
/// How long the machine is looked at before a round.
const LOOK: Duration = Duration::from_millis(300);

/// Waits for others, as long as there is patience left.
#[derive(Debug)]
pub(crate) struct Quiet {
    patience: Cell<Duration>,
    worst: Cell<f64>,
}

impl Quiet {
    /// With patience for all rounds together.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience: Cell::new(patience), worst: Cell::new(0.0) }
    }

    /// Does a round; again, when others used too much meanwhile.
    pub(crate) fn round<T>(&self, mut round: impl FnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
        loop {
            self.wait();
            let (begun, before) = (Instant::now(), Used::so_far());
            let brought = round()?;
            let share = before.by_others();
            if share <= SHARE || self.is_over(begun.elapsed()) {
                self.worst.set(self.worst.get().max(share));
                return Ok(brought);
            }
        }
    }

    /// The largest share of the machine that others used in a round that counts, since the last question.
    pub(crate) fn worst(&self) -> f64 {
        self.worst.take()
    }

    fn wait(&self) {
        loop {
            let before = Used::so_far();
            if self.patience.get() == Duration::ZERO {
                return;
            }
            std::thread::sleep(LOOK);
            if before.by_others() <= SHARE || self.is_over(LOOK) {
                return;
            }
        }
    }

    /// Spends patience; true where none is left.
    fn is_over(&self, spent: Duration) -> bool {
        self.patience.set(self.patience.get().saturating_sub(spent));
        self.patience.get() == Duration::ZERO
    }
}

/// Processor time at a moment.
#[derive(Debug, Clone, Copy)]
struct Used {
    ours: Duration,
    busy: Duration,
    all: Duration,
}

impl Used {
    fn so_far() -> Self {
        let (busy, all) = usage::machine();
        Self { ours: usage::cpu_with_ended(&usage::tree(std::process::id())), busy, all }
    }

    fn by_others(self) -> f64 {
        let now = Self::so_far();
        let ours = now.ours.saturating_sub(self.ours);
        let theirs = now.busy.saturating_sub(self.busy).saturating_sub(ours);
        theirs.as_secs_f64() / now.all.saturating_sub(self.all).as_secs_f64().max(1e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_patience_a_round_is_done_once_and_its_noise_is_told_once() {
        let quiet = Quiet::new(Duration::ZERO);
        let mut rounds = 0;
        quiet
            .round(|| {
                rounds += 1;
                Ok(())
            })
            .unwrap();
        quiet.worst.set(0.5);
        assert_eq!(
            (rounds, quiet.worst().to_string(), quiet.worst().to_string()),
            (1, "0.5".into(), "0".into())
        );
    }
}
