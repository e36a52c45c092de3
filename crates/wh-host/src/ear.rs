//! What the host has heard: the bell, and where it is in the sequence of wishes.

use std::time::Duration;
use tokio::time::Instant;
use wh_ports::claims::Cursor;
use wh_ports::doorbell::Bell;

/// The bell rings mostly for tasks, and rarely alone. So wishes are asked for a moment later, once for all rings since:
/// nobody notices, and the question takes no processor from the start of the task.
const MOMENT: Duration = Duration::from_millis(5);

/// An ear. Without a bell it is deaf, and heartbeats alone bring news.
#[derive(Default)]
pub(crate) struct Ear {
    /// Up to which wish it has listened.
    pub(crate) cursor: Cursor,
    /// When the store is to be asked for wishes.
    ask_at: Option<Instant>,
    /// Whether it is being asked.
    asking: bool,
    pub(crate) bell: Option<Box<dyn Bell>>,
    /// Whether a bell is being asked for.
    pub(crate) listening: bool,
}

impl Ear {
    /// Notes that there may be wishes.
    pub(crate) fn heard(&mut self) {
        self.ask_at.get_or_insert_with(|| Instant::now() + MOMENT);
    }

    /// When to ask next; nothing while an answer is on its way.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.ask_at.filter(|_| !self.asking)
    }

    /// Whether to ask now. Then it counts as asked.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let is_due = self.due().is_some_and(|at| at <= now);
        if is_due {
            self.ask_at = None;
            self.asking = true;
        }
        is_due
    }

    /// There is an answer.
    pub(crate) fn answered(&mut self) {
        self.asking = false;
    }

    /// Returns when the bell has rung; never while there is none.
    pub(crate) async fn rung(&mut self) {
        match &mut self.bell {
            Some(bell) => bell.rung().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_rings_of_a_moment_are_one_question() {
        let mut ear = Ear::default();
        assert!(!ear.begin(Instant::now()), "nothing has rung");
        ear.heard();
        let due = ear.due();
        tokio::time::advance(MOMENT / 2).await;
        ear.heard();
        assert_eq!(ear.due(), due, "a ring does not put the question off");
        assert!(!ear.begin(Instant::now()));
        tokio::time::advance(MOMENT / 2).await;
        assert!(ear.begin(Instant::now()));
        assert!(!ear.begin(Instant::now()), "it has been asked");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_while_the_store_is_asked_is_asked_about_once_there_is_an_answer() {
        let mut ear = Ear::default();
        ear.heard();
        tokio::time::advance(MOMENT).await;
        assert!(ear.begin(Instant::now()));
        ear.heard();
        tokio::time::advance(MOMENT).await;
        assert_eq!(ear.due(), None);
        ear.answered();
        assert!(ear.begin(Instant::now()));
    }
}
