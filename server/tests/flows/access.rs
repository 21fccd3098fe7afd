//! Roles and organisations over every address that there is: who may not is refused, and nothing has changed.
//!
//! The addresses come from the routers themselves. One that is missing in [`DOORS`] fails the test with its name: add its line there.

mod doors;

use std::collections::BTreeSet;

use domain::{
    environment::Environment,
    ids::{ActionId, BulkRetryId, MemberId, OrganisationId},
    run::{ActionKind, BulkState, Role, RunStatus},
};
use reqwest::{Client, RequestBuilder, Response, header, redirect::Policy};
use server::{
    environment::Machine,
    router,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{Action, Actor, BulkRetry, Organisation, PageRequest, RunFilter};

use crate::browser;
use doors::{
    Body::{Form, Json, Nothing},
    DOORS,
    Door::{Everybody, Since},
    Line,
};

/// Every address of the routers, as method and path.
fn addresses() -> BTreeSet<String> {
    let pages = router::PAGES.iter().map(|route| format!("GET {}", route.path()));
    let functions =
        leptos::server_fn::axum::server_fn_paths().map(|(path, method)| format!("{method} {path}"));
    // The routes that are neither are written on one page.
    let written = include_str!("../../src/router.rs").split(".route(\"").skip(1).filter_map(|rest| {
        let (path, handler) = rest.split_once('"')?;
        let is_post = handler.trim_start_matches(", ").starts_with("post(");
        Some(format!("{} {path}", if is_post { "POST" } else { "GET" }))
    });
    pages.chain(functions).chain(written).collect()
}

/// Somebody who knocks.
struct Stranger {
    name: String,
    cookie: Option<String>,
}

async fn add_member(sandbox: &Sandbox, organisation_id: OrganisationId, role: Role, name: &str) -> Stranger {
    let email = format!("{name}@ledger.example");
    browser::member(sandbox, organisation_id, &email, role).await;
    Stranger {
        name: name.to_owned(),
        cookie: Some(browser::sign_in(sandbox, &email, browser::PASSWORD).await),
    }
}

/// What the organisation has: whatever is refused must leave it as it is.
async fn holdings(sandbox: &Sandbox) -> String {
    let (store, id) = (&sandbox.process.engine.store, sandbox.binding.id);
    let newest = PageRequest { limit: 50, ..PageRequest::default() };
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        store.list_members(sandbox.organisation).await.unwrap(),
        store.list_invitations(sandbox.organisation, Machine.now()).await.unwrap(),
        store.list_bindings(sandbox.organisation).await.unwrap(),
        store.current_settings(id).await.unwrap(),
        store.reference(id).await.unwrap(),
        store.page_credentials(None, 100).await.unwrap(),
        store.page_runs(sandbox.organisation, &newest).await.unwrap(),
    )
}

/// The stage with everybody who knocks.
struct Cast {
    sandbox: Sandbox,
    run: String,
    /// A retry of many runs.
    bulk: String,
    /// Somebody whom nobody plays.
    member: MemberId,
    nobody: Stranger,
    /// The owner of another organisation.
    stranger: Stranger,
    /// An owner who has signed in within Magento's admin, and brings that token to every door.
    framed: Stranger,
    members: Vec<(Role, Stranger)>,
}

/// A retry of many runs that has begun; no worker carries it on.
async fn bulk_retry(sandbox: &Sandbox, last_run: &str) -> String {
    let actor = Actor { member: None, name: "Nobody".to_owned() };
    let now = Machine.now();
    let bulk = BulkRetry {
        id: BulkRetryId(Machine.id()),
        organisation_id: sandbox.organisation,
        actor: actor.clone(),
        filter: RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() },
        query: "status=failed".to_owned(),
        state: BulkState::Running,
        expected: 1,
        last_run: last_run.parse().unwrap(),
        retried: 0,
        passed_over: 0,
        created_at: now,
        ended_at: None,
    };
    let action = Action {
        id: ActionId(Machine.id()),
        organisation_id: sandbox.organisation,
        binding_id: None,
        run_id: None,
        actor,
        kind: ActionKind::BulkRetryBegun,
        detail: String::new(),
        at: now,
    };
    sandbox.process.engine.store.begin_bulk_retry(&bulk, &action).await.unwrap();
    bulk.id.to_string()
}

impl Cast {
    async fn gathered() -> Self {
        let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
        sandbox.send_all_events().await.unwrap();
        let store = &sandbox.process.engine.store;
        let newest = PageRequest { limit: 1, ..PageRequest::default() };
        let run = store.page_runs(sandbox.organisation, &newest).await.unwrap().runs[0].id.to_string();
        let id = OrganisationId(Machine.id());
        let elsewhere = Organisation { id, name: "Elsewhere".to_owned(), created_at: Machine.now() };
        store.create_organisation(&elsewhere).await.unwrap();
        let token = browser::sign_in_framed(&sandbox, EMAIL, PASSWORD).await;
        let cookie = format!("ledger_session={token}; ledger-embed={token}; ledger_sign_in={token}");
        let framed = Stranger { name: "framed".to_owned(), cookie: Some(cookie) };
        let nobody = Stranger { name: "nobody".to_owned(), cookie: None };
        let stranger = add_member(&sandbox, id, Role::Owner, "stranger").await;
        let member =
            browser::member(&sandbox, sandbox.organisation, "absent@ledger.example", Role::Viewer).await;
        let mut members = Vec::new();
        for role in [Role::Viewer, Role::Operator, Role::Accountant, Role::Owner] {
            members.push((role, add_member(&sandbox, sandbox.organisation, role, role.as_str()).await));
        }
        let bulk = bulk_retry(&sandbox, &run).await;
        Self { sandbox, run, bulk, member, nobody, stranger, framed, members }
    }

