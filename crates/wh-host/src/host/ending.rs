//! What follows when an attempt's process tree is empty.

use super::Host;
use crate::arrival::Arrival;
use crate::carrying;
use crate::draining::Stage;
use crate::settling;
use std::sync::Arc;
use wh_domain::attempt::Outcome;
use wh_domain::ending::Exit;
use wh_domain::event::Event;
use wh_domain::health::FaultKind;
use wh_domain::id::{StreamNo, WorkerName};
use wh_ports::runner::{Assignment, Finished};
use wh_ports::store::BoxFuture;

impl Host {
    /// An attempt's tree is empty: free its stream at once, settle beside. The settlement is sent before the next
    /// claim, so both usually share one commit.
    pub(super) fn ended(&mut self, assignment: Assignment, mut finished: Finished) {
        let key = (assignment.claim.seq, assignment.claim.fence);
        let cancel_wished =
            self.running.remove(&key).map(|running| running.cancel_wished).unwrap_or_default();
        let (worker, stream) = (assignment.worker.name.clone(), assignment.stream);
        if self.stage != Stage::Working && finished.verdict.outcome == Outcome::Interrupted {
            self.killed += 1;
        }
        self.note_health(&assignment, &finished);
        match finished.stuck.take() {
            None => self.roster.free(&worker, stream),
            Some(stuck) => {
                self.roster.retire(&worker, stream);
                self.tools.bus.tell(&Event::StreamStuck { carried: carrying::carried(&assignment) });
                finished.stuck = Some(self.watch(stuck, worker, stream));
            }
        }
        self.settling += 1;
        self.claiming.wanted = true;
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(settling::settle(tools, assignment, finished, cancel_wished, notes));
        self.publish_soon();
    }

    /// One wait for a stuck tree serves both: its stream, which comes back, and its settlement, which goes on.
    fn watch(
        &mut self,
        stuck: BoxFuture<'static, ()>,
        worker: WorkerName,
        stream: StreamNo,
    ) -> BoxFuture<'static, ()> {
        let (over, wait) = tokio::sync::oneshot::channel();
        self.beside.spawn(async move {
            stuck.await;
            // The settlement may be gone with an expelled host; the stream is free all the same.
            over.send(()).ok();
            Arrival::Unstuck { worker, stream }
        });
        Box::pin(async move { wait.await.unwrap_or(()) })
    }

    fn note_health(&mut self, assignment: &Assignment, finished: &Finished) {
        let (now, dice) = (self.tools.clock.running(), self.tools.chance.dice());
        let Some(health) = self.roster.health(&assignment.worker.name) else { return };
        let was_aside = health.quarantine().is_some();
        let sentence = &finished.verdict.sentence;
        if finished.verdict.outcome == Outcome::WorkerBroken {
            let kind = match finished.ending.exit {
                Exit::NotStarted(_) => FaultKind::NotStarted,
                _ => FaultKind::LeftUnread,
            };
            health.saw_fault(
                kind,
                &assignment.claim.id,
                sentence,
                now,
                &assignment.worker.retry.backoff,
                dice,
            );
        } else {
            health.saw(&finished.verdict.outcome, sentence);
        }
        let worker = assignment.worker.name.clone();
        let event = match (was_aside, health.quarantine()) {
            (_, Some(quarantine)) => Event::WorkerQuarantined {
                worker,
                retry_in: quarantine.until.map(|until| until.saturating_sub(now)),
                why: quarantine.why.clone(),
            },
            (true, None) => Event::WorkerRecovered { worker },
            (false, None) => return,
        };
        self.tools.bus.tell(&event);
    }
}
