//! E-mail addresses: believed after a code, and worth nothing to who only types them. One person, several organisations.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use reqwest::header;
use server::{
    environment::Machine,
    lifecycle::{self, Process},
    sandbox::{EMAIL, Options, PASSWORD, Sandbox, timing},
};
use store::{Member, NewMember, Organisation, Store};
use tokio::net::TcpListener;

use crate::{
    people::{Browser, CHOSEN, add_member, code_of, invite, leads_to, status, written_code},
    postgres::database,
    refreshing::Ahead,
};

/// Somebody whom others pretend to be.
const CEO: &str = "ceo@victim.example";

async fn sandbox(sends_mail: bool, database_url: Option<String>) -> Sandbox {
    Sandbox::set(Options { worker: false, sends_mail, database_url, ..Options::default() }).await.unwrap()
}

/// Runs a flow on both databases.
macro_rules! on_both {
    ($($flow:ident($sends_mail:literal) = $sqlite:ident, $postgres:ident;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $sqlite() {
            $flow(sandbox($sends_mail, None).await).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $postgres() {
            let Some(database_url) = database().await else { return };
            $flow(sandbox($sends_mail, Some(database_url)).await).await;
        })+
    };
}

on_both! {
    typed(false) = who_types_an_address_takes_it_from_nobody, who_types_an_address_takes_it_from_nobody_on_postgres;
    untold(true) = an_invitation_tells_nothing_of_other_organisations,
        an_invitation_tells_nothing_of_other_organisations_on_postgres;
    coded(true) = a_code_proves_the_address_of_an_invitation, a_code_proves_the_address_of_an_invitation_on_postgres;
    switched(true) = a_person_goes_from_one_organisation_to_another,
        a_person_goes_from_one_organisation_to_another_on_postgres;
}

fn store(sandbox: &Sandbox) -> &Arc<dyn Store> {
    &sandbox.process.engine.store
}

/// Another organisation, and its owner.
async fn other_organisation(sandbox: &Sandbox, owner: &str) -> OrganisationId {
    let id = OrganisationId(Machine.id());
    let organisation = Organisation { id, name: "Red Mug Ltd".to_owned(), created_at: Machine.now() };
    store(sandbox).create_organisation(&organisation).await.unwrap();
    add_member(sandbox, id, owner, Role::Owner).await;
    id
}

/// Another process on the same store, whose clock is ahead.
async fn later(sandbox: &Sandbox, clock: &Arc<Ahead>) -> Process {
    let store = lifecycle::open_store(&sandbox.config().database_url).await.unwrap();
    let engine = lifecycle::engine_in(sandbox.config(), store, clock.clone(), timing()).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    Process::start_on(sandbox.config(), engine, listener).unwrap()
}

/// Accepts an invitation without a code.
async fn accept<'a>(sandbox: &'a Sandbox, token: &str, password: &str) -> Browser<'a> {
    let mut guest = Browser::new(sandbox);
    let form = [("token", token), ("name", "Guest"), ("password", password)];
    let joined = guest.post("invitation/accept", &form).await;
    assert_eq!(status(&joined), 302, "{}", joined.text().await.unwrap());
    guest.keep_cookies(&joined);
    guest
}

/// Where no mail is sent an address proves nothing. So it bars nobody, and each of those who typed it signs in to their own.
async fn typed(sandbox: Sandbox) {
    other_organisation(&sandbox, "alpha@other.example").await;
    let mut alpha = Browser::signed_in(&sandbox, "alpha@other.example", CHOSEN).await;
    let first = invite(&mut alpha, CEO, "viewer").await;
    let squatter = accept(&sandbox, &first, CHOSEN).await;
    let mut beta = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let real = invite(&mut beta, CEO, "accountant").await;
    let ceo = accept(&sandbox, &real, "another good pass phrase").await;
    for (browser, within, beside) in
        [(&squatter, "alpha@other.example", EMAIL), (&ceo, EMAIL, "alpha@other.example")]
    {
        let page = browser.read("/dashboard/members").await;
        assert!(page.contains(within) && !page.contains(beside), "{page}");
        assert!(page.contains("Address not confirmed"), "{page}");
    }
    // Their own passwords lead each to their own.
    for (password, within) in [(CHOSEN, "alpha@other.example"), ("another good pass phrase", EMAIL)] {
        let again = Browser::signed_in(&sandbox, CEO, password).await;
        assert!(again.read("/dashboard/members").await.contains(within), "{within}");
    }
    assert_eq!(Browser::new(&sandbox).sign_in(CEO, "neither of them").await.status().as_u16(), 401);
    // Known elsewhere or not: an owner who asks learns nothing.
    for email in [EMAIL, "nobody@victim.example"] {
        let token = invite(&mut alpha, email, "viewer").await;
        accept(&sandbox, &token, CHOSEN).await;
    }
    // Nothing is sent, and nobody can have it sent.
    let refused = ceo.post("alerts/add-mail", &[("email", CEO), ("mode", "at_once")]).await;
    assert!(refused.text().await.unwrap().contains("mail_not_set_up"));
    assert!(sandbox.mail.mails().is_empty());
    sandbox.stop().await;
}

