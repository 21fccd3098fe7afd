//! Who did what; and the documents that are excluded from syncing.

use async_trait::async_trait;
use domain::{
    ids::{ActionId, BindingId, MemberId, OrganisationId, RunId},
    run::{ActionKind, EntityKind},
};
use sqlx::QueryBuilder;
use store::{Action, ActionFilter, Actions, Actor, Exclusion, Result};
use store_sql::{Id, Instant, Word};

use super::{
    audit::record,
    exclusions,
    rows::{self, Record},
};
use crate::{db::Db, driver::Driver};

#[derive(sqlx::FromRow)]
struct ActionRow {
    id: Id<ActionId>,
    organisation_id: Id<OrganisationId>,
    binding_id: Option<Id<BindingId>>,
    run_id: Option<Id<RunId>>,
    member_id: Option<Id<MemberId>>,
    actor: String,
    action: Word<ActionKind>,
    detail: String,
    at: Instant,
}

impl Record for ActionRow {
    type Value = Action;
    const TABLE: &'static str = "actions";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Action> {
        Ok(Action {
            id: self.id.0,
            organisation_id: self.organisation_id.0,
            binding_id: self.binding_id.map(|id| id.0),
            run_id: self.run_id.map(|id| id.0),
            actor: Actor { member: self.member_id.map(|id| id.0), name: self.actor },
            kind: self.action.0,
            detail: self.detail,
            at: self.at.0,
        })
    }
}

#[async_trait]
impl Actions for Driver {
    async fn record_action(&self, action: &Action) -> Result<()> {
        self.write(move |mut transaction| async move {
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn actions_of_run(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Action>> {
        let found =
            sqlx::query("SELECT * FROM actions WHERE run_id = $1 AND organisation_id = $2 ORDER BY id")
                .bind(Id(run))
                .bind(Id(organisation));
        Ok(rows::readable::<ActionRow>(found, self.reader()).await?)
    }

    async fn list_actions(
        &self,
        organisation: OrganisationId,
        filter: &ActionFilter,
        before: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM actions WHERE organisation_id = ");
        query.push_bind(Id(organisation));
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(Id(before));
        }
        if let Some(kind) = filter.kind {
            query.push(" AND action = ").push_bind(kind.as_str());
        }
        if let Some(member) = filter.member {
            query.push(" AND member_id = ").push_bind(Id(member));
        }
        if let Some(binding) = filter.binding {
            query.push(" AND binding_id = ").push_bind(Id(binding));
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        Ok(rows::readable::<ActionRow>(query.build(), self.reader()).await?)
    }

    async fn exclude_document(&self, run: RunId, action: &Action) -> Result<()> {
        self.write(move |mut transaction| async move {
            exclusions::exclude(&mut transaction, run, action).await?;
            record(&mut transaction, action).await?;
            transaction.announce(action.organisation_id).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn include_document(&self, run: RunId, action: &Action) -> Result<()> {
        self.write(move |mut transaction| async move {
            exclusions::include(&mut transaction, run, action).await?;
            record(&mut transaction, action).await?;
            transaction.announce(action.organisation_id).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn exclusion(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Exclusion>> {
        exclusions::of(self, binding, entity, magento_id).await
    }
}
