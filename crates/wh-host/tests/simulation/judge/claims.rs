//! What hosts claim, take over and note.

use super::case::Standing;
use super::{Charge, Judge};
use crate::marks::Mark;
use std::time::Duration;
use wh_domain::id::{Fence, HostId};
use wh_domain::lease::LeasePolicy;
use wh_domain::task::WaitingFor;
use wh_ports::claims::{Claim, Note, Orphan, Want};

impl Judge {
    /// A claim was committed.
    pub(crate) fn claimed(&mut self, by: &HostId, wants: &[Want], most: u32, claims: &[Claim]) {
        let count = |n: usize| u32::try_from(n).unwrap();
        if count(claims.len()) > most {
            self.charge(Charge::Claim, format!("{by} asked for {most} and got {}", claims.len()));
        }
        for want in wants {
            let got = count(claims.iter().filter(|claim| claim.worker == want.worker).count());
            if got > want.most {
                self.charge(Charge::Claim, format!("{by} asked for {want:?} and got {got}"));
            }
        }
        for claim in claims {
            let want = wants.iter().find(|want| want.worker == claim.worker);
            self.claim(by, claim, want.is_some_and(|want| want.lost_is_final));
        }
        let is_out = self.hosts.get(by).is_none_or(|host| host.is_out);
        if is_out && !claims.is_empty() {
            self.charge(Charge::Claim, format!("{by} claimed, though it is out"));
        }
        if !claims.is_empty() {
            self.waits.retain(|(host, _), _| host != by);
        }
    }

    fn claim(&mut self, by: &HostId, claim: &Claim, lost_is_final: bool) {
        let (jumped, id) = (self.jumped, &claim.id);
        let Some(case) = self.cases.get(&claim.seq) else {
            self.charge(Charge::Claim, format!("{id} was claimed, which nobody knows"));
            return;
        };
        let Standing::Pending { due, waiting_for } = case.standing else {
            let why = format!("{id} was claimed by {by} while {:?}", case.standing);
            self.charge(Charge::EndedTwice, why);
            return;
        };
        let (early, grows) = (!jumped && !self.has_come(due), claim.fence > case.fence.max(case.spent));
        let same_history = claim.history.counters == case.counters && !claim.history.cancel_wished;
        let same_checkpoint = claim.checkpoint == case.checkpoint;
        if early {
            self.charge(Charge::Claim, format!("{id} was claimed before it was due"));
        }
        if !grows {
            self.charge(Charge::Fence, format!("{id} was claimed again under {}", claim.fence));
        }
        if !same_history {
            self.charge(Charge::Counters, format!("{id} was claimed with another history: {claim:?}"));
        }
        if !same_checkpoint {
            self.charge(Charge::WrongResult, format!("{id} was claimed with another checkpoint: {claim:?}"));
        }
        if claim.checkpoint.is_some() {
            self.marks.note(Mark::CheckpointHandedOn);
        }
        if jumped && waiting_for == Some(WaitingFor::Backoff) {
            self.marks.note(Mark::WallClockJumpedDuringBackoff);
        }
        if let Some(case) = self.cases.get_mut(&claim.seq) {
            case.standing = Standing::Claimed { by: by.clone() };
            case.fence = claim.fence;
            case.cancel_wished = None;
            case.lost_is_final = lost_is_final;
            if std::mem::take(&mut case.unknown) {
                self.marks.note(Mark::UnknownTypeWaitedThenWorkerCame);
            }
        }
    }

