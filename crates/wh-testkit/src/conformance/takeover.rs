//! What becomes of a dead host's claims, and who counts as dead.

use super::harness::{Harness, ending, id, one, secs, wall, want};
use std::collections::BTreeSet;
use std::time::Duration;
use wh_domain::id::HostId;
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, StateName, TaskState};
use wh_ports::answer::StoreError;
use wh_ports::claims::{Claim, Orphan, Settled, Settlement};

const AGAIN: Next = Next::Pending { wait: Wait::Now, waiting_for: None };
const LEASE: Duration = Duration::from_secs(30);
const ALMOST_A_LEASE: Duration = Duration::from_secs(29);

/// Two hosts, of which the first holds so many claims.
async fn two_hosts(h: &Harness, claims: u32) -> (HostId, HostId, Vec<Claim>) {
    let (holder, other) = (h.join("holder").await, h.join("other").await);
    for _ in 0..claims {
        h.enqueue("a").await;
    }
    let claims = h.claim(&holder, claims).await;
    (holder, other, claims)
}

pub(super) async fn a_dead_hosts_claims_are_taken_at_once(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 2).await;
    h.kill(&dead);
    let mut orphans = h.take_over(&other).await;
    orphans.sort_by_key(|orphan| orphan.seq);
    assert_eq!(orphans.len(), 2);
    for (orphan, claim) in orphans.iter().zip(&claims) {
        assert_eq!((&orphan.id, orphan.seq, orphan.lost_fence), (&claim.id, claim.seq, claim.fence));
        assert_eq!((&orphan.lost_host, orphan.started), (&dead, true));
        let task = h.task(&claim.id).await;
        assert!(matches!(task.state, TaskState::Claimed { host, .. } if host == other));
        assert_eq!(task.fence, orphan.fence);
    }
}

pub(super) async fn every_orphan_is_given_once(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 25).await;
    let third = h.join("third").await;
    h.kill(&dead);
    let mut orphans = Vec::new();
    for host in [&other, &third].repeat(5) {
        let some = h.store().take_over(host.clone(), 4).await.expect("the store answers");
        assert!(some.len() <= 4, "{} at once", some.len());
        orphans.extend(some);
    }
    let ids: BTreeSet<_> = orphans.iter().map(|orphan| orphan.seq).collect();
    assert_eq!((orphans.len(), ids.len()), (claims.len(), claims.len()));
    assert_eq!(h.take_over(&other).await.len(), 0);
}

pub(super) async fn a_take_over_raises_the_fence(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 1).await;
    h.kill(&dead);
    let orphan = one(h.take_over(&other).await);
    assert!(orphan.fence > orphan.lost_fence, "{orphan:?}");
    assert_eq!(h.settle(ending(&claims[0], Next::Completed)).await, Settled::Fenced);
    let held = Claim { fence: orphan.fence, ..claims[0].clone() };
    h.end(&held, AGAIN).await;
    assert!(h.claim_one(&other).await.fence > orphan.fence);
}

pub(super) async fn an_orphan_that_is_orphaned_again_tells_of_the_first_loss(h: &Harness) {
    let (dead, other, _) = two_hosts(h, 1).await;
    h.kill(&dead);
    let first = one(h.take_over(&other).await);
    h.kill(&other);
    let third = h.join("third").await;
    let second = one(h.take_over(&third).await);
    assert!(second.fence > first.fence);
    assert_eq!((second.lost_fence, &second.lost_host, second.started), (first.lost_fence, &dead, true));
    assert_eq!(second.claimed_at, first.claimed_at);
}

