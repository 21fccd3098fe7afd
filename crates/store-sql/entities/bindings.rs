//! Bindings: one Magento install tied to one Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId, RunId},
    run::BindingStatus,
};
use sqlx::{FromRow, PgConnection};
use store::{Action, Binding, Bindings, Error, Result, Revival, SageBusiness, readable};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    changes::announce_of,
    error::{Place, Tried, clean, ensure_affected, lost, repeating, translate},
    health, rests, revival,
};

#[derive(FromRow)]
struct BindingRow {
    id: Uuid,
    organisation_id: Uuid,
    name: String,
    magento_url: String,
    business_id: Option<String>,
    business_name: Option<String>,
    business_country: Option<String>,
    status: String,
    created_at: DateTime<Utc>,
    status_changed_at: DateTime<Utc>,
    trusted_since: DateTime<Utc>,
}

/// The columns of [`BindingRow`] and their table.
macro_rules! select_bindings {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, name, magento_url, business_id, business_name, business_country, status,
                    created_at, status_changed_at, trusted_since FROM bindings ",
            $rest
        )
    };
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
            id: BindingId(row.id),
            organisation_id: OrganisationId(row.organisation_id),
            name: row.name,
            magento_url: row.magento_url,
            business,
            status: place.word("status", &row.status)?,
            created_at: row.created_at,
            status_changed_at: row.status_changed_at,
            trusted_since: row.trusted_since,
        })
    }
}

/// The status of a run's binding, which stays what it is until the transaction ends; none when there is no such run. To be asked
/// before the run itself is locked, the order in which a change of a binding locks them.
pub(crate) async fn hold_binding(connection: &mut PgConnection, run: RunId) -> Tried<Option<BindingStatus>> {
    let binding: Option<(Uuid, String)> = sqlx::query_as(
        "SELECT b.id, b.status FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE r.id = $1 FOR SHARE OF b",
    )
    .bind(run.0)
    .fetch_optional(connection)
    .await?;
    let Some((id, status)) = binding else { return Ok(None) };
    Ok(Some(Place { table: "bindings", row: &id }.word("status", &status)?))
}

#[async_trait]
impl Bindings for PostgresStore {
    async fn create_binding(&self, binding: &Binding, action: Option<&Action>) -> Result<()> {
        let business = binding.business.as_ref();
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "INSERT INTO bindings (id, organisation_id, name, magento_url, business_id, business_name,
                                       business_country, status, created_at, status_changed_at, trusted_since)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(binding.id.0)
            .bind(binding.organisation_id.0)
            .bind(clean(&binding.name))
            .bind(clean(&binding.magento_url))
            .bind(business.map(|business| clean(&business.id)))
            .bind(business.map(|business| clean(&business.name)))
            .bind(business.map(|business| clean(&business.country)))
            .bind(binding.status.as_str())
            .bind(binding.created_at)
            .bind(binding.status_changed_at)
            .bind(binding.trusted_since)
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn binding(&self, id: BindingId) -> Result<Option<Binding>> {
        let row: Option<BindingRow> = sqlx::query_as(select_bindings!("WHERE id = $1"))
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(translate)?;
        row.map(Binding::try_from).transpose()
    }

    async fn list_bindings(&self, organisation: OrganisationId) -> Result<Vec<Binding>> {
        let rows: Vec<BindingRow> =
            sqlx::query_as(select_bindings!("WHERE organisation_id = $1 ORDER BY created_at, id"))
                .bind(organisation.0)
                .fetch_all(&self.pool)
                .await
                .map_err(translate)?;
        readable(rows.into_iter().map(Binding::try_from))
    }

    async fn list_all_bindings(&self) -> Result<Vec<Binding>> {
        let rows: Vec<BindingRow> = sqlx::query_as(select_bindings!("ORDER BY created_at, id"))
            .fetch_all(&self.pool)
            .await
            .map_err(translate)?;
        readable(rows.into_iter().map(Binding::try_from))
    }

