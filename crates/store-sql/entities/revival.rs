//! A shop that is paired again goes on under its old binding.

use domain::{code::Code, run::BindingStatus};
use store::{Action, CredentialKind, Error, Revival};
use store_sql::{Id, Instant, Text, Word};

use super::{Tried, audit::record, backfills, binding_status::move_to, ensure_affected, health};
use crate::{db::Connection, dialect::held, driver::Transaction};

/// What a revival goes by.
#[derive(sqlx::FromRow)]
struct Before {
    status: Word<BindingStatus>,
    refusal: Option<Word<Code>>,
    has_business: bool,
    has_tokens: bool,
}

const BEFORE: &str = held!(
    "SELECT b.status, b.refusal,
            b.business_id IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM bindings o
                               WHERE o.business_id = b.business_id AND o.id <> b.id AND o.status <> 'revoked') AS has_business,
            EXISTS (SELECT 1 FROM credentials c
                     WHERE c.binding_id = b.id AND c.kind = $2 AND c.envelope IS NOT NULL) AS has_tokens
       FROM bindings b WHERE b.id = $1",
    "FOR UPDATE OF b"
);

/// Gives a binding its new key and the status that follows, and begins its backfill, in one transaction.
pub(crate) async fn revive(
    mut transaction: Transaction,
    revival: &Revival,
    action: Option<&Action>,
) -> Tried<()> {
    let id = revival.id;
    let before: Option<Before> = sqlx::query_as(BEFORE)
        .bind(Id(id))
        .bind(CredentialKind::SageTokens.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    let before = before.ok_or(Error::NotFound("the binding"))?;
    let is_connected = before.has_business && before.has_tokens;
    let next = store::revived(before.status.0, before.refusal.map(|code| code.0), is_connected);
    replace_key(&mut transaction, revival).await?;
    let done = sqlx::query(
        "UPDATE bindings
         SET name = $2, magento_url = $3, refusal = NULLIF(refusal, $4),
             business_id = CASE WHEN $5 THEN business_id END, business_name = CASE WHEN $5 THEN business_name END,
             business_country = CASE WHEN $5 THEN business_country END
         WHERE id = $1",
    )
    .bind(Id(id))
    .bind(Text(&revival.name))
    .bind(Text(&revival.magento_url))
    .bind(Code::MagentoAuth.as_str())
    .bind(before.has_business)
    .execute(&mut *transaction)
    .await?;
    ensure_affected(done.rows_affected(), 1)?;
    move_to(&mut transaction, id, next, revival.now).await?;
    health::note_status(&mut transaction, id, next, revival.now).await?;
    backfills::begin(&mut transaction, id, revival.now).await?;
    record(&mut transaction, action).await?;
    transaction.announce_binding(id).await?;
    transaction.commit(()).await
}

async fn replace_key(connection: &mut Connection, revival: &Revival) -> Tried<()> {
    sqlx::query(
        "INSERT INTO credentials (binding_id, kind, envelope, version, updated_at) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (binding_id, kind) DO UPDATE
            SET envelope = excluded.envelope, version = credentials.version + 1, updated_at = excluded.updated_at",
    )
    .bind(Id(revival.id))
    .bind(CredentialKind::MagentoApiKey.as_str())
    .bind(&revival.key)
    .bind(Instant(revival.now))
    .execute(connection)
    .await?;
    Ok(())
}
