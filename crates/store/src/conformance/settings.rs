//! Credentials, reference sets and settings.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{NaiveDate, TimeDelta};
use domain::{
    business::{ReferenceSet, TaxRate},
    code::Code,
    environment::Environment,
    ids::{BindingId, MemberId, PersonId},
    money::Currency,
    run::{EventName::InvoiceCreated, Role, RunStatus},
    settings::Settings,
};

use super::world::{World, assert_conflict, assert_not_found, assert_stale, needs_mapping, waiting_for};
use crate::{
    CachedReference,
    CredentialKind::{MagentoApiKey, SageConsent, SageTokens},
    Member, NewMember, PageRequest, RunFilter, SavedSettings, Sealed, SealedCredential, SettingsVersion,
    Store,
};

/// Two refreshers cannot undo each other: the second names a version that is no more.
pub async fn a_credential_is_written_in_place_of_the_version_it_names(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (store, binding, now) = (&world.store, world.binding, world.now());
    assert_eq!(store.credential(binding, SageTokens).await.unwrap(), None);
    assert_stale(store.put_credential(binding, SageTokens, "v0", 7, now, None).await);
    let first = store.put_credential(binding, SageTokens, "v1", 0, now, None).await.unwrap();
    assert_stale(store.put_credential(binding, SageTokens, "again", 0, now, None).await);
    let second = store.put_credential(binding, SageTokens, "v2", first, now, None).await.unwrap();
    assert!(second > first);
    assert_stale(store.put_credential(binding, SageTokens, "late", first, now, None).await);
    let kept = store.credential(binding, SageTokens).await.unwrap().unwrap();
    assert_eq!((kept.envelope.as_str(), kept.version, kept.updated_at), ("v2", second, now));
}

/// Versions grow over a deletion too, so a refresher of the old connection cannot overwrite the new one.
pub async fn a_deleted_credential_is_never_mistaken_for_a_new_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (store, binding, now) = (&world.store, world.binding, world.now());
    let old = store.put_credential(binding, SageTokens, "old", 0, now, None).await.unwrap();
    store.delete_credential(binding, SageTokens).await.unwrap();
    store.delete_credential(binding, SageTokens).await.unwrap();
    assert_eq!(store.credential(binding, SageTokens).await.unwrap(), None);
    assert_stale(store.put_credential(binding, SageTokens, "refreshed", old, now, None).await);
    let new = store.put_credential(binding, SageTokens, "new", 0, now, None).await.unwrap();
    assert!(new > old);
    assert_stale(store.put_credential(binding, SageTokens, "refreshed", old, now, None).await);
    assert_eq!(store.credential(binding, SageTokens).await.unwrap().unwrap().envelope, "new");
}

/// Upkeep deletes what it has looked at, and nothing that came since.
pub async fn a_credential_is_withdrawn_at_the_version_it_names(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let kind = SageConsent;
    let put = async |replaces| {
        world.store.put_credential(world.binding, kind, "sealed", replaces, world.now(), None).await.unwrap()
    };
    let withdraw =
        async |version| world.store.withdraw_credential(world.binding, kind, version).await.unwrap();
    assert!(!withdraw(1).await, "there is none");
    let first = put(0).await;
    let second = put(first).await;
    assert!(!withdraw(first).await, "it has moved on");
    assert!(withdraw(second).await);
    assert_eq!(world.store.credential(world.binding, kind).await.unwrap(), None);
    assert!(!withdraw(second).await);
    assert_eq!(put(0).await, second + 1, "its numbers go on");
}

/// Kinds and bindings do not touch each other.
pub async fn credentials_are_kept_apart(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (store, binding, now) = (&world.store, world.binding, world.now());
    let other = world.add_binding("business-2").await;
    store.put_credential(binding, SageTokens, "tokens", 0, now, None).await.unwrap();
    store.put_credential(binding, MagentoApiKey, "key", 0, now, None).await.unwrap();
    store.put_credential(other, MagentoApiKey, "other", 0, now, None).await.unwrap();
    store.delete_credential(binding, SageTokens).await.unwrap();
    assert_eq!(store.credential(binding, MagentoApiKey).await.unwrap().unwrap().envelope, "key");
    assert_eq!(store.credential(other, MagentoApiKey).await.unwrap().unwrap().envelope, "other");
    assert_eq!(store.credential(other, SageTokens).await.unwrap(), None);
}

