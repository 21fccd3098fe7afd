//! People: invited, given roles, signed in with a second factor, limited, removed.

use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use reqwest::{Client, Response, header, redirect::Policy};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{Member, NewMember, Organisation};
use totp_rs::{Builder, Secret};

pub const CHOSEN: &str = "several good words";

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

pub async fn add_member(
    sandbox: &Sandbox,
    organisation_id: OrganisationId,
    email: &str,
    role: Role,
) -> MemberId {
    let member = Member {
        id: MemberId(Machine.id()),
        person_id: PersonId(Machine.id()),
        organisation_id,
        email: email.to_owned(),
        proved_at: Some(Machine.now()),
        name: String::new(),
        role,
        created_at: Machine.now(),
    };
    let id = member.id;
    let password_hash = services::session::hash_password(CHOSEN, &Machine).unwrap();
    sandbox.process.engine.store.create_member(&NewMember { member, password_hash }, None).await.unwrap();
    id
}

/// A browser without a will of its own: it follows nothing and keeps the cookies it is told to.
pub struct Browser<'a> {
    pub sandbox: &'a Sandbox,
    /// Where its requests go: a process of the stage's.
    pub url: String,
    pub cookies: String,
}

impl<'a> Browser<'a> {
    pub fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, url: sandbox.url(), cookies: String::new() }
    }

    pub async fn signed_in(sandbox: &'a Sandbox, email: &str, password: &str) -> Self {
        let mut browser = Self::new(sandbox);
        let answer = browser.sign_in(email, password).await;
        assert_eq!(status(&answer), 302, "{email} signs in");
        browser.keep_cookies(&answer);
        browser
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        self.post("session/sign-in", &[("email", email), ("password", password)]).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/api/{path}", self.url);
        Self::client().post(url).header(header::COOKIE, &self.cookies).form(form).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.url);
        Self::client().get(url).header(header::COOKIE, &self.cookies).send().await.unwrap()
    }

    pub async fn read(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    fn client() -> Client {
        Client::builder().redirect(Policy::none()).build().unwrap()
    }

    pub fn keep_cookies(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookies = format!("{pair}; {}", self.cookies);
        }
    }

    fn forget(&mut self, name: &str) {
        let kept = self.cookies.split("; ").filter(|pair| !pair.starts_with(name));
        self.cookies = kept.collect::<Vec<_>>().join("; ");
    }
}

/// The status; whoever wants no page is answered by 200 and the address that a browser would be led to.
pub fn status(answer: &Response) -> u16 {
    if answer.headers().contains_key(header::LOCATION) { 302 } else { answer.status().as_u16() }
}

