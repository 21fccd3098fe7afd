//! What will fail before the first invoice does, asked of both simulators.

use domain::{
    environment::Environment,
    ids::OrganisationId,
    preflight::{Finding, FindingCode, Severity},
    run::{BindingStatus, Role},
    settings::Settings,
};
use serde_json::{Value, json};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};

use crate::browser;

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

async fn findings(sandbox: &Sandbox, ask: bool) -> Vec<Finding> {
    let engine = &sandbox.process.engine;
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    engine.preflight(&binding, ask).await.unwrap()
}

/// What is not well.
async fn wrong(sandbox: &Sandbox) -> Vec<FindingCode> {
    let found = findings(sandbox, true).await;
    let wrong = found.iter().filter(|finding| finding.code.severity() != Severity::Fine);
    wrong.map(|finding| finding.code).collect()
}

async fn business(sandbox: &Sandbox) -> String {
    let binding = sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    binding.business.unwrap().id
}

async fn change_sage(sandbox: &Sandbox, change: Value) {
    let path = format!("/_sim/businesses/{}", business(sandbox).await);
    sandbox.sage.patch(&path, &change).await.unwrap();
}

async fn sage_fault(sandbox: &Sandbox, fault: Value) {
    sandbox.sage.post("/_sim/faults", &fault).await.unwrap();
}

async fn shop_fault(sandbox: &Sandbox, fault: Value) {
    sandbox.magento.post("/_sim/faults", &fault).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_in_good_order_has_nothing_in_its_way_and_nothing_is_written() {
    let sandbox = sandbox().await;
    sandbox.sage.delete("/_sim/requests").await.unwrap();
    let found = findings(&sandbox, true).await;
    let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
    let fine = FindingCode::ALL.iter().copied().filter(|code| code.severity() == Severity::Fine);
    assert_eq!(codes, fine.collect::<Vec<_>>(), "{found:#?}");
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    assert!(requests.as_array().unwrap().iter().all(|request| request["method"] == "GET"));
    sandbox.sage.delete("/_sim/requests").await.unwrap();
    assert_eq!(findings(&sandbox, false).await.len(), 1);
    assert_eq!(sandbox.sage.get("/_sim/requests").await.unwrap(), json!([]), "unasked, nobody is called");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_at_sage_is_found_by_its_own_name() {
    let sandbox = sandbox().await;
    for (change, undo, code) in [
        (json!({ "active": false }), json!({ "active": true }), FindingCode::SubscriptionEnded),
        (json!({ "plan": "START" }), json!({ "plan": "ACCOUNTING" }), FindingCode::PlanWithoutCreditNotes),
        (json!({ "plan": "ACCOUNTS" }), json!({ "plan": "ACCOUNTING" }), FindingCode::PlanWithoutCreditNotes),
        (
            json!({ "financial_settings": { "year_end_lockdown_date": "2999-12-31" } }),
            json!({ "financial_settings": { "year_end_lockdown_date": null } }),
            FindingCode::Locked,
        ),
    ] {
        change_sage(&sandbox, change).await;
        assert_eq!(wrong(&sandbox).await, [code]);
        change_sage(&sandbox, undo).await;
    }
    sage_fault(&sandbox, json!({ "forbid": { "times": 1, "path": "/contact_payments" } })).await;
    let found = findings(&sandbox, true).await;
    assert_eq!((found[0].code, found[0].detail.as_str()), (FindingCode::RightsMissing, "Bank"));
    sage_fault(
        &sandbox,
        json!({ "fail_before": { "times": 1, "path": "/financial_settings", "status": 503 } }),
    )
    .await;
    assert_eq!(wrong(&sandbox).await, [FindingCode::NotAnswered]);
    assert_eq!(wrong(&sandbox).await, []);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_of_the_shop_is_found_by_its_own_name() {
    let sandbox = sandbox().await;
    for (fault, undo, code) in [
        (json!({ "https_required": true }), json!({ "https_required": false }), FindingCode::ShopRefuses),
        (json!({ "route_missing": true }), json!({ "route_missing": false }), FindingCode::ShopModuleMissing),
        (json!({ "down": true }), json!({ "down": false }), FindingCode::ShopTrouble),
        (json!({ "garbage": "html" }), json!({ "garbage": null }), FindingCode::ShopTrouble),
    ] {
        shop_fault(&sandbox, fault).await;
        assert_eq!(wrong(&sandbox).await, [code]);
        shop_fault(&sandbox, undo).await;
    }
    let store = &sandbox.process.engine.store;
    let current = store.current_settings(sandbox.binding.id).await.unwrap().unwrap();
    let settings = Settings { default_bank_account_id: None, ..current.settings };
    let next = store::SettingsVersion { version: current.version + 1, settings, ..current };
    store.save_settings(sandbox.binding.id, &next, None).await.unwrap();
    assert_eq!(wrong(&sandbox).await, [FindingCode::MethodsUnmapped]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_hides_https_is_said_right_after_pairing_and_pairing_stands() {
    let sandbox = sandbox().await;
    sandbox.magento.post("/_sim/pairing-code", &json!({ "code": "0123456789abcdef" })).await.unwrap();
    shop_fault(&sandbox, json!({ "https_required": true })).await;
    let store = &sandbox.process.engine.store;
    let stranger = store::Organisation {
        id: OrganisationId(Machine.id()),
        name: "Stranger".to_owned(),
        created_at: Machine.now(),
    };
    store.create_organisation(&stranger).await.unwrap();
    browser::member(&sandbox, stranger.id, "stranger@ledger.example", Role::Owner).await;
    let cookie = browser::sign_in(&sandbox, "stranger@ledger.example", browser::PASSWORD).await;
    let form = [("name", "Second"), ("url", sandbox.magento.base()), ("code", "0123456789abcdef")];
    let answer = browser::submit(&sandbox, &cookie, "/api/bindings/pair", &form).await;
    let location = browser::location(&answer);
    assert!(location.ends_with("&flash=paired&found=shop_refuses"), "{location}");
    let page = browser::page(&sandbox, &cookie, &location).await;
    assert!(page.contains("X-Forwarded-Proto: https") && page.contains("The shop is paired."), "{page}");
    let bindings = store.list_bindings(stranger.id).await.unwrap();
    let new = bindings.first().unwrap();
    assert_eq!((new.name.as_str(), new.status), ("Second", BindingStatus::Pending));
    assert_ne!(new.id, sandbox.binding.id, "another organisation has a binding of its own");
    let page = browser::page(&sandbox, &cookie, &format!("/dashboard/bindings/{}?check=1", new.id)).await;
    assert!(page.contains("shop_refuses") && page.contains("not_connected"), "{page}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_shop_shows_what_was_found_and_asks_only_when_it_is_told_to() {
    let sandbox = sandbox().await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let path = format!("/dashboard/bindings/{}", sandbox.binding.id);
    change_sage(&sandbox, json!({ "active": false })).await;
    let page = browser::page(&sandbox, &cookie, &path).await;
    assert!(
        (page.contains("Before the first invoice") || page.contains("Health check"))
            && !page.contains("subscription_ended"),
        "{page}"
    );
    let page = browser::page(&sandbox, &cookie, &format!("{path}?check=1")).await;
    assert!(page.contains("subscription_ended") && page.contains("Check again"), "{page}");
    sandbox.stop().await;
}
