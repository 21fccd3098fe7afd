//! The suite that every driver passes: one function a behaviour, each on a store of its own that is empty and migrated.
//!
//! A driver's test file names a function that makes such a store, with a guard that is dropped after the test:
//!
//! ```ignore
//! async fn make_store() -> (Arc<dyn Store>, TempDir) { ... }
//! store::conformance_suite!(make_store);
//! ```
//!
//! Time and ids come from the counter in [`World`]; nothing sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "this is test code; it stands here so that every driver can run it"
)]

pub mod accounts;
pub mod alert_channels;
pub mod alerts;
pub mod audit;
pub mod bindings;
pub mod claims;
pub mod clocks;
pub mod concurrency;
pub mod deliveries;
pub mod events;
pub mod figures;
pub mod finding;
pub mod finishing;
pub mod history;
pub mod intents;
pub mod invitations;
pub mod invoices;
pub mod leases;
pub mod maintenance;
pub mod operator_actions;
pub mod overview;
pub mod pages;
pub mod people;
pub mod renamed;
pub mod rests;
pub mod retries;
pub mod revival;
pub mod run_state;
pub mod second_factors;
pub mod settings;
pub mod setups;
pub mod sign_ins;
pub mod telling_again;
mod world;

pub use world::World;

/// Expands to a test for each behaviour. `$make` is the name of an `async fn() -> (Arc<dyn Store>, impl Sized)` beside the call.
#[macro_export]
macro_rules! conformance_suite {
    ($make:ident) => {
        $crate::conformance_tests! { $make,
            people: organisations_are_listed_oldest_first, a_member_is_found_by_address_in_any_case,
                members_are_listed_only_to_their_organisation,
                a_role_is_changed_only_by_its_organisation, the_last_owner_stays,
                owners_who_demote_each_other_leave_one, a_removed_member_is_out_and_their_address_is_free,
                a_new_password_ends_the_other_sessions, a_session_ends_by_itself, a_session_ends_when_asked, a_session_knows_when_its_password_was_shown,
                sessions_are_listed_to_their_member, a_member_ends_only_their_own_sessions,
                a_session_within_magento_opens_one_history;
            accounts: an_address_that_is_not_proved_takes_nothing_from_anybody, a_proved_address_has_one_owner,
                an_organisation_has_one_member_of_an_address, a_person_belongs_to_several_organisations,
                a_person_goes_with_the_last_of_their_organisations, a_session_stands_in_one_organisation_at_a_time,
                a_new_password_ends_the_sessions_everywhere, a_code_proves_an_address_in_few_tries_and_little_time,
                an_address_is_forgotten_once_nobody_has_it;
            invitations: an_invitation_is_accepted_once, who_is_known_joins_by_the_address_that_they_have_proved,
                old_invitations_are_cleared_away, an_invitation_that_is_not_open_is_none,
                an_invitation_belongs_to_its_organisation, an_invitation_of_who_may_not_invite_any_more_is_withdrawn,
                a_new_invitation_takes_the_place_of_the_old_one, an_address_that_somebody_has_proved_leaves_the_invitation_open,
                an_invitation_accepted_twice_at_once_makes_one_member;
            second_factors: a_second_factor_is_in_force_once_it_is_confirmed, a_time_step_is_taken_once,
                a_recovery_code_is_good_once, a_second_factor_is_switched_off_with_its_codes,
                a_second_factor_ends_the_sessions_that_knew_another,
                second_factors_are_sealed_again_one_by_one;
            sign_ins: a_sign_in_waits_for_its_code_with_few_tries, a_sign_in_that_waits_ends_once,
                a_sign_in_ends_where_it_began,
                tries_run_out_and_come_back_one_by_one, a_try_that_was_none_is_given_back, what_has_ended_is_cleared_away;
            operator_actions: actions_are_kept_and_told, a_document_is_excluded_and_taken_back,
                what_is_posted_or_running_cannot_be_excluded, what_may_be_in_sage_cannot_be_excluded,
                an_exclusion_forgets_what_resolved_a_failure, views_are_kept_by_name, a_bulk_retry_passes_each_run_once,
                a_bulk_retry_feeds_the_queue_and_can_be_cancelled, a_bulk_retry_may_be_carried_on_by_several;
            bindings: a_binding_reads_as_it_was_kept, bindings_are_listed_oldest_first_and_only_to_their_organisation,
                a_business_has_one_binding_at_a_time, a_revoked_binding_that_chooses_a_business_is_pending,
                connecting_a_business_resets_trust, a_change_of_status_touches_no_runs,
                the_day_of_a_status_moves_only_with_it, a_status_changes_only_from_the_one_that_is_named,
                changing_an_unknown_binding_is_an_error, a_refusal_is_noted;
            revival: a_revived_binding_goes_on_where_it_stopped, each_status_is_revived_in_its_own_way,
                a_revived_binding_lets_a_taken_business_go, a_backfill_begins_behind_what_is_known,
                a_backfill_that_had_not_ended_is_not_forgotten, open_invoices_are_told_newest_first,
                a_backfill_is_due_while_its_binding_works, a_search_that_a_clock_put_off_goes_on;
            settings: a_credential_is_written_in_place_of_the_version_it_names,
                a_deleted_credential_is_never_mistaken_for_a_new_one, a_credential_is_withdrawn_at_the_version_it_names, credentials_are_kept_apart,
                credentials_are_gone_through_in_pages,
                a_reference_set_is_replaced_whole, settings_are_kept_by_version, a_version_out_of_turn_is_refused,
                the_history_of_settings_names_authors_and_counts_runs,
                saving_settings_releases_what_needs_a_mapping, what_waits_for_settings_is_released_in_batches, what_belongs_to_no_binding_is_refused;
            setups: a_shop_is_set_up_once_a_document_is_in_its_business;
            events: an_event_makes_a_run_that_is_due_at_once, what_happens_once_answers_its_first_run,
                upserts_fold_while_queued_or_waiting_and_not_after, a_replayed_token_writes_nothing,
                a_duplicate_spends_its_token, a_run_takes_the_current_settings_version,
                events_are_queued_while_the_binding_is_not_active, an_event_of_an_unknown_binding_is_refused,
                a_token_is_used_once_and_forgotten_when_it_has_ended;
            claims: the_oldest_due_run_is_claimed, a_business_has_one_writer_over_all_bindings,
                only_active_bindings_with_a_business_run, a_retry_waits_for_its_time,
                a_lost_lease_is_taken_over, a_stale_fence_changes_nothing, an_extended_lease_holds,
                a_lost_lease_is_not_extended_and_opens_nothing_beside_a_new_writer, a_released_run_goes_back_untouched,
                the_next_run_is_due_when_it_can_be_claimed;
            finishing: success_keeps_all_that_was_learnt, every_outcome_has_its_status, the_newest_plan_of_a_run_is_kept,
                unknown_facts_leave_what_was_known, steps_are_told_in_order, xrefs_are_replaced_and_kept_apart,
                a_change_of_a_run_is_announced, a_change_is_announced_to_its_organisation_alone, the_schema_can_be_migrated_again;
            invoices: a_payment_is_released_by_the_success_of_its_invoice,
                a_payment_is_released_when_its_invoice_is_skipped, what_was_skipped_with_its_invoice_goes_on_with_it, a_payment_stays_when_its_invoice_fails,
                a_payment_that_waits_too_late_goes_on_at_once, only_the_invoice_of_the_same_binding_counts;
            rests: a_business_that_rests_is_passed_over, a_shop_that_rests_holds_up_no_other,
                a_rest_is_no_attempt_and_leaves_no_rows, what_was_sent_before_a_rest_is_kept,
                a_run_that_rests_alone_holds_up_nobody, after_a_rest_by_turns_the_others_go_first, a_person_ends_a_rest;
            retries: a_person_retries_from_every_state_but_running, a_retry_starts_counting_again,
                a_retry_takes_the_current_settings_version, others_that_succeeded_since_a_try_are_known, another_organisation_sees_nothing;
            pages: pages_go_back_and_forth_without_gap_or_repeat, filters_hold_on_every_page,
                a_page_beyond_the_ends_is_empty, the_latest_run_speaks_for_its_entity,
                a_skipped_payment_does_not_speak_for_its_invoice, runs_are_counted, posted_documents_are_counted;
            history: every_filter_holds_whichever_way_leads_there, every_order_is_kept_back_and_forth,
                a_search_that_finds_too_little_stops_and_goes_on, nothing_is_told_of_anothers_binding, a_strangers_run_is_as_unknown_as_none,
                runs_are_read_by_their_ids,
                open_runs_are_grouped_by_cause, a_later_success_resolves_what_failed_before;
            finding: a_customer_is_found_by_the_beginning_of_the_name, runs_are_counted_as_far_as_a_page_looks, what_people_hold_in_their_hands_is_found, what_is_found_thousands_of_times_is_found_whole;
            overview: runs_are_counted_by_hour_and_day_as_they_come_and_end, only_an_end_is_counted_as_one,
                a_run_that_is_queued_again_is_counted_by_its_last_end,
                a_binding_tells_how_far_behind_it_is, failures_one_after_another_are_told, what_magento_could_not_be_told_is_counted,
                the_times_of_what_succeeded_are_told_newest_first, what_was_posted_since_an_instant_is_summed;
            intents: an_intent_is_opened_once, an_answered_intent_keeps_its_answer, calls_are_kept_with_what_came_of_them,
                what_was_told_is_kept_with_the_answer, a_refused_intent_is_opened_again, a_settled_intent_may_be_opened_with_another_request,
                an_adopted_record_answers_its_intent, a_record_of_another_key_is_known_as_held,
                a_memo_that_may_be_in_sage_counts_as_credited, an_update_is_known_until_it_is_settled,
                what_is_unanswered_is_found_by_how_its_key_begins, a_withdrawn_draft_is_known_as_such, a_forgotten_record_is_made_again,
                sealed_calls_are_resealed, only_who_holds_the_run_may_write, intents_are_kept_apart;
            run_state: a_run_goes_on_when_its_mapping_was_saved_meanwhile,
                a_retry_waits_for_its_binding, a_released_run_waits_for_its_binding, what_is_to_be_tried_again_waits_for_its_binding,
                what_waited_for_an_invoice_waits_for_its_binding, what_needed_a_mapping_waits_for_its_binding;
            deliveries: a_sync_state_is_due_at_once, a_newer_state_replaces_an_older_one, a_newer_state_has_not_arrived_yet,
                a_newer_state_waits_for_the_older_one_in_flight, the_newest_state_is_read_before_it_is_sent,
                a_shop_is_told_one_state_at_a_time, shops_are_told_in_turn, a_failed_delivery_is_due_again_or_given_up,
                a_delivery_whose_holder_died_is_due_again, who_lost_a_shop_neither_sends_nor_decides,
                what_a_late_call_has_overwritten_is_told_again, a_state_that_follows_an_unanswered_one_is_told_twice,
                a_shop_that_rests_is_passed_over, revoked_bindings_are_told_nothing,
                how_a_delivery_stands_is_told_to_its_organisation;
            telling_again: what_a_shop_takes_again_is_told_at_once, a_shop_that_answers_is_told_at_once;
            alerts: trouble_is_told_in_stages_and_ends_in_a_pause, recovery_is_told_with_the_first_success,
                only_what_has_ended_is_counted, a_document_that_fails_again_is_one_failure,
                documents_that_fail_again_together_are_no_new_failures,
                known_failures_that_are_retried_together_pause_nothing, thresholds_are_handed_in,
                a_lost_connection_is_told_once, a_missing_setting_is_told_once,
                an_alert_knows_its_document_and_nothing_of_people, alerts_are_listed_to_their_organisation_and_purged;
            alert_channels: a_channel_is_its_members_alone, a_channel_is_used_once_it_is_confirmed,
                a_channel_is_told_what_it_wants, a_digest_holds_all_of_its_hour,
                a_delivery_of_alerts_keeps_its_name_and_content_over_its_tries, a_delivery_of_alerts_is_given_up,
                a_channel_that_is_gone_is_told_nothing, a_removed_member_is_told_nothing, a_channels_secret_is_sealed_again,
                a_member_is_told_one_message_at_a_time, a_channel_that_rests_is_passed_over, organisations_are_told_in_turn,
                workers_at_once_never_share_a_delivery_of_alerts;
            audit: what_is_done_with_people_is_kept_with_its_record, what_is_done_with_an_account_is_kept_with_its_record,
                what_is_done_with_a_shop_is_kept_with_its_record, what_is_done_with_channels_is_kept_with_its_record;
            leases: a_lease_has_one_holder_at_a_time, a_lease_that_ran_out_goes_to_the_next;
            clocks: a_lease_of_a_clock_that_was_ahead_holds_nobody, a_lease_extended_by_a_clock_that_was_ahead_holds_nobody,
                a_lease_outlives_a_clock_that_is_set_back_a_little, a_run_held_by_a_clock_that_was_ahead_is_made_due,
                a_run_whose_lease_ran_out_is_retried, runs_that_a_clock_put_off_are_brought_forward,
                rests_that_a_clock_prolonged_end, states_that_a_clock_put_off_are_told,
                alerts_that_a_clock_put_off_are_told, a_named_lease_of_a_clock_that_was_ahead_is_none,
                what_may_still_land_left_by_now;
            figures: what_is_open_is_counted_for_each_binding, deliveries_are_counted, ages_are_told;
            maintenance: what_waits_or_is_due_later_is_made_due, a_run_that_is_held_is_left_alone,
                a_run_that_was_lost_is_made_due, a_lease_is_ended_by_force, what_has_ended_is_not_made_due, what_is_made_due_waits_for_its_binding,
                only_what_has_ended_is_deleted, old_runs_are_deleted_little_by_little,
                an_invoice_that_is_waited_for_is_kept, what_is_in_sage_is_known_after_its_run_was_deleted;
            concurrency: events_at_once_make_a_run_each, the_same_event_at_once_makes_one_run,
                workers_at_once_never_share_a_run, workers_at_once_never_share_a_shop;
        }
    };
}

