//! What server functions may reach, and who is asking.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{outside::Outside, quota::Quotas, run::Role};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use store::Store;

use crate::{
    alerting::Alerting,
    caller::Caller,
    connecting::Connecting,
    device::Device,
    error::{AppError, ErrorCode},
    sealing::Sealing,
    session,
};

/// What server functions may reach; the server provides it as a Leptos context.
#[derive(Clone)]
pub struct Services {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Time and randomness.
    pub outside: Arc<dyn Outside>,
    /// Whether cookies are for HTTPS only: everywhere but on a developer's own machine.
    pub secure_cookies: bool,
    /// What reaches Magento and Sage.
    pub connecting: Arc<dyn Connecting>,
    /// What sends messages to members.
    pub alerting: Arc<dyn Alerting>,
    /// What seals secrets.
    pub sealing: Arc<dyn Sealing>,
    /// Where browsers reach Ledger, without a slash at the end.
    pub public_url: String,
    /// How much one member or organisation may take of what all share.
    pub quotas: Quotas,
    /// Where forms may lead besides Ledger itself: the origin of Sage's consent page.
    pub consent_origin: String,
}

/// Proof of who asks. Service functions want to see it, and only a live session makes one, so a forgotten check does not
/// compile.
#[derive(Clone, Debug)]
pub struct Member(store::SignedIn);

impl Member {
    /// The organisation whose data this person may see.
    pub const fn organisation(&self) -> domain::ids::OrganisationId {
        self.0.member.organisation_id
    }

    /// Their id as a member.
    pub const fn id(&self) -> domain::ids::MemberId {
        self.0.member.id
    }

    /// The person's id, the same in all of their organisations.
    pub const fn person(&self) -> domain::ids::PersonId {
        self.0.member.person_id
    }

    /// The person's e-mail address.
    pub fn email(&self) -> &str {
        &self.0.member.email
    }

    /// An error when a form was made for another organisation: somebody who belongs to several may have switched in another tab.
    pub fn stands_in(&self, organisation: &str) -> Result<(), AppError> {
        let is_here = organisation.is_empty() || organisation == self.organisation().to_string();
        if is_here { Ok(()) } else { Err(ErrorCode::OtherOrganisation.into()) }
    }

    /// Whether it was shown that the address is theirs.
    pub const fn has_proved_address(&self) -> bool {
        self.0.member.proved_at.is_some()
    }

    /// The person's name; it may be empty.
    pub fn name(&self) -> &str {
        &self.0.member.name
    }

    /// How the person is called: by their name, or by the address of who has none.
    pub fn called(&self) -> &str {
        if self.name().is_empty() { self.email() } else { self.name() }
    }

    /// What the person may do.
    pub const fn role(&self) -> Role {
        self.0.member.role
    }

    /// The session that they ask from.
    pub const fn session(&self) -> domain::ids::SessionId {
        self.0.session
    }

    /// When they last showed their password, where that is known.
    pub const fn proved_at(&self) -> Option<DateTime<Utc>> {
        self.0.proved_at
    }

    /// Whether this person may do what a role may.
    pub fn may(&self, role: Role) -> bool {
        self.0.member.role >= role
    }

    /// The person again, if they may do what a role may.
    pub fn require(&self, role: Role) -> Result<&Self, AppError> {
        if self.may(role) { Ok(self) } else { Err(ErrorCode::Forbidden.into()) }
    }
}

/// The services of this request.
pub fn services() -> Result<Services, AppError> {
    use_context().ok_or_else(|| missing("Services"))
}

/// The request's head.
pub fn request() -> Result<Parts, AppError> {
    use_context().ok_or_else(|| missing("Parts"))
}

/// Where this request comes from.
pub fn caller() -> Result<Caller, AppError> {
    let request = request()?;
    let device = services().ok().and_then(|services| Device::of(&services, &request.headers));
    Ok(Caller { device, ..Caller::of(&request) })
}

fn missing(what: &str) -> AppError {
    tracing::error!(what, "a page was rendered without a context that it needs");
    ErrorCode::Internal.into()
}

/// Who is asking.
pub async fn member() -> Result<Member, AppError> {
    let (services, parts) = (services()?, request()?);
    member_of(&services, &parts.headers).await
}

/// Who sends a request with these headers: for routes that are no pages, such as `/live`.
pub async fn member_of(services: &Services, headers: &HeaderMap) -> Result<Member, AppError> {
    let token = session::token(headers, services.secure_cookies).ok_or(ErrorCode::NotSignedIn)?;
    let now = services.outside.now();
    let found = services.store.signed_in(&session::token_hash(token), now).await?;
    let found = session::awake(services, found.ok_or(ErrorCode::NotSignedIn)?, token).await?;
    let found = found.ok_or(ErrorCode::NotSignedIn)?;
    Ok(Member(found))
}

/// Whether the session of these headers is still one, of this member. Not noted as its use: a page that only watches does not keep its
/// session alive.
pub async fn is_signed_in(services: &Services, headers: &HeaderMap, member: &Member) -> bool {
    let Some(token) = session::token(headers, services.secure_cookies) else { return false };
    let now = services.outside.now();
    let found = services.store.signed_in(&session::token_hash(token), now).await;
    matches!(found, Ok(Some(found)) if found.member.id == member.id() && now - found.last_seen_at < session::IDLE)
}

/// Gives the answer of a server function or of a page's data the status of its error.
///
/// Redirects keep their own: a plain form's answer leads back to the form, which shows the error, and a page leads to the
/// sign-in.
pub async fn answer<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let result = work.await;
    if let Err(AppError { wait: Some(seconds), .. }) = &result
        && let Some(response) = use_context::<ResponseOptions>()
    {
        response.insert_header(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if let Err(error) = &result
        && !(accepts_html() && (error.is_not_signed_in() || is_call()))
        && let Some(response) = use_context::<ResponseOptions>()
        && let Ok(status) = StatusCode::from_u16(error.code.status())
    {
        response.set_status(status);
    }
    result
}

/// Whether this is a form that a browser sends without JavaScript.
pub fn is_plain_form() -> bool {
    is_call() && accepts_html()
}

/// Whether this is the call of a server function, and not a page.
fn is_call() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.uri.path().starts_with("/api/"))
}

/// Whether a browser wants something to show.
fn accepts_html() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Sends a cookie with the answer.
pub fn set_cookie(cookie: &str) -> Result<(), AppError> {
    let response = use_context::<ResponseOptions>().ok_or_else(|| missing("ResponseOptions"))?;
    let value = HeaderValue::from_str(cookie).map_err(|_| AppError::new(ErrorCode::Internal))?;
    response.append_header(header::SET_COOKIE, value);
    Ok(())
}

/// Asks the browser to fetch the page again in a second.
pub fn come_again() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(header::REFRESH, HeaderValue::from_static("1"));
    }
}

/// The origin that may frame this page; without it nobody may.
#[derive(Clone, Debug)]
pub struct FramedBy(pub String);

/// Allows the page its own scripts, styles and connections, and nothing else. The page's scripts carry its nonce.
pub(crate) fn set_content_security_policy() {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce()) else {
        return;
    };
    let consent = use_context::<Services>().map(|services| services.consent_origin).unwrap_or_default();
    let framed_by = use_context::<FramedBy>().map_or_else(|| "'none'".to_owned(), |framed_by| framed_by.0);
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval' 'self'; style-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self' {consent}; frame-ancestors {framed_by}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(HeaderName::from_static("content-security-policy"), policy);
    }
}
