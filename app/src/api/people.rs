//! An organisation's people: `/api/people/...`, and invitations: `/api/invitation/...`. What changes something is a plain form,
//! sent by the browser itself and answered by a redirect.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::context;
use services::{
    cookies,
    joining::{self, NewAccount},
    people,
};
use views::{
    error::AppError,
    flash::Flash,
    links::HOME,
    people::{InvitedView, PeopleView},
};

/// The page of people.
pub const PAGE: &str = "/dashboard/members";

/// Everybody in the organisation.
#[server(endpoint = "people/everybody", input = Json)]
pub async fn everybody() -> Result<PeopleView, AppError> {
    context::answer(async {
        people::everybody(&context::services()?, &context::member().await?, &context::visit()?).await
    })
    .await
}

/// Invites somebody.
#[server(endpoint = "people/invite")]
pub async fn invite(
    /// Into which organisation, where the form says so.
    #[server(default)]
    organisation: String,
    /// Whom, by e-mail address.
    #[server(default)]
    email: String,
    /// As what.
    #[server(default)]
    role: String,
    /// The inviter's password, where it is asked for.
    #[server(default)]
    password: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        people::invite(&services, &member, &context::visit()?, (&organisation, &email, &role), password).await
    };
    context::answer(work).await?;
    leptos_axum::redirect(PAGE);
    Ok(())
}

/// Withdraws an invitation.
#[server(endpoint = "people/withdraw")]
pub async fn withdraw_invitation(
    /// The invitation.
    #[server(default)]
    invitation: String,
) -> Result<(), AppError> {
    let work =
        async { people::withdraw(&context::services()?, &context::member().await?, &invitation).await };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Gives a member another role.
#[server(endpoint = "people/role")]
pub async fn set_role(
    /// The member.
    #[server(default)]
    member: String,
    /// What they may do from now on.
    #[server(default)]
    role: String,
    /// The owner's password, where it is asked for.
    #[server(default)]
    password: String,
) -> Result<(), AppError> {
    let work = async {
        people::set_role(
            &context::services()?,
            &context::member().await?,
            &context::visit()?,
            (&member, &role),
            password,
        )
        .await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Removes a member.
#[server(endpoint = "people/remove")]
pub async fn remove_member(
    /// The member.
    #[server(default)]
    member: String,
    /// The owner's password, where it is asked for.
    #[server(default)]
    password: String,
) -> Result<(), AppError> {
    let work = async {
        people::remove(
            &context::services()?,
            &context::member().await?,
            &context::visit()?,
            &member,
            password,
        )
        .await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// What an invitation says to the one who holds its link.
#[server(endpoint = "invitation/read", input = Json)]
pub async fn invited(
    /// What the link ends with.
    token: String,
) -> Result<InvitedView, AppError> {
    context::answer(async { joining::invited(&context::services()?, &context::visit()?, &token).await }).await
}

/// Sends a code to the address that is invited.
#[server(endpoint = "invitation/code")]
pub async fn send_invitation_code(
    /// What the link ends with.
    #[server(default)]
    token: String,
) -> Result<(), AppError> {
    let work = async { joining::send_code(&context::services()?, &context::visit()?, &token).await };
    leptos_axum::redirect(&context::answer(work).await?.on(&format!("/invitation/{token}")));
    Ok(())
}

/// Accepts an invitation as somebody new, and signs in.
#[server(endpoint = "invitation/accept")]
pub async fn accept_invitation(
    /// What the link ends with.
    #[server(default)]
    token: String,
    /// The new member's name.
    #[server(default)]
    name: String,
    /// Their password.
    #[server(default)]
    password: String,
    /// The code that was sent to the address.
    #[server(default)]
    code: String,
) -> Result<(), AppError> {
    let services = context::services()?;
    let chosen = NewAccount { name, password, code };
    let session = context::answer(joining::accept(&services, &context::visit()?, &token, chosen)).await?;
    context::set_cookie(&cookies::cookie(&session, services.secure_cookies))?;
    context::visit()?.remember(&services, &session).await?;
    leptos_axum::redirect(&Flash::Joined.on(HOME));
    Ok(())
}

/// Accepts an invitation as the person who is signed in.
#[server(endpoint = "invitation/join")]
pub async fn join_organisation(
    /// What the link ends with.
    #[server(default)]
    token: String,
) -> Result<(), AppError> {
    let work = async { joining::join(&context::services()?, &context::visit()?, &token).await };
    leptos_axum::redirect(&context::answer(work).await?.on(HOME));
    Ok(())
}
