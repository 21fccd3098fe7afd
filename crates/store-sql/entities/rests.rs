//! Sage businesses and shops that do not answer.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{code::Code, ids::BindingId, run::Side};
use store::{BindingRests, Outcome, Rest, Rests, Result};
use store_sql::{Count, Id, Instant, Word};

use super::{
    Tried,
    deliveries::end_rest,
    rows::{self, Record},
};
use crate::{db::Connection, driver::Driver};

#[derive(sqlx::FromRow)]
struct RestRow {
    side: Word<Side>,
    code: Word<Code>,
    since: Instant,
    until: Instant,
    rests: Count,
}

impl Record for RestRow {
    type Value = (Side, Rest);
    const TABLE: &'static str = "rests";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Self::Value> {
        let rest = Rest { code: self.code.0, since: self.since.0, until: self.until.0, rests: self.rests.0 };
        Ok((self.side.0, rest))
    }
}

/// The rests of the binding `$1` and of its business.
macro_rules! of_binding {
    () => {
        "((side = 'magento' AND id = CAST($1 AS text))
          OR (side = 'sage' AND id = (SELECT b.business_id FROM bindings b WHERE b.id = $1)))"
    };
}

#[async_trait]
impl Rests for Driver {
    async fn rests(&self, binding: BindingId) -> Result<BindingRests> {
        let found = sqlx::query(concat!(
            "SELECT side, id, code, since, until, rests FROM rests WHERE ",
            of_binding!()
        ));
        let mut rests = BindingRests::default();
        for (side, rest) in rows::all::<RestRow>(found.bind(Id(binding)), self.reader()).await? {
            match side {
                Side::Sage => rests.sage = Some(rest),
                Side::Magento => rests.magento = Some(rest),
            }
        }
        Ok(rests)
    }
}

/// What the end of an attempt says of both sides; tells for how long a side that rests has been silent.
pub(crate) async fn note(
    connection: &mut Connection,
    binding: BindingId,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Tried<Option<TimeDelta>> {
    let Outcome::Resting { code, until, side: Some(side), by_turns, .. } = outcome else {
        end(connection, binding).await?;
        return Ok(None);
    };
    let since: Option<Instant> = sqlx::query_scalar(
        "INSERT INTO rests AS r (side, id, code, since, until, rests, set_at, by_turns)
         SELECT $2, CASE WHEN $2 = 'sage' THEN b.business_id ELSE CAST(b.id AS text) END, $3, $4, $5, 1, $4, $6 FROM bindings b
         WHERE b.id = $1 AND b.business_id IS NOT NULL
         ON CONFLICT (side, id) DO UPDATE
         SET code = excluded.code, until = excluded.until, rests = r.rests + 1, set_at = excluded.set_at, by_turns = excluded.by_turns
         RETURNING since",
    )
    .bind(Id(binding))
    .bind(side.as_str())
    .bind(code.as_str())
    .bind(Instant(now))
    .bind(Instant(*until))
    .bind(by_turns)
    .fetch_optional(connection)
    .await?;
    Ok(since.map(|since| now - since.0))
}

/// Both sides of a binding may be called again, and the shop told what it is to be told.
pub(crate) async fn end(connection: &mut Connection, binding: BindingId) -> Tried<()> {
    sqlx::query(concat!("DELETE FROM rests WHERE ", of_binding!()))
        .bind(Id(binding))
        .execute(&mut *connection)
        .await?;
    end_rest(connection, binding).await
}
