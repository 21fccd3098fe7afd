//! Runs: `/api/runs/...`. Their forms are plain ones, and lead back to the page that they stand on, which says what was done.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use views::flash::Flash;
use views::{bulk::BulkView, causes::CausesView, error::AppError, history::HistoryView, runs::RetriedView};

/// Leads back to where the form stood, with what was done.
#[cfg(feature = "ssr")]
fn back(flash: Flash, return_to: &str) {
    leptos_axum::redirect(&flash.on(views::links::safe_path(return_to).unwrap_or(views::links::HISTORY)));
}

/// The history at an address, for a page that is open.
#[server(endpoint = "runs/page", input = server_fn::codec::GetUrl, output = views::codec::Json)]
pub async fn fetch_history(
    /// The page's address without its path.
    #[server(default)]
    query: String,
) -> Result<HistoryView, AppError> {
    use crate::context;
    use services::history::{query::HistoryQuery, view};
    let work = async {
        view::answer(&context::services()?, &context::member().await?, HistoryQuery::parse(&query)).await
    };
    context::answer(work).await
}

/// Puts a run in the queue again, for a page that stays where it is.
#[server(endpoint = "runs/retry-in-place", output = views::codec::Json)]
pub async fn retry_in_place(
    /// Which.
    #[server(default)]
    run_id: String,
) -> Result<RetriedView, AppError> {
    use crate::context;
    use services::history::{self, operator_actions};
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        let flash = operator_actions::retry(&services, &member, &run_id).await?;
        Ok(RetriedView { flash, row: history::row(&services, &member, &run_id).await? })
    };
    context::answer(work).await
}

/// Puts a run in the queue again.
#[server(endpoint = "runs/retry")]
pub async fn retry_run(
    /// Which.
    #[server(default)]
    run_id: String,
    /// The page that the form stands on.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::operator_actions;
    let work =
        async { operator_actions::retry(&context::services()?, &context::member().await?, &run_id).await };
    back(context::answer(work).await?, &return_to);
    Ok(())
}

/// What is open, by cause, for a page that is open.
#[server(endpoint = "runs/causes", input = server_fn::codec::GetUrl, output = views::codec::Json)]
pub async fn fetch_causes() -> Result<CausesView, AppError> {
    use crate::context;
    use services::history;
    context::answer(async { history::causes::open(&context::services()?, &context::member().await?).await })
        .await
}

/// Begins to retry all runs of a cause, for a page that stays where it is.
#[server(endpoint = "runs/causes/retry", output = views::codec::Json)]
pub async fn retry_cause(
    /// The address's query of the list of them.
    #[server(default)]
    query: String,
) -> Result<BulkView, AppError> {
    use crate::context;
    use services::history::{operator_actions, query::HistoryQuery};
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        let bulk = operator_actions::begin_bulk(&services, &member, &HistoryQuery::parse(&query)?).await?;
        operator_actions::bulk(&services, &member, &bulk.to_string()).await
    };
    context::answer(work).await
}

/// A bulk retry, for a page that is open.
#[server(endpoint = "runs/bulk", input = server_fn::codec::GetUrl, output = views::codec::Json)]
pub async fn fetch_bulk(
    /// Which.
    #[server(default)]
    id: String,
) -> Result<BulkView, AppError> {
    use crate::context;
    use services::history::operator_actions;
    let work = async { operator_actions::bulk(&context::services()?, &context::member().await?, &id).await };
    context::answer(work).await
}

/// Begins to retry all runs of a view of the history, and leads to the page that shows how far it has come, or back to the form's.
#[server(endpoint = "runs/retry-all")]
pub async fn retry_all(
    /// The view's address without its path.
    #[server(default)]
    query: String,
    /// The page that the form is on, if it shows by itself what becomes of the runs.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::{operator_actions, query::HistoryQuery};
    let work = async {
        let query = HistoryQuery::parse(&query)?;
        operator_actions::begin_bulk(&context::services()?, &context::member().await?, &query).await
    };
    let bulk = context::answer(work).await?;
    match views::links::safe_path(&return_to) {
        Some(path) => leptos_axum::redirect(&Flash::BulkStarted.on(path)),
        None => leptos_axum::redirect(&operator_actions::bulk_href(&bulk.to_string())),
    }
    Ok(())
}

/// Stops a retry of many runs.
#[server(endpoint = "runs/retry-all/cancel")]
pub async fn cancel_retry_all(
    /// Which.
    #[server(default)]
    bulk: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::operator_actions;
    let work = async {
        operator_actions::cancel_bulk(&context::services()?, &context::member().await?, &bulk).await
    };
    back(context::answer(work).await?, &operator_actions::bulk_href(&bulk));
    Ok(())
}

/// Excludes the document of a run.
#[server(endpoint = "runs/exclude")]
pub async fn exclude_document(
    /// The run.
    #[server(default)]
    run_id: String,
    /// Why.
    #[server(default)]
    reason: String,
    /// The page that the form stands on.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::operator_actions;
    let work = async {
        operator_actions::exclude(&context::services()?, &context::member().await?, &run_id, &reason).await
    };
    back(context::answer(work).await?, &return_to);
    Ok(())
}

/// Takes the exclusion of a run's document back.
#[server(endpoint = "runs/include")]
pub async fn include_document(
    /// The run.
    #[server(default)]
    run_id: String,
    /// The page that the form stands on.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::operator_actions;
    let work =
        async { operator_actions::include(&context::services()?, &context::member().await?, &run_id).await };
    back(context::answer(work).await?, &return_to);
    Ok(())
}

/// Gives a view of the history a name.
#[server(endpoint = "runs/views/save")]
pub async fn save_view(
    /// The name.
    #[server(default)]
    name: String,
    /// The view's address without its path.
    #[server(default)]
    query: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::saved_views;
    use views::links::HISTORY;
    let work =
        async { saved_views::save(&context::services()?, &context::member().await?, &name, &query).await };
    back(context::answer(work).await?, &format!("{HISTORY}?{query}"));
    Ok(())
}

/// Forgets a view.
#[server(endpoint = "runs/views/forget")]
pub async fn forget_view(
    /// The name.
    #[server(default)]
    name: String,
    /// The page that the form stands on.
    #[server(default)]
    return_to: String,
) -> Result<(), AppError> {
    use crate::context;
    use services::history::saved_views;
    let work = async { saved_views::forget(&context::services()?, &context::member().await?, &name).await };
    back(context::answer(work).await?, &return_to);
    Ok(())
}
