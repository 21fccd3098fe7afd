//! `POST /dashboard/bindings/{id}/settings`: what a person sends from the page of the settings. It is answered by the page itself, so
//! that nothing that was typed is lost, or by a redirect to it once everything is done.

use std::sync::Arc;

use app::pages::settings::FormAnswer;
use axum::Form;
use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::render_app_async_with_context;
use services::{
    Services,
    client_info::Caller,
    member_of,
    settings::{self, Sent},
};
use views::{
    error::{AppError, ErrorCode},
    links::sign_in_href,
    settings::{SettingsView, href},
};

/// No page has so many fields and rows; each is looked at against all others.
const MOST_PAIRS: usize = 4_000;

/// Takes what was sent.
pub async fn sent(
    State(services): State<Services>,
    State(options): State<LeptosOptions>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let page = page_request(&request);
    match take(&services, &id, &headers, request).await {
        Ok(Sent::Done(flash)) => Redirect::to(&flash.on(&href(&id))).into_response(),
        Ok(Sent::File(text)) => file(text),
        Ok(Sent::Again(view)) => again(&services, &options, page, *view).await,
        Err(error) if error.is_not_signed_in() => Redirect::to(&sign_in_href(&href(&id))).into_response(),
        Err(error) => refused(&error),
    }
}

async fn take(
    services: &Services,
    id: &str,
    headers: &HeaderMap,
    request: Request,
) -> Result<Sent, AppError> {
    let member = member_of(services, headers).await?;
    let (parts, body) = request.into_parts();
    let caller = Caller::known(services, &parts);
    let pairs = pairs(Request::from_parts(parts, body)).await?;
    if pairs.len() > MOST_PAIRS {
        return Err(ErrorCode::Invalid.into());
    }
    settings::send(services, &member, &caller, id, pairs).await
}

/// The names and values of a form, in its order, however the browser has packed them.
async fn pairs(request: Request) -> Result<Vec<(String, String)>, AppError> {
    let invalid = || AppError::new(ErrorCode::Invalid);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        let Form(pairs) = Form::from_request(request, &()).await.map_err(|_| invalid())?;
        return Ok(pairs);
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| invalid())?;
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| invalid())? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|_| invalid())?;
        // What is no text is no file of ours; its reader says so.
        pairs.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(pairs)
}

/// The request for the page, with the head of the one that sent the form.
fn page_request(request: &Request) -> Request {
    let mut page = Request::new(Body::empty());
    page.uri_mut().clone_from(request.uri());
    page.headers_mut().clone_from(request.headers());
    page.headers_mut().remove(header::CONTENT_LENGTH);
    page.headers_mut().remove(header::CONTENT_TYPE);
    page
}

async fn again(services: &Services, options: &LeptosOptions, page: Request, view: SettingsView) -> Response {
    let status = StatusCode::from_u16(view.status()).unwrap_or(StatusCode::OK);
    // A browser shows a page; that it is none of what was wanted, its console need not repeat.
    let status = if accepts_html(page.headers()) { StatusCode::OK } else { status };
    let (services, options, answer) = (services.clone(), options.clone(), FormAnswer(Arc::new(view)));
    let render = render_app_async_with_context(
        move || {
            provide_context(services.clone());
            provide_context(answer.clone());
        },
        move || app::shell(options.clone()),
    );
    let mut response = render(page).await;
    *response.status_mut() = status;
    response
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn file(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"ledger-settings.json\""),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(error: &AppError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = format!("{} {} ({})", error.code.sentence(), error.code.action(), error.code.as_str());
    (status, text).into_response()
}
