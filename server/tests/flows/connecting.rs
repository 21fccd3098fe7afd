//! Connecting a shop and Sage: what goes wrong on the way leaves nothing half-connected.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{BindingId, MemberId, OrganisationId},
    run::{BindingStatus, Role},
};
use reqwest::{Client, header, redirect::Policy};
use secrecy::ExposeSecret;
use serde_json::json;
use server::{
    environment::Machine,
    sandbox::{Options, Sandbox},
};
use store::{Binding, CredentialKind};
use sync::ConnectError;
use url::Url;

use crate::{
    browser::{self, member},
    refreshing::{Ahead, process},
};

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

/// A second shop of the organisation, paired: what pairing does to Magento is not looked at here.
async fn paired(sandbox: &Sandbox) -> Binding {
    let now = Machine.now();
    let binding = Binding {
        id: BindingId(Machine.id()),
        organisation_id: sandbox.organisation,
        name: "Second".to_owned(),
        magento_url: "https://second.example".to_owned(),
        business: None,
        status: BindingStatus::Pending,
        created_at: now,
        status_changed_at: now,
        trusted_since: now,
    };
    sandbox.process.engine.store.create_binding(&binding, None).await.unwrap();
    binding
}

async fn owner(sandbox: &Sandbox) -> MemberId {
    member(sandbox, sandbox.organisation, "owner@ledger.example", Role::Owner).await
}

/// Approves at Sage as a person does; returns state and code.
pub async fn approve(mut consent: Url) -> (String, String) {
    consent.query_pairs_mut().append_pair("approve", "1");
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(consent).send().await.unwrap();
    let returned = Url::parse(answer.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    let of = |name: &str| returned.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    (of("state"), of("code"))
}

#[tokio::test]
async fn a_code_is_taken_once_and_only_from_who_began() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let other = member(&sandbox, sandbox.organisation, "other@ledger.example", Role::Owner).await;
    let (returned, code) =
        approve(engine.begin_consent(binding.id, owner, Some("GB"), None).await.unwrap()).await;

    let forged = format!("{}.00", binding.id);
    for (brought, who) in [(forged.as_str(), owner), (returned.as_str(), other)] {
        let refused = engine.take_code(brought, &code, who, None).await;
        assert!(matches!(refused, Err(ConnectError::ConsentUsedUp)));
    }
    let (of, businesses) = engine.take_code(&returned, &code, owner, None).await.unwrap();
    assert_eq!(of, binding.id);
    assert!(businesses.len() > 1);
    assert!(matches!(
        engine.take_code(&returned, &code, owner, None).await,
        Err(ConnectError::ConsentUsedUp)
    ));
    assert!(matches!(
        engine.choose_business(&binding, other, &businesses[1].id, &|_| (), None).await,
        Err(ConnectError::ConsentUsedUp)
    ));
    engine.choose_business(&binding, owner, &businesses[1].id, &|_| (), None).await.unwrap();
    let connected = engine.store.binding(binding.id).await.unwrap().unwrap();
    assert_eq!(connected.status, BindingStatus::Active);
    assert_eq!(connected.business.unwrap().id, businesses[1].id);
    assert_eq!(engine.store.credential(binding.id, CredentialKind::SageConsent).await.unwrap(), None);
}

#[tokio::test]
async fn a_business_that_another_shop_posts_into_is_refused_until_that_shop_is_disconnected() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let taken = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let business = taken.business.clone().unwrap().id;
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    engine.take_code(&returned, &code, owner, None).await.unwrap();
    let refused = engine.choose_business(&binding, owner, &business, &|_| (), None).await;
    assert!(matches!(refused, Err(ConnectError::BusinessTaken { by_same_shop: false, .. })));
    engine.disconnect(&taken, None).await.unwrap();
    engine.choose_business(&binding, owner, &business, &|_| (), None).await.unwrap();
}

