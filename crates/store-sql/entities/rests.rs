//! Sage businesses and shops that do not answer.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::BindingId, run::Side};
use sqlx::{FromRow, PgConnection};
use store::{BindingRests, Outcome, Rest, Rests, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, Tried, translate},
};

#[derive(FromRow)]
struct RestRow {
    side: String,
    code: String,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    rests: i32,
}

/// The rests of the binding `$1` and of its business.
macro_rules! of_binding {
    () => {
        "((side = 'magento' AND id = $1::text)
          OR (side = 'sage' AND id = (SELECT b.business_id FROM bindings b WHERE b.id = $1)))"
    };
}

#[async_trait]
impl Rests for PostgresStore {
    async fn rests(&self, binding: BindingId) -> Result<BindingRests> {
        let rows: Vec<RestRow> = sqlx::query_as(concat!(
            "SELECT side, code, since, until, rests FROM rests WHERE ",
            of_binding!()
        ))
        .bind(binding.0)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let place = Place { table: "rests", row: &binding };
        let mut rests = BindingRests::default();
        for row in rows {
            let rest = Rest {
                code: place.word("code", &row.code)?,
                since: row.since,
                until: row.until,
                rests: row.rests.unsigned_abs(),
            };
            match place.word("side", &row.side)? {
                Side::Sage => rests.sage = Some(rest),
                Side::Magento => rests.magento = Some(rest),
            }
        }
        Ok(rests)
    }
}

/// What the end of an attempt says of both sides; tells for how long a side that rests has been silent.
pub(crate) async fn note(
    connection: &mut PgConnection,
    binding: Uuid,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Tried<Option<TimeDelta>> {
    let Outcome::Resting { code, until, side: Some(side), .. } = outcome else {
        end(connection, binding).await?;
        return Ok(None);
    };
    let since: Option<DateTime<Utc>> = sqlx::query_scalar(
        "INSERT INTO rests AS r (side, id, code, since, until, rests, set_at)
         SELECT $2, CASE WHEN $2 = 'sage' THEN b.business_id ELSE b.id::text END, $3, $4, $5, 1, $4 FROM bindings b
         WHERE b.id = $1 AND b.business_id IS NOT NULL
         ON CONFLICT (side, id) DO UPDATE
         SET code = excluded.code, until = excluded.until, rests = r.rests + 1, set_at = excluded.set_at
         RETURNING since",
    )
    .bind(binding)
    .bind(side.as_str())
    .bind(code.as_str())
    .bind(now)
    .bind(until)
    .fetch_optional(connection)
    .await?;
    Ok(since.map(|since| now - since))
}

/// Both sides of a binding may be called again.
pub(crate) async fn end(connection: &mut PgConnection, binding: Uuid) -> Tried<()> {
    sqlx::query(concat!("DELETE FROM rests WHERE ", of_binding!())).bind(binding).execute(connection).await?;
    Ok(())
}
