//! What a person is told, and how: `/api/alerts/...`. What changes something is a plain form, sent by the browser itself and answered
//! by a redirect.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::context;
use services::alerts::{self, ChannelChoices};
use views::{alerts::AlertsView, error::AppError};

/// The page.
pub const PAGE: &str = "/dashboard/account/alerts";

/// What the one who asks is told, and how.
#[server(endpoint = "alerts/own", input = Json)]
pub async fn own_alerts() -> Result<AlertsView, AppError> {
    context::answer(async {
        alerts::own(&context::services()?, &context::member().await?, &context::visit()?).await
    })
    .await
}

/// Changes of what a channel tells.
#[server(endpoint = "alerts/change")]
pub async fn change_alert_channel(
    /// Which channel.
    #[server(default)]
    channel: String,
    /// The kinds of alerts.
    #[server(default)]
    kinds: Vec<String>,
    /// The shops; none is all.
    #[server(default)]
    bindings: Vec<String>,
    /// When it is told.
    #[server(default)]
    mode: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::change(&services, &member, &channel, &ChannelChoices { kinds, bindings, mode }).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Adds an e-mail address.
#[server(endpoint = "alerts/add-mail")]
pub async fn add_alert_mail(
    /// The address.
    #[server(default)]
    email: String,
    /// When it is told.
    #[server(default)]
    mode: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::add_mail(&services, &member, &context::visit()?, &email, &mode).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Adds a webhook.
#[server(endpoint = "alerts/add-webhook")]
pub async fn add_alert_webhook(
    /// Where it is.
    #[server(default)]
    url: String,
    /// When it is told.
    #[server(default)]
    mode: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::add_webhook(&services, &member, &context::visit()?, &url, &mode).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Confirms an address.
#[server(endpoint = "alerts/confirm")]
pub async fn confirm_alert_mail(
    /// Which channel.
    #[server(default)]
    channel: String,
    /// The code that was sent there.
    #[server(default)]
    code: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::confirm(&services, &member, &channel, &code).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Makes a new secret of a webhook.
#[server(endpoint = "alerts/secret")]
pub async fn roll_alert_secret(
    /// Which channel.
    #[server(default)]
    channel: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::roll_secret(&services, &member, &context::visit()?, &channel).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Sends a test.
#[server(endpoint = "alerts/test")]
pub async fn send_test_alert(
    /// Which channel.
    #[server(default)]
    channel: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::send_test(&services, &member, &context::visit()?, &channel).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}

/// Removes a channel.
#[server(endpoint = "alerts/remove")]
pub async fn remove_alert_channel(
    /// Which channel.
    #[server(default)]
    channel: String,
) -> Result<(), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        alerts::remove(&services, &member, &channel).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(PAGE));
    Ok(())
}
