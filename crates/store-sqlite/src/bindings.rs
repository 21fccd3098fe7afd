//! Bindings: one Magento install tied to one Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};
use sqlx::SqliteConnection;
use store::{Action, Binding, Bindings, Error, Result, Revival, SageBusiness, readable};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{ensure_affected, missing, translate},
    health, rests, revival,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct BindingRow {
    id: String,
    organisation_id: String,
    name: String,
    magento_url: String,
    business_id: Option<String>,
    business_name: Option<String>,
    business_country: Option<String>,
    status: String,
    created_at: String,
    status_changed_at: String,
    trusted_since: String,
}

impl TryFrom<BindingRow> for Binding {
    type Error = Error;

    fn try_from(row: BindingRow) -> Result<Self> {
        let place = Place { table: "bindings", row: &row.id };
        let business = match (row.business_id, row.business_name, row.business_country) {
            (Some(id), Some(name), Some(country)) => Some(SageBusiness { id, name, country }),
            (None, _, _) => None,
            (Some(_), _, _) => {
                return Err(place.inconsistent("business_id", "its name or country is missing"));
            }
        };
        Ok(Self {
            id: place.word("id", &row.id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            business,
            status: place.word("status", &row.status)?,
            created_at: place.time("created_at", &row.created_at)?,
            status_changed_at: place.time("status_changed_at", &row.status_changed_at)?,
            trusted_since: place.time("trusted_since", &row.trusted_since)?,
            name: row.name,
            magento_url: row.magento_url,
        })
    }
}

/// Where a binding stands, read within the transaction of what depends on it.
pub(crate) async fn status_of(connection: &mut SqliteConnection, binding: &str) -> Result<BindingStatus> {
    let status: String = sqlx::query_scalar("SELECT status FROM bindings WHERE id = ?1")
        .bind(binding)
        .fetch_one(connection)
        .await
        .map_err(translate)?;
    Place { table: "bindings", row: binding }.word("status", &status)
}

#[async_trait]
impl Bindings for SqliteStore {
    async fn create_binding(&self, binding: &Binding, action: Option<&Action>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "INSERT INTO bindings (id, organisation_id, name, magento_url, business_id, business_name, business_country,
                                   status, created_at, status_changed_at, trusted_since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(binding.id.to_string())
        .bind(binding.organisation_id.to_string())
        .bind(&binding.name)
        .bind(&binding.magento_url)
        .bind(binding.business.as_ref().map(|business| &business.id))
        .bind(binding.business.as_ref().map(|business| &business.name))
        .bind(binding.business.as_ref().map(|business| &business.country))
        .bind(binding.status.as_str())
        .bind(instant(binding.created_at))
        .bind(instant(binding.status_changed_at))
        .bind(instant(binding.trusted_since))
        .execute(&mut *transaction)
        .await
        .map_err(missing("the organisation"))?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn binding(&self, id: BindingId) -> Result<Option<Binding>> {
        sqlx::query_as::<_, BindingRow>("SELECT * FROM bindings WHERE id = ?1")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(Binding::try_from)
            .transpose()
    }

    async fn list_bindings(&self, organisation: OrganisationId) -> Result<Vec<Binding>> {
        sqlx::query_as::<_, BindingRow>(
            "SELECT * FROM bindings WHERE organisation_id = ?1 ORDER BY created_at, id",
        )
        .bind(organisation.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)
        .and_then(|rows| readable(rows.into_iter().map(Binding::try_from)))
    }

    async fn list_all_bindings(&self) -> Result<Vec<Binding>> {
        sqlx::query_as::<_, BindingRow>("SELECT * FROM bindings ORDER BY created_at, id")
            .fetch_all(&self.readers)
            .await
            .map_err(translate)
            .and_then(|rows| readable(rows.into_iter().map(Binding::try_from)))
    }

    async fn revive_binding(&self, revival: &Revival, action: Option<&Action>) -> Result<()> {
        revival::revive(self, revival, action).await
    }

    async fn set_business(
        &self,
        id: BindingId,
        business: &SageBusiness,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        let id = id.to_string();
        let mut transaction = self.writer.begin().await?;
        // Out of `revoked` first: from here on the index lets no other binding have the business.
        let result = sqlx::query(
            "UPDATE bindings
                SET business_id = ?2, business_name = ?3, business_country = ?4,
                    trusted_since = iif(business_id = ?2, trusted_since, ?5),
                    status = iif(status = 'revoked', 'pending', status),
                    status_changed_at = iif(status = 'revoked', ?5, status_changed_at)
              WHERE id = ?1",
        )
        .bind(&id)
        .bind(&business.id)
        .bind(&business.name)
        .bind(&business.country)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&result, 1)?;
        if status_of(&mut transaction, &id).await? == BindingStatus::Pending {
            move_to(&mut transaction, &id, BindingStatus::Pending, now).await?;
        }
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.binding(&id).await;
        Ok(())
    }