#[tokio::test]
async fn what_was_disconnected_while_its_lists_were_fetched_stays_so() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    let (_, businesses) = engine.take_code(&returned, &code, owner, None).await.unwrap();
    // The page was read and its tokens opened before; this comes in between.
    let consent = engine.open_credential(binding.id, CredentialKind::SageConsent).await.unwrap().unwrap();
    let consent: serde_json::Value = serde_json::from_str(consent.expose_secret()).unwrap();
    let tokens = consent["tokens"].as_str().unwrap().to_owned().into();
    let tokens = sage::Tokens::from_json(&tokens).unwrap();
    engine.store.set_binding_status(binding.id, BindingStatus::Revoked, Machine.now(), None).await.unwrap();
    let late = engine.connect_sage(&binding, &tokens, &businesses[1].id, &|_| (), None).await;
    assert!(matches!(late, Err(ConnectError::ConsentUsedUp)), "{:?}", late.map(drop));
    assert_eq!(engine.store.credential(binding.id, CredentialKind::SageTokens).await.unwrap(), None);
    engine.disconnect(&binding, None).await.unwrap();
    assert_eq!(engine.store.credential(binding.id, CredentialKind::SageConsent).await.unwrap(), None);
    let chosen = engine.choose_business(&binding, owner, &businesses[1].id, &|_| (), None).await;
    assert!(matches!(chosen, Err(ConnectError::ConsentUsedUp)), "{:?}", chosen.map(drop));
    let found = engine.store.binding(binding.id).await.unwrap().unwrap();
    assert_eq!((found.status, found.business), (BindingStatus::Revoked, None));
}

#[tokio::test]
async fn a_business_whose_lists_cannot_be_fetched_is_not_connected_at_all() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    let (_, businesses) = engine.take_code(&returned, &code, owner, None).await.unwrap();
    sandbox
        .sage
        .post("/_sim/faults", &json!({ "fail_before": { "times": 9, "path": "/ledger_accounts" } }))
        .await
        .unwrap();
    let failed = engine.choose_business(&binding, owner, &businesses[1].id, &|_| (), None).await;
    assert!(matches!(failed, Err(ConnectError::Sage(_))), "{:?}", failed.map(drop));
    let found = engine.store.binding(binding.id).await.unwrap().unwrap();
    assert_eq!((found.status, found.business), (BindingStatus::Pending, None));
    assert_eq!(engine.store.credential(binding.id, CredentialKind::SageTokens).await.unwrap(), None);
}

#[tokio::test]
async fn who_may_not_connect_is_refused_and_another_organisations_shop_does_not_exist() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let stranger = OrganisationId(Machine.id());
    let organisation =
        store::Organisation { id: stranger, name: "Stranger".to_owned(), created_at: Machine.now() };
    engine.store.create_organisation(&organisation).await.unwrap();
    member(&sandbox, stranger, "stranger@ledger.example", Role::Owner).await;
    member(&sandbox, sandbox.organisation, "viewer@ledger.example", Role::Viewer).await;
    member(&sandbox, sandbox.organisation, "accountant@ledger.example", Role::Accountant).await;

    let id = sandbox.binding.id.to_string();
    let one = format!("{}/api/bindings/one", sandbox.url());
    let pairs = ["pair", "consent", "choose", "disconnect", "pause", "refresh"];
    for (email, looks, acts) in [
        ("stranger@ledger.example", 404, [422, 404, 404, 404, 404, 404]),
        ("viewer@ledger.example", 200, [403, 403, 403, 403, 403, 403]),
        ("accountant@ledger.example", 200, [403, 403, 403, 403, 200, 200]),
    ] {
        let cookie = browser::sign_in(&sandbox, email, "a password").await;
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let seen = client.post(&one).header(header::COOKIE, &cookie).json(&json!({ "id": id })).send().await;
        assert_eq!(seen.unwrap().status().as_u16(), looks, "{email} looks");
        for (what, expected) in pairs.iter().zip(acts) {
            let url = format!("{}/api/bindings/{what}", sandbox.url());
            let form = [("binding", id.as_str()), ("pause", "true"), ("password", "a password")];
            let answer = client.post(url).header(header::COOKIE, &cookie).form(&form).send().await.unwrap();
            let status = answer.status().as_u16();
            // What was done leads on by a redirect.
            assert_eq!(if status == 302 { 200 } else { status }, expected, "{email}: {what}");
        }
    }
    let client = Client::builder().build().unwrap();
    for what in pairs {
        let answer = client.post(format!("{}/api/bindings/{what}", sandbox.url())).form(&[("binding", &id)]);
        assert_eq!(answer.send().await.unwrap().status().as_u16(), 401, "{what} without a session");
    }
}

