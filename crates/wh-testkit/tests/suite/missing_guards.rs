//! For each guard that a store may lack there is a sentence that fails: a check that cannot fail says nothing.

use crate::memory::InMemory;
use std::collections::BTreeSet;
use wh_testkit::conformance::{SENTENCES, hold};
use wh_testkit::memory::Guard;

/// The sentence that must fail without the guard. Others may fail too.
const WITNESSES: [(Guard, &str); Guard::ALL.len()] = [
    (Guard::FenceOnSettle, "settle::an_old_fence_writes_nothing"),
    (Guard::FenceOnNote, "notes::an_old_fence_notes_nothing"),
    (Guard::StateOnSettle, "settle::a_spent_fence_writes_nothing"),
    (Guard::CancelOnSettle, "wishes::a_settlement_that_missed_a_wish_is_sent_back"),
    (Guard::Unique, "intake::one_unfinished_task_holds_a_unique_key"),
    (Guard::IdDigest, "intake::the_same_id_with_other_content_is_a_conflict"),
    (Guard::IdMemory, "upkeep::a_given_id_is_known_for_a_day_after_the_end"),
    (Guard::MaxPending, "intake::no_more_tasks_are_pending_than_allowed"),
    (Guard::ReplayRecord, "settle::the_same_settlement_again_is_done_and_writes_nothing"),
    (Guard::ExpelledOnRenew, "takeover::who_was_given_up_cannot_renew"),
    (Guard::ExpelledOnClaim, "takeover::who_was_given_up_cannot_claim"),
    (Guard::FollowUpsAtomic, "settle::a_conflicting_follow_up_stops_the_whole_settlement"),
    (Guard::FenceGrowsOnTakeOver, "takeover::a_take_over_raises_the_fence"),
    (Guard::FirstLossOnTakeOver, "takeover::an_orphan_that_is_orphaned_again_tells_of_the_first_loss"),
    (Guard::BootOnLease, "takeover::a_lease_of_another_boot_is_over"),
    (Guard::BootOnWait, "waits::a_wait_of_another_boot_goes_by_the_calendar_alone"),
    (Guard::LimitPerWant, "claims::a_want_gets_no_more_than_it_says"),
    (Guard::LimitInAll, "claims::a_claim_gets_no_more_than_it_says_in_all"),
    (Guard::Amnesty, "takeover::nobody_judges_leases_after_a_gap_of_its_own"),
    (Guard::LeaseProtects, "takeover::a_living_hosts_claims_are_never_taken"),
    (Guard::CountersOnRetry, "wishes::a_retry_sets_all_counters_to_zero"),
    (Guard::SweepEndedOnly, "upkeep::what_has_not_ended_stays_however_old"),
    (Guard::FenceFloor, "upkeep::fences_of_a_task_that_is_gone_are_not_given_again_with_its_id"),
];

/// Whether a store that lacks `guard` keeps the promise.
async fn keeps(guard: Guard, sentence: &'static str) -> bool {
    tokio::spawn(hold(sentence, InMemory::without(guard))).await.is_ok()
}

#[tokio::test]
async fn for_every_missing_guard_its_sentence_fails() {
    for (guard, sentence) in WITNESSES {
        assert!(!keeps(guard, sentence).await, "{sentence} holds even without {guard:?}");
    }
}

#[test]
fn every_guard_has_its_sentence() {
    for guard in Guard::ALL {
        assert!(WITNESSES.iter().any(|(of, _)| *of == guard), "{guard:?}");
    }
}

#[test]
fn every_sentence_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = SENTENCES.iter().map(|sentence| sentence.name).collect();
    assert_eq!(names.len(), SENTENCES.len());
    assert!(names.len() >= 60, "{}", names.len());
}
