//! The places in line.

use super::harness::{Harness, ending, want};
use std::collections::BTreeSet;
use wh_domain::lifecycle::Next;

pub(super) async fn every_type_has_one_lane(h: &Harness) {
    for task_type in ["a", "b", "a", "A"] {
        h.enqueue(task_type).await;
    }
    let (_, lanes) = h.store().lanes().await.expect("the store answers");
    let types: BTreeSet<&str> = lanes.iter().map(|lane| lane.task_type.as_str()).collect();
    let ids: BTreeSet<_> = lanes.iter().map(|lane| lane.id).collect();
    assert_eq!(types, BTreeSet::from(["A", "a", "b"]));
    assert_eq!((lanes.len(), ids.len()), (3, 3), "none stands there twice: {lanes:?}");
}

pub(super) async fn a_new_lane_is_told_with_the_next_claim(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let (version, _) = h.store().lanes().await.expect("the store answers");
    assert_eq!(h.claim_for(&host, Vec::new(), 1).await.lanes_version, version, "as long as none is new");
    h.enqueue("b").await;
    let told = h.claim_for(&host, Vec::new(), 1).await.lanes_version;
    assert!(told > version, "{told} against {version}");
    assert_eq!(h.store().lanes().await.expect("the store answers").0, told);
}

pub(super) async fn a_lane_that_nobody_wants_is_not_claimed(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let wanted = h.enqueue("b").await;
    let want = want("w", vec![h.lane("b").await], 10);
    let claims = h.claim_for(&host, vec![want], 10).await.claims;
    assert_eq!(claims.into_iter().map(|claim| claim.id).collect::<Vec<_>>(), [wanted]);
}

pub(super) async fn a_follow_up_can_open_a_lane(h: &Harness) {
    let host = h.join("h").await;
    h.enqueue("a").await;
    let claim = h.claim_one(&host).await;
    let mut settlement = ending(&claim, Next::Completed);
    settlement.follow_ups = vec![h.task_of("brand.new")];
    h.settle(settlement).await;
    assert_eq!(h.claim_one(&host).await.task_type.as_str(), "brand.new");
}

pub(super) async fn lanes_survive_a_crash(h: &Harness) {
    h.enqueue("a").await;
    let lane = h.lane("a").await;
    h.crash().await;
    assert_eq!(h.lane("a").await, lane);
}
