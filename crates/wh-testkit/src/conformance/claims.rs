//! Who gets which task.

use super::harness::{Harness, one, secs, wall, want};
use std::collections::BTreeSet;
use wh_domain::id::{HostId, TaskId};
use wh_domain::lifecycle::{Next, Wait};
use wh_domain::task::{NewTask, StateName, TaskState};
use wh_ports::answer::StoreError;

async fn with_priority(h: &Harness, priority: i32) -> TaskId {
    h.add(NewTask { priority, ..h.task_of("a") }).await
}

pub(super) async fn the_task_that_waits_longest_goes_first(h: &Harness) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(h.enqueue("a").await);
        h.pass(secs(1));
    }
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 10).await, ids);
}

pub(super) async fn tasks_that_came_together_go_in_their_order(h: &Harness) {
    let tasks: Vec<NewTask> = (0..50).map(|_| h.task_of("a")).collect();
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
    h.offer_all(tasks).await;
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 50).await, ids);
}

pub(super) async fn a_higher_priority_goes_first(h: &Harness) {
    let low = with_priority(h, -1).await;
    let middle = with_priority(h, 0).await;
    let high = with_priority(h, 5).await;
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 10).await, [high, middle, low]);
}

pub(super) async fn a_step_of_priority_is_worth_a_minute_of_waiting(h: &Harness) {
    let old = with_priority(h, 0).await;
    h.pass(secs(59));
    let soon = with_priority(h, 1).await;
    h.pass(secs(2));
    let late = with_priority(h, 1).await;
    let host = h.join("h").await;
    assert_eq!(h.claim_ids(&host, 10).await, [soon, old, late]);
}

pub(super) async fn a_want_gets_no_more_than_it_says(h: &Harness) {
    let host = h.join("h").await;
    for task_type in ["a", "b"].repeat(5) {
        h.enqueue(task_type).await;
    }
    let wants = vec![want("wa", vec![h.lane("a").await], 2), want("wb", vec![h.lane("b").await], 3)];
    let claims = h.claim_for(&host, wants, 100).await.claims;
    let of = |worker: &str| claims.iter().filter(|claim| claim.worker.as_str() == worker).count();
    assert_eq!((of("wa"), of("wb"), claims.len()), (2, 3, 5));
}

pub(super) async fn a_claim_gets_no_more_than_it_says_in_all(h: &Harness) {
    let host = h.join("h").await;
    let mut ids = Vec::new();
    for task_type in ["a", "b", "b", "a", "a"] {
        ids.push(h.enqueue(task_type).await);
        h.pass(secs(1));
    }
    let wants = vec![want("wa", vec![h.lane("a").await], 5), want("wb", vec![h.lane("b").await], 5)];
    let claims = h.claim_for(&host, wants, 3).await.claims;
    let got: Vec<TaskId> = claims.into_iter().map(|claim| claim.id).collect();
    assert_eq!(got, ids[..3], "the best over all wants");
}

pub(super) async fn wants_may_share_a_lane(h: &Harness) {
    let host = h.join("h").await;
    for _ in 0..5 {
        h.enqueue("a").await;
    }
    let lane = h.lane("a").await;
    let claims = h.claim_for(&host, vec![want("x", vec![lane], 1), want("y", vec![lane], 2)], 9).await.claims;
    let of = |worker: &str| claims.iter().filter(|claim| claim.worker.as_str() == worker).count();
    let ids: BTreeSet<&TaskId> = claims.iter().map(|claim| &claim.id).collect();
    assert_eq!((of("x"), of("y"), ids.len()), (1, 2, 3), "nobody gets another's task");
}

pub(super) async fn who_wants_nothing_gets_nothing(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    assert_eq!(h.claim_for(&host, Vec::new(), 5).await.claims.len(), 0);
    assert_eq!(h.claim(&host, 0).await.len(), 0);
}

pub(super) async fn a_claimed_task_is_not_claimed_again(h: &Harness) {
    let (one_host, other) = (h.join("h1").await, h.join("h2").await);
    h.enqueue("a").await;
    h.claim_one(&one_host).await;
    assert_eq!(h.claim(&one_host, 5).await.len(), 0);
    assert_eq!(h.claim(&other, 5).await.len(), 0);
}

pub(super) async fn an_ended_task_is_not_claimed_again(h: &Harness) {
    let host = h.join("h").await;
    h.ended(&host, "a", Next::Completed).await;
    let pending = h.enqueue("a").await;
    h.cancel(&pending).await;
    assert_eq!(h.claim(&host, 5).await.len(), 0);
}

pub(super) async fn every_claim_raises_the_fence(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    for fence in 1..=5 {
        let claim = h.claim_one(&host).await;
        assert_eq!(claim.fence.0, fence);
        h.end(&claim, Next::Pending { wait: Wait::Now, waiting_for: None }).await;
        assert_eq!(h.task(&id).await.fence.0, fence, "no other write does");
    }
}

pub(super) async fn a_claim_is_seen_as_one(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    h.pass(secs(3));
    let claim = h.claim_one(&host).await;
    let task = h.task(&id).await;
    let since = wall(h);
    assert_eq!(task.state, TaskState::Claimed { host, worker: claim.worker, since });
    assert_eq!((task.fence, task.changed_at), (claim.fence, since));
}

pub(super) async fn a_claim_survives_a_crash(h: &Harness) {
    let host = h.join("h").await;
    let id = h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    h.crash().await;
    let task = h.task(&id).await;
    assert_eq!((task.state.name(), task.fence), (StateName::Claimed, claim.fence));
    let next = h.join("h2").await;
    assert_eq!(h.claim(&next, 5).await.len(), 0, "only who takes it over may have it");
}

pub(super) async fn a_host_that_never_joined_claims_nothing(h: &Harness) {
    h.enqueue("a").await;
    let stranger = HostId::new("stranger").expect("a name");
    let wants = vec![h.want_all(1).await];
    let answer = h.store().claim(stranger.clone(), wants, 1).await;
    assert_eq!(answer.map(|claimed| claimed.claims.len()), Err(StoreError::Expelled));
    assert_eq!(h.renew(&stranger).await, Err(StoreError::Expelled));
}

pub(super) async fn hosts_that_claim_in_turn_share_all_tasks(h: &Harness) {
    let hosts = [h.join("h1").await, h.join("h2").await, h.join("h3").await];
    for _ in 0..30 {
        h.enqueue("a").await;
    }
    let mut seen = BTreeSet::new();
    for at in 0..30 {
        let claim = h.claim_one(&hosts[at % 3]).await;
        assert!(seen.insert(claim.id), "nobody gets another's task");
    }
    assert_eq!(one(vec![h.claim(&hosts[0], 1).await.len()]), 0);
}
