//! How far the connecting of a business has come, seen by a browser without JavaScript.

use std::time::Duration;

use domain::{business::ReferenceList, environment::Environment, ids::BindingId, run::BindingStatus};
use reqwest::header;
use serde_json::json;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{Binding, CredentialKind};

use crate::{browser, connecting::approve};

/// A stage with a second shop whose owner has consented: its id, the owner's cookie, and a business that is free.
async fn consented() -> (Sandbox, BindingId, String, String) {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let engine = &sandbox.process.engine;
    let now = Machine.now();
    let second = Binding {
        id: BindingId(Machine.id()),
        name: "Second".to_owned(),
        business: None,
        status: BindingStatus::Pending,
        created_at: now,
        ..sandbox.binding.clone()
    };
    engine.store.create_binding(&second, None).await.unwrap();
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let (brought, code) = approve(engine.begin_consent(second.id, owner, None, None).await.unwrap()).await;
    let (_, businesses) = engine.take_code(&brought, &code, owner, None).await.unwrap();
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    (sandbox, second.id, cookie, businesses[1].id.clone())
}

/// Comes again until the page leads on; where to, and what was seen on the way.
async fn followed(sandbox: &Sandbox, cookie: &str, path: &str) -> (String, Vec<String>) {
    let mut seen = Vec::new();
    for _ in 0..400 {
        let answer = browser::look(sandbox, cookie, path).await;
        if answer.headers().contains_key(header::LOCATION) {
            return (browser::location(&answer), seen);
        }
        assert_eq!(answer.headers()[header::REFRESH], "1");
        seen.push(answer.text().await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_are_counted_while_they_are_fetched_and_a_form_that_is_sent_twice_fetches_once() {
    let (sandbox, binding, cookie, business) = consented().await;
    sandbox.sage.post("/_sim/faults", &json!({ "latency_ms": 40 })).await.unwrap();
    sandbox.sage.delete("/_sim/requests").await.unwrap();
    let id = binding.to_string();
    let form = [("binding", id.as_str()), ("business", business.as_str())];
    let (first, second) = tokio::join!(
        browser::submit(&sandbox, &cookie, "/api/bindings/choose", &form),
        browser::submit(&sandbox, &cookie, "/api/bindings/choose", &form),
    );
    let page = browser::location(&first);
    assert_eq!(
        (page.as_str(), &browser::location(&second)),
        (format!("/dashboard/connecting?binding={id}").as_str(), &page)
    );
    let (end, seen) = followed(&sandbox, &cookie, &page).await;
    assert_eq!(end, format!("/dashboard/bindings/{id}?check=1&flash=connected"));
    let last = seen.last().unwrap();
    assert!(seen.len() > 2 && last.contains(" of ") && last.contains("loading"), "{last}");
    let binding = sandbox.process.engine.store.binding(binding).await.unwrap().unwrap();
    assert_eq!(binding.status, BindingStatus::Active);
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    let asked = |path: &str| {
        let of =
            |request: &&serde_json::Value| request["path"].as_str().unwrap_or_default().starts_with(path);
        requests.as_array().unwrap().iter().filter(of).count()
    };
    assert_eq!(asked("/v3.1/bank_accounts"), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_said_at_the_choice_and_nothing_is_half_connected() {
    let (sandbox, binding, cookie, business) = consented().await;
    let fault = json!({ "fail_before": { "times": 9, "path": "/ledger_accounts" } });
    sandbox.sage.post("/_sim/faults", &fault).await.unwrap();
    let id = binding.to_string();
    let form = [("binding", id.as_str()), ("business", business.as_str())];
    let answer = browser::submit(&sandbox, &cookie, "/api/bindings/choose", &form).await;
    let page = browser::location(&answer);
    let (end, _) = followed(&sandbox, &cookie, &page).await;
    assert_eq!(end, format!("/dashboard/connect-sage?binding={id}&problem=sage_trouble"));
    let text = browser::page(&sandbox, &cookie, &end).await;
    assert!(text.contains("Choose a business") && text.contains("sage_trouble"), "{text}");
    let store = &sandbox.process.engine.store;
    assert_eq!(store.binding(binding).await.unwrap().unwrap().business, None);
    assert_eq!(store.credential(binding, CredentialKind::SageTokens).await.unwrap(), None);

    // Said once; afterwards, as in a process that knows nothing of it, the page leads to where the binding stands.
    let (end, _) = followed(&sandbox, &cookie, &page).await;
    assert_eq!(end, format!("/dashboard/connect-sage?binding={id}"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_told_once_and_in_order() {
    let (sandbox, binding, _, business) = consented().await;
    let engine = &sandbox.process.engine;
    let binding = engine.store.binding(binding).await.unwrap().unwrap();
    let owner = browser::found(&engine.store, EMAIL).await.id;
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |list| told.lock().unwrap().push(list);
    engine.choose_business(&binding, owner, &business, &tell, None).await.unwrap();
    assert_eq!(*told.lock().unwrap(), ReferenceList::ALL);
    sandbox.stop().await;
}
