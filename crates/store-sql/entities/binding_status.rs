//! The status of a binding.

use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};
use store_sql::{Id, Instant};

use super::{Tried, ensure_affected, rests};
use crate::db::Connection;

/// Gives a binding a status. Its runs stay as they are: claims look at the status.
pub(crate) async fn move_to(
    connection: &mut Connection,
    id: BindingId,
    status: BindingStatus,
    now: DateTime<Utc>,
) -> Tried<()> {
    let done = sqlx::query(
        "UPDATE bindings
         SET status_changed_at = CASE WHEN status = $2 THEN status_changed_at ELSE $3 END, status = $2,
             refusal = CASE WHEN $2 = 'active' THEN NULL ELSE refusal END
         WHERE id = $1",
    )
    .bind(Id(id))
    .bind(status.as_str())
    .bind(Instant(now))
    .execute(&mut *connection)
    .await?;
    ensure_affected(done.rows_affected(), 1)?;
    if status == BindingStatus::Active {
        rests::end(connection, id).await?;
    }
    Ok(())
}

/// Whose a binding is.
pub(crate) async fn organisation_of(
    connection: &mut Connection,
    binding: BindingId,
) -> Tried<OrganisationId> {
    let organisation: Id<OrganisationId> =
        sqlx::query_scalar("SELECT organisation_id FROM bindings WHERE id = $1")
            .bind(Id(binding))
            .fetch_one(connection)
            .await?;
    Ok(organisation.0)
}
