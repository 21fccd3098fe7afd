//! A shop that is paired again goes on where it stopped, whoever disconnected it: nothing is posted twice, and nothing waits for ever.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::BindingId,
    run::{BindingStatus, EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use simulators::magento::Documents;
use store::{Binding, PageRequest, Run};
use sync::ConnectError;

use crate::{
    browser,
    connecting::approve,
    postgres,
    refreshing::{Ahead, process},
};

/// Paid invoices, numbered from 1.
fn documents(invoices: u64) -> Documents {
    Documents::from_values((1..=invoices).map(invoice).collect()).unwrap()
}

/// A copy of a real invoice under another number.
pub fn invoice(id: u64) -> Value {
    let mut copy: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json")).unwrap();
    copy["magento_id"] = id.into();
    copy["increment_id"] = format!("{id:09}").into();
    copy
}

pub async fn sandbox(invoices: u64, database_url: Option<String>) -> Sandbox {
    let documents = Some(documents(invoices));
    Sandbox::set(Options { documents, worker: false, database_url, ..Options::default() }).await.unwrap()
}

/// Lets an event go all the way.
pub async fn work(sandbox: &Sandbox, event: &str, id: u64) {
    assert!(sandbox.shop().unwrap().enqueue(event, id, None), "{event} {id}");
    sandbox.shop().unwrap().run_cron().await;
    sync::run_until_idle(&sandbox.process.engine).await;
}

pub async fn binding(sandbox: &Sandbox, id: BindingId) -> Binding {
    sandbox.process.engine.store.binding(id).await.unwrap().unwrap()
}

/// Pairs the shop as its owner does, with a new code.
pub async fn pair(sandbox: &Sandbox, url: &str) -> Binding {
    let code = sandbox.shop().unwrap().pairing_code();
    let ledger_url = sandbox.url();
    let request = sync::PairRequest {
        organisation: sandbox.organisation,
        name: "Blue Mug shop",
        magento_url: url,
        code: &code,
        ledger_url: &ledger_url,
    };
    sandbox.process.engine.pair(&request, None).await.unwrap().binding
}

/// Consents at Sage again and chooses a business: the one of before, or the one at this place of the list.
pub async fn connect_sage(sandbox: &Sandbox, binding: &Binding, other: Option<usize>) {
    let engine = &sandbox.process.engine;
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let (brought, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    let (_, businesses) = engine.take_code(&brought, &code, owner, None).await.unwrap();
    let first = sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap().business;
    let business = other.map_or_else(|| first.unwrap().id, |place| businesses[place].id.clone());
    engine.choose_business(binding, owner, &business, &|_| (), None).await.unwrap();
}

pub async fn runs(sandbox: &Sandbox) -> Vec<Run> {
    let request = PageRequest { limit: 100, ..PageRequest::default() };
    sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap().runs
}

/// How many invoices and payments Sage holds.
pub async fn posted(sandbox: &Sandbox) -> (usize, usize) {
    let books = sandbox.books().await.unwrap();
    let count = |kind: &str| books[kind].as_array().map_or(0, Vec::len);
    (count("sales_invoices"), count("contact_payments"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_magento_disconnected_is_revived_when_it_is_paired_again() {
    revived_after_magentos_disconnect(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_magento_disconnected_is_revived_when_it_is_paired_again_on_postgres() {
    let Some(database_url) = postgres::database().await else { return };
    revived_after_magentos_disconnect(Some(database_url)).await;
}

async fn revived_after_magentos_disconnect(database_url: Option<String>) {
    let sandbox = sandbox(3, database_url).await;
    let before = binding(&sandbox, sandbox.binding.id).await;
    work(&sandbox, "invoice.created", 1).await;
    work(&sandbox, "invoice.paid", 1).await;
    work(&sandbox, "invoice.created", 2).await;
    // On its way when the merchant disconnects; and an event that the old tenant still took.
    assert!(sandbox.shop().unwrap().enqueue("invoice.created", 3, None));
    sandbox.shop().unwrap().disconnect().await.unwrap();
    assert_eq!(binding(&sandbox, before.id).await.status, BindingStatus::Revoked);

    let again = pair(&sandbox, &format!("{}/", sandbox.magento.base())).await;
    assert_eq!(again.id, before.id, "the same tenant");
    assert_eq!(again.status, BindingStatus::Pending, "Sage's tokens were revoked");
    assert_eq!(again.business, before.business, "offered again");
    sandbox.shop().unwrap().run_cron().await;
    connect_sage(&sandbox, &again, None).await;
    let after = binding(&sandbox, before.id).await;
    assert_eq!(after.status, BindingStatus::Active);
    assert_eq!(after.trusted_since, before.trusted_since);
    assert!(sandbox.process.engine.store.current_settings(before.id).await.unwrap().is_some());
    sync::run_until_idle(&sandbox.process.engine).await;

    // The only event of an invoice that was posted before: its payment.
    work(&sandbox, "invoice.paid", 2).await;
    assert_eq!(posted(&sandbox).await, (3, 2));
    assert!(runs(&sandbox).await.iter().all(|run| run.status == RunStatus::Succeeded));
    let chips = sandbox.magento.get("/_sim/sync-state").await.unwrap();
    assert!(chips.as_array().unwrap().iter().all(|chip| chip["sync_status"] == "synced"), "{chips:#}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_left_unheard_is_revived_and_goes_on_at_once() {
    let sandbox = sandbox(2, None).await;
    let before = binding(&sandbox, sandbox.binding.id).await;
    work(&sandbox, "invoice.created", 1).await;
    // Ledger was down: Magento forgets its keys whatever comes back.
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    let again = pair(&sandbox, sandbox.magento.base()).await;
    assert_eq!((again.id, again.status), (before.id, BindingStatus::Active));
    assert_eq!(again.business, before.business);
    work(&sandbox, "invoice.paid", 1).await;
    work(&sandbox, "invoice.created", 2).await;
    assert_eq!(posted(&sandbox).await, (2, 1));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_while_ledger_had_disconnected_the_shop_goes_on_after_pairing() {
    let sandbox = sandbox(2, None).await;
    let before = binding(&sandbox, sandbox.binding.id).await;
    work(&sandbox, "invoice.created", 1).await;
    sandbox.process.engine.disconnect(&before, None).await.unwrap();
    work(&sandbox, "invoice.created", 2).await;
    assert_eq!(posted(&sandbox).await.0, 1, "it waits");
    // The owner takes the longer way, although the shop is still paired.
    sandbox.shop().unwrap().disconnect().await.unwrap();
    let again = pair(&sandbox, sandbox.magento.base()).await;
    assert_eq!(again.id, before.id);
    connect_sage(&sandbox, &again, None).await;
    sync::run_until_idle(&sandbox.process.engine).await;
    assert_eq!(posted(&sandbox).await.0, 2);
    let second = runs(&sandbox).await.into_iter().find(|run| run.magento_id == 2).unwrap();
    assert_eq!((second.event, second.status), (EventName::InvoiceCreated, RunStatus::Succeeded));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_business_chosen_after_the_revival_shares_no_cross_reference() {
    let sandbox = sandbox(1, None).await;
    let before = binding(&sandbox, sandbox.binding.id).await;
    work(&sandbox, "invoice.created", 1).await;
    sandbox.shop().unwrap().disconnect().await.unwrap();
    let again = pair(&sandbox, sandbox.magento.base()).await;
    connect_sage(&sandbox, &again, Some(3)).await;
    let after = binding(&sandbox, before.id).await;
    assert_ne!(after.business, before.business);
    assert!(after.trusted_since > before.trusted_since, "trust begins again");
    let key = domain::xref::XrefKey { kind: domain::xref::XrefKind::Invoice, magento_key: "1".to_owned() };
    let store = &sandbox.process.engine.store;
    let of = async |business: &Option<store::SageBusiness>| {
        let id = business.clone().unwrap().id;
        store.xrefs(before.id, &id, std::slice::from_ref(&key)).await.unwrap().len()
    };
    assert_eq!((of(&before.business).await, of(&after.business).await), (1, 0));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_offered_by_who_disconnected() {
    let sandbox = sandbox(1, None).await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let path = format!("/dashboard/bindings/{}", sandbox.binding.id);
    let (pair_again, sage_again) = ("Pair the shop again", "Connect Sage again");
    let page = browser::page(&sandbox, &cookie, &path).await;
    assert!(!page.contains(pair_again) && !page.contains(sage_again), "{page}");

    sandbox.process.engine.disconnect(&sandbox.binding, None).await.unwrap();
    let page = browser::page(&sandbox, &cookie, &path).await;
    assert!(page.contains(sage_again) && !page.contains(pair_again), "{page}");
    sandbox.shop().unwrap().disconnect().await.unwrap();
    let page = browser::page(&sandbox, &cookie, &path).await;
    assert!(page.contains(pair_again) && !page.contains(sage_again), "{page}");
    assert!(page.contains("The shop was disconnected in Magento."), "{page}");

    // Sage alone would change nothing, and its page says so.
    let connecting = format!("/dashboard/connect-sage?binding={}", sandbox.binding.id);
    assert!(browser::page(&sandbox, &cookie, &connecting).await.contains("pair the shop again"));
    connect_sage(&sandbox, &binding(&sandbox, sandbox.binding.id).await, None).await;
    assert_eq!(binding(&sandbox, sandbox.binding.id).await.status, BindingStatus::NeedsReauth);
    let page = browser::page(&sandbox, &cookie, &path).await;
    assert!(page.contains(pair_again) && !page.contains("Documents go to Sage within moments"), "{page}");

    // The form is filled in, and leads back to the shop's page: everything is connected.
    let form_at = page.split('"').find(|part| part.starts_with("/dashboard/connect-magento?")).unwrap();
    let form = browser::page(&sandbox, &cookie, &form_at.replace("&amp;", "&")).await;
    assert!(form.contains("Blue Mug shop") && form.contains(sandbox.magento.base()), "{form}");
    let code = sandbox.shop().unwrap().pairing_code();
    let typed = [("name", "Blue Mug shop"), ("url", sandbox.magento.base()), ("code", code.as_str())];
    let answer = browser::submit(&sandbox, &cookie, "/api/bindings/pair", &typed).await;
    let location = browser::location(&answer);
    assert!(location.ends_with(&format!("{}?flash=paired-again", sandbox.binding.id)), "{location}");
    let page = browser::page(&sandbox, &cookie, &location).await;
    assert!(
        page.contains("continues where it stopped") && page.contains("Nothing is posted to Sage yet"),
        "{page}"
    );
    sandbox.stop().await;
}

/// The connection may be checked again. (A clock that is ahead of the shop's would have Ledger's tokens refused.)
pub async fn an_hour_passes(sandbox: &Sandbox) {
    let (name, now) = (format!("check:{}", sandbox.binding.id), Machine.now());
    let store = &sandbox.process.engine.store;
    assert!(store.acquire_lease(&name, "test", now + TimeDelta::hours(2), now).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_left_while_ledger_was_down_is_noticed_within_the_hour() {
    let sandbox = sandbox(1, None).await;
    let engine = &sandbox.process.engine;
    let status = async || binding(&sandbox, sandbox.binding.id).await.status;
    sync::keep_up(engine).await;
    assert_eq!(status().await, BindingStatus::Active);
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    sync::keep_up(engine).await;
    assert_eq!(status().await, BindingStatus::Active, "one question an hour");
    an_hour_passes(&sandbox).await;
    sync::keep_up(engine).await;
    assert_eq!(status().await, BindingStatus::NeedsReauth);
    let refusal = engine.store.refusal(sandbox.binding.id).await.unwrap();
    assert_eq!(refusal, Some(Code::MagentoAuth));
    let again = pair(&sandbox, sandbox.magento.base()).await;
    assert_eq!((again.id, again.status), (sandbox.binding.id, BindingStatus::Active));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_left_unheard_is_noticed_by_the_next_refused_call() {
    let sandbox = sandbox(1, None).await;
    let engine = &sandbox.process.engine;
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    sync::run_until_idle(engine).await;
    assert_eq!(binding(&sandbox, sandbox.binding.id).await.status, BindingStatus::NeedsReauth);
    assert_eq!(engine.store.refusal(sandbox.binding.id).await.unwrap(), Some(Code::MagentoAuth));
    pair(&sandbox, sandbox.magento.base()).await;
    let clock = Arc::new(Ahead::default());
    clock.pass(TimeDelta::seconds(5));
    let engine = process(&sandbox, &clock).await;
    sync::run_until_idle(&engine).await;
    assert_eq!(posted(&sandbox).await.0, 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_fixed_lets_the_shop_work_again() {
    let sandbox = sandbox(1, None).await;
    let status = async || binding(&sandbox, sandbox.binding.id).await.status;
    for (hides, expected) in [(true, BindingStatus::NeedsReauth), (false, BindingStatus::Active)] {
        sandbox.magento.post("/_sim/faults", &json!({ "https_required": hides })).await.unwrap();
        an_hour_passes(&sandbox).await;
        sync::keep_up(&sandbox.process.engine).await;
        assert_eq!(status().await, expected);
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_that_the_same_shop_has_says_so() {
    let sandbox = sandbox(1, None).await;
    let (engine, now) = (&sandbox.process.engine, Machine.now());
    // As earlier versions left it: the shop under a second binding.
    let second = Binding {
        id: BindingId(Machine.id()),
        magento_url: format!("{}/index.php", sandbox.magento.base()),
        business: None,
        status: BindingStatus::Pending,
        created_at: now,
        ..binding(&sandbox, sandbox.binding.id).await
    };
    engine.store.create_binding(&second, None).await.unwrap();
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let (brought, code) = approve(engine.begin_consent(second.id, owner, None, None).await.unwrap()).await;
    engine.take_code(&brought, &code, owner, None).await.unwrap();
    let business = binding(&sandbox, sandbox.binding.id).await.business.unwrap().id;
    let refused = engine.choose_business(&second, owner, &business, &|_| (), None).await;
    assert!(matches!(refused, Err(ConnectError::BusinessTaken { by_same_shop: true, .. })));
    // Pairing once more goes on with the one that works.
    assert_eq!(pair(&sandbox, sandbox.magento.base()).await.id, sandbox.binding.id);
    sandbox.stop().await;
}
