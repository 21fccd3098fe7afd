//! Who did what; and the documents that a person has excluded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{ActionId, BindingId, OrganisationId, RunId},
    run::{EntityKind, EventName, RunStatus},
    xref::XrefKind,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use store::{
    Action, ActionFilter, Actions, Actor, Error, Excluding, Exclusion, Result, Standing, SyncState, Tally,
    readable,
};

use crate::{
    columns::{Place, instant, json},
    deliveries,
    error::translate,
    finishing, overview,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct ActionRow {
    id: String,
    organisation_id: String,
    binding_id: Option<String>,
    run_id: Option<String>,
    member_id: Option<String>,
    actor: String,
    action: String,
    detail: String,
    at: String,
}

impl TryFrom<ActionRow> for Action {
    type Error = Error;

    fn try_from(row: ActionRow) -> Result<Self> {
        let place = Place { table: "actions", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            binding_id: place.optional_word("binding_id", row.binding_id.as_deref())?,
            run_id: place.optional_word("run_id", row.run_id.as_deref())?,
            actor: Actor {
                member: place.optional_word("member_id", row.member_id.as_deref())?,
                name: row.actor,
            },
            kind: place.word("action", &row.action)?,
            detail: row.detail,
            at: place.time("at", &row.at)?,
        })
    }
}

/// Keeps what somebody did, where somebody did it, with the transaction of what was done.
pub(crate) async fn record<'a>(
    connection: &mut SqliteConnection,
    action: impl Into<Option<&'a Action>> + Send,
) -> Result<()> {
    let Some(action) = action.into() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO actions (id, organisation_id, binding_id, run_id, member_id, actor, action, detail, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(action.id.to_string())
    .bind(action.organisation_id.to_string())
    .bind(action.binding_id.map(|id| id.to_string()))
    .bind(action.run_id.map(|id| id.to_string()))
    .bind(action.actor.member.map(|id| id.to_string()))
    .bind(&action.actor.name)
    .bind(action.kind.as_str())
    .bind(&action.detail)
    .bind(instant(action.at))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Keeps the same act as each of the organisations that it is about sees it.
pub(crate) async fn record_all(connection: &mut SqliteConnection, actions: &[Action]) -> Result<()> {
    for action in actions {
        record(connection, action).await?;
    }
    Ok(())
}

/// The document of a run.
struct Document {
    binding: String,
    entity: EntityKind,
    magento_id: i64,
    run: RunId,
    event: EventName,
}

impl Document {
    async fn of(connection: &mut SqliteConnection, run: RunId, action: &Action) -> Result<Self> {
        let found: Option<(String, String, i64)> = sqlx::query_as(
            "SELECT binding_id, event, magento_id FROM runs WHERE id = ?1 AND organisation_id = ?2",
        )
        .bind(run.to_string())
        .bind(action.organisation_id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(translate)?;
        let (binding, event, magento_id) = found.ok_or(Error::NotFound("the run"))?;
        let id = run.to_string();
        let event: EventName = Place { table: "runs", row: &id }.word("event", &event)?;
        Ok(Self { binding, entity: event.entity(), magento_id, run, event })
    }

    /// Its runs.
    async fn runs(&self, connection: &mut SqliteConnection) -> Result<Vec<(EventName, RunStatus)>> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT id, event, status FROM runs
              WHERE binding_id = ?1 AND magento_id = ?2 AND event IN (SELECT value FROM json_each(?3))",
        )
        .bind(&self.binding)
        .bind(self.magento_id)
        .bind(self.events()?)
        .fetch_all(connection)
        .await
        .map_err(translate)?;
        let read = |(id, event, status): &(String, String, String)| {
            let place = Place { table: "runs", row: id };
            Ok((place.word("event", event)?, place.word("status", status)?))
        };
        rows.iter().map(read).collect()
    }

    /// What its Sage business was asked to make for it and has not refused.
    async fn asked(&self, connection: &mut SqliteConnection) -> Result<Vec<XrefKind>> {
        let kinds: Vec<XrefKind> = EventName::about(self.entity).filter_map(XrefKind::made_by).collect();
        let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        let magento_key = self.magento_id.to_string();
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT i.kind FROM intents i JOIN bindings b ON b.id = i.binding_id AND b.business_id = i.business_id
              WHERE i.binding_id = ?1 AND i.magento_key = ?2 AND (i.state = 'answered' OR i.unanswered_at IS NOT NULL)
                AND i.kind IN (SELECT value FROM json_each(?3))",
        )
        .bind(&self.binding)
        .bind(&magento_key)
        .bind(json(&kinds)?)
        .fetch_all(connection)
        .await
        .map_err(translate)?;
        let place = Place { table: "intents", row: &magento_key };
        rows.iter().map(|kind| place.word("kind", kind)).collect()
    }

    /// The events that are about it, as a JSON list.
    fn events(&self) -> Result<String> {
        json(&EventName::about(self.entity).map(EventName::as_str).collect::<Vec<_>>())
    }
}

