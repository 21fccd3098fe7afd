//! A browser without JavaScript: it signs in, sends forms, and looks at where they lead.

use std::sync::Arc;

use domain::{
    environment::Environment,
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use reqwest::{Client, Response, header, redirect::Policy};
use server::{environment::Machine, sandbox::Sandbox};
use store::{Member, NewMember, Store};

/// The password of everybody who is added here.
pub const PASSWORD: &str = "a password";

/// Adds a member.
pub async fn member(sandbox: &Sandbox, organisation: OrganisationId, email: &str, role: Role) -> MemberId {
    let member = Member {
        id: MemberId(Machine.id()),
        person_id: PersonId(Machine.id()),
        organisation_id: organisation,
        email: email.to_owned(),
        proved_at: Some(Machine.now()),
        name: String::new(),
        role,
        created_at: Machine.now(),
    };
    let id = member.id;
    let password_hash = services::session::hash_password(PASSWORD, &Machine).unwrap();
    sandbox.process.engine.store.create_member(&NewMember { member, password_hash }, None).await.unwrap();
    id
}

/// The only member with this address.
pub async fn found(store: &Arc<dyn Store>, email: &str) -> Member {
    let mut people = store.people_by_email(email, 2).await.unwrap();
    assert_eq!(people.len(), 1, "{email}");
    people.remove(0).memberships.remove(0).member
}

/// Signs a member in and returns the cookie.
pub async fn sign_in(sandbox: &Sandbox, email: &str, password: &str) -> String {
    let form = [("email", email), ("password", password), ("next", "")];
    let answer =
        client().post(format!("{}/api/session/sign-in", sandbox.url())).form(&form).send().await.unwrap();
    answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Sends a form as somebody who is signed in; the answer is not followed.
pub async fn submit(sandbox: &Sandbox, cookie: &str, path: &str, form: &[(&str, &str)]) -> Response {
    let request = client().post(format!("{}{path}", sandbox.url())).form(form);
    request.header(header::ACCEPT, "text/html").header(header::COOKIE, cookie).send().await.unwrap()
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Where an answer leads, as a path of this site.
pub fn location(answer: &Response) -> String {
    answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

/// A page as somebody who is signed in sees it.
pub async fn page(sandbox: &Sandbox, cookie: &str, path: &str) -> String {
    look(sandbox, cookie, path).await.text().await.unwrap()
}

/// The answer for a page, as it comes.
pub async fn look(sandbox: &Sandbox, cookie: &str, path: &str) -> Response {
    let request = client().get(format!("{}{path}", sandbox.url())).header(header::ACCEPT, "text/html");
    request.header(header::COOKIE, cookie).send().await.unwrap()
}

/// Signs a member in within Magento's admin and returns the token of the frame's session.
pub async fn sign_in_framed(sandbox: &Sandbox, email: &str, password: &str) -> String {
    let path = format!("/embed/{}/sign-in", sandbox.binding.id);
    let answer = submit(sandbox, "", &path, &[("email", email), ("password", password)]).await;
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.strip_prefix("ledger-embed=").unwrap().split(';').next().unwrap().to_owned()
}
