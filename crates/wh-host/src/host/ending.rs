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
        let cancel_wished = self.running.remove(&key).is_some_and(|running| running.cancel_wished);
        let (worker, stream) = (assignment.worker.name.clone(), assignment.stream);
        let interrupted = finished.verdict.outcome == Outcome::Interrupted;
        if self.stage != Stage::Working && interrupted {
            self.killed += 1;
        }
        self.note_hindrance(self.stage == Stage::Working && interrupted);
        self.note_health(&assignment, &finished);
        match finished.stuck.take() {
            None => self.roster.free(&worker, stream),
            Some(stuck) => {
                self.roster.retire(&worker, stream);
                self.tools.bus.tell(&Event::StreamStuck { carried: carrying::carried(&assignment) });
                finished.stuck = Some(self.watch(stuck, worker, stream));
            }
        }
        self.publishing.soon();
        if self.expelled {
            // Whoever took over settles it, and ends what is left of it.
            self.tools.bus.tell(&Event::Fenced { carried: carrying::carried(&assignment) });
            return;
        }
        self.settling += 1;
        self.claiming.wanted = true;
        let (tools, notes) = (Arc::clone(&self.tools), Arc::clone(&self.notes));
        self.beside.spawn(settling::settle(tools, assignment, finished, cancel_wished, notes));
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
        Box::pin(async move {
            if wait.await.is_err() {
                // The host is going and nobody watches any more: the tree may be anything but empty.
                std::future::pending::<()>().await;
            }
        })
    }

    fn note_health(&mut self, assignment: &Assignment, finished: &Finished) {
        let is_broken = finished.verdict.outcome == Outcome::WorkerBroken;
        if matches!(finished.ending.exit, Exit::NotStarted(_)) && !is_broken {
            // The task or the host kept it from starting, which says nothing of the worker.
            return;
        }
        let (now, dice) = (self.tools.clock.running(), self.tools.chance.dice());
        let Some(health) = self.roster.health_of(&assignment.worker) else { return };
        let before = health.quarantine().cloned();
        let sentence = &finished.verdict.sentence;
        if is_broken {
            let kind = match finished.ending.exit {
                Exit::NotStarted(_) => FaultKind::NotStarted,
                _ => FaultKind::LeftUnread,
            };
            let backoff = &assignment.worker.retry.backoff;
            health.saw_fault(kind, &assignment.claim.id, sentence, now, backoff, dice);
        } else {
            health.saw(&finished.verdict.outcome, sentence);
        }
        let worker = assignment.worker.name.clone();
        let event = match (before, health.quarantine()) {
            (before, Some(quarantine)) if before.as_ref() != Some(quarantine) => Event::WorkerQuarantined {
                worker,
                retry_in: quarantine.until.map(|until| until.saturating_sub(now)),
                why: quarantine.why.clone(),
            },
            (Some(_), None) => Event::WorkerRecovered { worker },
            (_, Some(_)) | (None, None) => return,
        };
        self.tools.bus.tell(&event);
    }
}
