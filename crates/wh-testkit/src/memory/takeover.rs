//! What becomes of a dead host's claims.

use super::guards::Guard;
use super::ledger::{Ledger, Now};
use super::row::{Held, Lost, MemberNo};
use wh_domain::id::{Fence, HostId, Seq};
use wh_domain::task::TaskState;
use wh_ports::answer::StoreError;
use wh_ports::claims::Orphan;

impl Ledger {
    /// Gives `host` the claims of the dead. Whoever is found dead is out at once, even if it holds more than `most`
    /// or nothing: from then on it must not believe that it holds anything.
    pub(super) fn take_over(
        &mut self,
        host: &HostId,
        most: u32,
        now: Now,
    ) -> Result<Vec<Orphan>, StoreError> {
        let no = self.members.find(host)?;
        self.members.notice_a_gap(no, now.instant);
        let dead = self.members.dead(no, now.instant, self.guards);
        for no in &dead {
            self.members.put_out(*no);
        }
        let of_the_dead =
            self.rows.values().filter(|row| row.held.as_ref().is_some_and(|held| dead.contains(&held.by)));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let seqs: Vec<Seq> = of_the_dead.map(|row| row.task.seq).take(most).collect();
        let orphans = seqs.into_iter().filter_map(|seq| self.adopt(seq, host, no)).collect();
        let holders: Vec<MemberNo> = dead.into_iter().filter(|no| self.holds_something(*no)).collect();
        self.members.forget_who_is_out(|no| holders.contains(&no));
        Ok(orphans)
    }

    /// Moves one claim. The first loss is remembered until somebody settles it: if this host dies too, whoever comes
    /// next has to bury the processes of the first and to count its loss, and only that one.
    fn adopt(&mut self, seq: Seq, host: &HostId, no: MemberNo) -> Option<Orphan> {
        let grows = self.guards.hold(Guard::FenceGrowsOnTakeOver);
        let remembers = self.guards.hold(Guard::FirstLossOnTakeOver);
        let row = self.rows.get_mut(&seq)?;
        let (held, fence) = (row.held.clone()?, row.task.fence);
        let TaskState::Claimed { host: by, worker, .. } = &mut row.task.state else { return None };
        let latest = Lost { fence, host: std::mem::replace(by, host.clone()) };
        let (lost, worker) = (held.lost.filter(|_| remembers).unwrap_or(latest), worker.clone());
        row.task.fence = Fence(fence.0 + i64::from(grows));
        row.held = Some(Held { by: no, lost: Some(lost.clone()), ..held });
        let orphan = Orphan {
            seq,
            id: row.task.id.clone(),
            task_type: row.task.task_type.clone(),
            fence: row.task.fence,
            lost_fence: lost.fence,
            lost_host: lost.host,
            worker,
            claimed_at: held.claimed_at,
            // Only a claim brings an attempt about, and whoever claims may have started it at once.
            started: true,
            lost_is_final: held.lost_is_final,
            history: row.history(),
        };
        self.changes += 1;
        Some(orphan)
    }
}
