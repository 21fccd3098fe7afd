//! Runs: `/api/runs/...`.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::{
    error::AppError,
    query::{Flash, RunsQuery},
    screen::runs::RunsPage,
};

/// A page of runs.
#[server(endpoint = "runs/list", input = Json)]
pub async fn list_runs(
    /// Which.
    query: RunsQuery,
) -> Result<RunsPage, AppError> {
    use crate::{context, runs};
    context::answer(async { runs::page(&context::services()?, &context::member().await?, query).await }).await
}

/// A page of runs for what a URL says; what it says wrongly has the answer's status too.
pub async fn runs_at(query: Result<RunsQuery, AppError>) -> Result<RunsPage, AppError> {
    match query {
        Ok(query) => list_runs(query).await,
        #[cfg(feature = "ssr")]
        Err(error) => crate::context::answer(std::future::ready(Err(error))).await,
        #[cfg(not(feature = "ssr"))]
        Err(error) => Err(error),
    }
}

/// Puts a run in the queue again. Without JavaScript the answer leads back to the page, which says what was done.
#[server(endpoint = "runs/retry")]
pub async fn retry_run(
    /// Which.
    #[server(default)]
    run_id: String,
    /// The page that the form stands on.
    #[server(default)]
    return_to: String,
) -> Result<Flash, AppError> {
    use crate::{HOME, context, query::safe_path, runs};
    let work = async { runs::retry(&context::services()?, &context::member().await?, &run_id).await };
    let flash = context::answer(work).await?;
    if context::is_plain_form() {
        leptos_axum::redirect(&flash.on(safe_path(&return_to).unwrap_or(HOME)));
    }
    Ok(flash)
}
