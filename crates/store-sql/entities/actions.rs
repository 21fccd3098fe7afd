//! Who did what; and the documents that a person has excluded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{ActionId, BindingId, MemberId, OrganisationId, RunId},
    run::{EntityKind, EventName, RunStatus},
    xref::XrefKind,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use store::{
    Action, ActionFilter, Actions, Actor, Error, Excluding, Exclusion, Result, Standing, SyncState, Tally,
    Whose, readable,
};
use uuid::Uuid;

use crate::{
    PostgresStore,
    bindings::hold_binding,
    changes::announce,
    deliveries::tell,
    error::{Place, Tried, clean, repeating, translate},
    finishing::wake_waiting,
    overview,
};

#[derive(sqlx::FromRow)]
struct ActionRow {
    id: Uuid,
    organisation_id: Uuid,
    binding_id: Option<Uuid>,
    run_id: Option<Uuid>,
    member_id: Option<Uuid>,
    actor: String,
    action: String,
    detail: String,
    at: DateTime<Utc>,
}

impl TryFrom<ActionRow> for Action {
    type Error = Error;

    fn try_from(row: ActionRow) -> Result<Self> {
        let place = Place { table: "actions", row: &row.id };
        Ok(Self {
            id: ActionId(row.id),
            organisation_id: OrganisationId(row.organisation_id),
            binding_id: row.binding_id.map(BindingId),
            run_id: row.run_id.map(RunId),
            actor: Actor { member: row.member_id.map(MemberId), name: row.actor },
            kind: place.word("action", &row.action)?,
            detail: row.detail,
            at: row.at,
        })
    }
}

/// Keeps what somebody did, where somebody did it, with the transaction of what was done.
pub(crate) async fn record<'a>(
    connection: &mut PgConnection,
    action: impl Into<Option<&'a Action>> + Send,
) -> Tried<()> {
    let Some(action) = action.into() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO actions (id, organisation_id, binding_id, run_id, member_id, actor, action, detail, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(action.id.0)
    .bind(action.organisation_id.0)
    .bind(action.binding_id.map(|id| id.0))
    .bind(action.run_id.map(|id| id.0))
    .bind(action.actor.member.map(|id| id.0))
    .bind(clean(&action.actor.name))
    .bind(action.kind.as_str())
    .bind(clean(&action.detail))
    .bind(action.at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the same act as each of the organisations that it is about sees it.
pub(crate) async fn record_all(connection: &mut PgConnection, actions: &[Action]) -> Tried<()> {
    for action in actions {
        record(connection, action).await?;
    }
    Ok(())
}

/// The document of a run, whose binding is held.
struct Document {
    binding: Uuid,
    entity: EntityKind,
    magento_id: i64,
    run: RunId,
    event: EventName,
}

impl Document {
    async fn of(connection: &mut PgConnection, run: RunId, action: &Action) -> Tried<Self> {
        hold_binding(connection, run).await?.ok_or(Error::NotFound("the run"))?;
        let found: Option<(Uuid, String, i64)> = sqlx::query_as(
            "SELECT binding_id, event, magento_id FROM runs WHERE id = $1 AND organisation_id = $2",
        )
        .bind(run.0)
        .bind(action.organisation_id.0)
        .fetch_optional(&mut *connection)
        .await?;
        let (binding, event, magento_id) = found.ok_or(Error::NotFound("the run"))?;
        let event: EventName = Place { table: "runs", row: &run.0 }.word("event", &event)?;
        Ok(Self { binding, entity: event.entity(), magento_id, run, event })
    }

    /// Its runs, which stay what they are until the transaction ends.
    async fn runs(&self, connection: &mut PgConnection) -> Tried<Vec<(EventName, RunStatus)>> {
        let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
            "SELECT id, event, status FROM runs
             WHERE binding_id = $1 AND magento_id = $2 AND event = ANY($3) ORDER BY id FOR UPDATE",
        )
        .bind(self.binding)
        .bind(self.magento_id)
        .bind(self.events())
        .fetch_all(connection)
        .await?;
        let read = |(id, event, status): &(Uuid, String, String)| {
            let place = Place { table: "runs", row: id };
            Ok((place.word("event", event)?, place.word("status", status)?))
        };
        rows.iter().map(read).collect()
    }

    /// What its Sage business was asked to make for it and has not refused.
    async fn asked(&self, connection: &mut PgConnection) -> Tried<Vec<XrefKind>> {
        let kinds: Vec<XrefKind> = EventName::about(self.entity).filter_map(XrefKind::made_by).collect();
        let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        let magento_key = self.magento_id.to_string();
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT i.kind FROM intents i JOIN bindings b ON b.id = i.binding_id AND b.business_id = i.business_id
             WHERE i.binding_id = $1 AND i.magento_key = $2 AND (i.state = 'answered' OR i.unanswered_at IS NOT NULL) AND i.kind = ANY($3)",
        )
        .bind(self.binding)
        .bind(&magento_key)
        .bind(kinds)
        .fetch_all(connection)
        .await?;
        let place = Place { table: "intents", row: &magento_key };
        rows.iter().map(|kind| Ok(place.word("kind", kind)?)).collect()
    }

    /// The events that are about it.
    fn events(&self) -> Vec<&'static str> {
        EventName::about(self.entity).map(EventName::as_str).collect()
    }
}

