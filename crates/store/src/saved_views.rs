//! Views of the history that a member has given a name.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::MemberId;

use crate::Result;

/// A view with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its name, unique to the member.
    pub name: String,
    /// The list's address without its path.
    pub query: String,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
}

/// Saved views.
#[async_trait]
pub trait SavedViews {
    /// A member's views by name.
    async fn saved_views(&self, member: MemberId) -> Result<Vec<SavedView>>;

    /// Keeps a view, in place of one of the same name.
    async fn save_view(&self, member: MemberId, view: &SavedView) -> Result<()>;

    /// Forgets a view; one that is not there is forgotten already.
    async fn forget_view(&self, member: MemberId, name: &str) -> Result<()>;
}
