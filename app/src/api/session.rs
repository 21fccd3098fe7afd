//! Sessions: `/api/session/...`. Their forms are plain ones, sent by the browser itself: a whole new page starts with the new
//! cookie, with JavaScript and without.

use leptos::prelude::*;

use views::{error::AppError, member::MemberView};

/// Opens a session and leads to the page that was asked for, or first to the question for a code.
#[server(endpoint = "session/sign-in")]
pub async fn sign_in(
    /// E-mail address.
    #[server(default)]
    email: String,
    /// Password.
    #[server(default)]
    password: String,
    /// The path to go on to.
    #[server(default)]
    next: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::{
        cookies,
        session::{self, Opened},
    };
    use views::{links::HOME, links::code_href, links::safe_path};
    let (services, visit) = (context::services()?, context::visit()?);
    let opened = session::sign_in(&*services.store, &*services.environment, &visit.caller, &email, password);
    let secure = services.secure_cookies;
    match context::answer(opened).await? {
        Opened::Session(token) => {
            context::set_cookie(&cookies::cookie(&token, secure))?;
            visit.remember(&services, &token).await?;
            leptos_axum::redirect(safe_path(&next).unwrap_or(HOME));
        }
        Opened::CodeAsked(token) => {
            context::set_cookie(&cookies::pending_cookie(&token, secure))?;
            leptos_axum::redirect(&code_href(&next));
        }
    }
    Ok(())
}

/// Ends the session and leads to the sign-in page.
#[server(endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::context;
    use services::{cookies, session};
    use views::flash::Flash;
    let (services, request) = (context::services()?, context::request()?);
    context::answer(session::sign_out(&*services.store, &request.headers, services.secure_cookies)).await?;
    context::set_cookie(&cookies::expired_cookie(services.secure_cookies))?;
    leptos_axum::redirect(&Flash::SignedOut.on("/sign-in"));
    Ok(())
}

/// Who is signed in.
#[server(endpoint = "session/who")]
pub async fn who() -> Result<MemberView, AppError> {
    use crate::context;
    use services::account;
    context::answer(async { account::header(&context::services()?, &context::member().await?).await }).await
}

/// Goes on in another organisation of the person who is signed in.
#[server(endpoint = "session/switch")]
pub async fn switch_organisation(
    /// Their id as its member.
    #[server(default)]
    member: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::account;
    use views::links::HOME;
    let work = async { account::switch(&context::services()?, &context::member().await?, &member).await };
    context::answer(work).await?;
    leptos_axum::redirect(HOME);
    Ok(())
}

/// Keeps the choice of colours in a cookie and leads back to where it was made.
#[server(endpoint = "session/theme")]
pub async fn set_theme(
    /// `system`, `light` or `dark`.
    #[server(default)]
    theme: String,
) -> Result<(), AppError> {
    use crate::{context, theme};
    let theme = theme.parse::<theme::Theme>().unwrap_or_default();
    context::answer(async { context::set_cookie(&theme::cookie(theme)) }).await
}
