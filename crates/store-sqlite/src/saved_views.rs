//! Views of the history that a member has given a name.

use async_trait::async_trait;
use domain::ids::MemberId;
use store::{Result, SavedView, SavedViews};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

#[async_trait]
impl SavedViews for SqliteStore {
    async fn saved_views(&self, member: MemberId) -> Result<Vec<SavedView>> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT name, query, created_at FROM saved_views WHERE member_id = ?1 ORDER BY name",
        )
        .bind(member.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        let view = |(name, query, at): (String, String, String)| {
            let created_at = Place { table: "saved_views", row: &name }.time("created_at", &at)?;
            Ok(SavedView { name, query, created_at })
        };
        rows.into_iter().map(view).collect()
    }

    async fn save_view(&self, member: MemberId, view: &SavedView) -> Result<()> {
        sqlx::query(
            "INSERT INTO saved_views (member_id, name, query, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (member_id, name) DO UPDATE SET query = excluded.query, created_at = excluded.created_at",
        )
        .bind(member.to_string())
        .bind(&view.name)
        .bind(&view.query)
        .bind(instant(view.created_at))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(())
    }

    async fn forget_view(&self, member: MemberId, name: &str) -> Result<()> {
        sqlx::query("DELETE FROM saved_views WHERE member_id = ?1 AND name = ?2")
            .bind(member.to_string())
            .bind(name)
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }
}
