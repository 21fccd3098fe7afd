//! `POST /dashboard/bindings/{id}/settings/file`: the settings as a file, and a file that fills in their form. Files travel in bodies of their own, so this
//! is no server function (docs/adr/0015).

use axum::{
    Form,
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use services::{Services, client_info::Caller, member_of, settings};
use views::{
    error::{AppError, ErrorCode},
    links::sign_in_href,
    settings::{draft_href, href},
};

/// What was asked for.
enum Done {
    /// The settings as a file.
    File(String),
    /// The page shows the rest.
    Shown,
}

/// Takes what was sent.
pub async fn sent(State(services): State<Services>, Path(id): Path<String>, request: Request) -> Response {
    let headers = request.headers().clone();
    match take(&services, &id, &headers, request).await {
        Ok(Done::File(text)) => file(text),
        Ok(Done::Shown) => Redirect::to(&draft_href(&id, "")).into_response(),
        Err(error) if error.is_not_signed_in() => Redirect::to(&sign_in_href(&href(&id))).into_response(),
        // Kept with the form that the page shows.
        Err(error) if error.of_field("password").is_some() => {
            Redirect::to(&draft_href(&id, "")).into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn take(
    services: &Services,
    id: &str,
    headers: &HeaderMap,
    request: Request,
) -> Result<Done, AppError> {
    let member = member_of(services, headers).await?;
    let (parts, body) = request.into_parts();
    let caller = Caller::known(services, &parts);
    let pairs = pairs(Request::from_parts(parts, body)).await?;
    let get = |name: &str| {
        let found = pairs.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    match get("do").as_str() {
        "export" => settings::export(services, &member, &caller, id, get("password")).await.map(Done::File),
        "import" => settings::import(services, &member, id, &get("file")).await.map(|()| Done::Shown),
        _ => Err(ErrorCode::Invalid.into()),
    }
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
