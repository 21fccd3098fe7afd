//! Channels by which members are told.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{AlertChannelId, BindingId, MemberId};
use sqlx::{FromRow, PgConnection};
use store::{Action, AlertChannel, AlertChannels, AlertProof, AlertWants, Error, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, Tried, clean, ensure_affected, repeating, translate},
};

#[derive(FromRow)]
pub(crate) struct ChannelRow {
    id: Uuid,
    member_id: Uuid,
    kind: String,
    target: String,
    envelope: Option<String>,
    version: i64,
    kinds: Vec<String>,
    bindings: Option<Vec<Uuid>>,
    mode: String,
    created_at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
    last_ok_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    disabled_at: Option<DateTime<Utc>>,
}

impl TryFrom<ChannelRow> for AlertChannel {
    type Error = Error;

    fn try_from(row: ChannelRow) -> Result<Self> {
        let place = Place { table: "alert_channels", row: &row.id };
        Ok(Self {
            id: AlertChannelId(row.id),
            member_id: MemberId(row.member_id),
            kind: place.word("kind", &row.kind)?,
            wants: AlertWants {
                kinds: row.kinds.iter().map(|kind| place.word("kinds", kind)).collect::<Result<_>>()?,
                bindings: row.bindings.map(|ids| ids.into_iter().map(BindingId).collect()),
                mode: place.word("mode", &row.mode)?,
            },
            target: row.target,
            envelope: row.envelope,
            version: row.version,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
            last_ok_at: row.last_ok_at,
            last_error: row.last_error,
            disabled_at: row.disabled_at,
        })
    }
}

fn kinds(wants: &AlertWants) -> Vec<&'static str> {
    wants.kinds.iter().map(|kind| kind.as_str()).collect()
}

fn bindings(wants: &AlertWants) -> Option<Vec<Uuid>> {
    wants.bindings.as_ref().map(|ids| ids.iter().map(|id| id.0).collect())
}

#[async_trait]
impl AlertChannels for PostgresStore {
    async fn create_alert_channel(
        &self,
        channel: &AlertChannel,
        proof: Option<&AlertProof>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "INSERT INTO alert_channels (id, member_id, kind, target, envelope, version, kinds, bindings, mode,
                                             code_hash, code_until, created_at, confirmed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(channel.id.0)
            .bind(channel.member_id.0)
            .bind(channel.kind.as_str())
            .bind(clean(&channel.target))
            .bind(&channel.envelope)
            .bind(channel.version)
            .bind(kinds(&channel.wants))
            .bind(bindings(&channel.wants))
            .bind(channel.wants.mode.as_str())
            .bind(proof.map(|proof| &proof.code_hash))
            .bind(proof.map(|proof| proof.until))
            .bind(channel.created_at)
            .bind(channel.confirmed_at)
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn list_alert_channels(&self, member: MemberId) -> Result<Vec<AlertChannel>> {
        let rows: Vec<ChannelRow> =
            sqlx::query_as("SELECT * FROM alert_channels WHERE member_id = $1 ORDER BY created_at, id")
                .bind(member.0)
                .fetch_all(&self.pool)
                .await
                .map_err(translate)?;
        rows.into_iter().map(AlertChannel::try_from).collect()
    }

    async fn change_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        wants: &AlertWants,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let changed = sqlx::query(
                "UPDATE alert_channels SET kinds = $3, bindings = $4, mode = $5, disabled_at = NULL, rests = 0, rests_until = NULL
                 WHERE member_id = $1 AND id = $2",
            )
            .bind(member.0)
            .bind(id.0)
            .bind(kinds(wants))
            .bind(bindings(wants))
            .bind(wants.mode.as_str())
            .execute(&mut *transaction)
            .await?;
            if changed.rows_affected() == 0 {
                return Err(Error::NotFound("the channel").into());
            }
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn confirm_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        code_hash: &str,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let confirmed = sqlx::query(
                "UPDATE alert_channels SET confirmed_at = $4, code_hash = NULL, code_until = NULL
                 WHERE member_id = $1 AND id = $2 AND code_hash = $3 AND code_until > $4 AND confirmed_at IS NULL",
            )
            .bind(member.0)
            .bind(id.0)
            .bind(code_hash)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            let is_confirmed = confirmed.rows_affected() == 1;
            if is_confirmed {
                record(&mut transaction, action).await?;
            }
            transaction.commit().await?;
            Ok(is_confirmed)
        })
        .await
    }

    async fn remove_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let mut removed = 0;
            for statement in [
                // The channel first, locked: what is raised at this moment is either seen here, or passes it over.
                "SELECT 1 FROM alert_channels WHERE member_id = $1 AND id = $2 FOR UPDATE",
                "DELETE FROM alert_deliveries
                 WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = $1 AND id = $2)",
                "DELETE FROM alert_channels WHERE member_id = $1 AND id = $2",
            ] {
                let of_member = sqlx::query(statement).bind(member.0).bind(id.0);
                removed = of_member.execute(&mut *transaction).await?.rows_affected();
            }
            if removed > 0 {
                record(&mut transaction, action).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn sealed_alert_channels(
        &self,
        after: Option<AlertChannelId>,
        limit: u32,
    ) -> Result<Vec<AlertChannel>> {
        let rows: Vec<ChannelRow> = sqlx::query_as(
            "SELECT * FROM alert_channels
             WHERE envelope IS NOT NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2",
        )
        .bind(after.map(|id| id.0))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(AlertChannel::try_from).collect()
    }

    async fn alert_channel(&self, id: AlertChannelId) -> Result<Option<AlertChannel>> {
        let row: Option<ChannelRow> = sqlx::query_as("SELECT * FROM alert_channels WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(translate)?;
        row.map(AlertChannel::try_from).transpose()
    }

    async fn put_alert_secret(
        &self,
        id: AlertChannelId,
        envelope: &str,
        replaces: i64,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let put = sqlx::query(
                "UPDATE alert_channels SET envelope = $2, version = version + 1 WHERE id = $1 AND version = $3",
            )
            .bind(id.0)
            .bind(envelope)
            .bind(replaces)
            .execute(&mut *transaction)
            .await?;
            ensure_affected(&put, 1)?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn note_alert_channel(
        &self,
        id: AlertChannelId,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut connection = self.pool.acquire().await?;
            note(&mut connection, id, error, now).await
        })
        .await
    }

    async fn disable_alert_channel(&self, id: AlertChannelId, error: &str, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query("UPDATE alert_channels SET disabled_at = $2, last_error = $3, lease_until = NULL WHERE id = $1")
                .bind(id.0)
                .bind(now)
                .bind(clean(error))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = NULL, last_error = $2
                 WHERE channel_id = $1 AND next_at IS NOT NULL",
            )
            .bind(id.0)
            .bind(clean(error))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Notes how the last message of a channel went.
pub(crate) async fn note(
    connection: &mut PgConnection,
    id: AlertChannelId,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE alert_channels
         SET last_error = $2, last_ok_at = CASE WHEN $2::text IS NULL THEN $3 ELSE last_ok_at END,
             rests = CASE WHEN $2::text IS NULL THEN 0 ELSE rests END,
             rests_until = CASE WHEN $2::text IS NULL THEN NULL ELSE rests_until END
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(error.map(clean))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