/// Page after page meets every credential once, and what was deleted not at all.
pub async fn credentials_are_gone_through_in_pages(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (store, now) = (&world.store, world.now());
    let mut bindings = vec![world.binding, world.add_binding("business-2").await];
    bindings.push(world.add_binding("business-3").await);
    let mut expected = Vec::new();
    for binding in &bindings {
        for kind in [MagentoApiKey, SageTokens] {
            let envelope = format!("{binding}/{}", kind.as_str());
            let version = store.put_credential(*binding, kind, &envelope, 0, now, None).await.unwrap();
            expected.push(SealedCredential {
                binding: *binding,
                kind,
                sealed: Sealed { envelope, version, updated_at: now },
            });
        }
    }
    store.delete_credential(bindings[1], SageTokens).await.unwrap();
    expected.remove(3);
    let mut met = Vec::new();
    loop {
        let after = met.last().map(|last: &SealedCredential| (last.binding, last.kind));
        let page = store.page_credentials(after, 2).await.unwrap();
        let is_last = page.len() < 2;
        met.extend(page);
        if is_last {
            break;
        }
    }
    met.sort_by_key(|one| (one.binding, one.kind));
    expected.sort_by_key(|one| (one.binding, one.kind));
    assert_eq!(met, expected);
}

/// Lists as they are fetched.
pub(super) fn reference(world: &World) -> CachedReference {
    let rate = TaxRate {
        id: "GB_STANDARD".to_owned(),
        name: "Standard".to_owned(),
        percentage: domain::money::from_minor(2050),
        regions: vec!["CA-ON".to_owned()],
    };
    let set = ReferenceSet {
        country: "GB".to_owned(),
        base_currency: Currency::GBP,
        multi_currency_enabled: true,
        registered_for_tax: true,
        accounts_start_date: NaiveDate::from_ymd_opt(2025, 4, 1),
        tax_rates: vec![rate],
        ledger_accounts: Vec::new(),
        bank_accounts: Vec::new(),
        payment_methods: Vec::new(),
        currencies: Vec::new(),
        eu_goods_services_types: Vec::new(),
        carriage_ledger_account_id: None,
        exchange_rates: BTreeMap::from([(Currency::EUR, domain::money::from_minor(85))]),
        region: Some("CA-ON".to_owned()),
    };
    CachedReference { set, fetched_at: world.now() }
}

/// The newest fetch is what is there.
pub async fn a_reference_set_is_replaced_whole(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.store.reference(world.binding).await.unwrap(), None);
    let mut set = reference(&world).set;
    let first = CachedReference { set: set.clone(), fetched_at: world.now() };
    world.store.put_reference(world.binding, &first, None).await.unwrap();
    assert_eq!(world.store.reference(world.binding).await.unwrap(), Some(first));
    set.tax_rates.clear();
    let second = CachedReference { set, fetched_at: world.now() };
    world.store.put_reference(world.binding, &second, None).await.unwrap();
    assert_eq!(world.store.reference(world.binding).await.unwrap(), Some(second));
    let mut set = reference(&world).set;
    set.exchange_rates.insert("EUR".parse().unwrap(), "0.852224305437191".parse().unwrap());
    let third = CachedReference { set, fetched_at: world.now() };
    world.store.put_reference(world.binding, &third, None).await.unwrap();
    let books = world.store.books(world.organisation).await.unwrap();
    assert_eq!(books, [(world.binding, third.set.books())]);
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.books(stranger).await.unwrap(), []);
}

pub(super) fn version(world: &World, version: i64) -> SettingsVersion {
    let mut settings =
        Settings { default_tax_rate_id: Some(format!("rate-{version}")), ..Settings::default() };
    settings.payment_method_map.insert("checkmo".to_owned(), None);
    SettingsVersion {
        version,
        settings,
        author: None,
        reason: Some("because".to_owned()),
        created_at: world.now(),
    }
}

/// Every save stays, the newest is current.
pub async fn settings_are_kept_by_version(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let member = Member {
        id: MemberId(world.id()),
        person_id: PersonId(world.id()),
        organisation_id: world.organisation,
        email: "ada@shop.example".to_owned(),
        proved_at: Some(world.now()),
        name: "Ada".to_owned(),
        role: Role::Accountant,
        created_at: world.now(),
    };
    let author = Some(member.id);
    world.store.create_member(&NewMember { member, password_hash: "hash".to_owned() }, None).await.unwrap();
    assert_eq!(world.store.current_settings(world.binding).await.unwrap(), None);
    let first = version(&world, 1);
    let second = SettingsVersion { author, reason: None, ..version(&world, 2) };
    world.store.save_settings(world.binding, &first, None).await.unwrap();
    world.store.save_settings(world.binding, &second, None).await.unwrap();
    assert_eq!(world.store.current_settings(world.binding).await.unwrap(), Some(second.clone()));
    assert_eq!(world.store.settings(world.binding, 1).await.unwrap(), Some(first));
    assert_eq!(world.store.settings(world.binding, 2).await.unwrap(), Some(second.clone()));
    assert_eq!(world.store.settings(world.binding, 3).await.unwrap(), None);
    let binding = world.store.binding(world.binding).await.unwrap().unwrap();
    assert_eq!(binding.trusted_since, second.created_at);
    let other = world.add_binding("business-2").await;
    assert_eq!(world.store.current_settings(other).await.unwrap(), None);
}

