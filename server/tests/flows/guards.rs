//! What guards the pages: floods at the sign-in, forms of other sites, calls that make no sense, sessions that rested, and acts
//! that ask for the password again.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{EventId, OrganisationId, RunId, SessionId},
    run::{EventName, Role},
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};

use store::{NewEvent, Organisation};
use tokio::time::timeout;

use crate::browser::{self, location, look, member, page, submit};

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

fn post(sandbox: &Sandbox, path: &str) -> RequestBuilder {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    client.post(format!("{}{path}", sandbox.url()))
}

/// Signs in with these cookies and returns the cookies afterwards, by name.
async fn sign_in(sandbox: &Sandbox, cookies: &str, password: &str) -> (StatusCode, Vec<(String, String)>) {
    let form = [("email", EMAIL), ("password", password), ("next", "")];
    let answer = post(sandbox, "/api/session/sign-in").form(&form).header(header::COOKIE, cookies);
    let answer = answer.header(header::ACCEPT, "application/json").send().await.unwrap();
    let pair = |cookie: &header::HeaderValue| {
        let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    (answer.status(), answer.headers().get_all(header::SET_COOKIE).iter().map(pair).collect())
}

fn all(cookies: &[(String, String)]) -> String {
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

async fn sessions(sandbox: &Sandbox) -> Vec<SessionId> {
    let store = &sandbox.process.engine.store;
    let owner = browser::found(store, EMAIL).await.person_id;
    store.list_sessions(owner, Machine.now()).await.unwrap().into_iter().map(|session| session.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_remembered_and_has_one_session() {
    let sandbox = sandbox().await;
    let (_, first) = sign_in(&sandbox, "", PASSWORD).await;
    assert_eq!(
        first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["ledger_session", "ledger_device"]
    );
    assert!(!all(&first).contains(EMAIL), "the account's name is sealed");
    let (_, second) = sign_in(&sandbox, &all(&first), PASSWORD).await;
    assert_eq!(second.len(), 1, "it is known already: {second:?}");
    assert_eq!(sessions(&sandbox).await.len(), 1, "the earlier session of this browser is over");
    sign_in(&sandbox, "", PASSWORD).await;
    assert_eq!(sessions(&sandbox).await.len(), 2, "another browser's is not");

    // Whoever else tries passwords of this account, from wherever, does not keep the browser out.
    let refused = |_| sign_in(&sandbox, "", "wrong");
    for number in 0..10 {
        assert_eq!(refused(number).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(sign_in(&sandbox, "", PASSWORD).await.0, StatusCode::TOO_MANY_REQUESTS);
    let forged = sign_in(&sandbox, "ledger_device=made-up", PASSWORD).await;
    assert_eq!(forged.0, StatusCode::TOO_MANY_REQUESTS);
    assert!(sign_in(&sandbox, &all(&first), PASSWORD).await.0.is_success());
    let figures = page(&sandbox, "", "/metrics").await;
    for outcome in ["signed_in", "wrong_credentials", "too_many_tries"] {
        assert!(
            figures.contains(&format!("ledger_sign_ins_total{{outcome=\"{outcome}\"}}")),
            "{outcome}: {figures}"
        );
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_rested_is_over() {
    let sandbox = sandbox().await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let session = sessions(&sandbox).await[0];
    let store = &sandbox.process.engine.store;
    store.see_session(session, Machine.now() - TimeDelta::hours(11)).await.unwrap();
    assert!(look(&sandbox, &cookie, "/dashboard").await.status().is_success());
    store.see_session(session, Machine.now() - TimeDelta::hours(12)).await.unwrap();
    assert!(location(&look(&sandbox, &cookie, "/dashboard").await).starts_with("/sign-in"));
    assert!(sessions(&sandbox).await.is_empty());
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_is_changed_by_password() {
    let sandbox = sandbox().await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let bob = member(&sandbox, sandbox.organisation, "bob@shop.example", Role::Viewer).await.to_string();
    assert!(
        !page(&sandbox, &cookie, "/dashboard/members").await.contains("Your password"),
        "it was shown just now"
    );
    let long_ago = Machine.now() - TimeDelta::minutes(11);
    sandbox.process.engine.store.prove_session(sessions(&sandbox).await[0], long_ago).await.unwrap();
    assert!(page(&sandbox, &cookie, "/dashboard/members").await.contains("Your password"));
    let role = ("role", "operator");
    for (path, form) in [
        ("/api/people/role", vec![("member", bob.as_str()), role]),
        ("/api/people/remove", vec![("member", &bob)]),
        ("/api/people/invite", vec![("email", "eve@shop.example"), role]),
    ] {
        for password in ["", "a wrong one"] {
            let form = [form.clone(), vec![("password", password)]].concat();
            let to = location(&submit(&sandbox, &cookie, path, &form).await);
            assert!(!to.starts_with("/dashboard/members"), "{path} {password:?}: {to}");
        }
    }
    let store = &sandbox.process.engine.store;
    let found = browser::found(store, "bob@shop.example").await;
    assert_eq!(found.role, Role::Viewer);
    let form = [("member", bob.as_str()), role, ("password", PASSWORD)];
    let to = location(&submit(&sandbox, &cookie, "/api/people/role", &form).await);
    assert!(to.starts_with("/dashboard/members"), "{to}");
    // Shown once, it is not asked for again for some minutes.
    let to = location(&submit(&sandbox, &cookie, "/api/people/remove", &[("member", bob.as_str())]).await);
    assert!(to.starts_with("/dashboard/members"), "{to}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_make_no_sense_are_the_callers_mistake() {
    let sandbox = sandbox().await;
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let call = async |path: &str, kind: &str, body: &str| -> Response {
        let call = post(&sandbox, path).header(header::COOKIE, &cookie).header(header::CONTENT_TYPE, kind);
        call.body(body.to_owned()).send().await.unwrap()
    };
    for (path, kind, body) in [
        ("/api/bindings/one", "application/json", "{"),
        ("/api/bindings/one", "application/json", r#"{"id":7}"#),
        ("/api/bindings/preflight", "application/json", "{}"),
        ("/api/bindings/pause", "application/x-www-form-urlencoded", "binding=x&pause=perhaps"),
        ("/api/people/role", "application/x-www-form-urlencoded", "member=%ff%fe"),
    ] {
        let answer = call(path, kind, body).await;
        assert_ne!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path} {body}");
        assert!(answer.status().is_client_error(), "{path} {body}: {}", answer.status());
    }
    let malformed = call("/api/bindings/one", "application/json", "{").await;
    assert_eq!(malformed.status(), StatusCode::BAD_REQUEST);
    assert_eq!(malformed.text().await.unwrap(), r#"{"code":"malformed"}"#);
    for path in
        [format!("/pkg/{}.js", "x".repeat(253)), format!("/{}", "%41".repeat(256)), "/pkg/a%00b".to_owned()]
    {
        let answer = look(&sandbox, &cookie, &path).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.text().await.unwrap().ends_with("Check it.\n"));
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_forms_are_refused_and_nobody_is_led_to_them() {
    let sandbox = sandbox().await;
    let public = sandbox.url();
    let theirs = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")];
    for (name, value) in theirs {
        let answer = post(&sandbox, "/api/session/sign-out").header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
        let says = answer.text().await.unwrap();
        assert!(says.contains(value) && says.contains("public_url") && says.contains(&public), "{says}");
    }
    for (name, value) in [("origin", public.as_str()), ("sec-fetch-site", "same-origin"), ("x-nothing", "x")]
    {
        let answer = post(&sandbox, "/api/session/sign-out").header(name, value).send().await.unwrap();
        assert_ne!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let refused = async |referer: &str| {
        let form = [("email", EMAIL), ("password", "wrong")];
        let form = post(&sandbox, "/api/session/sign-in").form(&form).header(header::ACCEPT, "text/html");
        let answer = form.header(header::REFERER, referer).send().await.unwrap();
        let cookie = answer.headers().get(header::SET_COOKIE);
        (
            location(&answer),
            cookie.is_some_and(|cookie| cookie.to_str().unwrap().starts_with("ledger_refusal=")),
        )
    };
    let (to, _) = refused("https://evil.example/phish").await;
    assert!(!to.contains("evil"), "{to}");
    let page = format!("{public}/sign-in?next=%2F");
    assert_eq!(refused(&page).await, (page.clone(), true));
    assert_eq!(refused(&format!("{page}&__path=x&__err=y")).await, (page.clone(), true));
    sandbox.stop().await;
}

/// The next event of a stream; none when it has ended.
async fn next(stream: &mut Response) -> Option<String> {
    loop {
        let piece = timeout(Duration::from_secs(20), stream.chunk()).await.unwrap().unwrap()?;
        let text = String::from_utf8(piece.to_vec()).unwrap();
        if text.starts_with("data:") {
            return Some(text);
        }
    }
}

async fn receive(sandbox: &Sandbox, number: i64) {
    let action = sandbox.process.engine.store.list_bindings(sandbox.organisation).await.unwrap().remove(0);
    let event = NewEvent {
        id: EventId(Machine.id()),
        run_id: RunId(Machine.id()),
        binding_id: action.id,
        event: EventName::InvoiceCreated,
        idempotency_key: format!("invoice.created:{number}"),
        magento_id: number,
        website_id: 1,
        store_id: 1,
        increment_id: None,
        body: "{}".to_owned(),
        occurred_at: Machine.now(),
        received_at: Machine.now(),
        token: None,
        trace_parent: None,
    };
    sandbox.process.engine.store.receive(&event).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_page_hears_of_its_own_organisation_and_ends_with_its_session() {
    let sandbox = sandbox().await;
    let store = &sandbox.process.engine.store;
    let other = Organisation {
        id: OrganisationId(Machine.id()),
        name: "Other".to_owned(),
        created_at: Machine.now(),
    };
    store.create_organisation(&other).await.unwrap();
    member(&sandbox, other.id, "eve@other.example", Role::Owner).await;
    let (owner, eve) = (
        browser::sign_in(&sandbox, EMAIL, PASSWORD).await,
        browser::sign_in(&sandbox, "eve@other.example", browser::PASSWORD).await,
    );
    let mut own = look(&sandbox, &owner, "/live").await;
    let mut theirs = look(&sandbox, &eve, "/live").await;
    assert!(
        next(&mut own).await.is_some() && next(&mut theirs).await.is_some(),
        "each begins with the version"
    );
    receive(&sandbox, 901).await;
    assert!(next(&mut own).await.is_some());

    // Who has signed out hears of nothing more, and neither does who was removed.
    submit(&sandbox, &owner, "/api/session/sign-out", &[]).await;
    receive(&sandbox, 902).await;
    assert_eq!(next(&mut own).await, None);
    let heard = timeout(Duration::from_millis(600), theirs.chunk()).await;
    assert!(heard.is_err(), "another organisation's changes: {heard:?}");
    let many: Vec<_> = futures::future::join_all((0..12).map(|_| look(&sandbox, &eve, "/live"))).await;
    let refused = many.iter().filter(|answer| answer.status() == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!(refused, 3, "ten at once: one is open already");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let sandbox = sandbox().await;
    for path in ["/sign-in", "/healthz", "/nowhere"] {
        let answer = look(&sandbox, "", path).await;
        let headers = answer.headers();
        assert!(headers["permissions-policy"].to_str().unwrap().contains("camera=()"), "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "plain http must stay reachable");
    }
    assert_eq!(look(&sandbox, "", "/sign-in").await.headers()["cross-origin-opener-policy"], "same-origin");
    sandbox.stop().await;
}
