//! Views of the history that a member has given a name.

use async_trait::async_trait;
use domain::ids::MemberId;
use store::{Result, SavedView, SavedViews};
use store_sql::{Id, Instant, Text};

use super::rows::{self, Record};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
struct SavedViewRow {
    name: String,
    query: String,
    created_at: Instant,
}

impl Record for SavedViewRow {
    type Value = SavedView;
    const TABLE: &'static str = "saved_views";
    const KEY: &'static str = "name";

    fn value(self) -> Result<SavedView> {
        Ok(SavedView { name: self.name, query: self.query, created_at: self.created_at.0 })
    }
}

#[async_trait]
impl SavedViews for Driver {
    async fn saved_views(&self, member: MemberId) -> Result<Vec<SavedView>> {
        let views =
            sqlx::query("SELECT name, query, created_at FROM saved_views WHERE member_id = $1 ORDER BY name");
        Ok(rows::all::<SavedViewRow>(views.bind(Id(member)), self.reader()).await?)
    }

    async fn save_view(&self, member: MemberId, view: &SavedView) -> Result<()> {
        self.execute(|| {
            sqlx::query(
                "INSERT INTO saved_views (member_id, name, query, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (member_id, name) DO UPDATE SET query = excluded.query, created_at = excluded.created_at",
            )
            .bind(Id(member))
            .bind(Text(&view.name))
            .bind(Text(&view.query))
            .bind(Instant(view.created_at))
        })
        .await?;
        Ok(())
    }

    async fn forget_view(&self, member: MemberId, name: &str) -> Result<()> {
        self.execute(|| {
            sqlx::query("DELETE FROM saved_views WHERE member_id = $1 AND name = $2")
                .bind(Id(member))
                .bind(Text(name))
        })
        .await?;
        Ok(())
    }
}
