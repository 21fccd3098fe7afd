//! Settings versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, MemberId},
    settings::Settings,
};
use store::{Action, Error, RELEASED_AT_ONCE, Result, SavedSettings, SettingsVersion, SettingsVersions};
use store_sql::{Id, Instant, Json, Text, Words};

use super::{
    Tried,
    audit::record,
    rows::{self, Record},
};
use crate::{
    dialect::{among, held, truth, within},
    driver::{Driver, Transaction},
};

/// The versions of the binding `$1`, as [`SettingsVersionRow`].
macro_rules! settings_versions {
    () => {
        "SELECT binding_id, version, settings, author, reason, created_at FROM settings_versions WHERE binding_id = $1"
    };
}

#[derive(sqlx::FromRow)]
struct SettingsVersionRow {
    version: i64,
    settings: Json<Settings>,
    author: Option<Id<MemberId>>,
    reason: Option<String>,
    created_at: Instant,
}

impl Record for SettingsVersionRow {
    type Value = SettingsVersion;
    const TABLE: &'static str = "settings_versions";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<SettingsVersion> {
        Ok(SettingsVersion {
            version: self.version,
            settings: self.settings.0,
            author: self.author.map(|id| id.0),
            reason: self.reason,
            created_at: self.created_at.0,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SavedRow {
    #[sqlx(flatten)]
    settings: SettingsVersionRow,
    author_name: Option<String>,
    runs: i64,
}

impl Record for SavedRow {
    type Value = SavedSettings;
    const TABLE: &'static str = "settings_versions";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<SavedSettings> {
        Ok(SavedSettings { version: self.settings.value()?, author_name: self.author_name, runs: self.runs })
    }
}

#[async_trait]
impl SettingsVersions for Driver {
    async fn save_settings(
        &self,
        binding: BindingId,
        version: &SettingsVersion,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |transaction| save(transaction, binding, version, action)).await
    }

    async fn release_held(&self, now: DateTime<Utc>) -> Result<bool> {
        self.write(move |transaction| release_more(transaction, now)).await
    }

    async fn current_settings(&self, binding: BindingId) -> Result<Option<SettingsVersion>> {
        let found = sqlx::query(concat!(settings_versions!(), " ORDER BY version DESC LIMIT 1"));
        Ok(rows::optional::<SettingsVersionRow>(found.bind(Id(binding)), self.reader()).await?)
    }

    async fn settings(&self, binding: BindingId, version: i64) -> Result<Option<SettingsVersion>> {
        let found = sqlx::query(concat!(settings_versions!(), " AND version = $2"));
        Ok(rows::optional::<SettingsVersionRow>(found.bind(Id(binding)).bind(version), self.reader()).await?)
    }

    async fn settings_history(
        &self,
        binding: BindingId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SavedSettings>> {
        let found = sqlx::query(
            "SELECT p.binding_id, p.version, p.settings, p.author, p.reason, p.created_at,
                    coalesce(nullif(m.name, ''), a.email, m.former_email) AS author_name,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = p.binding_id AND r.settings_version = p.version) AS runs
             FROM settings_versions p LEFT JOIN members m ON m.id = p.author LEFT JOIN people a ON a.id = m.person_id
             WHERE p.binding_id = $1 AND p.version < $2
             ORDER BY p.version DESC LIMIT $3",
        )
        .bind(Id(binding))
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit));
        Ok(rows::all::<SavedRow>(found, self.reader()).await?)
    }
}

/// Keeps a version and lets go on what it may fix.
async fn save(
    mut transaction: Transaction,
    binding: BindingId,
    version: &SettingsVersion,
    action: Option<&Action>,
) -> Tried<()> {
    // The binding's row makes savers, arriving events and ending runs take turns.
    let touched = sqlx::query("UPDATE bindings SET trusted_since = $2 WHERE id = $1")
        .bind(Id(binding))
        .bind(Instant(version.created_at))
        .execute(&mut *transaction)
        .await?;
    if touched.rows_affected() == 0 {
        return Err(Error::NotFound("the binding").into());
    }
    let saved = sqlx::query(
        "INSERT INTO settings_versions (binding_id, version, settings, author, reason, created_at)
         SELECT $1, $2, $3, $4, $5, $6
         WHERE $2 = 1 + (SELECT coalesce(max(version), 0) FROM settings_versions WHERE binding_id = $1)",
    )
    .bind(Id(binding))
    .bind(version.version)
    .bind(Json(&version.settings))
    .bind(version.author.map(Id))
    .bind(version.reason.as_ref().map(Text))
    .bind(Instant(version.created_at))
    .execute(&mut *transaction)
    .await?;
    if saved.rows_affected() == 0 {
        return Err(Error::Conflict("the settings version").into());
    }
    release(&mut transaction, binding, version.created_at).await?;
    record(&mut transaction, action).await?;
    transaction.commit(()).await
}

/// One more batch of a binding whose settings were saved.
async fn release_more(mut transaction: Transaction, now: DateTime<Utc>) -> Tried<bool> {
    let binding: Option<Id<BindingId>> = sqlx::query_scalar(held!(
        concat!("SELECT id FROM bindings WHERE ", truth!("releases_held"), " LIMIT 1"),
        "FOR UPDATE SKIP LOCKED"
    ))
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(Id(binding)) = binding else { return Ok(false) };
    release(&mut transaction, binding, now).await?;
    transaction.commit(true).await
}

/// Lets the runs that settings fix go on under the current version, so many at once; notes whether more may be left.
async fn release(transaction: &mut Transaction, binding: BindingId, now: DateTime<Utc>) -> Tried<()> {
    let released = sqlx::query(concat!(
        "UPDATE runs SET status = 'queued', code = NULL, message = NULL, cause = NULL, next_at = $2, updated_at = $2,
                         settings_version = (SELECT max(p.version) FROM settings_versions p WHERE p.binding_id = $1)
          WHERE binding_id = $1 AND id",
        within!(
            concat!(
                "SELECT r.id FROM runs r WHERE r.binding_id = $1 AND r.status = 'waiting' AND ",
                among!("r.code", "$3"),
                " ORDER BY r.id LIMIT $4"
            ),
            "FOR UPDATE"
        )
    ))
    .bind(Id(binding))
    .bind(Instant(now))
    .bind(Words(Code::FIXED_BY_SETTINGS.to_vec()))
    .bind(i64::from(RELEASED_AT_ONCE))
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    sqlx::query("UPDATE bindings SET releases_held = $2 WHERE id = $1 AND releases_held <> $2")
        .bind(Id(binding))
        .bind(released == u64::from(RELEASED_AT_ONCE))
        .execute(&mut **transaction)
        .await?;
    if released > 0 {
        transaction.announce_binding(binding).await?;
    }
    Ok(())
}