/// What the bearer of a link is told of an address that is known elsewhere, and of one that is not, is the same.
async fn untold(sandbox: Sandbox) {
    other_organisation(&sandbox, "alpha@other.example").await;
    let mut alpha = Browser::signed_in(&sandbox, "alpha@other.example", CHOSEN).await;
    let mut told = Vec::new();
    for email in [EMAIL, "nobody@victim.example"] {
        let token = invite(&mut alpha, email, "viewer").await;
        let guest = Browser::new(&sandbox);
        let mut said = vec![guest.read(&format!("/invitation/{token}")).await];
        let sent = guest.post("invitation/code", &[("token", &token)]).await;
        said.push(format!("{} {}", status(&sent), leads_to(&sent)));
        for code in ["", "000000"] {
            let form = [("token", token.as_str()), ("name", "Guest"), ("password", CHOSEN), ("code", code)];
            let refused = guest.post("invitation/accept", &form).await;
            said.push(format!("{} {}", refused.status(), refused.text().await.unwrap()));
        }
        let again = guest.post("invitation/code", &[("token", &token)]).await;
        said.push(again.status().to_string());
        // Each page has a nonce of its own.
        let said = said.into_iter().map(|said| {
            let nonce = said.split_once("nonce=\"").and_then(|(_, rest)| rest.split_once('"'));
            let nonce = nonce.map_or_else(|| "NONCE".to_owned(), |(nonce, _)| nonce.to_owned());
            said.replace(&nonce, "NONCE").replace(&token, "TOKEN").replace(email, "ADDRESS")
        });
        told.push(said.collect::<Vec<_>>());
        let page = alpha.read("/dashboard/members").await;
        assert!(page.contains(email));
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0][4].starts_with("429"), "{}", told[0][4]);
    assert!(told[0][3].contains("wrong_address_code"), "{}", told[0][3]);
    // Whoever reads the mail is told.
    let token = invite(&mut alpha, EMAIL, "viewer").await;
    let code = written_code(&sandbox, EMAIL);
    let form = [("token", token.as_str()), ("name", "Guest"), ("password", CHOSEN), ("code", code.as_str())];
    let late = Browser::new(&sandbox).post("invitation/accept", &form).await;
    assert!(late.text().await.unwrap().contains("wrong_address_code"), "a code is its invitation's own");
    sandbox.stop().await;
}

/// Five tries, one code at a time, and the right one once.
async fn coded(sandbox: Sandbox) {
    let mut owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let token = invite(&mut owner, "bob@shop.example", "operator").await;
    let mut guest = Browser::new(&sandbox);
    let accept = async |guest: &Browser<'_>, code: &str| {
        let form = [("token", token.as_str()), ("name", "Bob"), ("password", CHOSEN), ("code", code)];
        guest.post("invitation/accept", &form).await
    };
    assert_eq!(accept(&guest, "123456").await.status().as_u16(), 422, "none was sent");
    let code = code_of(&guest, &token, "bob@shop.example").await;
    assert_eq!((code.len(), code.bytes().all(|digit| digit.is_ascii_digit())), (6, true), "{code}");
    let soon = guest.post("invitation/code", &[("token", &token)]).await;
    let after: u32 = soon.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let refused = accept(&guest, wrong).await;
        assert_eq!(refused.status().as_u16(), 422);
        assert!(refused.text().await.unwrap().contains("wrong_address_code"));
    }
    assert_eq!(accept(&guest, &code).await.status().as_u16(), 422, "the tries are used up");

    // Another may be sent once the minute is over; each is good for a quarter of an hour.
    let clock = Arc::new(Ahead::default());
    let process = later(&sandbox, &clock).await;
    guest.url = format!("http://{}", process.address);
    clock.pass(TimeDelta::seconds(61));
    let code = code_of(&guest, &token, "bob@shop.example").await;
    clock.pass(TimeDelta::minutes(16));
    assert_eq!(accept(&guest, &code).await.status().as_u16(), 422, "too late");
    let code = code_of(&guest, &token, "bob@shop.example").await;
    clock.pass(TimeDelta::minutes(14));
    assert_eq!(store(&sandbox).list_members(sandbox.organisation).await.unwrap().len(), 1);
    let joined = accept(&guest, &format!(" {} {} ", &code[..3], &code[3..])).await;
    assert_eq!(status(&joined), 302, "as people write it");
    let people = store(&sandbox).list_members(sandbox.organisation).await.unwrap();
    assert_eq!((people.len(), people[1].member.proved_at.is_some()), (2, true));
    process.stop().await;
    let all: Vec<_> = sandbox.mail.mails().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(all, ["bob@shop.example"; 3]);
    sandbox.stop().await;
}

