//! Documents that are excluded from syncing.

use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::{EntityKind, EventName, RunStatus},
    xref::XrefKind,
};
use store::{Action, Error, Excluding, Exclusion, Result, RunState, SyncState, Tally};
use store_sql::{Id, Instant, Text, Word, Words};

use super::{
    Tried,
    deliveries::tell,
    rows::{self, Record},
    taken_back::{EndRow, take_back},
    waiting::wake_waiting,
};
use crate::{
    counts,
    db::Connection,
    dialect::{among, held},
    driver::Driver,
    locks::hold_binding,
};

#[derive(sqlx::FromRow)]
struct ExclusionRow {
    reason: String,
    actor: String,
    created_at: Instant,
}

impl Record for ExclusionRow {
    type Value = Exclusion;
    const TABLE: &'static str = "exclusions";
    const KEY: &'static str = "magento_id";

    fn value(self) -> Result<Exclusion> {
        Ok(Exclusion { reason: self.reason, actor: self.actor, created_at: self.created_at.0 })
    }
}

/// The exclusion of a document, if there is one.
pub(super) async fn of(
    store: &Driver,
    binding: BindingId,
    entity: EntityKind,
    magento_id: i64,
) -> Result<Option<Exclusion>> {
    let found = sqlx::query(
        "SELECT magento_id, reason, actor, created_at FROM exclusions
          WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
    )
    .bind(Id(binding))
    .bind(entity.as_str())
    .bind(magento_id);
    Ok(rows::optional::<ExclusionRow>(found, store.reader()).await?)
}

/// The document of a run, whose binding is held.
struct DocumentRow {
    binding: BindingId,
    entity: EntityKind,
    magento_id: i64,
    run: RunId,
    event: EventName,
}

impl DocumentRow {
    async fn of(connection: &mut Connection, run: RunId, action: &Action) -> Tried<Self> {
        hold_binding(connection, run).await?.ok_or(Error::NotFound("the run"))?;
        let found: Option<(Id<BindingId>, Word<EventName>, i64)> = sqlx::query_as(
            "SELECT binding_id, event, magento_id FROM runs WHERE id = $1 AND organisation_id = $2",
        )
        .bind(Id(run))
        .bind(Id(action.organisation_id))
        .fetch_optional(&mut *connection)
        .await?;
        let (Id(binding), Word(event), magento_id) = found.ok_or(Error::NotFound("the run"))?;
        Ok(Self { binding, entity: event.entity(), magento_id, run, event })
    }

    /// Its runs, which stay what they are until the transaction ends.
    async fn runs(&self, connection: &mut Connection) -> Tried<Vec<(EventName, RunStatus)>> {
        let runs: Vec<(Word<EventName>, Word<RunStatus>)> = sqlx::query_as(held!(
            concat!(
                "SELECT event, status FROM runs WHERE binding_id = $1 AND magento_id = $2 AND ",
                among!("event", "$3"),
                " ORDER BY id"
            ),
            "FOR UPDATE"
        ))
        .bind(Id(self.binding))
        .bind(self.magento_id)
        .bind(self.events())
        .fetch_all(connection)
        .await?;
        Ok(runs.into_iter().map(|(event, status)| (event.0, status.0)).collect())
    }

    /// What its Sage business was asked to make for it and has not refused.
    async fn asked(&self, connection: &mut Connection) -> Tried<Vec<XrefKind>> {
        let kinds = EventName::about(self.entity).filter_map(XrefKind::made_by).collect();
        let asked: Vec<Word<XrefKind>> = sqlx::query_scalar(concat!(
            "SELECT i.kind FROM intents i JOIN bindings b ON b.id = i.binding_id AND b.business_id = i.business_id
              WHERE i.binding_id = $1 AND i.magento_key = $2 AND (i.state = 'answered' OR i.unanswered_at IS NOT NULL) AND ",
            among!("i.kind", "$3")
        ))
        .bind(Id(self.binding))
        .bind(self.magento_id.to_string())
        .bind(Words(kinds))
        .fetch_all(connection)
        .await?;
        Ok(asked.into_iter().map(|kind| kind.0).collect())
    }

    /// The events that are about it.
    fn events(&self) -> Words<EventName> {
        Words(EventName::about(self.entity).collect())
    }
}

