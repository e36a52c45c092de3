//! What a heartbeat brings: news, what people asked, and what the dead left.

use super::{EARLY_BEATS, Host};
use crate::arrival::Beat;
use crate::duties;
use crate::settling;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wh_domain::id::HostId;
use wh_domain::retry::RetryPolicy;
use wh_ports::claims::Orphan;
use wh_ports::store::StoreError;

impl Host {
    pub(super) fn beaten(&mut self, renewed: Option<Duration>, answer: Result<Beat, StoreError>) {
        self.beating = false;
        self.claiming.wanted |= self.drift.noticed(&*self.tools.clock);
        if let Some(sent_at) = renewed {
            // Without a lease nothing was claimed.
            self.claiming.wanted |= !self.has_lease();
            self.leased_at = sent_at;
        }
        let rhythm = self.settings.lease.renew_every;
        let Some(beat) = self.unless_failed(answer) else {
            let pause = settling::pause(self.beats_missed).min(rhythm / 4);
            self.next_beat = Instant::now() + pause;
            self.beats_missed = self.beats_missed.saturating_add(1);
            return;
        };
        self.beats_missed = 0;
        let late = self.tools.clock.running().saturating_sub(self.leased_at);
        let regular = Instant::now() + rhythm.saturating_sub(late);
        self.next_beat = self.early_beat().map_or(regular, |early| early.min(regular));
        self.listen();
        self.heed(beat.heeded);
        if !beat.orphans.is_empty() {
            // There may be more where these came from.
            self.next_beat = Instant::now();
            self.bury(beat.orphans);
        }
    }

    fn early_beat(&self) -> Option<Instant> {
        let now = Instant::now();
        EARLY_BEATS.iter().map(|after| self.began + *after).find(|at| *at > now)
    }

    /// Whether nobody may have taken over yet, as far as this host can tell by itself.
    pub(super) fn has_lease(&self) -> bool {
        self.tools.clock.running() < self.leased_at + self.settings.lease.length
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
