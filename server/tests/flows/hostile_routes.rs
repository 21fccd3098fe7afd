//! Every route with hostile paths, queries and bodies, by nobody and by an owner: refused, never a fault of Ledger's own.

use domain::run::Role;
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Client, Method, header, redirect::Policy};
use server::{
    router::PAGES,
    sandbox::{Options, Sandbox},
};

use super::browser;

/// What stands in the place of each part of a path that varies.
const PARTS: &[&str] = &[
    "x",
    "00000000-0000-0000-0000-000000000000",
    "%00",
    "%ff",
    "..%2f..%2fetc%2fpasswd",
    "%E2%80%AE",
    "9223372036854775808",
];

const QUERIES: &[&str] = &[
    "",
    "?after=x&sort=amount&order=up&page=-1&from=%00&until=9999999-99-99&amount=1e400",
    "?q=%ff%fe%00&next=//evil.example&state=%00&code=%00&error=%00",
    "?q=amount:%3E99999999999999999999&binding=x&status=x&event=x&entity_type=invoice&entity_id=99999999999999999999",
];

const BODIES: &[(&str, &str)] = &[
    ("application/x-www-form-urlencoded", ""),
    ("application/x-www-form-urlencoded", "id=%00&binding=%ff&email=%00&name=x&query=%3F%00&password="),
    ("application/x-www-form-urlencoded", "a[0][1]=x&a=y&=&&&%"),
    ("application/json", "{\"magento_entity_id\":1e400}"),
    ("application/json", "[[[[[[[["),
    ("text/plain", "\u{0}"),
    ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{"),
];

/// The routes that are not Leptos' own.
const OURS: &[&str] = &[
    "/healthz",
    "/metrics",
    "/webhooks/magento/{tenant_id}/{event}",
    "/v1/status",
    "/v1/tile/health",
    "/v1/tenant/disconnect",
    "/dashboard/sync/export.csv",
    "/dashboard/sync/export.json",
    "/oauth/sage/callback",
    "/dashboard/bindings/{id}/settings/file",
    "/embed/{tenant_id}",
    "/embed/{tenant_id}/sign-in",
    "/embed/{tenant_id}/code",
    "/embed/{tenant_id}/sign-out",
    "/pkg/{file}",
    "/nowhere/{at}/{all}",
];

/// All routes, their varying parts as `{name}`.
fn routes() -> Vec<String> {
    let pages = PAGES.iter().map(|page| page.path().to_owned());
    let functions = server_fn_paths().map(|(path, _)| path.to_owned());
    // Signing out would end the owner's session for what comes after.
    let is_tried = |path: &String| !path.contains("sign-out") && !path.contains("session");
    pages.chain(functions).chain(OURS.iter().map(|path| (*path).to_owned())).filter(is_tried).collect()
}

/// The path with each varying part replaced.
fn filled(path: &str, part: &str) -> String {
    let filled = path.split('/').map(|name| if name.starts_with(['{', ':', '*']) { part } else { name });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_has_a_fault_whatever_it_is_called_with() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    browser::member(&sandbox, sandbox.organisation, "owner@routes.example", Role::Owner).await;
    let owner = browser::sign_in(&sandbox, "owner@routes.example", browser::PASSWORD).await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let (mut calls, mut faults) = (0, Vec::new());
    for route in routes() {
        let varies = route.contains(['{', ':', '*']);
        let parts = if varies { PARTS } else { &PARTS[..1] };
        for (number, part) in parts.iter().enumerate() {
            let path = filled(&route, part);
            let query = QUERIES[number % QUERIES.len()];
            let gets = QUERIES
                .iter()
                .filter(|one| !varies || **one == query)
                .map(|query| (Method::GET, *query, None));
            let bodies = BODIES.iter().enumerate().filter(|(at, _)| !varies || at % PARTS.len() == number);
            let posts = bodies.map(|(_, body)| (Method::POST, query, Some(*body)));
            for (method, query, body) in gets.chain(posts) {
                for cookie in [None, Some(&owner)] {
                    let mut request =
                        client.request(method.clone(), format!("{}{path}{query}", sandbox.url()));
                    if let Some((kind, text)) = body {
                        request = request.header(header::CONTENT_TYPE, kind).body(text);
                    }
                    if let Some(cookie) = cookie {
                        request = request.header(header::COOKIE, cookie);
                    }
                    calls += 1;
                    match request.send().await {
                        Ok(answer) if answer.status().is_server_error() => {
                            faults.push(format!("{} {method} {path}{query} {body:?}", answer.status()));
                        }
                        Ok(_) => {}
                        Err(error) => faults.push(format!("{error} {method} {path}{query} {body:?}")),
                    }
                }
            }
        }
    }
    assert!(calls > 500, "only {calls} calls");
    assert!(faults.is_empty(), "{} of {calls}:\n{}", faults.len(), faults.join("\n"));
    sandbox.stop().await;
}
