//! Which way a list is gone through.

use domain::ids::RunId;
use sqlx::{Postgres, QueryBuilder};
use store::{Order, PageRequest, Seek, SortBy};
use uuid::Uuid;

/// A query under construction.
pub(super) type Query = QueryBuilder<Postgres>;

/// Which way a list is gone through, and from where.
pub(super) struct Way {
    organisation: Uuid,
    by: SortBy,
    pub(super) descending: bool,
    pub(super) from: Option<RunId>,
}

impl Way {
    pub(super) fn of(request: &PageRequest, organisation: Uuid) -> Self {
        let Order { by, descending } = request.order;
        match request.seek {
            Seek::First => Self { organisation, by, descending, from: None },
            Seek::After(run) => Self { organisation, by, descending, from: Some(run) },
            Seek::Before(run) => Self { organisation, by, descending: !descending, from: Some(run) },
        }
    }

    const fn column(&self) -> Option<&'static str> {
        match self.by {
            SortBy::Received => None,
            SortBy::Amount => Some("coalesce(amount_minor, 0)"),
            SortBy::Number => Some("coalesce(increment_id, '')"),
        }
    }

    /// ` AND ...`: beyond where it starts. A pair of values, so that the index leads there even among many equals. A run of another
    /// organisation is as unknown as one that is not there: where it would stand tells what it holds.
    pub(super) fn push_from(&self, query: &mut Query) {
        let Some(from) = self.from.map(|run| run.0) else { return };
        let beyond = if self.descending { "<" } else { ">" };
        let Some(column) = self.column() else {
            query.push(format!(" AND id {beyond} ")).push_bind(from);
            return;
        };
        query.push(format!(" AND ({column}, id) {beyond} ((SELECT {column} FROM runs WHERE id = "));
        query.push_bind(from).push(" AND organisation_id = ").push_bind(self.organisation);
        query.push("), ").push_bind(from).push(")");
    }

    pub(super) fn push_order(&self, query: &mut Query) {
        let direction = if self.descending { " DESC" } else { "" };
        match self.column() {
            Some(column) => query.push(format!(" ORDER BY {column}{direction}, id{direction}")),
            None => query.push(format!(" ORDER BY id{direction}")),
        };
    }
}
