//! What a host does by the clock: renew, listen, take over from the dead, sweep.

use crate::arrival::{Arrival, Beat};
use crate::settling;
use crate::tools::Tools;
use std::sync::Arc;
use wh_domain::event::Event;
use wh_domain::id::{AttemptId, HostId};
use wh_domain::retry::RetryPolicy;
use wh_ports::claims::{Cursor, Note, Orphan, WorkerReport};
use wh_ports::upkeep::Retention;

/// Claims taken over at once; the next beat takes more.
const MOST_ORPHANS: u32 = 500;
/// Batches that one round of sweeping deletes at most.
const MOST_SWEEPS: u32 = 100;

/// One heartbeat: the renewal, what people asked, and whatever dead hosts left.
pub(crate) async fn beat(tools: Arc<Tools>, after: Cursor) -> Arrival {
    let sent_at = tools.clock.running();
    let (mut renewed, mut changed) = (None, false);
    let beat = async {
        tools.store.renew(tools.host.clone()).await?;
        renewed = Some(sent_at);
        changed = tools.store.has_changed().await?;
        let heeded = tools.store.heed(tools.host.clone(), after).await?;
        let orphans = tools.store.take_over(tools.host.clone(), MOST_ORPHANS).await?;
        Ok(Beat { heeded, orphans })
    };
    let answer = beat.await;
    Arrival::Beat { changed, renewed, answer }
}

/// Asks what people wished.
pub(crate) async fn heed(tools: Arc<Tools>, after: Cursor) -> Arrival {
    Arrival::Heeded(tools.store.heed(tools.host.clone(), after).await)
}

/// Takes over from a dead host: makes sure that nothing of its attempts is alive, however long that takes, then
/// settles its claims. `Some` policy is the worker's own, where this host knows the worker.
pub(crate) async fn bury(
    tools: Arc<Tools>,
    dead: HostId,
    orphans: Vec<(Orphan, Option<RetryPolicy>)>,
) -> Arrival {
    let mut tries = 0;
    while let Err(why) = tools.runner.bury(dead.clone(), attempts(&orphans)).await {
        if tries == 0 {
            tools.bus.tell(&Event::ProcessesRemain { of: dead.clone(), why: why.into() });
        }
        tokio::time::sleep(settling::pause(tries)).await;
        tries += 1;
    }
    let settlements =
        orphans.iter().map(|(orphan, policy)| settling::lost(&tools, orphan, *policy)).collect();
    let settled = settling::settle_all(&tools, settlements).await.map(|settled| {
        for (orphan, _) in orphans {
            if settled.contains(&(orphan.seq, orphan.fence)) {
                tools.bus.tell(&Event::Reclaimed { task: orphan.id, from: orphan.lost_host });
            }
        }
    });
    Arrival::Buried(settled)
}

/// The attempts that may have processes.
fn attempts(orphans: &[(Orphan, Option<RetryPolicy>)]) -> Vec<AttemptId> {
    let started = orphans.iter().map(|(orphan, _)| orphan).filter(|orphan| orphan.started);
    started.map(|it| AttemptId { task: it.id.clone(), fence: it.lost_fence }).collect()
}

/// Deletes what retention allows to go.
pub(crate) async fn sweep(tools: Arc<Tools>, retention: Retention) -> Arrival {
    let (mut tasks, mut files) = (0, 0);
    for _ in 0..MOST_SWEEPS {
        // A store that is away will be swept the next time.
        let Ok(swept) = tools.store.sweep(retention).await else { break };
        tasks += swept.tasks;
        files += swept.blobs;
        if !swept.more {
            break;
        }
    }
    files += tools.runner.sweep(retention.workspaces, retention.workspaces_size).await;
    if tasks + files > 0 {
        tools.bus.tell(&Event::Swept { tasks, files });
    }
    Arrival::Swept
}

/// Publishes progress and how the workers are doing. What a store that is away does not take is told again.
pub(crate) async fn publish(tools: Arc<Tools>, notes: Vec<Note>, report: Vec<WorkerReport>) -> Arrival {
    if !notes.is_empty() && tools.store.note(notes.clone()).await.is_err() {
        return Arrival::Published(Some(notes));
    }
    let reported = tools.store.report(tools.host.clone(), report).await;
    Arrival::Published(reported.err().map(|_| Vec::new()))
}
