//! What a host does by the clock: renew, listen, take over from the dead, sweep.

use crate::arrival::{Arrival, Beat, by_host};
use crate::settling;
use crate::tools::Tools;
use std::sync::Arc;
use wh_domain::event::Event;
use wh_domain::retry::RetryPolicy;
use wh_ports::claims::{Cursor, Note, Orphan, WorkerReport};
use wh_ports::store::StoreError;
use wh_ports::upkeep::Retention;

/// Claims taken over at once; the next beat takes more.
const MOST_ORPHANS: u32 = 500;
/// Batches that one round of sweeping deletes at most.
const MOST_SWEEPS: u32 = 100;

/// One heartbeat: the renewal, what people asked, and whatever dead hosts left.
pub(crate) async fn beat(tools: Arc<Tools>, after: Cursor) -> Arrival {
    let sent_at = tools.clock.running();
    let beat = async {
        tools.store.renew(tools.host.clone()).await?;
        let changed = tools.store.has_changed().await?;
        let heeded = tools.store.heed(tools.host.clone(), after).await?;
        let orphans = tools.store.take_over(tools.host.clone(), MOST_ORPHANS).await?;
        Ok(Beat { heeded, changed, orphans, sent_at })
    };
    Arrival::Beat(beat.await)
}

/// Makes sure that nothing of a dead host's attempts is alive any more.
pub(crate) async fn bury(tools: Arc<Tools>, orphans: Vec<Orphan>) -> Arrival {
    let mut result = Ok(());
    for (host, group) in by_host(orphans.clone()) {
        let attempts = group
            .iter()
            .filter(|orphan| orphan.started)
            .map(|orphan| wh_domain::id::AttemptId { task: orphan.id.clone(), fence: orphan.lost_fence })
            .collect();
        result = result.and(tools.runner.bury(host, attempts).await);
    }
    Arrival::Buried { orphans, result }
}

/// Settles what dead hosts left. `policy` finds a worker's own.
pub(crate) async fn settle_lost(
    tools: Arc<Tools>,
    orphans: Vec<(Orphan, Option<RetryPolicy>)>,
) -> Result<(), StoreError> {
    let settlements =
        orphans.iter().map(|(orphan, policy)| settling::lost(&tools, orphan, *policy)).collect();
    settling::settle_all(&tools, settlements).await?;
    for (orphan, _) in orphans {
        tools.bus.tell(&Event::Reclaimed { task: orphan.id, from: orphan.lost_host });
    }
    Ok(())
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

/// Publishes progress and how the workers are doing. Nothing is owed: what is lost is told again.
pub(crate) async fn publish(tools: Arc<Tools>, notes: Vec<Note>, report: Option<Vec<WorkerReport>>) -> Arrival {
    if !notes.is_empty() {
        drop(tools.store.note(notes).await);
    }
    if let Some(report) = report {
        drop(tools.store.report(tools.host.clone(), report).await);
    }
    Arrival::Chore
}
