//! OAuth 2: the consent page, codes, tokens that rotate, and revocation.

use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Client,
    consent::{Form, page},
    grants::{Code, Grant},
    server::read_body,
    state::Sim,
    tables::Ids,
    world::World,
};

const CODE_LIFE: TimeDelta = TimeDelta::seconds(60);
const ACCESS_LIFE: TimeDelta = TimeDelta::seconds(300);
const REFRESH_LIFE: TimeDelta = TimeDelta::seconds(2_678_400);

/// An OAuth error: `{"error","error_description"}`.
pub(super) struct Denial(pub(super) &'static str, &'static str);

/// `GET /oauth2/auth/central`, and the POST of its form.
pub(super) async fn authorize(State(sim): State<Sim>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = read_body(request).await;
    let mut form = parse(query.as_bytes());
    form.extend(parse(&body));
    let client = sim.options().clients.iter().find(|client| Some(&client.id) == form.get("client_id"));
    let redirect_uri = form.get("redirect_uri").cloned().unwrap_or_default();
    // With an unknown client or address nothing may be sent anywhere.
    let Some(client) = client.filter(|client| is_registered(client, &redirect_uri)) else {
        let text = "The client or the redirect URI is not registered.";
        return (axum::http::StatusCode::BAD_REQUEST, Html(text)).into_response();
    };
    if let Err(error) = check_authorization(&form) {
        return back(&redirect_uri, &[("error", error)], &form);
    }
    match form.get("approve").map(String::as_str) {
        Some("1") => {
            let country = form.get("country").filter(|country| !country.is_empty());
            let country = country.map_or("gb", String::as_str).to_uppercase();
            let code = sim.with_world(|world, now| issue_code(world, client, &form, &country, now));
            back(&redirect_uri, &[("code", &code), ("country", &country)], &form)
        }
        Some(_) => back(&redirect_uri, &[("error", "access_denied")], &form),
        None => Html(page(&form)).into_response(),
    }
}

/// `POST /token`.
pub(super) async fn token(State(sim): State<Sim>, request: Request) -> Response {
    let form = parse(&read_body(request).await);
    let outcome = check_client(sim.options().clients.as_slice(), &form).and_then(|client| {
        sim.with_world(|world, now| match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => redeem(world, client, &form, now),
            Some("refresh_token") => refresh(world, client, &form, now),
            Some(_) => Err(Denial("unsupported_grant_type", "The grant type is not supported.")),
            None => Err(Denial("invalid_request", "grant_type is missing.")),
        })
    });
    answer(outcome)
}

/// `POST /revoke`: the refresh token dies; access tokens run out by themselves.
pub(super) async fn revoke(State(sim): State<Sim>, request: Request) -> Response {
    let form = parse(&read_body(request).await);
    let outcome = check_client(sim.options().clients.as_slice(), &form).map(|client| {
        sim.with_world(|world, _| {
            let token = form.get("token").map(String::as_str).unwrap_or_default();
            if world.grants.refresh.get(token).is_some_and(|grant| grant.client == client.id) {
                world.grants.refresh.remove(token);
            }
        });
        json!({"success": "ok"})
    });
    answer(outcome)
}

fn answer(outcome: Result<Value, Denial>) -> Response {
    let (status, body) = match outcome {
        Ok(body) => (axum::http::StatusCode::OK, body),
        Err(Denial(error, description)) => {
            (axum::http::StatusCode::BAD_REQUEST, json!({"error": error, "error_description": description}))
        }
    };
    (status, axum::Json(body)).into_response()
}

fn parse(text: &[u8]) -> Form {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Exactly as registered; a client without registered addresses may use our own callback on this machine.
fn is_registered(client: &Client, redirect_uri: &str) -> bool {
    if !client.redirect_uris.is_empty() {
        return client.redirect_uris.iter().any(|registered| registered == redirect_uri);
    }
    let Ok(url) = url::Url::parse(redirect_uri) else { return false };
    url.scheme() == "http"
        && matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
        && url.path() == "/oauth/sage/callback"
}

fn check_authorization(form: &Form) -> Result<(), &'static str> {
    let field = |name: &str| form.get(name).map(String::as_str);
    if field("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    if !matches!(field("scope"), Some("full_access" | "readonly")) {
        return Err("invalid_scope");
    }
    if !matches!(field("country"), None | Some("" | "ca" | "gb" | "ie")) {
        return Err("invalid_request");
    }
    match (field("code_challenge"), field("code_challenge_method")) {
        (None, None) | (Some(_), None | Some("S256" | "plain")) => Ok(()),
        _ => Err("invalid_request"),
    }
}