pub fn leads_to(answer: &Response) -> &str {
    answer.headers()[header::LOCATION].to_str().unwrap()
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

/// Invites somebody and returns what the link ends with.
pub async fn invite(owner: &mut Browser<'_>, email: &str, role: &str) -> String {
    let answer = owner.post("people/invite", &[("email", email), ("role", role)]).await;
    assert_eq!((status(&answer), leads_to(&answer)), (302, "/dashboard/members"));
    owner.keep_cookies(&answer);
    let page = owner.get("/dashboard/members").await;
    let forgets = page.headers().get_all(header::SET_COOKIE).iter().any(|cookie| {
        let cookie = cookie.to_str().unwrap();
        cookie.starts_with("ledger_once_link=;") && cookie.contains("Max-Age=0")
    });
    assert!(forgets, "the browser forgets the link");
    let page = page.text().await.unwrap();
    let token = between(&page, &format!("{}/invitation/", owner.sandbox.url()), "<").trim().to_owned();
    assert_eq!(token.len(), 64);
    owner.forget("ledger_once_link");
    assert!(!owner.read("/dashboard/members").await.contains(&token), "it is shown once");
    token
}

/// Has a code sent to an invitation's address, and reads it there.
pub async fn code_of(guest: &Browser<'_>, token: &str, email: &str) -> String {
    let answer = guest.post("invitation/code", &[("token", token)]).await;
    assert_eq!(leads_to(&answer), format!("/invitation/{token}?flash=code-sent"));
    written_code(guest.sandbox, email)
}

/// The code in the newest letter to an address.
pub fn written_code(sandbox: &Sandbox, email: &str) -> String {
    let letter = sandbox.mail.mails().into_iter().rfind(|mail| mail.to == [email]).unwrap();
    letter.text.lines().find_map(|line| line.strip_prefix("    ")).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_accepted_twice_at_once_makes_one_member() {
    let sandbox = sandbox().await;
    let mut owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let token = invite(&mut owner, "Bob@Shop.example", "operator").await;
    let mut guest = Browser::new(&sandbox);
    let page = guest.read(&format!("/invitation/{token}")).await;
    for part in ["Blue Mug Ltd", "bob@shop.example", "Operator"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let code = code_of(&guest, &token, "bob@shop.example").await;
    let code = ("code", code.as_str());
    let form = [("token", token.as_str()), ("name", "Bob"), ("password", "short"), code];
    let short = guest.post("invitation/accept", &form).await;
    assert_eq!(short.status().as_u16(), 422);
    assert!(short.text().await.unwrap().contains(r#"["name","Bob"]"#), "the name is kept");

    let form = [("token", token.as_str()), ("name", "Bob"), ("password", CHOSEN), code];
    let answers =
        tokio::join!(guest.post("invitation/accept", &form), guest.post("invitation/accept", &form));
    let (joined, late) = if status(&answers.0) == 302 { answers } else { (answers.1, answers.0) };
    assert_eq!((status(&joined), status(&late)), (302, 404));
    assert!(late.text().await.unwrap().contains("invitation_gone"));
    guest.keep_cookies(&joined);
    assert!(guest.read("/dashboard/account").await.contains("bob@shop.example"));
    let people = sandbox.process.engine.store.list_members(sandbox.organisation).await.unwrap();
    assert_eq!(people.len(), 2);
    assert_eq!(people[1].member.role, Role::Operator);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_that_are_not_good_all_say_the_same() {
    let sandbox = sandbox().await;
    let mut owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let withdrawn = invite(&mut owner, "bob@shop.example", "viewer").await;
    let store = &sandbox.process.engine.store;
    let id = store.list_invitations(sandbox.organisation, Machine.now()).await.unwrap()[0].id.to_string();
    let answer = owner.post("people/withdraw", &[("invitation", &id)]).await;
    assert_eq!(status(&answer), 302);
    let guest = Browser::new(&sandbox);
    for token in [withdrawn.as_str(), &"0".repeat(64), "nonsense"] {
        let page = guest.get(&format!("/invitation/{token}")).await;
        assert_eq!(page.status().as_u16(), 404);
        let page = page.text().await.unwrap();
        assert!(page.contains("invitation_gone") && !page.contains("bob@shop.example"), "{page}");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_change_people_and_only_their_own() {
    let sandbox = sandbox().await;
    let store = &sandbox.process.engine.store;
    let other = OrganisationId(Machine.id());
    let organisation = Organisation { id: other, name: "Stranger".to_owned(), created_at: Machine.now() };
    store.create_organisation(&organisation).await.unwrap();
    add_member(&sandbox, other, "stranger@shop.example", Role::Owner).await;
    let bob =
        add_member(&sandbox, sandbox.organisation, "viewer@shop.example", Role::Viewer).await.to_string();
    add_member(&sandbox, sandbox.organisation, "operator@shop.example", Role::Operator).await;
    add_member(&sandbox, sandbox.organisation, "accountant@shop.example", Role::Accountant).await;
    let mut owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    invite(&mut owner, "eve@shop.example", "viewer").await;
    let invitation =
        store.list_invitations(sandbox.organisation, Machine.now()).await.unwrap()[0].id.to_string();

    let form = [("member", bob.as_str()), ("role", "owner"), ("invitation", invitation.as_str())];
    let actions = ["people/invite", "people/role", "people/remove", "people/withdraw"];
    for (who, expected) in [
        ("viewer@shop.example", [403; 4]),
        ("operator@shop.example", [403; 4]),
        ("accountant@shop.example", [403; 4]),
        ("stranger@shop.example", [422, 404, 404, 404]),
    ] {
        let browser = Browser::signed_in(&sandbox, who, CHOSEN).await;
        for (action, expected) in actions.iter().zip(expected) {
            let answer = browser.post(action, &form).await;
            assert_eq!(status(&answer), expected, "{who}: {action}");
        }
        let page = browser.read("/dashboard/members").await;
        assert!(!page.contains("eve@shop.example"), "{who} does not see who is invited");
        assert_eq!(page.contains("viewer@shop.example"), who != "stranger@shop.example", "{who}");
    }
    for action in actions {
        let answer = Browser::new(&sandbox).post(action, &form).await;
        assert_eq!(status(&answer), 401, "{action} without a session");
    }
    for action in &actions[1..] {
        let answer = owner.post(action, &form).await;
        assert_eq!(status(&answer), 302, "the owner: {action}");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_is_out_at_once_and_the_last_owner_stays() {
    let sandbox = sandbox().await;
    let owner = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let bob = add_member(&sandbox, sandbox.organisation, "bob@shop.example", Role::Owner).await.to_string();
    let of_bob = Browser::signed_in(&sandbox, "bob@shop.example", CHOSEN).await;
    assert_eq!(of_bob.get("/dashboard/members").await.status().as_u16(), 200);
    let removed = owner.post("people/remove", &[("member", &bob)]).await;
    assert_eq!(leads_to(&removed), "/dashboard/members?flash=member-removed");
    assert_eq!(
        leads_to(&of_bob.get("/dashboard/members").await),
        "/sign-in?next=/dashboard/members&flash=session-ended"
    );
    let invited = of_bob.post("people/invite", &[("email", "eve@shop.example"), ("role", "owner")]).await;
    assert_eq!(invited.status().as_u16(), 401);
    let again = Browser::new(&sandbox).sign_in("bob@shop.example", CHOSEN).await;
    assert_eq!(again.status().as_u16(), 401);

    let people = sandbox.process.engine.store.list_members(sandbox.organisation).await.unwrap();
    let me = people[0].member.id.to_string();
    for (action, form) in [
        ("people/role", vec![("member", me.as_str()), ("role", "viewer")]),
        ("people/remove", vec![("member", me.as_str())]),
    ] {
        let answer = owner.post(action, &form).await;
        assert_eq!(status(&answer), 409, "{action}");
        assert!(answer.text().await.unwrap().contains("last_owner"));
    }
    sandbox.stop().await;
}

/// Sets a second factor up and returns the code that confirmed it and the recovery codes.
async fn set_up(browser: &mut Browser<'_>) -> (String, Vec<String>) {
    let refused = browser.post("account/set-up", &[("set_up_password", "not this one")]).await;
    assert_eq!(refused.status().as_u16(), 422);
    let begun = browser.post("account/set-up", &[("set_up_password", PASSWORD)]).await;
    assert_eq!(status(&begun), 302);
    let page = browser.read("/dashboard/account").await;
    let secret = between(&page, "once-text", "</p>").split('>').nth(1).unwrap().replace(' ', "");
    let secret = Secret::try_from_base32(secret.trim()).unwrap();
    let code = shown(secret);
    let confirmed = browser.post("account/confirm", &[("first_code", &code)]).await;
    assert_eq!(leads_to(&confirmed), "/dashboard/account?flash=second-factor-on");
    browser.keep_cookies(&confirmed);
    let page = browser.read("/dashboard/account").await;
    let list = between(&page, "once-codes", "</ul>");
    let codes = list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned());
    browser.forget("ledger_once_codes");
    (code, codes.collect())
}

/// What the authenticator app shows now.
fn shown(secret: Secret) -> String {
    let totp = Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(Machine.now().timestamp()).unwrap()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_set_up_asked_for_and_switched_off() {
    let sandbox = sandbox().await;
    let mut first = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let (code, codes) = set_up(&mut first).await;
    assert_eq!(codes.len(), 10, "{codes:?}");
    assert!(!first.read("/dashboard/account").await.contains(&codes[0]), "they are shown once");

    let mut second = Browser::new(&sandbox);
    let asked = second.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(leads_to(&asked), "/sign-in/code");
    second.keep_cookies(&asked);
    let looks = second.post("people/withdraw", &[]).await;
    assert_eq!(looks.status().as_u16(), 401, "the password alone is no session");
    let replayed = second.post("session/code", &[("code", &code)]).await;
    assert_eq!(replayed.status().as_u16(), 422, "the code that confirmed is used up");
    let entered = second.post("session/code", &[("code", &codes[0]), ("next", "/dashboard/account")]).await;
    assert_eq!((status(&entered), leads_to(&entered)), (302, "/dashboard/account"));
    second.keep_cookies(&entered);
    assert!(second.read("/dashboard/account").await.contains("Recovery codes left"));

    let mut third = Browser::new(&sandbox);
    let asked = third.sign_in(EMAIL, PASSWORD).await;
    third.keep_cookies(&asked);
    assert_eq!(third.post("session/code", &[("code", &codes[0])]).await.status().as_u16(), 422, "used");
    let nothing = Browser::new(&sandbox).post("session/code", &[("code", &codes[1])]).await;
    assert_eq!(nothing.status().as_u16(), 401, "without the password a code is worth nothing");

    let off = [("off_password", PASSWORD), ("off_code", codes[2].as_str())];
    assert_eq!(
        leads_to(&second.post("account/switch-off", &off).await),
        "/dashboard/account?flash=second-factor-off"
    );
    let plain = Browser::new(&sandbox).sign_in(EMAIL, PASSWORD).await;
    assert_eq!(leads_to(&plain), "/dashboard");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_sessions_that_the_old_one_opened() {
    let sandbox = sandbox().await;
    let here = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let there = Browser::signed_in(&sandbox, EMAIL, PASSWORD).await;
    let form = [("current_password", PASSWORD), ("new_password", CHOSEN)];
    let changed = here.post("account/password", &form).await;
    assert_eq!(leads_to(&changed), "/dashboard/account?flash=password-changed");
    assert_eq!(there.post("account/end-others", &[]).await.status().as_u16(), 401);
    assert_eq!(status(&here.post("account/end-others", &[]).await), 302);
    assert_eq!(here.sign_in(EMAIL, PASSWORD).await.status().as_u16(), 401);
    assert_eq!(status(&here.sign_in(EMAIL, CHOSEN).await), 302);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_sign_in_tells_nothing_of_who_exists() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let mut said = Vec::new();
    for email in [EMAIL, "nobody@ledger.example"] {
        for _ in 0..10 {
            assert_eq!(browser.sign_in(email, "a wrong guess").await.status().as_u16(), 401);
        }
        // The right password is refused as well.
        let limited = browser.sign_in(email, PASSWORD).await;
        let after: u32 = limited.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&after), "{after}");
        let status = limited.status().as_u16();
        let body = limited.text().await.unwrap().replace(email, "E-MAIL");
        said.push((status, body.replace(&format!(r#""wait":{after}"#), r#""wait":N"#)));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0].0, 429);
    assert!(said[0].1.contains("too_many_tries"), "{}", said[0].1);
    sandbox.stop().await;
}
