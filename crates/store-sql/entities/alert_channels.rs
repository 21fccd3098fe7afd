//! Channels by which members are told.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertKind, AlertMode, ChannelKind},
    ids::{AlertChannelId, BindingId, MemberId},
};
use store::{Action, AlertChannel, AlertChannels, AlertProof, AlertWants, Error, Result};
use store_sql::{Id, Ids, Instant, Text, Word, Words};
use uuid::Uuid;

use super::{
    Tried,
    audit::record,
    ensure_affected, missing,
    rows::{self, Record},
};
use crate::{db::Connection, dialect::held, driver::Driver};

#[derive(sqlx::FromRow)]
pub(crate) struct ChannelRow {
    id: Id<AlertChannelId>,
    member_id: Id<MemberId>,
    kind: Word<ChannelKind>,
    target: String,
    envelope: Option<String>,
    version: i64,
    kinds: Words<AlertKind>,
    bindings: Option<Ids<BindingId>>,
    mode: Word<AlertMode>,
    created_at: Instant,
    confirmed_at: Option<Instant>,
    last_ok_at: Option<Instant>,
    last_error: Option<String>,
    disabled_at: Option<Instant>,
}

impl Record for ChannelRow {
    type Value = AlertChannel;
    const TABLE: &'static str = "alert_channels";
    const KEY: &'static str = "id";

    fn value(self) -> Result<AlertChannel> {
        Ok(AlertChannel {
            id: self.id.0,
            member_id: self.member_id.0,
            kind: self.kind.0,
            wants: AlertWants {
                kinds: self.kinds.0,
                bindings: self.bindings.map(|ids| ids.0),
                mode: self.mode.0,
            },
            target: self.target,
            envelope: self.envelope,
            version: self.version,
            created_at: self.created_at.0,
            confirmed_at: self.confirmed_at.map(|at| at.0),
            last_ok_at: self.last_ok_at.map(|at| at.0),
            last_error: self.last_error,
            disabled_at: self.disabled_at.map(|at| at.0),
        })
    }
}

