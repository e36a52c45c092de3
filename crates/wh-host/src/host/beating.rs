//! What a heartbeat brings: news, what people asked, and what the dead left.

use super::Host;
use crate::arrival::Beat;
use crate::duties;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wh_domain::id::HostId;
use wh_domain::retry::RetryPolicy;
use wh_ports::claims::Orphan;
use wh_ports::store::StoreError;

impl Host {
    pub(super) fn beaten(&mut self, renewed: Option<Duration>, answer: Result<Beat, StoreError>) {
        self.claiming.wanted |= self.drift.noticed(&*self.tools.clock);
        if let Some(sent_at) = renewed {
            // Without a lease nothing was claimed.
            self.claiming.wanted |= !self.has_lease();
            self.heartbeat.renewed(sent_at);
        }
        let every = self.settings.lease.renew_every;
        let Some(beat) = self.unless_failed(answer) else { return self.heartbeat.failed(every) };
        self.heartbeat.answered(self.tools.clock.running(), every);
        self.listen();
        self.heed(beat.heeded);
        if !beat.orphans.is_empty() {
            // There may be more where these came from.
            self.heartbeat.again();
            self.bury(beat.orphans);
        }
    }

    /// Whether nobody may have taken over yet, as far as this host can tell by itself.
    pub(super) fn has_lease(&self) -> bool {
        self.heartbeat.has_lease(self.tools.clock.running(), self.settings.lease.length)
    }

    /// Takes over from the dead, from each on its own: processes of one that cannot be ended hold up only its tasks.
    fn bury(&mut self, orphans: Vec<Orphan>) {
        let mut by_host: BTreeMap<HostId, Vec<(Orphan, Option<RetryPolicy>)>> = BTreeMap::new();
        for orphan in orphans {
            let policy = self.roster.policy(&orphan.worker);
            by_host.entry(orphan.lost_host.clone()).or_default().push((orphan, policy));
        }
        for (dead, orphans) in by_host {
            self.burying += 1;
            self.beside.spawn(duties::bury(Arc::clone(&self.tools), dead, orphans));
        }
    }
}