/// The list of [`conformance_suite`], turned into tests.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($make:ident, $($room:ident : $($behaviour:ident),+);+ $(;)?) => {
        $(mod $room {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let (store, guard) = super::$make().await;
                $crate::conformance::$room::$behaviour(::std::sync::Arc::clone(&store)).await;
                store.close().await;
                drop(guard);
            })+
        })+
    };
}

#[cfg(test)]
mod tests {
    /// A behaviour that is missing from the list would silently never run.
    #[test]
    fn every_behaviour_is_in_the_list() {
        let list = include_str!("mod.rs");
        for (room, source) in [
            ("accounts", include_str!("accounts.rs")),
            ("operator_actions", include_str!("operator_actions.rs")),
            ("alert_channels", include_str!("alert_channels.rs")),
            ("alerts", include_str!("alerts.rs")),
            ("audit", include_str!("audit.rs")),
            ("bindings", include_str!("bindings.rs")),
            ("claims", include_str!("claims.rs")),
            ("concurrency", include_str!("concurrency.rs")),
            ("deliveries", include_str!("deliveries.rs")),
            ("events", include_str!("events.rs")),
            ("figures", include_str!("figures.rs")),
            ("finishing", include_str!("finishing.rs")),
            ("history", include_str!("history.rs")),
            ("intents", include_str!("intents.rs")),
            ("invitations", include_str!("invitations.rs")),
            ("invoices", include_str!("invoices.rs")),
            ("leases", include_str!("leases.rs")),
            ("maintenance", include_str!("maintenance.rs")),
            ("overview", include_str!("overview.rs")),
            ("pages", include_str!("pages.rs")),
            ("people", include_str!("people.rs")),
            ("rests", include_str!("rests.rs")),
            ("retries", include_str!("retries.rs")),
            ("revival", include_str!("revival.rs")),
            ("second_factors", include_str!("second_factors.rs")),
            ("settings", include_str!("settings.rs")),
            ("setups", include_str!("setups.rs")),
            ("sign_ins", include_str!("sign_ins.rs")),
            ("telling_again", include_str!("telling_again.rs")),
            ("run_state", include_str!("run_state.rs")),
        ] {
            let behaviours = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            for name in behaviours.filter_map(|line| line.split('(').next()) {
                assert!(list.contains(name), "{room}::{name} is in no test");
            }
        }
    }
}
