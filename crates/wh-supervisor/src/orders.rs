//! What the host asks of an attempt, before and while its worker runs; and waiting for room until it asks something.

use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use wh_ports::runner::Order;

/// How long an attempt that has no room waits for it, holding its stream. Room that was not found at once is not
/// looked for in the next claim either, so a host that is short of something does not run through its whole queue.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(30);

/// The pauses between two tries: from, to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The host's orders for one attempt.
#[derive(Debug)]
pub(crate) struct Orders {
    given: Option<mpsc::Receiver<Order>>,
    /// Whether there has been one.
    pub(crate) any: bool,
}

impl Orders {
    pub(crate) const fn new(given: mpsc::Receiver<Order>) -> Self {
        Self { given: Some(given), any: false }
    }

    /// The next order; never resolves once nobody can give any. Nothing is lost when this is dropped.
    pub(crate) async fn next(&mut self) -> Order {
        if let Some(given) = &mut self.given
            && let Some(order) = given.recv().await
        {
            self.any = true;
            return order;
        }
        self.given = None;
        std::future::pending().await
    }
}

/// Waits for room, in growing pauses.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Option<Instant>,
    pause: Duration,
}

impl Patience {
    pub(crate) const fn new() -> Self {
        Self { until: None, pause: PAUSES.0 }
    }

    /// Pauses, or waits until something is `freed`; true where it is worth another try, false where it is time to give
    /// up or the host wants something else.
    pub(crate) async fn wait(&mut self, orders: &mut Orders, freed: &Notify) -> bool {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + WAIT_FOR_ROOM);
        if orders.any || now >= until {
            return false;
        }
        let next = (now + self.pause).min(until);
        self.pause = (self.pause * 2).min(PAUSES.1);
        tokio::select! {
            biased;
            _ = orders.next() => false,
            () = freed.notified() => true,
            () = tokio::time::sleep_until(next) => true,
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_lasts_thirty_seconds_and_ends_with_the_first_order() {
        let begun = Instant::now();
        let (give, given) = mpsc::channel(1);
        let mut orders = Orders::new(given);
        let (mut patience, mut tries) = (Patience::new(), 0);
        while patience.wait(&mut orders, &Notify::new()).await {
            tries += 1;
        }
        assert_eq!(begun.elapsed(), WAIT_FOR_ROOM);
        assert!((15..=25).contains(&tries), "{tries}");
        let mut patience = Patience::new();
        give.send(Order::Cancel).await.unwrap();
        assert!(!patience.wait(&mut orders, &Notify::new()).await);
        assert!(orders.any);
        assert_eq!(begun.elapsed(), WAIT_FOR_ROOM, "at once");
        drop(give);
        let mut orders = Orders { any: false, ..orders };
        assert!(
            Patience::new().wait(&mut orders, &Notify::new()).await,
            "nobody can give orders any more: waiting goes on"
        );
    }
}
