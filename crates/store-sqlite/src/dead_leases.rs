//! Leases that dead processes have left.

use chrono::{DateTime, Utc};
use store::Result;
use store_sql::Instant;

use crate::{error::translate, sqlite::SqliteStore};

/// Ends every lease when no other process works on the file; tells how many.
pub(crate) async fn take_back_leases(store: &SqliteStore, now: DateTime<Utc>) -> Result<u64> {
    let failed = |error| translate(sqlx::Error::Io(error));
    let Some(alone) = store.presence.alone().map_err(failed)? else { return Ok(0) };
    let ended = end_all(store, now).await;
    store.presence.share(alone).map_err(failed)?;
    ended
}

/// Ends every lease there is; tells how many.
async fn end_all(store: &SqliteStore, now: DateTime<Utc>) -> Result<u64> {
    let mut transaction = store.writer.begin().await?;
    let mut ended = 0;
    for held in [
        "UPDATE runs INDEXED BY runs_running SET lease_until = ?1 WHERE status = 'running' AND lease_until > ?1",
        "UPDATE sync_state_queue SET lease_until = ?1 WHERE lease_until > ?1",
        "UPDATE alert_channels SET lease_until = ?1 WHERE lease_until > ?1",
    ] {
        let taken = sqlx::query(held).bind(Instant(now)).execute(&mut *transaction).await;
        ended += taken.map_err(translate)?.rows_affected();
    }
    sqlx::query("DELETE FROM leases").execute(&mut *transaction).await.map_err(translate)?;
    transaction.commit().await.map_err(translate)?;
    Ok(ended)
}
