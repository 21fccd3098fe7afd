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

pub mod bindings;
pub mod claims;
pub mod crowds;
pub mod deliveries;
pub mod events;
pub mod finishing;
pub mod intents;
pub mod invoices;
pub mod leases;
pub mod pages;
pub mod people;
pub mod retries;
pub mod settings;
pub mod standing;
mod world;

pub use world::World;

/// Expands to a test for each behaviour. `$make` is the name of an `async fn() -> (Arc<dyn Store>, impl Sized)` beside the call.
#[macro_export]
macro_rules! conformance_suite {
    ($make:ident) => {
        $crate::conformance_tests! { $make,
            people: organisations_are_listed_oldest_first, a_member_is_found_by_address_in_any_case,
                a_taken_address_is_refused, a_session_ends_by_itself, a_session_ends_when_asked;
            bindings: a_binding_reads_as_it_was_kept, bindings_are_listed_oldest_first_and_only_to_their_organisation,
                connecting_a_business_starts_trust_anew, leaving_active_makes_runs_wait,
                becoming_active_queues_what_waited_for_it, waiting_runs_follow_from_one_stop_to_the_next,
                the_day_of_a_status_moves_only_with_it, changing_an_unknown_binding_is_an_error;
            settings: a_credential_is_written_in_place_of_the_version_it_names,
                a_deleted_credential_is_never_mistaken_for_a_new_one, credentials_are_kept_apart,
                a_reference_set_is_replaced_whole, policies_are_kept_by_version, a_version_out_of_turn_is_refused,
                saving_a_policy_releases_what_needs_a_mapping, what_belongs_to_no_binding_is_refused;
            events: an_event_makes_a_run_that_is_due_at_once, what_happens_once_answers_its_first_run,
                upserts_fold_while_queued_or_waiting_and_not_after, a_replayed_token_writes_nothing,
                a_duplicate_spends_its_token, a_run_takes_the_current_policy_version,
                runs_wait_while_the_binding_is_not_active, an_event_of_an_unknown_binding_is_refused,
                a_token_is_used_once_and_forgotten_when_it_has_ended;
            claims: the_oldest_due_run_is_claimed, a_business_has_one_writer_over_all_bindings,
                only_active_bindings_with_a_business_run, a_retry_waits_for_its_time,
                a_lost_lease_is_taken_over, a_stale_fence_changes_nothing, an_extended_lease_holds,
                a_lost_lease_cannot_be_extended_beside_a_new_writer, a_released_run_goes_back_untouched,
                the_next_run_is_due_when_it_can_be_claimed;
            finishing: success_keeps_all_that_was_learnt, every_outcome_has_its_status,
                unknown_facts_leave_what_was_known, steps_are_told_in_order, xrefs_are_replaced_and_kept_apart,
                a_change_of_a_run_is_announced, the_schema_can_be_migrated_again;
            invoices: a_payment_is_released_by_the_success_of_its_invoice,
                a_payment_is_released_when_its_invoice_is_skipped, a_payment_stays_when_its_invoice_fails,
                a_payment_that_waits_too_late_goes_on_at_once, only_the_invoice_of_the_same_binding_counts;
            retries: a_person_retries_from_every_state_but_running, a_retry_starts_counting_anew,
                a_retry_takes_the_current_policy_version, another_organisation_sees_nothing;
            pages: pages_go_back_and_forth_without_gap_or_repeat, filters_hold_on_every_page,
                a_page_beyond_the_ends_is_empty, the_latest_run_speaks_for_its_entity,
                a_skipped_payment_does_not_speak_for_its_invoice, runs_are_counted, posted_documents_are_counted;
            intents: an_intent_is_opened_once, an_answered_intent_keeps_its_answer, calls_are_kept_with_what_came_of_them,
                what_was_told_is_kept_with_the_answer, a_refused_intent_is_opened_anew, generations_are_told_of_what_was_refused, intents_are_kept_apart;
            standing: a_run_goes_on_when_its_mapping_was_saved_meanwhile,
                a_run_goes_on_when_its_binding_is_active_again_meanwhile,
                a_run_that_waits_for_its_binding_has_the_code_of_its_status, a_retry_waits_for_its_binding,
                a_released_run_waits_for_its_binding, what_is_to_be_tried_again_waits_for_its_binding,
                what_waited_for_an_invoice_waits_for_its_binding, what_needed_a_mapping_waits_for_its_binding;
            deliveries: a_sync_state_is_due_at_once, a_newer_state_replaces_an_older_one,
                a_newer_state_waits_for_the_older_one_in_flight, a_failed_delivery_is_due_again_or_given_up,
                a_delivery_whose_holder_died_is_due_again, a_late_word_on_an_old_try_changes_nothing,
                revoked_bindings_are_told_nothing, deliveries_are_taken_up_to_the_limit;
            leases: a_lease_has_one_holder_at_a_time, a_lease_that_ran_out_goes_to_the_next;
            crowds: events_at_once_make_a_run_each, the_same_event_at_once_makes_one_run,
                workers_at_once_never_share_a_run;
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
            ("bindings", include_str!("bindings.rs")),
            ("claims", include_str!("claims.rs")),
            ("crowds", include_str!("crowds.rs")),
            ("deliveries", include_str!("deliveries.rs")),
            ("events", include_str!("events.rs")),
            ("finishing", include_str!("finishing.rs")),
            ("intents", include_str!("intents.rs")),
            ("invoices", include_str!("invoices.rs")),
            ("leases", include_str!("leases.rs")),
            ("pages", include_str!("pages.rs")),
            ("people", include_str!("people.rs")),
            ("retries", include_str!("retries.rs")),
            ("settings", include_str!("settings.rs")),
            ("standing", include_str!("standing.rs")),
        ] {
            let behaviours = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            for name in behaviours.filter_map(|line| line.split('(').next()) {
                assert!(list.contains(name), "{room}::{name} is in no test");
            }
        }
    }
}