    async fn revive_binding(&self, revival: &Revival, action: Option<&Action>) -> Result<()> {
        repeating(move || revival::revive(self, revival, action)).await
    }

    async fn set_business(
        &self,
        id: BindingId,
        business: &SageBusiness,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || set_business(self, id, business, (now, action))).await
    }

    async fn note_shop_left(&self, id: BindingId) -> Result<()> {
        repeating(move || async move {
            let noted = sqlx::query("UPDATE bindings SET refusal = $2 WHERE id = $1")
                .bind(id.0)
                .bind(Code::MagentoAuth.as_str())
                .execute(&self.pool)
                .await?;
            Ok(ensure_affected(&noted, 1)?)
        })
        .await
    }

    async fn note_refusal(&self, id: BindingId, code: Code) -> Result<()> {
        repeating(move || async move {
            let noted = sqlx::query("UPDATE bindings SET refusal = CASE WHEN status = 'active' THEN $2 ELSE refusal END WHERE id = $1")
                .bind(id.0)
                .bind(code.as_str())
                .execute(&self.pool)
                .await?;
            Ok(ensure_affected(&noted, 1)?)
        })
        .await
    }

    async fn refusal(&self, id: BindingId) -> Result<Option<Code>> {
        let code: Option<Option<String>> = sqlx::query_scalar("SELECT refusal FROM bindings WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(translate)?;
        let place = Place { table: "bindings", row: &id };
        code.flatten().map(|code| place.word("refusal", &code)).transpose()
    }

    async fn set_binding_status(
        &self,
        id: BindingId,
        status: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || set_status(self, id, None, status, (now, action))).await.map(drop)
    }

    async fn change_binding_status(
        &self,
        id: BindingId,
        from: BindingStatus,
        to: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool> {
        repeating(move || set_status(self, id, Some(from), to, (now, action))).await
    }
}

/// Out of `revoked` first: from here on the index lets no other binding have the business.
async fn set_business(
    store: &PostgresStore,
    id: BindingId,
    business: &SageBusiness,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    let status: Option<String> = sqlx::query_scalar(
        "UPDATE bindings
         SET business_id = $2, business_name = $3, business_country = $4,
             trusted_since = CASE WHEN business_id = $2 THEN trusted_since ELSE $5 END,
             status = CASE WHEN status = 'revoked' THEN 'pending' ELSE status END,
             status_changed_at = CASE WHEN status = 'revoked' THEN $5 ELSE status_changed_at END
         WHERE id = $1 RETURNING status",
    )
    .bind(id.0)
    .bind(clean(&business.id))
    .bind(clean(&business.name))
    .bind(clean(&business.country))
    .bind(now)
    .fetch_optional(&mut *transaction)
    .await?;
    let status = status.ok_or_else(lost)?;
    if status == BindingStatus::Pending.as_str() {
        move_to(&mut transaction, id, BindingStatus::Pending, now).await?;
    }
    record(&mut transaction, action).await?;
    transaction.commit().await?;
    Ok(())
}

/// Where a status is named that it must come from, nothing is done from another.
async fn set_status(
    store: &PostgresStore,
    id: BindingId,
    from: Option<BindingStatus>,
    status: BindingStatus,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<bool> {
    let mut transaction = store.pool.begin().await?;
    if let Some(from) = from {
        let stands: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM bindings WHERE id = $1 AND status = $2 FOR UPDATE")
                .bind(id.0)
                .bind(from.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        if stands.is_none() {
            return Ok(false);
        }
    }
    move_to(&mut transaction, id, status, now).await?;
    health::note_status(&mut transaction, id.0, status, now).await?;
    record(&mut transaction, action).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Gives a binding a status. Its runs stay as they are: claims look at the status.
pub(crate) async fn move_to(
    connection: &mut PgConnection,
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
    .bind(id.0)
    .bind(status.as_str())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    ensure_affected(&done, 1)?;
    if status == BindingStatus::Active {
        rests::end(connection, id.0).await?;
    }
    announce_of(connection, id.0).await
}
