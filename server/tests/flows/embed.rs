//! The history within Magento's admin: framed by its shop alone, read by its organisation alone, and a key to nothing else.

use domain::{
    environment::Environment,
    ids::{BindingId, OrganisationId},
    run::{BindingStatus, Role},
};
use reqwest::{Client, Response, header};
use serde_json::json;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use sha2::{Digest, Sha256};
use store::Organisation;

use crate::browser::{self, look, member, page, sign_in, sign_in_framed, submit};

async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    sandbox
}

fn path(sandbox: &Sandbox) -> String {
    format!("/embed/{}", sandbox.binding.id)
}

fn settings(answer: &Response) -> String {
    answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
}

fn cookies(answer: &Response) -> String {
    let set = answer.headers().get_all(header::SET_COOKIE).iter();
    set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_shop_may_frame_its_history() {
    let sandbox = sandbox().await;
    let answer = look(&sandbox, "", &path(&sandbox)).await;
    assert_eq!(answer.status(), 200);
    let own = format!("frame-ancestors {}", sandbox.binding.magento_url);
    assert!(settings(&answer).ends_with(&own), "{}", settings(&answer));
    assert!(!answer.headers().contains_key(header::X_FRAME_OPTIONS));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");

    for nowhere in [format!("/embed/{}", BindingId(Machine.id())), "/embed/not-an-id".to_owned()] {
        let answer = look(&sandbox, "", &nowhere).await;
        assert_eq!(answer.status(), 404, "{nowhere}");
        assert!(settings(&answer).ends_with("frame-ancestors 'none'"), "{}", settings(&answer));
        let answer = submit(&sandbox, "", &format!("{nowhere}/sign-in"), &[("email", EMAIL)]).await;
        assert_eq!(answer.status(), 404, "{nowhere}");
    }
    let elsewhere = look(&sandbox, "", "/sign-in").await;
    assert_eq!(elsewhere.headers()[header::X_FRAME_OPTIONS], "DENY", "nothing else is framed");
    assert!(settings(&elsewhere).ends_with("frame-ancestors 'none'"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_signs_in_within_the_frame_reads_and_signs_out() {
    let sandbox = sandbox().await;
    for id in 901..=905 {
        sandbox
            .magento
            .post("/_sim/enqueue", &json!({ "event": "customer.upserted", "id": id }))
            .await
            .unwrap();
    }
    sandbox.magento.post("/_sim/cron", &json!({})).await.unwrap();
    let path = path(&sandbox);
    let asked = page(&sandbox, "", &path).await;
    assert!(asked.contains("Sign in to Ledger") && !asked.contains("000000"), "nothing is shown before");
    let usual = sign_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(
        page(&sandbox, &usual, &path).await.contains("Sign in to Ledger"),
        "the usual session is another one"
    );

    let token = sign_in_framed(&sandbox, EMAIL, PASSWORD).await;
    let cookie = format!("ledger-embed={token}");
    let history = page(&sandbox, &cookie, &path).await;
    assert!(history.contains("Blue Mug shop") && history.contains("000000"), "{history}");
    assert!(!history.contains("name=\"run_id\"") && !history.contains(".wasm"), "it is to be read");
    let older = history.split("href=\"").find(|href| href.contains("?before=")).unwrap();
    let older = older.split('"').next().unwrap();
    let next = page(&sandbox, &cookie, older).await;
    assert!(next.contains("rel=\"prev\""), "the way back is there");
    assert!(
        page(&sandbox, &cookie, &format!("{path}?status=failed")).await.contains("No runs with this status.")
    );

    let account = page(&sandbox, &usual, "/dashboard/account").await;
    assert!(account.contains("within Magento"), "its owner sees the session");
    let out = submit(&sandbox, &cookie, &format!("{path}/sign-out"), &[]).await;
    assert_eq!((out.status().as_u16(), browser::location(&out)), (303, path.clone()));
    assert!(page(&sandbox, &cookie, &path).await.contains("Sign in to Ledger"), "the session is over");
    assert!(page(&sandbox, "", &format!("{path}?in=1")).await.contains("blocked the sign-in"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organisation_is_refused_as_a_wrong_password_is() {
    let sandbox = sandbox().await;
    let id = OrganisationId(Machine.id());
    let organisation = Organisation { id, name: "Elsewhere".to_owned(), created_at: Machine.now() };
    sandbox.process.engine.store.create_organisation(&organisation).await.unwrap();
    let stranger = "stranger@elsewhere.example";
    member(&sandbox, id, stranger, Role::Owner).await;
    let to = format!("{}/sign-in", path(&sandbox));
    for (email, password) in [(stranger, browser::PASSWORD), (EMAIL, "not this one")] {
        let answer = submit(&sandbox, "", &to, &[("email", email), ("password", password)]).await;
        assert!(!answer.headers().contains_key(header::SET_COOKIE), "{email}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("wrong_credentials") && text.contains(email), "{text}");
        assert!(!text.contains(password), "a password is not sent back");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_within_the_frame() {
    let sandbox = sandbox().await;
    let (path, store) = (path(&sandbox), &sandbox.process.engine.store);
    let member = browser::found(store, EMAIL).await.person_id;
    store.begin_second_factor(member, "sealed", Machine.now()).await.unwrap();
    let version = store.second_factor(member).await.unwrap().unwrap().version;
    let hash = format!("{:x}", Sha256::digest("ABCDEFGHIJKLMNOP"));
    store.confirm_second_factor(member, version, 1, &[hash], (Machine.now(), None), &[]).await.unwrap();

    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = submit(&sandbox, "", &format!("{path}/sign-in"), &form).await;
    let waiting = cookies(&answer);
    assert!(waiting.starts_with("ledger-embed-code="), "{waiting}");
    assert!(page(&sandbox, &waiting, &path).await.contains("Enter a code"));
    assert!(page(&sandbox, &waiting, &format!("{path}?again=1")).await.contains("Sign in to Ledger"));
    let to = format!("{path}/code");
    let wrong = submit(&sandbox, &waiting, &to, &[("code", "AAAA-AAAA-AAAA-AAAA")]).await;
    assert!(wrong.text().await.unwrap().contains("wrong_code"));
    let right = submit(&sandbox, &waiting, &to, &[("code", "ABCD-EFGH-IJKL-MNOP")]).await;
    assert_eq!(right.status(), 303);
    assert!(page(&sandbox, &cookies(&right), &path).await.contains("Blue Mug shop"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_shop_says_so_and_keeps_its_history() {
    let sandbox = sandbox().await;
    let cookie = format!("ledger-embed={}", sign_in_framed(&sandbox, EMAIL, PASSWORD).await);
    let store = &sandbox.process.engine.store;
    store.set_binding_status(sandbox.binding.id, BindingStatus::Revoked, Machine.now(), None).await.unwrap();
    let text = page(&sandbox, &cookie, &path(&sandbox)).await;
    assert!(text.contains("Disconnected") && text.contains("Ledger keeps what the shop sends."), "{text}");
    assert!(text.contains("000000"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_cannot_send_the_forms_of_the_frame() {
    let sandbox = sandbox().await;
    let url = format!("{}{}/sign-in", sandbox.url(), path(&sandbox));
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let sent = |site: &'static str| {
        Client::builder().build().unwrap().post(&url).form(&form).header("sec-fetch-site", site).send()
    };
    assert_eq!(sent("cross-site").await.unwrap().status(), 403);
    assert_ne!(
        sent("same-origin").await.unwrap().status(),
        403,
        "the frame's own form comes from our own origin"
    );
    sandbox.stop().await;
}
