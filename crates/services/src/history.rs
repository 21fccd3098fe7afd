//! The service functions behind the history: pages of it, what is open, and what people do with runs.

pub mod causes;
mod counts;
pub mod operator_actions;
pub mod query;
pub mod saved_views;
pub mod view;

use std::collections::HashMap;

use domain::{
    ids::{BindingId, RunId},
    run::BindingStatus,
};
use store::{Binding, PageRequest, Seek};

use self::query::HistoryQuery;
use views::{
    error::{AppError, ErrorCode},
    runs::{PAGE_SIZE, RunRow, RunsPage},
};

use crate::{
    Member, Services,
    permission::Permission,
    purse::{all_books, base_of},
};

/// A page of the runs of the member's organisation.
pub async fn page(services: &Services, member: &Member, query: &HistoryQuery) -> Result<RunsPage, AppError> {
    // Read before the rows: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes_of(member.organisation()).borrow();
    let request = PageRequest {
        filter: query.filter(),
        order: query.order,
        seek: query.seek,
        limit: PAGE_SIZE,
        ..PageRequest::default()
    };
    let page = services.store.page_runs(member.organisation(), &request).await?;
    let shops = shops(services, member).await?;
    let by_id: HashMap<BindingId, &Binding> = shops.iter().map(|shop| (shop.id, shop)).collect();
    let has_several = shops.len() > 1;
    let books = all_books(services, member.organisation()).await?;
    let row = |run: store::Run| {
        let binding = by_id.get(&run.binding_id);
        let shop = binding.filter(|_| has_several).map(|binding| binding.name.clone());
        let status = binding.map_or(BindingStatus::Active, |binding| binding.status);
        let base = base_of(&books, run.binding_id);
        RunRow { shop, ..RunRow::of(run, status, base) }
    };
    Ok(RunsPage {
        previous: page.previous.map(|run| query.at(Seek::Before(run)).href()),
        next: page.next.map(|run| query.at(Seek::After(run)).href()),
        stopped: page.stopped,
        rows: page.runs.into_iter().map(row).collect(),
        may_retry: member.may(Permission::RetryRuns),
        version,
        counts: counts::counts(&*services.store, member.organisation(), query).await?,
        left_out: counts::left_out(&*services.store, member.organisation(), query).await?,
        unknown_key: query.unknown_key(),
        views: services
            .store
            .saved_views(member.id())
            .await?
            .into_iter()
            .map(|view| (view.name, view.query))
            .collect(),
        shops: named(&shops),
    })
}

/// A run of the member's organisation, as the list shows it.
pub async fn row(services: &Services, member: &Member, run: &str) -> Result<RunRow, AppError> {
    let id: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let run = services.store.run(member.organisation(), id).await?.ok_or(ErrorCode::NotFound)?;
    let shops = shops(services, member).await?;
    let binding = shops.iter().find(|shop| shop.id == run.binding_id);
    let status = binding.map_or(BindingStatus::Active, |binding| binding.status);
    let shop = binding.filter(|_| shops.len() > 1).map(|binding| binding.name.clone());
    let books = all_books(services, member.organisation()).await?;
    let base = base_of(&books, run.binding_id);
    Ok(RunRow { shop, ..RunRow::of(run, status, base) })
}

/// Id and name of shops.
fn named(shops: &[Binding]) -> Vec<(String, String)> {
    shops.iter().map(|shop| (shop.id.to_string(), shop.name.clone())).collect()
}

/// The organisation's shops, by name.
async fn shops(services: &Services, member: &Member) -> Result<Vec<Binding>, AppError> {
    let mut shops = services.store.list_bindings(member.organisation()).await?;
    shops.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(shops)
}
