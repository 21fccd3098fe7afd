//! Sage businesses and shops that do not answer.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::BindingId, run::Side};
use sqlx::SqliteConnection;
use store::{BindingRests, Outcome, Rest, Rests, Result};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct RestRow {
    side: String,
    code: String,
    since: String,
    until: String,
    rests: i64,
}

/// The rests of the binding `?1` and of its business.
macro_rules! of_binding {
    () => {
        "((side = 'magento' AND id = ?1)
          OR (side = 'sage' AND id = (SELECT b.business_id FROM bindings b WHERE b.id = ?1)))"
    };
}

#[async_trait]
impl Rests for SqliteStore {
    async fn rests(&self, binding: BindingId) -> Result<BindingRests> {
        let binding = binding.to_string();
        let rows: Vec<RestRow> = sqlx::query_as(concat!(
            "SELECT side, code, since, until, rests FROM rests WHERE ",
            of_binding!()
        ))
        .bind(&binding)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        let place = Place { table: "rests", row: &binding };
        let mut rests = BindingRests::default();
        for row in rows {
            let rest = Rest {
                code: place.word("code", &row.code)?,
                since: place.time("since", &row.since)?,
                until: place.time("until", &row.until)?,
                rests: u32::try_from(row.rests).unwrap_or(u32::MAX),
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
    connection: &mut SqliteConnection,
    binding: &str,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>> {
    let Outcome::Resting { code, until, side: Some(side), .. } = outcome else {
        end(connection, binding).await?;
        return Ok(None);
    };
    let since: Option<String> = sqlx::query_scalar(
        "INSERT INTO rests (side, id, code, since, until, rests, set_at)
         SELECT ?2, iif(?2 = 'sage', b.business_id, b.id), ?3, ?4, ?5, 1, ?4 FROM bindings b
          WHERE b.id = ?1 AND b.business_id IS NOT NULL
         ON CONFLICT (side, id) DO UPDATE
            SET code = excluded.code, until = excluded.until, rests = rests + 1, set_at = excluded.set_at
         RETURNING since",
    )
    .bind(binding)
    .bind(side.as_str())
    .bind(code.as_str())
    .bind(instant(now))
    .bind(instant(*until))
    .fetch_optional(connection)
    .await
    .map_err(translate)?;
    let since = Place { table: "rests", row: binding }.optional_time("since", since.as_deref())?;
    Ok(since.map(|since| now - since))
}

/// Both sides of a binding may be called again.
pub(crate) async fn end(connection: &mut SqliteConnection, binding: &str) -> Result<()> {
    sqlx::query(concat!("DELETE FROM rests WHERE ", of_binding!()))
        .bind(binding)
        .execute(connection)
        .await
        .map_err(translate)?;
    Ok(())
}
