//! A shop's history within Magento's admin: a sign-in of its own, whose session opens this one history and nothing else.
//!
//! Browsers send no `SameSite=Lax` cookie into another site's frame, so the frame has a cookie of its own: `SameSite=None`, and
//! `Partitioned`, so that it belongs to this shop's admin and follows nobody from one site to the next.

use chrono::TimeDelta;
use cookie::SameSite;
use domain::{ids::RunId, setup::ShopState};
use http::HeaderMap;
use store::{Binding, PageRequest, RunFilter, Seek};
use views::{
    embed::{EmbedPart, EmbedQuery, EmbedView, HistoryView, list_href},
    error::{AppError, ErrorCode},
    links::HISTORY,
    runs::{PAGE_SIZE, RunRow},
};

use crate::{
    Services,
    client_info::{Caller, Frame},
    cookies, member,
    purse::{all_books, base_of},
    second_factor,
    session::{self, Opened},
    setup::Setups,
    tokens,
};

/// The cookie of a session, and that of a sign-in which waits for its code.
const COOKIE: &str = "ledger-embed";
const CODE_COOKIE: &str = "ledger-embed-code";

/// The address of a binding's frame.
pub fn path(binding: &Binding) -> String {
    format!("/embed/{}", binding.id)
}

/// The frame that a binding's shop is.
pub const fn frame(binding: &Binding) -> Frame {
    Frame { binding: binding.id, organisation: binding.organisation_id }
}

/// What the frame shows whoever sends these headers.
pub async fn open(
    services: &Services,
    binding: &Binding,
    headers: &HeaderMap,
    query: EmbedQuery,
) -> EmbedView {
    let part = part(services, binding, headers, query).await.unwrap_or_else(EmbedPart::Problem);
    EmbedView { path: path(binding), part }
}

async fn part(
    services: &Services,
    binding: &Binding,
    headers: &HeaderMap,
    query: EmbedQuery,
) -> Result<EmbedPart, AppError> {
    let (token, now) = (token(headers, COOKIE, services.secure_cookies), services.environment.now());
    if let Some(token) = token
        && let Some(found) = services.store.signed_in_to(binding.id, &tokens::token_hash(token), now).await?
        && member::awake(services, found, token).await?.is_some()
    {
        return Ok(EmbedPart::History(Box::new(history(services, binding, query).await?)));
    }
    let has_pending = self::token(headers, CODE_COOKIE, services.secure_cookies).is_some();
    Ok(match query {
        EmbedQuery { again: true, .. } => EmbedPart::SignIn(None),
        _ if has_pending => EmbedPart::Code(None),
        EmbedQuery { signed_in: true, .. } => EmbedPart::Forgotten,
        _ => EmbedPart::SignIn(None),
    })
}

/// The history, for who has been let in.
async fn history(services: &Services, binding: &Binding, query: EmbedQuery) -> Result<HistoryView, AppError> {
    let filter = RunFilter { binding: Some(binding.id), status: query.status, ..RunFilter::default() };
    let seek = match (query.before, query.after) {
        (Some(run), _) => Seek::After(run),
        (None, Some(run)) => Seek::Before(run),
        (None, None) => Seek::First,
    };
    let request = PageRequest { filter, seek, limit: PAGE_SIZE, ..PageRequest::default() };
    let page = services.store.page_runs(binding.organisation_id, &request).await?;
    let list = list_href(&path(binding), query.status);
    let beyond = |name: &str, run: RunId| {
        let joint = if list.contains('?') { '&' } else { '?' };
        format!("{list}{joint}{name}={run}")
    };
    let far = Setups::of(services, binding.organisation_id).await?.get(binding);
    let books = all_books(services, binding.organisation_id).await?;
    let base = base_of(&books, binding.id);
    Ok(HistoryView {
        name: binding.name.clone(),
        status: binding.status,
        state: ShopState::of(binding.status, far),
        filter: query.status,
        newest: (seek != Seek::First).then(|| list.clone()),
        newer: page.previous.map(|run| beyond("after", run)),
        older: page.next.map(|run| beyond("before", run)),
        rows: page.runs.into_iter().map(|run| RunRow::of(run, binding.status, base)).collect(),
        in_ledger: format!("{HISTORY}?shop={}", binding.id),
    })
}

/// What a sign-in leads to: cookies to set and a page to go to.
pub struct SignInRedirect {
    /// The cookies.
    pub cookies: Vec<String>,
    /// The page.
    pub to: String,
}

/// Checks an e-mail address and a password, of a member of the shop's organisation.
pub async fn sign_in(
    services: &Services,
    binding: &Binding,
    caller: &Caller,
    email: &str,
    password: String,
) -> Result<SignInRedirect, AppError> {
    let opened = session::sign_in(&*services.store, &*services.environment, caller, email, password).await?;
    let secure = services.secure_cookies;
    Ok(match opened {
        Opened::Session(token) => into_history(binding, &token, secure),
        Opened::CodeAsked(token) => SignInRedirect {
            cookies: vec![carrying(CODE_COOKIE, &token, cookies::PATIENCE, secure)],
            to: path(binding),
        },
    })
}

/// Checks a code, the second step.
pub async fn give_code(
    services: &Services,
    binding: &Binding,
    caller: &Caller,
    headers: &HeaderMap,
    code: &str,
) -> Result<SignInRedirect, AppError> {
    let secure = services.secure_cookies;
    let pending = token(headers, CODE_COOKIE, secure).ok_or(ErrorCode::SignInEnded)?;
    let (store, environment) = (&*services.store, &*services.environment);
    let token =
        second_factor::sign_in(store, environment, &services.sealing, caller, (pending, code)).await?;
    Ok(into_history(binding, &token, secure))
}

/// Ends the session of these headers.
pub async fn sign_out(
    services: &Services,
    binding: &Binding,
    headers: &HeaderMap,
) -> Result<SignInRedirect, AppError> {
    let secure = services.secure_cookies;
    if let Some(token) = token(headers, COOKIE, secure) {
        services.store.end_session(&tokens::token_hash(token)).await?;
    }
    Ok(SignInRedirect { cookies: vec![carrying(COOKIE, "", TimeDelta::zero(), secure)], to: path(binding) })
}

fn into_history(binding: &Binding, token: &str, secure: bool) -> SignInRedirect {
    SignInRedirect {
        cookies: vec![
            carrying(COOKIE, token, cookies::LIFETIME, secure),
            carrying(CODE_COOKIE, "", TimeDelta::zero(), secure),
        ],
        to: format!("{}?in=1", path(binding)),
    }
}

/// A cookie of the frame. Without https, on a developer's own machine, shop and Ledger are one site, and `Lax` will do.
fn carrying(name: &str, token: &str, lifetime: TimeDelta, secure: bool) -> String {
    let cookie = cookies::baked(cookies::named(name, secure), token, lifetime, secure).path("/");
    let cookie = if secure {
        cookie.same_site(SameSite::None).partitioned(true)
    } else {
        cookie.same_site(SameSite::Lax)
    };
    cookie.build().to_string()
}

fn token<'a>(headers: &'a HeaderMap, name: &str, secure: bool) -> Option<&'a str> {
    cookies::cookie_value(headers, &cookies::named(name, secure)).filter(|token| token.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_frames_of_one_site_and_for_no_script() {
        assert_eq!(
            carrying(COOKIE, "abc", TimeDelta::minutes(1), true),
            "__Host-ledger-embed=abc; HttpOnly; SameSite=None; Partitioned; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(
            carrying(COOKIE, "", TimeDelta::zero(), false),
            "ledger-embed=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}