    /// Claims of hosts that are thought to be dead were moved to `by`.
    pub(crate) fn took_over(&mut self, by: &HostId, orphans: &[Orphan]) {
        for orphan in orphans {
            let Some(case) = self.cases.get(&orphan.seq) else {
                self.charge(Charge::Usurped, format!("{} was taken over, which nobody knows", orphan.id));
                continue;
            };
            let Standing::Claimed { by: from } = case.standing.clone() else {
                let why = format!("{} was taken over while {:?}", orphan.id, case.standing);
                self.charge(Charge::EndedTwice, why);
                continue;
            };
            let first = case.lost.clone().unwrap_or((from.clone(), case.fence));
            let (grows, again) = (orphan.fence > case.fence, case.lost.is_some());
            if !grows {
                self.charge(Charge::Fence, format!("{} was taken over under its old fence", orphan.id));
            }
            if (&orphan.lost_host, orphan.lost_fence) != (&first.0, first.1) {
                let why = format!("{} was lost as {first:?}, not as {orphan:?}", orphan.id);
                self.charge(Charge::Usurped, why);
            }
            if again {
                self.marks.note(Mark::OrphanOrphanedAgain);
            }
            self.judge_taking(by, &from);
            if let Some(case) = self.cases.get_mut(&orphan.seq) {
                case.lost = Some(first);
                case.fence = orphan.fence;
                case.standing = Standing::Claimed { by: by.clone() };
            }
        }
    }

    /// Whether `by` may take anything from `from`.
    fn judge_taking(&mut self, by: &HostId, from: &HostId) {
        let lease = LeasePolicy::default().length;
        let now = self.now();
        let Some(victim) = self.hosts.get_mut(from) else { return };
        let was_out = std::mem::replace(&mut victim.is_out, true);
        if victim.is_dead || was_out {
            if victim.is_dead {
                self.marks.note(Mark::ReclaimFromDeadHost);
            }
        } else {
            let silent_for = now.saturating_sub(victim.renewed_at);
            self.marks.note(Mark::ReclaimFromSilentHost);
            if silent_for < lease {
                let why = format!("{by} took over from {from}, which renewed {silent_for:?} ago");
                self.charge(Charge::Stolen, why);
            }
            let gap = self.hosts.get(by).and_then(|reaper| reaper.gap_at);
            if let Some(gap_at) = gap.filter(|gap_at| now.saturating_sub(*gap_at) < lease) {
                let why = format!("{by} judged {from} though it was away itself until {gap_at:?}");
                self.charge(Charge::Stolen, why);
            }
        }
        if self.hosts.get(by).is_some_and(|reaper| reaper.drains) {
            self.marks.note(Mark::ReclaimDuringDrain);
        }
    }

    /// Notes were committed, each with whether it was welcome.
    pub(crate) fn noted(&mut self, by: &HostId, notes: &[Note], answers: &[bool]) {
        for (note, welcome) in notes.iter().zip(answers) {
            let held = self.cases.get(&note.seq).is_some_and(|case| case.is_held(by, note.fence));
            if *welcome != held {
                let why = format!("a note of {by} on {:?} was welcome: {welcome}", (note.seq, note.fence));
                self.charge(Charge::Usurped, why);
            }
            if let Some(case) = self.cases.get_mut(&note.seq).filter(|_| *welcome) {
                case.checkpoint = note.checkpoint.clone().or(case.checkpoint.take());
            }
        }
    }

    /// The store has heard a renewal.
    pub(crate) fn renewal_came(&mut self, by: &HostId) {
        let (now, policy) = (self.now(), LeasePolicy::default());
        if let Some(host) = self.hosts.get_mut(by) {
            let gap = now.saturating_sub(host.came_at).saturating_sub(policy.renew_every);
            if gap > policy.renew_every {
                host.gap_at = Some(now);
            }
            host.came_at = now;
        }
    }

    /// A host was told that its renewal, sent at that time, has come.
    pub(crate) fn renewed(&mut self, by: &HostId, sent_at: Duration) {
        if let Some(host) = self.hosts.get_mut(by) {
            host.renewed_at = sent_at;
            if std::mem::take(&mut host.renewal_refused) && !host.running.is_empty() {
                self.marks.note(Mark::RenewalRefusedAndHostLivedOn);
            }
        }
    }

    /// Whether that host holds that task under that fence.
    pub(super) fn holds(&self, host: &HostId, seq: wh_domain::id::Seq, fence: Fence) -> bool {
        self.cases.get(&seq).is_some_and(|case| case.is_held(host, fence))
    }
}