pub(super) async fn an_orphan_brings_what_the_rules_need(h: &Harness) {
    let (dead, other) = (h.join("dead").await, h.join("other").await);
    let task = NewTask { max_attempts: Some(4), ..h.task_of("a.b") };
    h.add(task).await;
    let claim = h.claim_one(&dead).await;
    h.end(&claim, AGAIN).await;
    let mut want = want("exact", vec![h.lane("a.b").await], 1);
    want.lost_is_final = true;
    let claim = one(h.claim_for(&dead, vec![want], 1).await.claims);
    let claimed_at = wall(h);
    h.pass(secs(3));
    h.kill(&dead);
    let Orphan { task_type, worker, claimed_at: since, lost_is_final, history, .. } =
        one(h.take_over(&other).await);
    assert_eq!((task_type.as_str(), worker.as_str()), ("a.b", "exact"));
    assert_eq!((since, lost_is_final), (claimed_at, true));
    assert_eq!((history.counters.attempts, history.max_attempts), (1, Some(4)));
    assert_eq!(history.counters, claim.history.counters);
}

pub(super) async fn an_orphan_that_is_settled_can_be_claimed_again(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 1).await;
    h.kill(&dead);
    let orphan = one(h.take_over(&other).await);
    let mut lost = ending(&Claim { fence: orphan.fence, ..claims[0].clone() }, AGAIN);
    lost.decision.counters.lost = 1;
    assert_eq!(h.settle(lost).await, Settled::Done);
    let next = h.claim_one(&other).await;
    assert_eq!((next.history.counters.lost, next.attempt_id().fence), (1, next.fence));
}

pub(super) async fn a_living_hosts_claims_are_never_taken(h: &Harness) {
    let (holder, other, claims) = two_hosts(h, 1).await;
    for _ in 0..20 {
        h.pass_alive(secs(15), &[&holder, &other]).await;
        assert_eq!(h.take_over(&other).await.len(), 0);
    }
    h.settle_ok(&claims[0]).await;
}

pub(super) async fn a_claim_within_its_lease_is_not_taken(h: &Harness) {
    let (holder, other, _) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&holder, &other]).await;
    h.pass_alive(ALMOST_A_LEASE, &[&other]).await;
    assert_eq!(h.take_over(&other).await.len(), 0);
}

pub(super) async fn an_expired_lease_is_taken(h: &Harness) {
    let (stopped, other, claims) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&stopped, &other]).await;
    h.pass_alive(LEASE + secs(1), &[&other]).await;
    let orphan = one(h.take_over(&other).await);
    assert_eq!((orphan.id, orphan.lost_host), (claims[0].id.clone(), stopped));
}

pub(super) async fn no_jump_of_the_calendar_ends_a_lease(h: &Harness) {
    let (holder, other, _) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&holder, &other]).await;
    let ten_years = 10 * 365 * 86_400_000;
    for jump in [ten_years, -2 * ten_years] {
        h.clock().jump_wall(jump);
        assert_eq!(h.take_over(&other).await.len(), 0);
        h.renew(&holder).await.expect("it lives");
    }
}

pub(super) async fn a_lease_of_another_boot_is_over(h: &Harness) {
    let (_, _, claims) = two_hosts(h, 1).await;
    h.clock().reboot(secs(20));
    let new = h.join("after-boot").await;
    h.pass_alive(LEASE + secs(8), &[&new]).await;
    assert_eq!(one(h.take_over(&new).await).id, claims[0].id);
}

pub(super) async fn nobody_judges_leases_after_a_gap_of_its_own(h: &Harness) {
    let (holder, other, claims) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&holder, &other]).await;
    // The machine slept: both look dead, and the one that wakes first must not bury the other.
    h.pass(secs(300));
    h.renew(&other).await.expect("nobody took anything from it");
    assert_eq!(h.take_over(&other).await.len(), 0);
    h.pass_alive(LEASE / 2, &[&other]).await;
    assert_eq!(h.take_over(&other).await.len(), 0);
    h.renew(&holder).await.expect("it was only late");
    h.settle_ok(&claims[0]).await;
}

pub(super) async fn after_one_lease_without_a_gap_leases_are_judged_again(h: &Harness) {
    let (_, other, claims) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&other]).await;
    h.pass(secs(300));
    h.renew(&other).await.expect("nobody took anything from it");
    h.pass_alive(LEASE + secs(8), &[&other]).await;
    assert_eq!(one(h.take_over(&other).await).id, claims[0].id);
}

