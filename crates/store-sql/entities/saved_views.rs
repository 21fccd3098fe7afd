//! Views of the history that a member has given a name.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::MemberId;
use store::{Result, SavedView, SavedViews};

use crate::{
    PostgresStore,
    error::{clean, translate},
};

#[async_trait]
impl SavedViews for PostgresStore {
    async fn saved_views(&self, member: MemberId) -> Result<Vec<SavedView>> {
        let rows: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(
            "SELECT name, query, created_at FROM saved_views WHERE member_id = $1 ORDER BY name",
        )
        .bind(member.0)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let view = |(name, query, created_at)| SavedView { name, query, created_at };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn save_view(&self, member: MemberId, view: &SavedView) -> Result<()> {
        sqlx::query(
            "INSERT INTO saved_views (member_id, name, query, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (member_id, name) DO UPDATE SET query = excluded.query, created_at = excluded.created_at",
        )
        .bind(member.0)
        .bind(clean(&view.name))
        .bind(clean(&view.query))
        .bind(view.created_at)
        .execute(&self.pool)
        .await
        .map_err(translate)?;
        Ok(())
    }

    async fn forget_view(&self, member: MemberId, name: &str) -> Result<()> {
        sqlx::query("DELETE FROM saved_views WHERE member_id = $1 AND name = $2")
            .bind(member.0)
            .bind(clean(name))
            .execute(&self.pool)
            .await
            .map_err(translate)?;
        Ok(())
    }
}
