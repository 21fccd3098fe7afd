//! Forms that were sent without being done.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId};
use store::{Draft, Drafts, Result};
use store_sql::{Id, Instant, Text};

use super::rows::{self, Record};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
struct DraftRow {
    sealed: String,
}

impl Record for DraftRow {
    type Value = String;
    const TABLE: &'static str = "settings_drafts";
    const KEY: &'static str = "member_id";

    fn value(self) -> Result<String> {
        Ok(self.sealed)
    }
}

#[async_trait]
impl Drafts for Driver {
    async fn keep_draft(&self, draft: &Draft, now: DateTime<Utc>) -> Result<()> {
        self.execute(|| sqlx::query("DELETE FROM settings_drafts WHERE expires_at <= $1").bind(Instant(now)))
            .await?;
        self.execute(|| {
            sqlx::query(
                "INSERT INTO settings_drafts (member_id, binding_id, sealed, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (member_id, binding_id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at",
            )
            .bind(Id(draft.member))
            .bind(Id(draft.binding))
            .bind(Text(&draft.sealed))
            .bind(Instant(draft.expires_at))
        })
        .await?;
        Ok(())
    }

    async fn draft(
        &self,
        member: MemberId,
        binding: BindingId,
        now: DateTime<Utc>,
    ) -> Result<Option<String>> {
        let found = sqlx::query(
            "SELECT sealed FROM settings_drafts WHERE member_id = $1 AND binding_id = $2 AND expires_at > $3",
        );
        let found = found.bind(Id(member)).bind(Id(binding)).bind(Instant(now));
        Ok(rows::all::<DraftRow>(found, self.reader()).await?.into_iter().next())
    }

    async fn forget_draft(&self, member: MemberId, binding: BindingId) -> Result<()> {
        self.execute(|| {
            sqlx::query("DELETE FROM settings_drafts WHERE member_id = $1 AND binding_id = $2")
                .bind(Id(member))
                .bind(Id(binding))
        })
        .await?;
        Ok(())
    }
}