pub(super) async fn a_host_that_was_late_goes_on_if_nobody_took_over(h: &Harness) {
    let (holder, _, claims) = two_hosts(h, 1).await;
    h.pass(secs(300));
    assert_eq!(h.renew(&holder).await, Ok(()));
    h.enqueue("a").await;
    h.claim_one(&holder).await;
    h.settle_ok(&claims[0]).await;
}

/// A host that is alive but was given up, after its lease.
async fn given_up(h: &Harness) -> (HostId, HostId) {
    let (late, other, _) = two_hosts(h, 1).await;
    h.pass_alive(secs(60), &[&late, &other]).await;
    h.pass_alive(LEASE + secs(1), &[&other]).await;
    assert_eq!(h.take_over(&other).await.len(), 1);
    (late, other)
}

pub(super) async fn who_was_given_up_cannot_renew(h: &Harness) {
    let (late, _) = given_up(h).await;
    assert_eq!(h.renew(&late).await, Err(StoreError::Expelled));
}

pub(super) async fn who_was_given_up_cannot_claim(h: &Harness) {
    let (late, _) = given_up(h).await;
    h.enqueue("a").await;
    let wants = vec![h.want_all(1).await];
    let answer = h.store().claim(late, wants, 1).await;
    assert_eq!(answer.map(|claimed| claimed.claims.len()), Err(StoreError::Expelled));
}

pub(super) async fn who_was_given_up_can_join_anew(h: &Harness) {
    given_up(h).await;
    let again = h.join("late-again").await;
    h.enqueue("a").await;
    assert_eq!(h.claim(&again, 5).await.len(), 1, "and has nothing of what it held before");
}

pub(super) async fn who_left_leaves_its_claims(h: &Harness) {
    let (holder, other, claims) = two_hosts(h, 1).await;
    h.leave(&holder).await;
    assert_eq!(h.state(&claims[0].id).await, StateName::Claimed);
    assert_eq!(one(h.take_over(&other).await).id, claims[0].id);
    assert_eq!(h.renew(&holder).await, Err(StoreError::Expelled));
}

pub(super) async fn who_left_makes_room(h: &Harness) {
    for round in 0..40 {
        let host = h.join(&format!("host-{round}")).await;
        assert!(h.slot(&host) < 2, "slots are used again: {}", h.slot(&host));
        h.leave(&host).await;
    }
}

pub(super) async fn living_hosts_have_slots_of_their_own(h: &Harness) {
    let mut slots = BTreeSet::new();
    for no in 0..5 {
        let host = h.join(&format!("host-{no}")).await;
        assert!(slots.insert(h.slot(&host)), "{slots:?}");
    }
}

pub(super) async fn a_wish_to_cancel_outlives_the_host_that_should_have_heeded_it(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 1).await;
    h.cancel(&claims[0].id).await;
    h.kill(&dead);
    let orphan = one(h.take_over(&other).await);
    assert!(orphan.history.cancel_wished);
    let held = Claim { fence: orphan.fence, ..claims[0].clone() };
    assert_eq!(h.settle(ending(&held, AGAIN)).await, Settled::CancelWished);
    let cancelled = Settlement { saw_cancel: true, ..ending(&held, Next::Cancelled) };
    assert_eq!(h.settle(cancelled).await, Settled::Done);
}

pub(super) async fn a_crash_leaves_its_claims_to_whoever_joins_next(h: &Harness) {
    let (_, _, claims) = two_hosts(h, 3).await;
    h.crash().await;
    let next = h.join("next").await;
    let orphans = h.take_over(&next).await;
    let ids: BTreeSet<_> = orphans.into_iter().map(|orphan| orphan.id).collect();
    assert_eq!(ids, claims.into_iter().map(|claim| claim.id).collect());
}

pub(super) async fn a_host_that_holds_nothing_leaves_nothing(h: &Harness) {
    let (dead, other, claims) = two_hosts(h, 1).await;
    h.settle_ok(&claims[0]).await;
    h.kill(&dead);
    assert_eq!(h.take_over(&other).await.len(), 0);
    assert_eq!(h.state(&id(claims[0].id.as_str())).await, StateName::Completed);
}
