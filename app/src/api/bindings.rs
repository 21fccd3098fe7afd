//! Bindings: `/api/bindings/...`. What changes something is a plain form, sent by the browser itself and answered by a redirect:
//! to what came of it, or back to the form with what is wrong.

use leptos::{prelude::*, server_fn::codec::Json};

use views::{
    bindings::{BindingView, ConnectView, ProgressView},
    error::AppError,
    preflight::PreflightView,
};

/// The organisation's bindings.
#[server(endpoint = "bindings/list", input = Json)]
pub async fn list_bindings() -> Result<Vec<BindingView>, AppError> {
    use crate::context;
    use services::bindings;
    context::answer(async { bindings::list(&context::services()?, &context::member().await?).await }).await
}

/// One of them.
#[server(endpoint = "bindings/one", input = Json)]
pub async fn one_binding(
    /// Its id.
    id: String,
) -> Result<BindingView, AppError> {
    use crate::context;
    use services::bindings;
    context::answer(async { bindings::one(&context::services()?, &context::member().await?, &id).await })
        .await
}

/// One of them, on its way to Sage.
#[server(endpoint = "bindings/way", input = Json)]
pub async fn way_to_sage(
    /// Its id.
    id: String,
) -> Result<ConnectView, AppError> {
    use crate::context;
    use services::bindings;
    context::answer(async {
        bindings::on_its_way(&context::services()?, &context::member().await?, &id).await
    })
    .await
}

/// What will fail before the first invoice does.
#[server(endpoint = "bindings/preflight", input = Json)]
pub async fn before_the_first_invoice(
    /// The binding's id.
    id: String,
    /// Whether the shop and Sage are asked now.
    ask: bool,
) -> Result<PreflightView, AppError> {
    use crate::context;
    use services::bindings;
    context::answer(async {
        bindings::preflight(&context::services()?, &context::member().await?, &id, ask).await
    })
    .await
}

/// Pairs a shop and leads on to Sage.
#[server(endpoint = "bindings/pair")]
pub async fn pair_shop(
    /// For which organisation, where the form says so.
    #[server(default)]
    organisation: String,
    /// A name for people.
    #[server(default)]
    name: String,
    /// The shop's address as typed.
    #[server(default)]
    url: String,
    /// The pairing code as pasted.
    #[server(default)]
    code: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::{
        bindings::{connect_href, href},
        flash::Flash,
    };
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        member.stands_in(&organisation)?;
        bindings::pair(&services, &member, &name, &url, &code).await
    };
    let paired = context::answer(work).await?;
    let id = paired.id.to_string();
    let next = match (paired.is_revived, paired.sage_is_missing) {
        (false, _) => Flash::Paired.on(&connect_href(&id)),
        (true, true) => Flash::PairedBefore.on(&connect_href(&id)),
        (true, false) => Flash::PairedAgain.on(&href(&id)),
    };
    let found = paired.problem.map(|problem| format!("&found={}", problem.as_str()));
    leptos_axum::redirect(&format!("{next}{}", found.unwrap_or_default()));
    Ok(())
}

/// Leads to Sage's consent page.
#[server(endpoint = "bindings/consent")]
pub async fn begin_consent(
    /// The binding.
    #[server(default)]
    binding: String,
    /// ISO code of the country in which the business is registered with Sage.
    #[server(default)]
    country: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    let work = async {
        bindings::begin_consent(&context::services()?, &context::member().await?, &binding, &country).await
    };
    leptos_axum::redirect(&context::answer(work).await?);
    Ok(())
}

/// Begins to connect a business of the consent.
#[server(endpoint = "bindings/choose")]
pub async fn choose_business(
    /// The binding.
    #[server(default)]
    binding: String,
    /// Sage's id of the business.
    #[server(default)]
    business: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::bindings::connecting_href;
    let work = async {
        bindings::choose_business(&context::services()?, &context::member().await?, &binding, &business).await
    };
    context::answer(work).await?;
    leptos_axum::redirect(&connecting_href(&binding));
    Ok(())
}

/// How far connecting has come. While it is under way the browser is asked to come again.
#[server(endpoint = "bindings/progress", input = Json)]
pub async fn progress_of(
    /// The binding's id.
    id: String,
) -> Result<ProgressView, AppError> {
    use crate::context;
    use services::bindings;
    let work = async { bindings::progress(&context::services()?, &context::member().await?, &id).await };
    let progress = context::answer(work).await?;
    if matches!(progress, ProgressView::Fetching { .. }) {
        context::come_again();
    }
    Ok(progress)
}

/// Pauses a binding, or lets it work again.
#[server(endpoint = "bindings/pause")]
pub async fn pause_binding(
    /// The binding.
    #[server(default)]
    binding: String,
    /// Whether to pause.
    #[server(default)]
    pause: bool,
    /// The page that the form is on; none for the binding's own.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::{bindings::href, links::safe_path};
    let work =
        async { bindings::pause(&context::services()?, &context::member().await?, &binding, pause).await };
    let flash = context::answer(work).await?;
    leptos_axum::redirect(&flash.on(safe_path(&return_to).unwrap_or(&href(&binding))));
    Ok(())
}

/// Disconnects a binding for good.
#[server(endpoint = "bindings/disconnect")]
pub async fn disconnect_binding(
    /// The binding.
    #[server(default)]
    binding: String,
    /// The member's password, once more.
    #[server(default)]
    password: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::bindings::href;
    let work = async {
        bindings::disconnect(
            &context::services()?,
            &context::member().await?,
            &context::visit()?,
            &binding,
            password,
        )
        .await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(&href(&binding)));
    Ok(())
}

/// Fetches Sage's lists again.
#[server(endpoint = "bindings/refresh")]
pub async fn refresh_lists(
    /// The binding.
    #[server(default)]
    binding: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::bindings::href;
    let work = async { bindings::refresh(&context::services()?, &context::member().await?, &binding).await };
    leptos_axum::redirect(&context::answer(work).await?.on(&href(&binding)));
    Ok(())
}

/// Makes the suggested settings the binding's first ones.
#[server(endpoint = "bindings/suggested")]
pub async fn take_suggestions(
    /// The binding.
    #[server(default)]
    binding: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::bindings;
    use views::bindings::href;
    let work = async {
        bindings::take_suggestions(&context::services()?, &context::member().await?, &binding).await
    };
    leptos_axum::redirect(&context::answer(work).await?.on(&href(&binding)));
    Ok(())
}

/// Sends an invoice as a test, and leads to its run.
#[server(endpoint = "bindings/test")]
pub async fn send_test_document(
    /// The binding.
    #[server(default)]
    binding: String,
    /// The invoice's id in Magento.
    #[server(default)]
    invoice: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::test_document;
    use views::run::href;
    let work = async {
        test_document::send(&context::services()?, &context::member().await?, &binding, &invoice).await
    };
    leptos_axum::redirect(&href(&context::answer(work).await?.to_string()));
    Ok(())
}
