//! Leases over processes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use store::{Leases, Result, ahead_of};
use store_sql::Instant;

use crate::driver::Driver;

#[async_trait]
impl Leases for Driver {
    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        Ok(self
            .execute(|| {
                sqlx::query(
                    "INSERT INTO leases (name, holder, until, taken_at) VALUES ($1, $2, $4, $3)
                 ON CONFLICT (name) DO UPDATE
                 SET holder = excluded.holder, until = excluded.until, taken_at = excluded.taken_at
                 WHERE leases.holder = excluded.holder OR leases.until <= $3 OR leases.taken_at > $5",
                )
                .bind(name)
                .bind(holder)
                .bind(Instant(now))
                .bind(Instant(until))
                .bind(Instant(ahead_of(now)))
            })
            .await?
            == 1)
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<()> {
        self.execute(|| {
            sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2").bind(name).bind(holder)
        })
        .await?;
        Ok(())
    }
}
