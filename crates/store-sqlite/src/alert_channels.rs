//! Channels by which members are told.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{AlertChannelId, MemberId};
use sqlx::SqliteConnection;
use store::{Action, AlertChannel, AlertChannels, AlertProof, AlertWants, Error, Result};

use crate::{
    actions::record,
    columns::{Place, instant, json},
    error::{ensure_affected, missing, translate},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
pub(crate) struct ChannelRow {
    id: String,
    member_id: String,
    kind: String,
    target: String,
    envelope: Option<String>,
    version: i64,
    kinds: String,
    bindings: Option<String>,
    mode: String,
    created_at: String,
    confirmed_at: Option<String>,
    last_ok_at: Option<String>,
    last_error: Option<String>,
    disabled_at: Option<String>,
}

impl TryFrom<ChannelRow> for AlertChannel {
    type Error = Error;

    fn try_from(row: ChannelRow) -> Result<Self> {
        let place = Place { table: "alert_channels", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            member_id: place.word("member_id", &row.member_id)?,
            kind: place.word("kind", &row.kind)?,
            wants: AlertWants {
                kinds: place.json("kinds", &row.kinds)?,
                bindings: row.bindings.as_deref().map(|ids| place.json("bindings", ids)).transpose()?,
                mode: place.word("mode", &row.mode)?,
            },
            created_at: place.time("created_at", &row.created_at)?,
            confirmed_at: place.optional_time("confirmed_at", row.confirmed_at.as_deref())?,
            last_ok_at: place.optional_time("last_ok_at", row.last_ok_at.as_deref())?,
            disabled_at: place.optional_time("disabled_at", row.disabled_at.as_deref())?,
            target: row.target,
            envelope: row.envelope,
            version: row.version,
            last_error: row.last_error,
        })
    }
}

#[async_trait]
impl AlertChannels for SqliteStore {
    async fn create_alert_channel(
        &self,
        channel: &AlertChannel,
        proof: Option<&AlertProof>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "INSERT INTO alert_channels (id, member_id, kind, target, envelope, version, kinds, bindings, mode, code_hash,
                                         code_until, created_at, confirmed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )
        .bind(channel.id.to_string())
        .bind(channel.member_id.to_string())
        .bind(channel.kind.as_str())
        .bind(&channel.target)
        .bind(&channel.envelope)
        .bind(channel.version)
        .bind(json(&channel.wants.kinds)?)
        .bind(channel.wants.bindings.as_ref().map(json).transpose()?)
        .bind(channel.wants.mode.as_str())
        .bind(proof.map(|proof| &proof.code_hash))
        .bind(proof.map(|proof| instant(proof.until)))
        .bind(instant(channel.created_at))
        .bind(channel.confirmed_at.map(instant))
        .execute(&mut *transaction)
        .await
        .map_err(missing("the member"))?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn list_alert_channels(&self, member: MemberId) -> Result<Vec<AlertChannel>> {
        sqlx::query_as::<_, ChannelRow>(
            "SELECT * FROM alert_channels WHERE member_id = ?1 ORDER BY created_at, id",
        )
        .bind(member.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(AlertChannel::try_from)
        .collect()
    }

    async fn change_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        wants: &AlertWants,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let changed = sqlx::query(
            "UPDATE alert_channels SET kinds = ?3, bindings = ?4, mode = ?5, disabled_at = NULL, rests = 0, rests_until = NULL
              WHERE member_id = ?1 AND id = ?2",
        )
        .bind(member.to_string())
        .bind(id.to_string())
        .bind(json(&wants.kinds)?)
        .bind(wants.bindings.as_ref().map(json).transpose()?)
        .bind(wants.mode.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if changed.rows_affected() == 0 {
            return Err(Error::NotFound("the channel"));
        }
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn confirm_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        code_hash: &str,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool> {
        let mut transaction = self.writer.begin().await?;
        let confirmed = sqlx::query(
            "UPDATE alert_channels SET confirmed_at = ?4, code_hash = NULL, code_until = NULL
              WHERE member_id = ?1 AND id = ?2 AND code_hash = ?3 AND code_until > ?4 AND confirmed_at IS NULL",
        )
        .bind(member.to_string())
        .bind(id.to_string())
        .bind(code_hash)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        let is_confirmed = confirmed.rows_affected() == 1;
        if is_confirmed {
            record(&mut transaction, action).await?;
        }
        transaction.commit().await.map_err(translate)?;
        Ok(is_confirmed)
    }

    async fn remove_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let mut removed = 0;
        for statement in [
            "DELETE FROM alert_deliveries
              WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = ?1 AND id = ?2)",
            "DELETE FROM alert_channels WHERE member_id = ?1 AND id = ?2",
        ] {
            let of_member = sqlx::query(statement).bind(member.to_string()).bind(id.to_string());
            removed = of_member.execute(&mut *transaction).await.map_err(translate)?.rows_affected();
        }
        if removed > 0 {
            record(&mut transaction, action).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn sealed_alert_channels(
        &self,
        after: Option<AlertChannelId>,
        limit: u32,
    ) -> Result<Vec<AlertChannel>> {
        sqlx::query_as::<_, ChannelRow>(
            "SELECT * FROM alert_channels WHERE id > ?1 AND envelope IS NOT NULL ORDER BY id LIMIT ?2",
        )
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(AlertChannel::try_from)
        .collect()
    }

    async fn alert_channel(&self, id: AlertChannelId) -> Result<Option<AlertChannel>> {
        sqlx::query_as::<_, ChannelRow>("SELECT * FROM alert_channels WHERE id = ?1")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(AlertChannel::try_from)
            .transpose()
    }

    async fn put_alert_secret(
        &self,
        id: AlertChannelId,
        envelope: &str,
        replaces: i64,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let put = sqlx::query(
            "UPDATE alert_channels SET envelope = ?2, version = version + 1 WHERE id = ?1 AND version = ?3",
        )
        .bind(id.to_string())
        .bind(envelope)
        .bind(replaces)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&put, 1)?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn note_alert_channel(
        &self,
        id: AlertChannelId,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut connection = self.writer.pool().acquire().await.map_err(translate)?;
        note(&mut connection, id, error, now).await
    }

    async fn disable_alert_channel(&self, id: AlertChannelId, error: &str, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "UPDATE alert_channels SET disabled_at = ?2, last_error = ?3, lease_until = NULL WHERE id = ?1",
        )
        .bind(id.to_string())
        .bind(instant(now))
        .bind(error)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        sqlx::query(
            "UPDATE alert_deliveries SET next_at = NULL, last_error = ?2
              WHERE channel_id = ?1 AND next_at IS NOT NULL",
        )
        .bind(id.to_string())
        .bind(error)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        transaction.commit().await.map_err(translate)
    }
}

/// Notes how the last message of a channel went.
pub(crate) async fn note(
    connection: &mut SqliteConnection,
    id: AlertChannelId,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "UPDATE alert_channels
            SET last_error = ?2, last_ok_at = iif(?2 IS NULL, ?3, last_ok_at),
                rests = iif(?2 IS NULL, 0, rests), rests_until = iif(?2 IS NULL, NULL, rests_until)
          WHERE id = ?1",
    )
    .bind(id.to_string())
    .bind(error)
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