fn back(redirect_uri: &str, fields: &[(&str, &str)], form: &Form) -> Response {
    let Ok(mut url) = url::Url::parse(redirect_uri) else {
        return axum::http::StatusCode::BAD_REQUEST.into_response();
    };
    let state = form.get("state").map(|state| ("state", state.as_str()));
    url.query_pairs_mut().extend_pairs(fields.iter().copied().chain(state));
    let mut response = Redirect::to(url.as_str()).into_response();
    *response.status_mut() = axum::http::StatusCode::FOUND;
    response
}

fn issue_code(world: &mut World, client: &Client, form: &Form, country: &str, now: DateTime<Utc>) -> String {
    // The code carries the country and a slash.
    let code = format!("{country}/{}", world.ids.next());
    let method = form.get("code_challenge_method").cloned().unwrap_or_else(|| "plain".to_owned());
    let kept = Code {
        grant: Grant {
            client: client.id.clone(),
            scope: form.get("scope").cloned().unwrap_or_default(),
            until: now + CODE_LIFE,
        },
        redirect_uri: form.get("redirect_uri").cloned().unwrap_or_default(),
        challenge: form.get("code_challenge").map(|challenge| (challenge.clone(), method)),
    };
    world.grants.codes.insert(code.clone(), kept);
    code
}

fn check_client<'a>(clients: &'a [Client], form: &Form) -> Result<&'a Client, Denial> {
    let known = |client: &&Client| {
        form.get("client_id") == Some(&client.id) && form.get("client_secret") == Some(&client.secret)
    };
    clients
        .iter()
        .find(known)
        .ok_or(Denial("invalid_client", "The client is unknown or its secret is wrong."))
}

fn redeem(world: &mut World, client: &Client, form: &Form, now: DateTime<Utc>) -> Result<Value, Denial> {
    let code = form.get("code").ok_or(Denial("invalid_request", "code is missing."))?;
    // Whatever comes of it, the code is used up.
    let code = world.grants.codes.remove(code);
    let code = code.filter(|code| code.grant.until > now && code.grant.client == client.id);
    let code = code.ok_or(Denial("invalid_grant", "The code is unknown, used or expired."))?;
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(Denial("invalid_grant", "The redirect URI is not the one of the authorization."));
    }
    if let Some((challenge, method)) = &code.challenge {
        let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
        if !proves(verifier, challenge, method) {
            return Err(Denial("invalid_grant", "The code verifier does not fit the code challenge."));
        }
    }
    Ok(issue(world, &code.grant, now))
}

fn proves(verifier: &str, challenge: &str, method: &str) -> bool {
    let given = match method {
        "S256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        _ => verifier.to_owned(),
    };
    (43..=128).contains(&verifier.len()) && given == challenge
}

/// A refresh token works once: the answer carries its successor.
fn refresh(world: &mut World, client: &Client, form: &Form, now: DateTime<Utc>) -> Result<Value, Denial> {
    let token = form.get("refresh_token").ok_or(Denial("invalid_request", "refresh_token is missing."))?;
    let owned = |grant: &Grant| grant.until > now && grant.client == client.id;
    let grant = world.grants.refresh.get(token).filter(|grant| owned(grant)).cloned();
    let grant = grant.ok_or(Denial("invalid_grant", "The refresh token is unknown, used or expired."))?;
    world.grants.refresh.remove(token);
    Ok(issue(world, &grant, now))
}

fn issue(world: &mut World, grant: &Grant, now: DateTime<Utc>) -> Value {
    world.grants.sweep(now);
    let tokens = |ids: &mut Ids| (ids.token(), ids.token());
    let (access, refresh) = tokens(&mut world.ids);
    let until = |life: TimeDelta| Grant { until: now + life, ..grant.clone() };
    world.grants.access.insert(access.clone(), until(ACCESS_LIFE));
    world.grants.refresh.insert(refresh.clone(), until(REFRESH_LIFE));
    json!({
        "access_token": access,
        "token_type": "bearer",
        "scope": grant.scope,
        "expires_in": ACCESS_LIFE.num_seconds(),
        "refresh_token": refresh,
        "refresh_token_expires_in": REFRESH_LIFE.num_seconds(),
        "requested_by_id": world.ids.named("user"),
    })
}