    fn fill(&self, text: &str) -> String {
        let text = text.replace("{binding}", &self.sandbox.binding.id.to_string());
        text.replace("{run}", &self.run)
            .replace("{member}", &self.member.to_string())
            .replace("{bulk}", &self.bulk)
    }

    fn request(&self, (address, _, body, called): &Line) -> RequestBuilder {
        let (method, path) = address.split_once(' ').unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let url =
            format!("{}{}", self.sandbox.url(), self.fill(if called.is_empty() { path } else { called }));
        let request = if method == "POST" { client.post(url) } else { client.get(url) };
        match body {
            // Islands ask for data; a page is asked for by a browser.
            Nothing if path.starts_with("/api/") => request.header(header::ACCEPT, "application/json"),
            Nothing => request.header(header::ACCEPT, "text/html"),
            Form(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, self.fill(value))).collect();
                request.form(&fields)
            }
            Json(text) => request.header(header::CONTENT_TYPE, "application/json").body(self.fill(text)),
        }
    }

    async fn ask(&self, asker: &Stranger, line: &Line) -> Response {
        let cookie = asker.cookie.as_deref().unwrap_or_default();
        self.request(line).header(header::COOKIE, cookie).send().await.unwrap()
    }

    /// Who may not is refused, and the organisation has what it had.
    async fn refuses(&self, line: &Line, before: &str) {
        let (address, door, ..) = line;
        let unchanged = async |who: &str| {
            assert_eq!(holdings(&self.sandbox).await, before, "{address} as {who}");
        };
        if *door != Everybody {
            for asker in [&self.nobody, &self.framed] {
                let answer = self.ask(asker, line).await;
                assert!(is_refused(&answer), "{address} lets {} in: {}", asker.name, answer.status());
                unchanged(&asker.name).await;
            }
        }
        let answer = self.ask(&self.stranger, line).await;
        let is_shut = is_refused(&answer) || shows_nothing(answer, &self.sandbox).await;
        assert!(is_shut, "{address} shows a stranger what is not theirs");
        unchanged(&self.stranger.name).await;
        let Since(needed) = door else { return };
        for (role, member) in self.members.iter().filter(|(role, _)| role < needed) {
            let answer = self.ask(member, line).await;
            assert!(is_refused(&answer), "{address} lets a {role} in: {}", answer.status());
            unchanged(&member.name).await;
        }
    }

    /// Who may is not refused.
    async fn lets_in(&self, line: &Line) {
        let (address, Since(needed), ..) = line else { return };
        for (role, member) in self.members.iter().filter(|(role, _)| role >= needed) {
            let status = self.ask(member, line).await.status().as_u16();
            assert!(!matches!(status, 401 | 403), "{address} refuses a {role}: {status}");
        }
    }
}

/// 401, 403, 404, the way to the sign-in, or to a page that says that it is forbidden.
fn is_refused(answer: &Response) -> bool {
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    // Who comes back from Sage is told by the page that they are led to.
    let leads_away = location
        .is_some_and(|location| location.starts_with("/sign-in") || location.ends_with("problem=forbidden"));
    matches!(answer.status().as_u16(), 401 | 403 | 404) || leads_away
}

/// An answer that shows nothing of the organisation's: another organisation's member sees their own, which is empty.
async fn shows_nothing(answer: Response, sandbox: &Sandbox) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    // A stream does not end, and carries a number and nothing else.
    if kind.is_some_and(|kind| kind == "text/event-stream") {
        return true;
    }
    // Figures without names, in fractions of a second; flows of their own look at them.
    if kind.is_some_and(|kind| kind == metrics::CONTENT_TYPE) {
        return true;
    }
    let text = answer.text().await.unwrap();
    ["Blue Mug", "000000", &sandbox.binding.magento_url].iter().all(|ours| !text.contains(ours))
}

#[test]
fn every_address_has_a_line_that_says_who_is_let_in() {
    let addresses = addresses();
    let there: BTreeSet<&str> = addresses.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = DOORS.iter().map(|(address, ..)| *address).collect();
    let missing: Vec<_> = there.difference(&known).collect();
    assert!(missing.is_empty(), "no line in DOORS says who is let in at {missing:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "there is no such address any more: {gone:?}");
    assert_eq!(known.len(), DOORS.len(), "an address has two lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_refuses_whom_it_must_and_nothing_changes() {
    let cast = Cast::gathered().await;
    let before = holdings(&cast.sandbox).await;
    for line in DOORS {
        cast.refuses(line, &before).await;
    }
    // This does change things, so it comes last, and the end of the binding at its very end.
    let (last, others): (Vec<_>, Vec<_>) =
        DOORS.iter().partition(|(address, ..)| address.ends_with("/disconnect"));
    for line in others.into_iter().chain(last) {
        cast.lets_in(line).await;
    }
    cast.sandbox.stop().await;
}