/// Excludes the document of a run, and skips what is open of it.
pub(super) async fn exclude(connection: &mut Connection, run: RunId, action: &Action) -> Tried<()> {
    let document = &DocumentRow::of(connection, run, action).await?;
    let (runs, asked) = (document.runs(connection).await?, document.asked(connection).await?);
    let excluding = Excluding { runs: &runs, asked: &asked };
    excluding.check(document.event)?;
    sqlx::query(
        "INSERT INTO exclusions (binding_id, entity, magento_id, reason, actor, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
            SET reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at",
    )
    .bind(Id(document.binding))
    .bind(document.entity.as_str())
    .bind(document.magento_id)
    .bind(Text(&action.detail))
    .bind(Text(&action.actor.name))
    .bind(Instant(action.at))
    .execute(&mut *connection)
    .await?;
    let ended: Vec<EndRow> = sqlx::query_as(concat!(
        "SELECT status, finished_at FROM runs
          WHERE binding_id = $1 AND magento_id = $2 AND status NOT IN ('succeeded', 'running') AND finished_at IS NOT NULL AND ",
        among!("event", "$3")
    ))
    .bind(Id(document.binding))
    .bind(document.magento_id)
    .bind(document.events())
    .fetch_all(&mut *connection)
    .await?;
    take_back(connection, document.binding, &ended).await?;
    let skipped = sqlx::query(concat!(
        "UPDATE runs SET status = 'skipped_by_policy', code = $4, message = $5, cause = NULL, waits_for_invoice = NULL,
                         resolved_by = NULL, updated_at = $6, finished_at = $6
          WHERE binding_id = $1 AND magento_id = $2 AND status NOT IN ('succeeded', 'running') AND ",
        among!("event", "$3")
    ))
    .bind(Id(document.binding))
    .bind(document.magento_id)
    .bind(document.events())
    .bind(Code::Excluded.as_str())
    .bind(Text(&action.detail))
    .bind(Instant(action.at))
    .execute(&mut *connection)
    .await?;
    let ended = Tally::Ended(RunStatus::SkippedByPolicy);
    let runs = skipped.rows_affected().try_into().unwrap_or(i64::MAX);
    counts::count(connection, document.binding, ended, runs, action.at).await?;
    if excluding.is_all_out() {
        let state = SyncState::excluded(document.entity, document.magento_id, action.at);
        tell(connection, (document.binding, document.run), &state, action.at).await?;
    }
    if document.entity == EntityKind::Invoice {
        let onward = RunState::onward(action.at);
        let invoice = (document.binding, document.magento_id, false);
        wake_waiting(connection, invoice, &onward, action.at).await?;
    }
    Ok(())
}

/// Takes the exclusion of a run's document back, and lets go on what it had skipped.
pub(super) async fn include(connection: &mut Connection, run: RunId, action: &Action) -> Tried<()> {
    let (document, now) = (DocumentRow::of(connection, run, action).await?, action.at);
    let gone =
        sqlx::query("DELETE FROM exclusions WHERE binding_id = $1 AND entity = $2 AND magento_id = $3")
            .bind(Id(document.binding))
            .bind(document.entity.as_str())
            .bind(document.magento_id)
            .execute(&mut *connection)
            .await?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound("the exclusion").into());
    }
    let ended: Vec<EndRow> = sqlx::query_as(concat!(
        "SELECT status, finished_at FROM runs
          WHERE binding_id = $1 AND magento_id = $2 AND code = $4 AND finished_at IS NOT NULL AND ",
        among!("event", "$3")
    ))
    .bind(Id(document.binding))
    .bind(document.magento_id)
    .bind(document.events())
    .bind(Code::Excluded.as_str())
    .fetch_all(&mut *connection)
    .await?;
    take_back(connection, document.binding, &ended).await?;
    let onward = RunState::onward(now);
    sqlx::query(concat!(
        "UPDATE runs
            SET status = $4, code = $5, message = NULL, cause = NULL, attempts = 0, next_at = $6, updated_at = $6, finished_at = NULL,
                settings_version = coalesce(
                    (SELECT max(p.version) FROM settings_versions p WHERE p.binding_id = runs.binding_id), 0)
          WHERE binding_id = $1 AND magento_id = $2 AND code = $7 AND ",
        among!("event", "$3")
    ))
    .bind(Id(document.binding))
    .bind(document.magento_id)
    .bind(document.events())
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(Instant(now))
    .bind(Code::Excluded.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