#[async_trait]
impl AlertChannels for Driver {
    async fn create_alert_channel(
        &self,
        channel: &AlertChannel,
        proof: Option<&AlertProof>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            sqlx::query(
                "INSERT INTO alert_channels (id, member_id, kind, target, envelope, version, kinds, bindings, mode,
                                             code_hash, code_until, created_at, confirmed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(Id(channel.id))
            .bind(Id(channel.member_id))
            .bind(channel.kind.as_str())
            .bind(Text(&channel.target))
            .bind(&channel.envelope)
            .bind(channel.version)
            .bind(Words(channel.wants.kinds.clone()))
            .bind(channel.wants.bindings.clone().map(Ids))
            .bind(channel.wants.mode.as_str())
            .bind(proof.map(|proof| &proof.code_hash))
            .bind(proof.map(|proof| Instant(proof.until)))
            .bind(Instant(channel.created_at))
            .bind(channel.confirmed_at.map(Instant))
            .execute(&mut *transaction)
            .await
            .map_err(missing("the member"))?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn list_alert_channels(&self, member: MemberId) -> Result<Vec<AlertChannel>> {
        let found = sqlx::query("SELECT * FROM alert_channels WHERE member_id = $1 ORDER BY created_at, id")
            .bind(Id(member));
        Ok(rows::all::<ChannelRow>(found, self.reader()).await?)
    }

    async fn change_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        wants: &AlertWants,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let changed = sqlx::query(
                "UPDATE alert_channels SET kinds = $3, bindings = $4, mode = $5, disabled_at = NULL, rests = 0, rests_until = NULL
                 WHERE member_id = $1 AND id = $2",
            )
            .bind(Id(member))
            .bind(Id(id))
            .bind(Words(wants.kinds.clone()))
            .bind(wants.bindings.clone().map(Ids))
            .bind(wants.mode.as_str())
            .execute(&mut *transaction)
            .await?;
            if changed.rows_affected() == 0 {
                return Err(Error::NotFound("the channel").into());
            }
            record(&mut transaction, action).await?;
            transaction.commit(()).await
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
        self.write(move |mut transaction| async move {
            let confirmed = sqlx::query(
                "UPDATE alert_channels SET confirmed_at = $4, code_hash = NULL, code_until = NULL
                 WHERE member_id = $1 AND id = $2 AND code_hash = $3 AND code_until > $4 AND confirmed_at IS NULL",
            )
            .bind(Id(member))
            .bind(Id(id))
            .bind(code_hash)
            .bind(Instant(now))
            .execute(&mut *transaction)
            .await?;
            let is_confirmed = confirmed.rows_affected() == 1;
            if is_confirmed {
                record(&mut transaction, action).await?;
            }
            transaction.commit(is_confirmed).await
        })
        .await
    }

    async fn remove_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let mut removed = 0;
            for statement in [
                // The channel first, locked: what is raised at this moment is either seen here, or passes it over.
                held!("SELECT 1 FROM alert_channels WHERE member_id = $1 AND id = $2", "FOR UPDATE"),
                "DELETE FROM alert_deliveries
                 WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = $1 AND id = $2)",
                "DELETE FROM alert_channels WHERE member_id = $1 AND id = $2",
            ] {
                let of_member = sqlx::query(statement).bind(Id(member)).bind(Id(id));
                removed = of_member.execute(&mut *transaction).await?.rows_affected();
            }
            if removed > 0 {
                record(&mut transaction, action).await?;
            }
            transaction.commit(()).await
        })
        .await
    }

    async fn sealed_alert_channels(
        &self,
        after: Option<AlertChannelId>,
        limit: u32,
    ) -> Result<Vec<AlertChannel>> {
        let found = sqlx::query(
            "SELECT * FROM alert_channels
             WHERE envelope IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        )
        .bind(Id(after.map_or(Uuid::nil(), Uuid::from)))
        .bind(i64::from(limit));
        Ok(rows::all::<ChannelRow>(found, self.reader()).await?)
    }

    async fn alert_channel(&self, id: AlertChannelId) -> Result<Option<AlertChannel>> {
        let found = sqlx::query("SELECT * FROM alert_channels WHERE id = $1").bind(Id(id));
        Ok(rows::optional::<ChannelRow>(found, self.reader()).await?)
    }

    async fn put_alert_secret(
        &self,
        id: AlertChannelId,
        envelope: &str,
        replaces: i64,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let put = sqlx::query(
                "UPDATE alert_channels SET envelope = $2, version = version + 1 WHERE id = $1 AND version = $3",
            )
            .bind(Id(id))
            .bind(envelope)
            .bind(replaces)
            .execute(&mut *transaction)
            .await?;
            ensure_affected(put.rows_affected(), 1)?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn note_alert_channel(
        &self,
        id: AlertChannelId,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            note(&mut transaction, id, error, now).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn disable_alert_channel(&self, id: AlertChannelId, error: &str, now: DateTime<Utc>) -> Result<()> {
        self.write(move |mut transaction| async move {
            sqlx::query("UPDATE alert_channels SET disabled_at = $2, last_error = $3, lease_until = NULL WHERE id = $1")
                .bind(Id(id))
                .bind(Instant(now))
                .bind(Text(error))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = NULL, last_error = $2
                 WHERE channel_id = $1 AND next_at IS NOT NULL",
            )
            .bind(Id(id))
            .bind(Text(error))
            .execute(&mut *transaction)
            .await?;
            transaction.commit(()).await
        })
        .await
    }
}

/// Notes how the last message of a channel went.
pub(crate) async fn note(
    connection: &mut Connection,
    id: AlertChannelId,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE alert_channels
         SET last_error = $2, last_ok_at = CASE WHEN $2 IS NULL THEN $3 ELSE last_ok_at END,
             rests = CASE WHEN $2 IS NULL THEN 0 ELSE rests END,
             rests_until = CASE WHEN $2 IS NULL THEN NULL ELSE rests_until END
         WHERE id = $1",
    )
    .bind(Id(id))
    .bind(error.map(Text))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}
