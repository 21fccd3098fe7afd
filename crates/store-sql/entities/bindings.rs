//! Bindings: one Magento install tied to one Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};
use store::{Action, Binding, Bindings, Error, Result, Revival, SageBusiness};
use store_sql::{Id, Instant, Text, Word};

use super::{
    Tried,
    audit::record,
    binding_status::move_to,
    ensure_affected, health, missing, revival,
    rows::{self, Record},
    stale,
};
use crate::{
    dialect::held,
    driver::{Driver, Transaction},
    error::translate,
};

#[derive(sqlx::FromRow)]
struct BindingRow {
    id: Id<BindingId>,
    organisation_id: Id<OrganisationId>,
    name: String,
    magento_url: String,
    business_id: Option<String>,
    business_name: Option<String>,
    business_country: Option<String>,
    status: Word<BindingStatus>,
    created_at: Instant,
    status_changed_at: Instant,
    trusted_since: Instant,
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

impl Record for BindingRow {
    type Value = Binding;
    const TABLE: &'static str = "bindings";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Binding> {
        let business = match (self.business_id, self.business_name, self.business_country) {
            (Some(id), Some(name), Some(country)) => Some(SageBusiness { id, name, country }),
            (None, _, _) => None,
            (Some(_), _, _) => {
                return Err(Error::Inconsistency {
                    table: Self::TABLE,
                    column: "business_id".to_owned(),
                    row: self.id.0.to_string(),
                    source: "its name or country is missing".into(),
                });
            }
        };
        Ok(Binding {
            id: self.id.0,
            organisation_id: self.organisation_id.0,
            name: self.name,
            magento_url: self.magento_url,
            business,
            status: self.status.0,
            created_at: self.created_at.0,
            status_changed_at: self.status_changed_at.0,
            trusted_since: self.trusted_since.0,
        })
    }
}

#[async_trait]
impl Bindings for Driver {
    async fn create_binding(&self, binding: &Binding, action: Option<&Action>) -> Result<()> {
        let business = binding.business.as_ref();
        self.write(move |mut transaction| async move {
            sqlx::query(
                "INSERT INTO bindings (id, organisation_id, name, magento_url, business_id, business_name,
                                       business_country, status, created_at, status_changed_at, trusted_since)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(Id(binding.id))
            .bind(Id(binding.organisation_id))
            .bind(Text(&binding.name))
            .bind(Text(&binding.magento_url))
            .bind(business.map(|business| Text(&business.id)))
            .bind(business.map(|business| Text(&business.name)))
            .bind(business.map(|business| Text(&business.country)))
            .bind(binding.status.as_str())
            .bind(Instant(binding.created_at))
            .bind(Instant(binding.status_changed_at))
            .bind(Instant(binding.trusted_since))
            .execute(&mut *transaction)
            .await
            .map_err(missing("the organisation"))?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn binding(&self, id: BindingId) -> Result<Option<Binding>> {
        let found = sqlx::query(select_bindings!("WHERE id = $1")).bind(Id(id));
        Ok(rows::optional::<BindingRow>(found, self.reader()).await?)
    }

    async fn list_bindings(&self, organisation: OrganisationId) -> Result<Vec<Binding>> {
        let found = sqlx::query(select_bindings!("WHERE organisation_id = $1 ORDER BY created_at, id"));
        Ok(rows::readable::<BindingRow>(found.bind(Id(organisation)), self.reader()).await?)
    }

    async fn list_all_bindings(&self) -> Result<Vec<Binding>> {
        let found = sqlx::query(select_bindings!("ORDER BY created_at, id"));
        Ok(rows::readable::<BindingRow>(found, self.reader()).await?)
    }

    async fn revive_binding(&self, revival: &Revival, action: Option<&Action>) -> Result<()> {
        self.write(move |transaction| revival::revive(transaction, revival, action)).await
    }

    async fn set_business(
        &self,
        id: BindingId,
        business: &SageBusiness,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |transaction| set_business(transaction, id, business, (now, action))).await
    }

    async fn note_shop_left(&self, id: BindingId) -> Result<()> {
        ensure_affected(
            self.execute(|| {
                sqlx::query("UPDATE bindings SET refusal = $2 WHERE id = $1")
                    .bind(Id(id))
                    .bind(Code::MagentoAuth.as_str())
            })
            .await?,
            1,
        )
    }

    async fn note_refusal(&self, id: BindingId, code: Code) -> Result<()> {
        let noted = self
            .execute(|| {
                sqlx::query(
                    "UPDATE bindings SET refusal = CASE WHEN status = 'active' THEN $2 ELSE refusal END
                      WHERE id = $1",
                )
                .bind(Id(id))
                .bind(code.as_str())
            })
            .await?;
        ensure_affected(noted, 1)
    }

    async fn refusal(&self, id: BindingId) -> Result<Option<Code>> {
        let code: Option<Option<Word<Code>>> =
            sqlx::query_scalar("SELECT refusal FROM bindings WHERE id = $1")
                .bind(Id(id))
                .fetch_optional(self.reader())
                .await
                .map_err(translate)?;
        Ok(code.flatten().map(|code| code.0))
    }

    async fn set_binding_status(
        &self,
        id: BindingId,
        status: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |transaction| set_status(transaction, id, None, status, (now, action)))
            .await
            .map(drop)
    }

    async fn change_binding_status(
        &self,
        id: BindingId,
        from: BindingStatus,
        to: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool> {
        self.write(move |transaction| set_status(transaction, id, Some(from), to, (now, action))).await
    }
}

/// Out of `revoked` first: from here on the index lets no other binding have the business.
async fn set_business(
    mut transaction: Transaction,
    id: BindingId,
    business: &SageBusiness,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<()> {
    let status: Option<String> = sqlx::query_scalar(
        "UPDATE bindings
         SET business_id = $2, business_name = $3, business_country = $4,
             trusted_since = CASE WHEN business_id = $2 THEN trusted_since ELSE $5 END,
             status = CASE WHEN status = 'revoked' THEN 'pending' ELSE status END,
             status_changed_at = CASE WHEN status = 'revoked' THEN $5 ELSE status_changed_at END
         WHERE id = $1 RETURNING status",
    )
    .bind(Id(id))
    .bind(Text(&business.id))
    .bind(Text(&business.name))
    .bind(Text(&business.country))
    .bind(Instant(now))
    .fetch_optional(&mut *transaction)
    .await?;
    let status = status.ok_or_else(stale)?;
    if status == BindingStatus::Pending.as_str() {
        move_to(&mut transaction, id, BindingStatus::Pending, now).await?;
    }
    record(&mut transaction, action).await?;
    transaction.announce_binding(id).await?;
    transaction.commit(()).await
}

/// Where a status is named that it must come from, nothing is done from another.
async fn set_status(
    mut transaction: Transaction,
    id: BindingId,
    from: Option<BindingStatus>,
    status: BindingStatus,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<bool> {
    if let Some(from) = from {
        let stands = sqlx::query(held!("SELECT 1 FROM bindings WHERE id = $1 AND status = $2", "FOR UPDATE"))
            .bind(Id(id))
            .bind(from.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        if stands.is_none() {
            return Ok(false);
        }
    }
    move_to(&mut transaction, id, status, now).await?;
    health::note_status(&mut transaction, id, status, now).await?;
    record(&mut transaction, action).await?;
    transaction.announce_binding(id).await?;
    transaction.commit(true).await
}