/// One address, one password; what they see and may do is what they are where they stand.
async fn switched(sandbox: Sandbox) {
    let other = other_organisation(&sandbox, "alpha@other.example").await;
    let mut alpha = Browser::signed_in(&sandbox, "alpha@other.example", CHOSEN).await;
    let token = invite(&mut alpha, EMAIL, "viewer").await;
    // The page is for everybody the same; who is signed in with this address is offered to join as who they are.
    let stranger = Browser::new(&sandbox).read(&format!("/invitation/{token}")).await;
    assert!(stranger.contains(&format!("/sign-in?next=/invitation/{token}")), "{stranger}");
    let elsewhere = alpha.read(&format!("/invitation/{token}")).await;
    assert!(!elsewhere.contains("Join as"), "{elsewhere}");
    let refused = alpha.post("invitation/join", &[("token", &token)]).await;
    assert_eq!(refused.status().as_u16(), 401);
    let ada = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(!ada.read("/dashboard/members").await.contains("Switch"), "there is one organisation");
    assert!(ada.read(&format!("/invitation/{token}")).await.contains(&format!("Join as {EMAIL}")));
    let joined = ada.post("invitation/join", &[("token", &token)]).await;
    assert_eq!(leads_to(&joined), "/dashboard?flash=joined");
    assert!(sandbox.mail.mails().is_empty(), "the address is proved already");

    // There: a viewer of the other organisation, and nothing else.
    let page = ada.read("/dashboard/members").await;
    assert!(
        page.contains("alpha@other.example") && page.contains("Switch") && page.contains("Blue Mug Ltd"),
        "{page}"
    );
    let binding = sandbox.binding.id.to_string();
    assert_eq!(ada.get(&format!("/dashboard/bindings/{binding}")).await.status().as_u16(), 404);
    let form = [("email", "eve@shop.example"), ("role", "viewer")];
    assert_eq!(ada.post("people/invite", &form).await.status().as_u16(), 403);
    assert_eq!(
        ada.post("bindings/pause", &[("binding", &binding), ("pause", "true")]).await.status().as_u16(),
        403
    );

    // And back: an owner.
    let person = store(&sandbox).people_by_email(EMAIL, 2).await.unwrap().remove(0);
    let at = |organisation| {
        let found = person.memberships.iter().find(|one| one.member.organisation_id == organisation);
        found.unwrap().member.id.to_string()
    };
    let (home, away) = (at(sandbox.organisation), at(other));
    assert_eq!(leads_to(&ada.post("session/switch", &[("member", &home)]).await), "/dashboard");
    assert_eq!(ada.get(&format!("/dashboard/bindings/{binding}")).await.status().as_u16(), 200);
    assert!(!ada.read("/dashboard/members").await.contains("alpha@other.example"));
    // Nobody stands where they do not belong.
    assert_eq!(alpha.post("session/switch", &[("member", &home)]).await.status().as_u16(), 404);

    an_old_page_does_nothing(&sandbox, &ada, &other.to_string()).await;

    // A new sign-in leads to where they chose to be last; a removal takes one organisation and leaves the other.
    ada.post("session/switch", &[("member", &away)]).await;
    let again = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(again.read("/dashboard/members").await.contains("alpha@other.example"));
    let removed = alpha.post("people/remove", &[("member", &away)]).await;
    assert_eq!(leads_to(&removed), "/dashboard/members?flash=member-removed");
    assert_eq!(
        leads_to(&ada.get("/dashboard/members").await),
        "/sign-in?next=/dashboard/members&flash=session-ended"
    );
    let home = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let page = home.read("/dashboard/members").await;
    assert!(page.contains(EMAIL) && !page.contains("Switch"), "{page}");
    sandbox.stop().await;
}

/// A page that was opened before they switched does nothing where they stand now.
async fn an_old_page_does_nothing(sandbox: &Sandbox, ada: &Browser<'_>, elsewhere: &str) {
    for (path, form) in [
        ("people/invite", vec![("email", "eve@shop.example"), ("role", "owner"), ("password", PASSWORD)]),
        ("bindings/pair", vec![("name", "Shop"), ("url", "https://shop.example"), ("code", "x")]),
    ] {
        let form = [form, vec![("organisation", elsewhere)]].concat();
        let refused = ada.post(path, &form).await;
        assert!(refused.text().await.unwrap().contains("other_organisation"), "{path}");
    }
    for path in ["/dashboard/members", "/dashboard/connect-magento"] {
        let field = format!("name=\"organisation\" value=\"{}\"", sandbox.organisation);
        assert!(ada.read(path).await.contains(&field), "{path}");
    }
}

