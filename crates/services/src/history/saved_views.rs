//! Views of the history that a member has given a name.

use store::SavedView;

use super::query::HistoryQuery;
use views::{
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
};

use crate::{Member, Services};

const LONGEST_NAME: usize = 60;
const LONGEST_QUERY: usize = 1_000;

/// Gives a view a name, in place of an older one of the same name.
pub async fn save(services: &Services, member: &Member, name: &str, query: &str) -> Result<Flash, AppError> {
    let name = name.trim();
    let wrong = match name.chars().count() {
        0 => Some(FieldError::Required),
        length if length > LONGEST_NAME => Some(FieldError::TooLong),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(AppError::new(ErrorCode::Invalid).field("name", wrong).echo("name", name));
    }
    // Written by the page itself, from an address that it has understood.
    let is_query = query.len() <= LONGEST_QUERY && query.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_query {
        return Err(ErrorCode::Invalid.into());
    }
    let views = services.store.saved_views(member.id()).await?;
    if views.len() >= services.quotas.saved_views && views.iter().all(|view| view.name != name) {
        return Err(ErrorCode::QuotaReached.into());
    }
    let query = HistoryQuery::parse(query)?.kept().text();
    let view = SavedView { name: name.to_owned(), query, created_at: services.environment.now() };
    services.store.save_view(member.id(), &view).await?;
    Ok(Flash::ViewSaved)
}

/// Forgets a view.
pub async fn forget(services: &Services, member: &Member, name: &str) -> Result<Flash, AppError> {
    services.store.forget_view(member.id(), name).await?;
    Ok(Flash::ViewForgotten)
}
