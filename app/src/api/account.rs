//! A person's own account: `/api/account/...`, and the second step of a sign-in: `/api/session/code`. What changes something is
//! a plain form, sent by the browser itself and answered by a redirect.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::context;
use services::{account, cookies, second_factor};
use views::{
    account::AccountView,
    error::{AppError, ErrorCode},
    links::HOME,
    links::safe_path,
};

/// The page of the account.
pub const PAGE: &str = "/dashboard/account";

/// The second step of a sign-in: opens the session and leads to the page that was asked for.
#[server(endpoint = "session/code")]
pub async fn sign_in_with_code(
    /// A code of the authenticator app, or a recovery code.
    #[server(default)]
    code: String,
    /// The path to go on to.
    #[server(default)]
    next: String,
) -> Result<(), AppError> {
    let (services, visit) = (context::services()?, context::visit()?);
    let (store, environment) = (&*services.store, &*services.environment);
    let work = async {
        let token = cookies::pending_token(&visit.headers, services.secure_cookies);
        let token = token.ok_or(ErrorCode::SignInEnded)?;
        second_factor::sign_in(store, environment, &services.sealing, &visit.caller, (token, &code)).await
    };
    let token = context::answer(work).await?;
    context::set_cookie(&cookies::cookie(&token, services.secure_cookies))?;
    visit.remember(&services, &token).await?;
    context::set_cookie(&cookies::expired_pending_cookie(services.secure_cookies))?;
    leptos_axum::redirect(safe_path(&next).unwrap_or(HOME));
    Ok(())
}

/// The account of the one who asks.
#[server(endpoint = "account/own", input = Json)]
pub async fn own_account() -> Result<AccountView, AppError> {
    context::answer(async {
        account::own(&context::services()?, &context::member().await?, &context::visit()?).await
    })
    .await
}

/// Sends a code to the person's own address.
#[server(endpoint = "account/send-code")]
pub async fn send_address_code() -> Result<(), AppError> {
    let work = async {
        account::send_address_code(&context::services()?, &context::member().await?, &context::visit()?).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Proves the person's own address by the code that was sent there.
#[server(endpoint = "account/prove")]
pub async fn prove_address(
    /// The code.
    #[server(default)]
    code: String,
) -> Result<(), AppError> {
    let work = async {
        account::prove_address(&context::services()?, &context::member().await?, &context::visit()?, &code)
            .await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Changes the password.
#[server(endpoint = "account/password")]
pub async fn change_password(
    /// The password of today.
    #[server(default)]
    current_password: String,
    /// The new one.
    #[server(default)]
    new_password: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        account::change_password(&services, &member, &context::visit()?, current_password, new_password).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Makes the secret of a second factor, to be confirmed.
#[server(endpoint = "account/set-up")]
pub async fn begin_second_factor(
    /// The password.
    #[server(default)]
    set_up_password: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        account::begin_second_factor(&services, &member, &context::visit()?, set_up_password).await
    };
    context::answer(work).await?;
    leptos_axum::redirect(&format!("{PAGE}#second-factor"));
    Ok(())
}

/// Puts the second factor in force.
#[server(endpoint = "account/confirm")]
pub async fn confirm_second_factor(
    /// The first code that the app shows.
    #[server(default)]
    first_code: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        account::confirm_second_factor(&services, &member, &context::visit()?, &first_code).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Makes new recovery codes.
#[server(endpoint = "account/codes")]
pub async fn renew_codes(
    /// The password.
    #[server(default)]
    codes_password: String,
) -> Result<(), AppError> {
    let work = async {
        account::renew_codes(
            &context::services()?,
            &context::member().await?,
            &context::visit()?,
            codes_password,
        )
        .await
    };
    context::answer(work).await?;
    leptos_axum::redirect(PAGE);
    Ok(())
}

/// Switches the second factor off.
#[server(endpoint = "account/switch-off")]
pub async fn end_second_factor(
    /// The password.
    #[server(default)]
    off_password: String,
    /// A code of the app, or a recovery code.
    #[server(default)]
    off_code: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        account::end_second_factor(&services, &member, &context::visit()?, off_password, &off_code).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Ends one of one's own sessions.
#[server(endpoint = "account/end-session")]
pub async fn end_session(
    /// Which.
    #[server(default)]
    session: String,
) -> Result<(), AppError> {
    let work =
        async { account::end_session(&context::services()?, &context::member().await?, &session).await };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Ends all of one's own sessions but the one that asks.
#[server(endpoint = "account/end-others")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    let work = async { account::end_other_sessions(&context::services()?, &context::member().await?).await };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}