#[tokio::test]
async fn the_page_before_the_consent_offers_nothing_and_fails_nothing() {
    let sandbox = sandbox().await;
    let engine = &sandbox.process.engine;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    assert!(engine.consented_businesses(binding.id, owner).await.unwrap().is_empty());
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    assert!(engine.consented_businesses(binding.id, owner).await.unwrap().is_empty(), "under way");
    engine.take_code(&returned, &code, owner, None).await.unwrap();
    assert!(engine.consented_businesses(binding.id, owner).await.unwrap().len() > 1);
}

/// How often Sage was asked to revoke something.
async fn revocations(sandbox: &Sandbox) -> usize {
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    requests.as_array().unwrap().iter().filter(|request| request["path"] == "/revoke").count()
}

#[tokio::test]
async fn what_an_abandoned_consent_has_bought_is_revoked_and_deleted() {
    let sandbox = sandbox().await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let kept = async || engine.store.credential(binding.id, CredentialKind::SageConsent).await.unwrap();
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    engine.take_code(&returned, &code, owner, None).await.unwrap();
    sync::keep_up(&engine).await;
    assert!(kept().await.is_some(), "there is still time to choose");
    assert_eq!(revocations(&sandbox).await, 0);
    clock.pass(TimeDelta::minutes(31));
    sync::keep_up(&engine).await;
    assert_eq!((kept().await, revocations(&sandbox).await), (None, 1));
    // Another one in the place of one that was not ended.
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    engine.take_code(&returned, &code, owner, None).await.unwrap();
    engine.begin_consent(binding.id, owner, None, None).await.unwrap();
    assert_eq!(revocations(&sandbox).await, 2);
}

#[tokio::test]
async fn a_consent_that_became_the_connection_is_never_revoked_as_abandoned() {
    let sandbox = sandbox().await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    let (binding, owner) = (paired(&sandbox).await, owner(&sandbox).await);
    let (returned, code) = approve(engine.begin_consent(binding.id, owner, None, None).await.unwrap()).await;
    let (_, businesses) = engine.take_code(&returned, &code, owner, None).await.unwrap();
    let consent = async || {
        let opened = engine.open_credential(binding.id, CredentialKind::SageConsent).await.unwrap();
        opened.map(|plain| plain.expose_secret().to_owned())
    };
    // As when the process is killed right after connecting: the lists are fetched, and the consent stays behind.
    let slow = json!({ "latency_ms": [{ "times": 1, "path": "/ledger_accounts", "ms": 500 }] });
    sandbox.sage.post("/_sim/faults", &slow).await.unwrap();
    let (chosen, left) =
        tokio::join!(engine.choose_business(&binding, owner, &businesses[1].id, &|_| (), None), async {
            loop {
                if let Some(consent) = consent().await
                    && consent.contains("\"is_chosen\":true")
                {
                    return engine.store.credential(binding.id, CredentialKind::SageConsent).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        });
    chosen.unwrap();
    let (left, kind) = (left.unwrap(), CredentialKind::SageConsent);
    engine.store.put_credential(binding.id, kind, &left.envelope, 0, left.updated_at, None).await.unwrap();
    clock.pass(TimeDelta::minutes(31));
    sync::keep_up(&engine).await;
    assert_eq!((consent().await, revocations(&sandbox).await), (None, 0));
    engine.refresh_reference(&engine.store.binding(binding.id).await.unwrap().unwrap(), None).await.unwrap();
}
