//! A shop that is paired again goes on under its old binding.

use domain::{code::Code, run::BindingStatus};
use sqlx::SqliteConnection;
use store::{Action, CredentialKind, Error, Result, Revival};

use crate::{
    actions::record,
    backfills, bindings,
    columns::{Place, instant},
    error::{ensure_affected, translate},
    health,
    sqlite::SqliteStore,
};

/// What a revival goes by.
#[derive(sqlx::FromRow)]
struct Before {
    status: String,
    refusal: Option<String>,
    has_business: bool,
    has_tokens: bool,
}

const BEFORE: &str = "SELECT b.status, b.refusal,
        b.business_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM bindings o
                           WHERE o.business_id = b.business_id AND o.id <> b.id AND o.status <> 'revoked') AS has_business,
        EXISTS (SELECT 1 FROM credentials c
                 WHERE c.binding_id = b.id AND c.kind = ?2 AND c.envelope IS NOT NULL) AS has_tokens
   FROM bindings b WHERE b.id = ?1";

/// Gives a binding its new key and the status that follows, and begins its backfill, in one transaction.
pub(crate) async fn revive(store: &SqliteStore, revival: &Revival, action: Option<&Action>) -> Result<()> {
    let id = revival.id.to_string();
    let mut transaction = store.writer.begin().await?;
    let before: Option<Before> = sqlx::query_as(BEFORE)
        .bind(&id)
        .bind(CredentialKind::SageTokens.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
    let before = before.ok_or(Error::NotFound("the binding"))?;
    let place = Place { table: "bindings", row: &id };
    let status: BindingStatus = place.word("status", &before.status)?;
    let refusal: Option<Code> = place.optional_word("refusal", before.refusal.as_deref())?;
    let next = store::revived(status, refusal, before.has_business && before.has_tokens);
    replace_key(&mut transaction, revival).await?;
    let result = sqlx::query(
        "UPDATE bindings
            SET name = ?2, magento_url = ?3, refusal = iif(refusal = ?4, NULL, refusal),
                business_id = iif(?5, business_id, NULL), business_name = iif(?5, business_name, NULL),
                business_country = iif(?5, business_country, NULL)
          WHERE id = ?1",
    )
    .bind(&id)
    .bind(&revival.name)
    .bind(&revival.magento_url)
    .bind(Code::MagentoAuth.as_str())
    .bind(before.has_business)
    .execute(&mut *transaction)
    .await
    .map_err(translate)?;
    ensure_affected(&result, 1)?;
    bindings::move_to(&mut transaction, &id, next, revival.now).await?;
    health::note_status(&mut transaction, &id, next, revival.now).await?;
    backfills::begin(&mut transaction, &id, revival.now).await?;
    record(&mut transaction, action).await?;
    transaction.commit().await.map_err(translate)?;
    store.announcer.binding(&id).await;
    Ok(())
}

async fn replace_key(connection: &mut SqliteConnection, revival: &Revival) -> Result<()> {
    sqlx::query(
        "INSERT INTO credentials (binding_id, kind, envelope, version, updated_at) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT (binding_id, kind) DO UPDATE
            SET envelope = excluded.envelope, version = credentials.version + 1, updated_at = excluded.updated_at",
    )
    .bind(revival.id.to_string())
    .bind(CredentialKind::MagentoApiKey.as_str())
    .bind(&revival.key)
    .bind(instant(revival.now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