    async fn note_shop_left(&self, id: BindingId) -> Result<()> {
        let result = sqlx::query("UPDATE bindings SET refusal = ?2 WHERE id = ?1")
            .bind(id.to_string())
            .bind(Code::MagentoAuth.as_str())
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        ensure_affected(&result, 1)
    }

    async fn note_refusal(&self, id: BindingId, code: Code) -> Result<()> {
        let result =
            sqlx::query("UPDATE bindings SET refusal = iif(status = 'active', ?2, refusal) WHERE id = ?1")
                .bind(id.to_string())
                .bind(code.as_str())
                .execute(self.writer.pool())
                .await
                .map_err(translate)?;
        ensure_affected(&result, 1)
    }

    async fn refusal(&self, id: BindingId) -> Result<Option<Code>> {
        let id = id.to_string();
        let code: Option<Option<String>> = sqlx::query_scalar("SELECT refusal FROM bindings WHERE id = ?1")
            .bind(&id)
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?;
        Place { table: "bindings", row: &id }.optional_word("refusal", code.flatten().as_deref())
    }

    async fn set_binding_status(
        &self,
        id: BindingId,
        status: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        move_to(&mut transaction, &id.to_string(), status, now).await?;
        health::note_status(&mut transaction, &id.to_string(), status, now).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.binding(&id.to_string()).await;
        Ok(())
    }

    async fn change_binding_status(
        &self,
        id: BindingId,
        from: BindingStatus,
        to: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool> {
        let id = id.to_string();
        let mut transaction = self.writer.begin().await?;
        let stands: Option<i64> = sqlx::query_scalar("SELECT 1 FROM bindings WHERE id = ?1 AND status = ?2")
            .bind(&id)
            .bind(from.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(translate)?;
        if stands.is_none() {
            return Ok(false);
        }
        move_to(&mut transaction, &id, to, now).await?;
        health::note_status(&mut transaction, &id, to, now).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.binding(&id).await;
        Ok(true)
    }
}

/// Gives a binding a status. Its runs stay as they are.
pub(crate) async fn move_to(
    connection: &mut SqliteConnection,
    id: &str,
    status: BindingStatus,
    now: DateTime<Utc>,
) -> Result<()> {
    let result = sqlx::query(
        "UPDATE bindings
            SET status = ?2, status_changed_at = iif(status = ?2, status_changed_at, ?3), refusal = iif(?2 = 'active', NULL, refusal)
          WHERE id = ?1",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(instant(now))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    ensure_affected(&result, 1)?;
    if status == BindingStatus::Active {
        rests::end(connection, id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::code::Code;

    use super::*;

    /// What earlier versions let happen: the oldest that works keeps the business, and nothing of the others is lost.
    #[tokio::test]
    async fn shops_that_share_a_business_are_told_apart_by_the_migration() {
        use store::{Store as _, conformance::World};
        let folder = tempfile::tempdir().unwrap();
        let store =
            std::sync::Arc::new(SqliteStore::open(&folder.path().join("ledger.sqlite")).await.unwrap());
        store.migrate().await.unwrap();
        let world = World::new(store.clone()).await;
        let mut bindings = vec![world.binding];
        for business in ["second", "third", "gone", "alone"] {
            bindings.push(world.add_binding(business).await);
        }
        for statement in [
            "DROP TABLE backfills",
            "DROP INDEX bindings_business",
            "UPDATE bindings SET status = 'revoked' WHERE business_id = 'gone'",
            "UPDATE bindings SET business_id = 'shared' WHERE business_id <> 'alone'",
            "UPDATE bindings SET status = 'paused' WHERE id = (SELECT id FROM bindings ORDER BY created_at, id LIMIT 1)",
            include_str!("../../../migrations/sqlite/0021_pairing.sql"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(store.writer.pool()).await.unwrap();
        }
        let mut states = Vec::new();
        for id in &bindings {
            let binding = store.binding(*id).await.unwrap().unwrap();
            states.push((binding.status, binding.business.map(|business| business.id)));
        }
        let (shared, alone) = (Some("shared".to_owned()), Some("alone".to_owned()));
        let expected = [
            (BindingStatus::Pending, None),
            (BindingStatus::Active, shared.clone()),
            (BindingStatus::Pending, None),
            (BindingStatus::Revoked, shared),
            (BindingStatus::Active, alone),
        ];
        assert_eq!(states, expected);
        assert_eq!(store.refusal(bindings[2]).await.unwrap(), Some(Code::BusinessShared));
        store.close().await;
    }
}