/// Who saved each version, and how many runs stand under it; the newest first, page by page.
pub async fn the_history_of_settings_names_authors_and_counts_runs(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let member = Member {
        id: MemberId(world.id()),
        person_id: PersonId(world.id()),
        organisation_id: world.organisation,
        email: "ada@shop.example".to_owned(),
        proved_at: Some(world.now()),
        name: String::new(),
        role: Role::Accountant,
        created_at: world.now(),
    };
    let author = Some(member.id);
    world.store.create_member(&NewMember { member, password_hash: "hash".to_owned() }, None).await.unwrap();
    let first = version(&world, 1);
    world.store.save_settings(world.binding, &first, None).await.unwrap();
    world.receive(InvoiceCreated, 1).await;
    world.receive(InvoiceCreated, 2).await;
    let second = SettingsVersion { author, ..version(&world, 2) };
    world.store.save_settings(world.binding, &second, None).await.unwrap();
    let late = world.receive(InvoiceCreated, 3).await;

    let saved = world.store.settings_history(world.binding, None, 9).await.unwrap();
    let ada = Some("ada@shop.example".to_owned());
    assert_eq!(
        saved,
        [
            SavedSettings { version: second, author_name: ada, runs: 1 },
            SavedSettings { version: first, author_name: None, runs: 2 },
        ]
    );
    assert_eq!(world.store.settings_history(world.binding, Some(2), 9).await.unwrap(), saved[1..]);
    assert_eq!(world.store.settings_history(world.binding, None, 1).await.unwrap(), saved[..1]);
    let filter =
        RunFilter { binding: Some(world.binding), settings_version: Some(2), ..RunFilter::default() };
    let request = PageRequest { filter, limit: 9, ..PageRequest::default() };
    let under = world.store.page_runs(world.organisation, &request).await.unwrap().runs;
    assert_eq!(under.iter().map(|run| run.id).collect::<Vec<_>>(), [late]);
}

/// The second of two people who save at once is told, and nothing of theirs is kept.
pub async fn a_version_out_of_turn_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_conflict(world.store.save_settings(world.binding, &version(&world, 2), None).await);
    let first = version(&world, 1);
    world.store.save_settings(world.binding, &first, None).await.unwrap();
    let held = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    for wrong in [0, 1, 3] {
        assert_conflict(world.store.save_settings(world.binding, &version(&world, wrong), None).await);
    }
    assert_eq!(world.store.current_settings(world.binding).await.unwrap(), Some(first.clone()));
    assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().trusted_since, first.created_at);
    assert_eq!(world.run(held).await.status, RunStatus::Waiting);
}

/// A mapping that was missing is there now: the runs go on under the version that brings it.
pub async fn saving_settings_releases_what_needs_a_mapping(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let held = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    let parent = world.run_through(InvoiceCreated, 2, waiting_for(99)).await;
    let other = world.add_binding("business-2").await;
    let foreign = world.receive_of(other, InvoiceCreated, 3).await;
    let claimed = world.claim().await;
    world.finish(&claimed, needs_mapping()).await;
    world.pass(TimeDelta::hours(1));
    let saved = version(&world, 1);
    world.store.save_settings(world.binding, &saved, None).await.unwrap();
    let run = world.run(held).await;
    assert_eq!((run.status, run.code, run.message), (RunStatus::Queued, None, None));
    assert_eq!((run.settings_version, run.next_at), (1, saved.created_at));
    assert_eq!(world.run_state(parent).await, (RunStatus::Waiting, Some(Code::WaitingForInvoice)));
    assert_eq!(world.run(parent).await.settings_version, 0);
    assert_eq!(world.run_state(foreign).await, (RunStatus::Waiting, Some(Code::NeedsMapping)));
}

/// Settings hang on a binding that exists.
pub async fn what_belongs_to_no_binding_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let nobody = BindingId(world.id());
    assert_not_found(world.store.save_settings(nobody, &version(&world, 1), None).await);
    assert_not_found(world.store.put_credential(nobody, SageTokens, "v1", 0, world.now(), None).await);
    assert_eq!(world.store.credential(nobody, SageTokens).await.unwrap(), None);
}

/// No transaction is long, however many wait; what is left goes on with the next batches, whoever makes them.
pub async fn what_waits_for_settings_is_released_in_batches(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let number = i64::from(crate::RELEASED_AT_ONCE) + 7;
    for magento_id in 0..number {
        world.run_through(InvoiceCreated, magento_id, needs_mapping()).await;
    }
    world.save_settings(1).await;
    let waiting = || async {
        let filter = crate::RunFilter { status: Some(RunStatus::Waiting), ..crate::RunFilter::default() };
        let request = crate::PageRequest { filter, limit: 100, ..crate::PageRequest::default() };
        world.store.page_runs(world.organisation, &request).await.unwrap().runs.len()
    };
    assert_eq!(waiting().await, 7);
    assert!(world.store.release_held(world.now()).await.unwrap());
    assert_eq!(waiting().await, 0);
    assert!(!world.store.release_held(world.now()).await.unwrap(), "nothing is left to do");
    let claimed = world.claim().await;
    assert_eq!((claimed.run.magento_id, claimed.run.settings_version), (0, 1));
}
