//! What a host does by the clock: renew, listen, take over from the dead, sweep.

use crate::arrival::{Arrival, Beat};
use crate::settling;
use crate::tools::Tools;
use std::collections::BTreeMap;
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
    let beat = async {
        tools.store.renew(tools.host.clone()).await?;
        let changed = tools.store.has_changed().await?;
        let heeded = tools.store.heed(tools.host.clone(), after).await?;
        let orphans = tools.store.take_over(tools.host.clone(), MOST_ORPHANS).await?;
        Ok(Beat { heeded, changed, orphans, sent_at })
    };
    Arrival::Beat(beat.await)
}

/// Takes over from dead hosts: makes sure that nothing of their attempts is alive, however long that takes, then
/// settles their claims. `Some` policy is the worker's own, where this host knows the worker.
pub(crate) async fn bury(tools: Arc<Tools>, orphans: Vec<(Orphan, Option<RetryPolicy>)>) -> Arrival {
    for (host, attempts) in by_host(&orphans) {
        let mut tries = 0;
        while let Err(why) = tools.runner.bury(host.clone(), attempts.clone()).await {
            if tries == 0 {
                tools.bus.tell(&Event::ProcessesRemain { of: host.clone(), why: why.into() });
            }
            tokio::time::sleep(settling::pause(tries)).await;
            tries += 1;
        }
    }
    let settlements =
        orphans.iter().map(|(orphan, policy)| settling::lost(&tools, orphan, *policy)).collect();
    let settled = settling::settle_all(&tools, settlements).await;
    if settled.is_ok() {
        for (orphan, _) in orphans {
            tools.bus.tell(&Event::Reclaimed { task: orphan.id, from: orphan.lost_host });
        }
    }
    Arrival::Buried(settled)
}

/// The attempts that may have processes, by the host that died.
fn by_host(orphans: &[(Orphan, Option<RetryPolicy>)]) -> BTreeMap<HostId, Vec<AttemptId>> {
    let mut groups: BTreeMap<HostId, Vec<AttemptId>> = BTreeMap::new();
    for (orphan, _) in orphans {
        let attempts = groups.entry(orphan.lost_host.clone()).or_default();
        if orphan.started {
            attempts.push(AttemptId { task: orphan.id.clone(), fence: orphan.lost_fence });
        }
    }
    groups
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
pub(crate) async fn publish(tools: Arc<Tools>, notes: Vec<Note>, report: Vec<WorkerReport>) -> Arrival {
    if !notes.is_empty() {
        tools.store.note(notes).await.ok();
    }
    tools.store.report(tools.host.clone(), report).await.ok();
    Arrival::Published
}