#[async_trait]
impl Actions for SqliteStore {
    async fn record_action(&self, action: &Action) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn actions_of_run(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Action>> {
        sqlx::query_as::<_, ActionRow>(
            "SELECT * FROM actions WHERE run_id = ?1 AND organisation_id = ?2 ORDER BY id",
        )
        .bind(run.to_string())
        .bind(organisation.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)
        .and_then(|rows| readable(rows.into_iter().map(Action::try_from)))
    }

    async fn list_actions(
        &self,
        organisation: OrganisationId,
        filter: &ActionFilter,
        before: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM actions WHERE organisation_id = ");
        query.push_bind(organisation.to_string());
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        if let Some(kind) = filter.kind {
            query.push(" AND action = ").push_bind(kind.as_str());
        }
        if let Some(member) = filter.member {
            query.push(" AND member_id = ").push_bind(member.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
        query
            .build_query_as::<ActionRow>()
            .fetch_all(&self.readers)
            .await
            .map_err(translate)
            .and_then(|rows| readable(rows.into_iter().map(Action::try_from)))
    }

    async fn exclude_document(&self, run: RunId, action: &Action) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let document = Document::of(&mut transaction, run, action).await?;
        exclude(&mut transaction, &document, action).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(action.organisation_id);
        Ok(())
    }

    async fn include_document(&self, run: RunId, action: &Action) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let document = Document::of(&mut transaction, run, action).await?;
        include(&mut transaction, &document, action.at).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(action.organisation_id);
        Ok(())
    }

    async fn exclusion(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Exclusion>> {
        let found: Option<(String, String, String)> = sqlx::query_as(
            "SELECT reason, actor, created_at FROM exclusions WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3",
        )
        .bind(binding.to_string())
        .bind(entity.as_str())
        .bind(magento_id)
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?;
        let Some((reason, actor, created_at)) = found else { return Ok(None) };
        let id = format!("{entity} {magento_id} of {binding}");
        let created_at = Place { table: "exclusions", row: &id }.time("created_at", &created_at)?;
        Ok(Some(Exclusion { reason, actor, created_at }))
    }
}

async fn exclude(connection: &mut SqliteConnection, document: &Document, action: &Action) -> Result<()> {
    let (runs, asked) = (document.runs(connection).await?, document.asked(connection).await?);
    let excluding = Excluding { runs: &runs, asked: &asked };
    excluding.check(document.event)?;
    sqlx::query(
        "INSERT INTO exclusions (binding_id, entity, magento_id, reason, actor, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
            SET reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at",
    )
    .bind(&document.binding)
    .bind(document.entity.as_str())
    .bind(document.magento_id)
    .bind(&action.detail)
    .bind(&action.actor.name)
    .bind(instant(action.at))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    let skipped = sqlx::query(
        "UPDATE runs SET status = 'skipped_by_policy', code = ?4, message = ?5, cause = NULL, waits_for_invoice = NULL,
                         resolved_by = NULL, updated_at = ?6, finished_at = ?6
          WHERE binding_id = ?1 AND magento_id = ?2 AND event IN (SELECT value FROM json_each(?3))
            AND status NOT IN ('succeeded', 'running')",
    )
    .bind(&document.binding)
    .bind(document.magento_id)
    .bind(document.events()?)
    .bind(Code::ExcludedByPerson.as_str())
    .bind(&action.detail)
    .bind(instant(action.at))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    let ended = Tally::Ended(RunStatus::SkippedByPolicy);
    overview::count(connection, &document.binding, ended, skipped.rows_affected(), action.at).await?;
    if excluding.is_all_out() {
        let state = SyncState::excluded(document.entity, document.magento_id, action.at);
        deliveries::upsert(connection, (&document.binding, document.run), &state, action.at).await?;
    }
    if document.entity == EntityKind::Invoice {
        let onward = Standing::onward(action.at);
        let invoice = (document.binding.as_str(), document.magento_id, false);
        finishing::release_waiting(connection, invoice, &onward, action.at).await?;
    }
    Ok(())
}

async fn include(connection: &mut SqliteConnection, document: &Document, now: DateTime<Utc>) -> Result<()> {
    let gone =
        sqlx::query("DELETE FROM exclusions WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3")
            .bind(&document.binding)
            .bind(document.entity.as_str())
            .bind(document.magento_id)
            .execute(&mut *connection)
            .await
            .map_err(translate)?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound("the exclusion"));
    }
    let onward = Standing::onward(now);
    sqlx::query(
        "UPDATE runs
            SET status = ?4, code = ?5, message = NULL, cause = NULL, attempts = 0, next_at = ?6, updated_at = ?6, finished_at = NULL,
                policy_version = coalesce(
                    (SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = runs.binding_id), 0)
          WHERE binding_id = ?1 AND magento_id = ?2 AND event IN (SELECT value FROM json_each(?3)) AND code = ?7",
    )
    .bind(&document.binding)
    .bind(document.magento_id)
    .bind(document.events()?)
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(instant(now))
    .bind(Code::ExcludedByPerson.as_str())
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