#[async_trait]
impl Actions for PostgresStore {
    async fn record_action(&self, action: &Action) -> Result<()> {
        repeating(move || async move {
            let mut connection = self.pool.acquire().await?;
            record(&mut connection, action).await
        })
        .await
    }

    async fn actions_of_run(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Action>> {
        sqlx::query_as::<_, ActionRow>(
            "SELECT * FROM actions WHERE run_id = $1 AND organisation_id = $2 ORDER BY id",
        )
        .bind(run.0)
        .bind(organisation.0)
        .fetch_all(&self.pool)
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
        let mut query = QueryBuilder::<Postgres>::new("SELECT * FROM actions WHERE organisation_id = ");
        query.push_bind(organisation.0);
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.0);
        }
        if let Some(kind) = filter.kind {
            query.push(" AND action = ").push_bind(kind.as_str());
        }
        if let Some(member) = filter.member {
            query.push(" AND member_id = ").push_bind(member.0);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query
            .build_query_as::<ActionRow>()
            .fetch_all(&self.pool)
            .await
            .map_err(translate)
            .and_then(|rows| readable(rows.into_iter().map(Action::try_from)))
    }

    async fn exclude_document(&self, run: RunId, action: &Action) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let document = Document::of(&mut transaction, run, action).await?;
            exclude(&mut transaction, &document, action).await?;
            record(&mut transaction, action).await?;
            announce(&mut transaction, Whose::Organisation(action.organisation_id)).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn include_document(&self, run: RunId, action: &Action) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let document = Document::of(&mut transaction, run, action).await?;
            include(&mut transaction, &document, action.at).await?;
            record(&mut transaction, action).await?;
            announce(&mut transaction, Whose::Organisation(action.organisation_id)).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn exclusion(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Exclusion>> {
        let found: Option<(String, String, DateTime<Utc>)> = sqlx::query_as(
            "SELECT reason, actor, created_at FROM exclusions WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
        )
        .bind(binding.0)
        .bind(entity.as_str())
        .bind(magento_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        Ok(found.map(|(reason, actor, created_at)| Exclusion { reason, actor, created_at }))
    }
}

async fn exclude(connection: &mut PgConnection, document: &Document, action: &Action) -> Tried<()> {
    let (runs, asked) = (document.runs(connection).await?, document.asked(connection).await?);
    let excluding = Excluding { runs: &runs, asked: &asked };
    excluding.check(document.event)?;
    sqlx::query(
        "INSERT INTO exclusions (binding_id, entity, magento_id, reason, actor, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
            SET reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at",
    )
    .bind(document.binding)
    .bind(document.entity.as_str())
    .bind(document.magento_id)
    .bind(clean(&action.detail))
    .bind(clean(&action.actor.name))
    .bind(action.at)
    .execute(&mut *connection)
    .await?;
    let skipped = sqlx::query(
        "UPDATE runs SET status = 'skipped_by_policy', code = $4, message = $5, cause = NULL, waits_for_invoice = NULL,
                         resolved_by = NULL, updated_at = $6, finished_at = $6
          WHERE binding_id = $1 AND magento_id = $2 AND event = ANY($3)
            AND status NOT IN ('succeeded', 'running')",
    )
    .bind(document.binding)
    .bind(document.magento_id)
    .bind(document.events())
    .bind(Code::ExcludedByPerson.as_str())
    .bind(clean(&action.detail))
    .bind(action.at)
    .execute(&mut *connection)
    .await?;
    let ended = Tally::Ended(RunStatus::SkippedByPolicy);
    overview::count(connection, document.binding, ended, skipped.rows_affected(), action.at).await?;
    if excluding.is_all_out() {
        let state = SyncState::excluded(document.entity, document.magento_id, action.at);
        tell(connection, (document.binding, document.run.0), &state, action.at).await?;
    }
    if document.entity == EntityKind::Invoice {
        let onward = Standing::onward(action.at);
        let invoice = (document.binding, document.magento_id, false);
        wake_waiting(connection, invoice, &onward, action.at).await?;
    }
    Ok(())
}

async fn include(connection: &mut PgConnection, document: &Document, now: DateTime<Utc>) -> Tried<()> {
    let gone =
        sqlx::query("DELETE FROM exclusions WHERE binding_id = $1 AND entity = $2 AND magento_id = $3")
            .bind(document.binding)
            .bind(document.entity.as_str())
            .bind(document.magento_id)
            .execute(&mut *connection)
            .await?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound("the exclusion").into());
    }
    let onward = Standing::onward(now);
    sqlx::query(
        "UPDATE runs
            SET status = $4, code = $5, message = NULL, cause = NULL, attempts = 0, next_at = $6, updated_at = $6, finished_at = NULL,
                policy_version = coalesce(
                    (SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = runs.binding_id), 0)
          WHERE binding_id = $1 AND magento_id = $2 AND event = ANY($3) AND code = $7",
    )
    .bind(document.binding)
    .bind(document.magento_id)
    .bind(document.events())
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(now)
    .bind(Code::ExcludedByPerson.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