/// Whoever goes on in another organisation hears no more of the one before.
#[tokio::test(flavor = "multi_thread")]
async fn a_live_page_ends_with_the_switch_to_another_organisation() {
    let sandbox = sandbox(true, None).await;
    let other = other_organisation(&sandbox, "alpha@other.example").await;
    let person = store(&sandbox).people_by_email(EMAIL, 1).await.unwrap().remove(0);
    let id = MemberId(Machine.id());
    let member = Member { id, organisation_id: other, ..person.memberships[0].member.clone() };
    let password_hash = person.password_hash;
    store(&sandbox).create_member(&NewMember { member, password_hash }, None).await.unwrap();
    let ada = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let home = person.memberships[0].member.id.to_string();
    ada.post("session/switch", &[("member", &home)]).await;
    let mut live = ada.get("/live").await;
    assert!(live.chunk().await.unwrap().is_some(), "it begins with the version");
    ada.post("session/switch", &[("member", &id.to_string())]).await;
    sandbox.send_all_events().await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), async {
        while let Some(chunk) = live.chunk().await.unwrap() {
            assert!(chunk.starts_with(b":"), "a change of the organisation before: {chunk:?}");
        }
    });
    assert!(heard.await.is_ok(), "it ends");
    sandbox.stop().await;
}

/// Somebody who typed an address and has not proved it.
async fn unproved(sandbox: &Sandbox, organisation_id: OrganisationId, email: &str) -> MemberId {
    let id = MemberId(Machine.id());
    let member = Member {
        id,
        person_id: PersonId(Machine.id()),
        organisation_id,
        email: email.to_owned(),
        proved_at: None,
        name: String::new(),
        role: Role::Viewer,
        created_at: Machine.now(),
    };
    let password_hash = services::session::hash_password("another good pass phrase", &Machine).unwrap();
    store(sandbox).create_member(&NewMember { member, password_hash }, None).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_proved_their_address_proves_it_later_and_is_written_nothing_before() {
    let sandbox = sandbox(true, None).await;
    unproved(&sandbox, sandbox.organisation, CEO).await;
    let ceo = Browser::signed_in(&sandbox, CEO, "another good pass phrase").await;
    let added = ceo.post("alerts/add-mail", &[("email", CEO), ("mode", "at_once")]).await;
    assert_eq!(leads_to(&added), "/dashboard/account/alerts?flash=code-sent", "their own address as well");
    let channels = store(&sandbox).list_members(sandbox.organisation).await.unwrap();
    let me = channels.iter().find(|one| one.member.email == CEO).unwrap().member.id;
    assert_eq!(store(&sandbox).list_alert_channels(me).await.unwrap()[0].confirmed_at, None);
    assert_eq!(sandbox.mail.mails().len(), 1, "the code, and nothing more");

    assert!(ceo.read("/dashboard/account").await.contains("Confirm that this address is yours"));
    let sent = ceo.post("account/send-code", &[]).await;
    assert_eq!(leads_to(&sent), "/dashboard/account?flash=code-sent");
    let code = written_code(&sandbox, CEO);
    // A code is good in the browser that asked for it.
    let other = Browser::signed_in(&sandbox, CEO, "another good pass phrase").await;
    assert_eq!(other.post("account/prove", &[("code", &code)]).await.status().as_u16(), 422);
    assert_eq!(
        leads_to(&ceo.post("account/prove", &[("code", &code)]).await),
        "/dashboard/account?flash=saved"
    );
    assert!(!ceo.read("/dashboard/account").await.contains("Confirm that this address is yours"));
    assert!(!ceo.read("/dashboard/members").await.contains("Address not confirmed"));
    let owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(owner.read("/dashboard/activity").await.contains("Confirmed an e-mail address"));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_squatter_is_told_only_after_the_code_that_the_address_is_anothers() {
    let sandbox = sandbox(true, None).await;
    let other = other_organisation(&sandbox, "alpha@other.example").await;
    unproved(&sandbox, other, EMAIL).await;
    let squatter = Browser::signed_in(&sandbox, EMAIL, "another good pass phrase").await;
    squatter.post("account/send-code", &[]).await;
    let wrong = squatter.post("account/prove", &[("code", "000000")]).await;
    assert!(wrong.text().await.unwrap().contains("wrong_address_code"));
    let code = written_code(&sandbox, EMAIL);
    let late = squatter.post("account/prove", &[("code", &code)]).await;
    assert!(late.text().await.unwrap().contains("address_taken"), "whoever reads the mail may know");
    // Its owner signs in as before, and to their own.
    let owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    assert!(!owner.read("/dashboard/members").await.contains("alpha@other.example"));
    sandbox.stop().await;
}
