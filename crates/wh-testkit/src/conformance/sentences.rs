//! The list of all sentences, once, and what is made of it: a table here, tests wherever a store is.

/// Makes one test of every promise of a store. `make` is an async function without arguments that gives a fresh
/// [`StoreUnderTest`](crate::conformance::StoreUnderTest).
///
/// ```ignore
/// wh_testkit::store_conformance!(fresh_store);
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::sentences!(@all tests $make);
    };
}

/// Hands all sentences to one of its own arms: `table` or `tests`.
#[doc(hidden)]
#[macro_export]
macro_rules! sentences {
    (@all $arm:ident $($argument:tt)*) => {
        $crate::sentences! { @$arm ($($argument)*)
            intake {
                a_new_task_is_pending_and_can_be_read
                answers_come_in_the_order_of_the_tasks
                later_tasks_have_larger_keys
                an_empty_call_adds_nothing
                the_same_id_with_the_same_content_is_there_already
                the_same_id_is_there_already_even_after_the_end
                the_same_id_with_other_content_is_a_conflict
                another_trace_is_no_other_content
                one_call_may_hold_the_same_task_twice
                one_unfinished_task_holds_a_unique_key
                a_unique_key_is_free_with_the_commit_that_ends_its_holder
                a_cancelled_holder_frees_its_unique_key
                no_more_tasks_are_pending_than_allowed
                what_is_claimed_or_ended_makes_room_for_others
                a_full_queue_does_not_hold_up_what_a_host_settles
                what_is_refused_leaves_nothing_behind
                a_missing_input_is_named
                params_and_results_come_out_byte_for_byte
                bytes_come_out_as_bytes
                whatever_the_producer_said_reaches_the_attempt
                an_acknowledged_task_survives_a_crash
            }
            lanes {
                every_type_has_one_lane
                a_new_lane_is_told_with_the_next_claim
                a_lane_that_nobody_wants_is_not_claimed
                a_follow_up_can_open_a_lane
                lanes_survive_a_crash
            }
            claims {
                the_task_that_waits_longest_goes_first
                tasks_that_came_together_go_in_their_order
                a_higher_priority_goes_first
                a_step_of_priority_is_worth_a_minute_of_waiting
                a_want_gets_no_more_than_it_says
                a_claim_gets_no_more_than_it_says_in_all
                wants_may_share_a_lane
                who_wants_nothing_gets_nothing
                a_claimed_task_is_not_claimed_again
                an_ended_task_is_not_claimed_again
                every_claim_raises_the_fence
                a_claim_is_seen_as_one
                a_claim_survives_a_crash
                a_host_that_never_joined_claims_nothing
                hosts_that_claim_in_turn_share_all_tasks
            }
            waits {
                a_future_task_waits_for_its_moment
                a_moment_that_the_producer_chose_goes_by_the_calendar_alone
                a_wait_ends_by_the_running_clock_though_the_calendar_went_back
                a_wait_ends_by_the_calendar_if_that_is_sooner
                a_wait_of_another_boot_goes_by_the_calendar_alone
                a_deferral_to_a_moment_waits_for_it
                a_waiting_task_says_what_for
                retries_of_asked_lanes_are_counted
                the_next_wait_is_told
                a_task_that_waited_goes_by_the_moment_it_became_due
                a_moment_in_the_past_is_now
                many_waits_that_end_at_once_are_all_claimable
                a_wait_survives_a_crash
                the_bell_rings_after_every_change_that_others_may_wait_for
                rings_while_nobody_waits_are_remembered
            }
            notes {
                progress_is_kept
                a_checkpoint_reaches_the_next_attempt
                a_checkpoint_survives_a_crash
                an_old_fence_notes_nothing
                an_ended_attempt_notes_nothing
                notes_of_one_call_stand_each_on_its_own
            }
            settle {
                a_success_is_kept_with_its_result
                an_old_fence_writes_nothing
                an_old_fence_writes_nothing_however_the_task_stands
                a_fence_to_come_writes_nothing
                a_spent_fence_writes_nothing
                a_task_that_nobody_holds_cannot_be_settled
                the_same_settlement_again_is_done_and_writes_nothing
                the_same_settlement_again_does_not_disturb_the_next_attempt
                a_settlement_is_known_again_after_a_crash
                settlements_of_one_call_stand_each_on_its_own
                an_attempt_comes_back_as_it_was_recorded
                every_way_to_end_is_kept_apart
                all_counters_are_kept_as_they_were_decided
                a_partial_result_is_kept_until_there_is_a_better_one
                a_success_without_a_result_leaves_no_partial_one
                follow_ups_come_with_their_settlement_and_name_their_parent
                a_conflicting_follow_up_stops_the_whole_settlement
                two_follow_ups_of_one_id_are_in_conflict
                a_follow_up_that_is_there_already_is_no_conflict
                a_follow_up_may_take_the_unique_key_that_its_parent_frees
                follow_ups_survive_a_crash_with_their_settlement
                a_claim_given_back_unstarted_leaves_no_attempt
                an_end_without_an_attempt_is_a_fact_too
                a_wait_that_was_decided_begins_with_the_settlement
            }
            takeover {
                a_dead_hosts_claims_are_taken_at_once
                every_orphan_is_given_once
                a_take_over_raises_the_fence
                an_orphan_that_is_orphaned_again_tells_of_the_first_loss
                an_orphan_brings_what_the_rules_need
                an_orphan_that_is_settled_can_be_claimed_again
                a_living_hosts_claims_are_never_taken
                a_claim_within_its_lease_is_not_taken
                an_expired_lease_is_taken
                no_jump_of_the_calendar_ends_a_lease
                a_lease_of_another_boot_is_over
                nobody_judges_leases_after_a_gap_of_its_own
                after_one_lease_without_a_gap_leases_are_judged_again
                a_host_that_was_late_goes_on_if_nobody_took_over
                who_was_given_up_cannot_renew
                who_was_given_up_cannot_claim
                who_was_given_up_can_join_anew
                who_left_leaves_its_claims
                who_left_makes_room
                living_hosts_have_slots_of_their_own
                a_wish_to_cancel_outlives_the_host_that_should_have_heeded_it
                a_crash_leaves_its_claims_to_whoever_joins_next
                a_host_that_holds_nothing_leaves_nothing
            }
            wishes {
                a_pending_task_is_cancelled_at_once
                a_claimed_task_is_cancelled_by_its_host
                what_has_ended_or_never_was_cannot_be_cancelled
                a_settlement_that_missed_a_wish_is_sent_back
                a_success_that_was_settled_before_the_wish_stands
                a_wish_to_cancel_is_told_to_its_holder_until_it_is_settled
                a_wish_to_cancel_survives_a_crash
                every_host_hears_once_that_a_worker_was_mended
                a_retry_sets_all_counters_to_zero
                a_retry_never_sets_back_the_fence
                only_the_poisoned_and_the_cancelled_can_be_retried
                a_retry_respects_the_unique_key_of_another_task
                a_retried_task_is_not_cancelled_any_more
                all_poisoned_tasks_can_be_retried_in_pages
                a_retry_of_one_type_leaves_the_others
                a_retry_of_many_passes_over_those_whose_key_is_taken
            }
            reader {
                tasks_come_in_the_order_they_were_asked_for
                a_dossier_holds_all_that_is_kept
                there_is_no_dossier_of_what_never_was
                attempts_are_counted_in_the_order_of_the_tasks
                pages_go_from_the_newest_to_the_oldest_without_gaps
                a_page_is_of_a_hundred_unless_said
                a_page_is_never_of_more_than_ten_thousand
                a_list_holds_only_what_was_asked_for
                counts_add_up
                what_waits_is_counted_by_type_as_far_as_anybody_wants_to_know
                the_last_attempts_are_told_newest_first_with_their_tasks
                hosts_are_shown_with_their_workers
                the_dead_are_not_shown_as_alive
            }
            facts {
                every_task_that_came_in_is_told_once
                what_was_there_already_is_not_told_again
                every_settlement_is_told_once
                follow_ups_are_told_as_having_come_in
                every_wish_is_told_once
                every_retry_of_many_is_told
                a_wish_without_effect_is_no_fact
                nothing_is_lost_between_pages
                facts_grow_at_their_end_only
                the_latest_is_where_facts_end
                a_cursor_outlives_a_crash
            }
            upkeep {
                what_is_old_goes_with_all_that_belonged_to_it
                each_end_is_kept_for_its_own_time
                of_too_many_the_oldest_go_first
                what_has_not_ended_stays_however_old
                a_retried_task_is_not_old
                a_given_id_is_known_for_a_day_after_the_end
                sweeping_goes_in_batches_and_ends
                numbers_of_tasks_that_are_gone_are_not_given_again
                fences_of_a_task_that_is_gone_are_not_given_again_with_its_id
                a_store_in_use_finds_itself_sound
                a_backup_is_there_when_it_is_said_to_be
            }
            blobs {
                large_params_are_a_file_under_their_digest
                a_mebibyte_stays_in_its_row
                a_large_result_is_a_file_under_its_digest
                the_same_large_settlement_again_is_done
                a_kept_file_lies_under_its_digest
                a_kept_file_reaches_the_attempt
                a_file_that_is_not_there_cannot_be_kept
                a_blob_stays_as_long_as_its_task
                a_blob_is_kept_for_a_while_before_its_task_comes
            }
        }
    };
    (@table () $($file:ident { $($sentence:ident)* })*) => {
        &[$($(
            $crate::conformance::Sentence {
                name: concat!(stringify!($file), "::", stringify!($sentence)),
                run: |harness| Box::pin($file::$sentence(harness)),
            },
        )*)*]
    };
    (@tests ($make:expr) $($file:ident { $($sentence:ident)* })*) => {
        $(
            mod $file {
                use super::*;
                $(
                    #[tokio::test]
                    async fn $sentence() {
                        let name = concat!(stringify!($file), "::", stringify!($sentence));
                        $crate::conformance::hold(name, ($make)().await).await;
                    }
                )*
            }
        )*
    };
}
