//! `ledger bindings`: every binding and how it stands.

use std::{collections::HashMap, process::ExitCode, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    environment::Environment,
    ids::{BindingId, OrganisationId},
    run::{BackfillStage, BindingStatus},
};
use messages::message;
use serde::Serialize;
use store::{Backfill, Binding, BindingFigures, Store};

use super::output::{Output, ago, dash, instant, table};
use crate::{
    config::Config,
    environment::Machine,
    lifecycle::{self, Failure},
};

/// A binding and how it stands.
#[derive(Serialize)]
struct BindingJson {
    id: BindingId,
    organisation: NamedJson<OrganisationId>,
    name: String,
    shop: String,
    status: BindingStatus,
    business: Option<BusinessJson>,
    pending: i64,
    failed_24h: i64,
    deliveries_given_up: i64,
    last_run_at: Option<DateTime<Utc>>,
    settings_version: Option<i64>,
    reference_at: Option<DateTime<Utc>>,
    /// The search for what the shop did while it was not paired.
    backfill: Option<BackfillJson>,
}

#[derive(Serialize)]
struct BackfillJson {
    stage: BackfillStage,
    found: i64,
    queued: i64,
    held_up_by: Option<Code>,
    begun_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Backfill> for BackfillJson {
    fn from(backfill: Backfill) -> Self {
        let Backfill { stage, found, queued, code, begun_at, ended_at, .. } = backfill;
        Self { stage, found, queued, held_up_by: code, begun_at, ended_at }
    }
}

impl BackfillJson {
    fn words(&self) -> String {
        let state = match (self.ended_at, self.held_up_by) {
            (Some(_), _) => "ended".to_owned(),
            (None, Some(code)) => message!(command_line.backfill_held, code = code),
            (None, None) => self.stage.to_string(),
        };
        message!(command_line.backfill, found = self.found, queued = self.queued, state = state)
    }
}

#[derive(Clone, Serialize)]
struct NamedJson<Id> {
    id: Id,
    name: String,
}

#[derive(Serialize)]
struct BusinessJson {
    id: String,
    name: String,
    country: String,
}

/// Lists every binding.
pub async fn run(config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let store = lifecycle::open_existing(&config.database_url).await?;
    let now = Machine.now();
    let lines = lines(&store, now).await?;
    store.close().await;
    output.print(&lines, || words(&lines, now))?;
    Ok(ExitCode::SUCCESS)
}

async fn lines(store: &Arc<dyn Store>, now: DateTime<Utc>) -> Result<Vec<BindingJson>, Failure> {
    let organisations: HashMap<OrganisationId, String> =
        store.list_organisations().await?.into_iter().map(|known| (known.id, known.name)).collect();
    let figures: HashMap<BindingId, BindingFigures> =
        store.figures(now).await?.into_iter().map(|figures| (figures.binding_id, figures)).collect();
    let mut lines = Vec::new();
    for binding in store.list_all_bindings().await? {
        let counts = store.count_runs(binding.id, now - TimeDelta::hours(24)).await?;
        let settings = store.current_settings(binding.id).await?;
        let backfill = store.backfill(binding.id).await?;
        let figures = figures.get(&binding.id);
        let Binding { id, organisation_id, name, magento_url, business, status, .. } = binding;
        let of = organisations.get(&organisation_id).cloned().unwrap_or_default();
        lines.push(BindingJson {
            id,
            organisation: NamedJson { id: organisation_id, name: of },
            name,
            shop: magento_url,
            status,
            business: business.map(|of| BusinessJson { id: of.id, name: of.name, country: of.country }),
            pending: counts.pending,
            failed_24h: counts.failed,
            deliveries_given_up: figures.map_or(0, |figures| figures.deliveries_given_up),
            last_run_at: counts.last_finished_at,
            settings_version: settings.map(|settings| settings.version),
            reference_at: figures.and_then(|figures| figures.reference_at),
            backfill: backfill.map(BackfillJson::from),
        });
    }
    Ok(lines)
}

fn words(lines: &[BindingJson], now: DateTime<Utc>) -> String {
    if lines.is_empty() {
        return message!(command_line.no_shops).to_owned();
    }
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            let business = line.business.as_ref().map_or_else(dash, |business| business.name.clone());
            [
                line.id.to_string(),
                line.organisation.name.clone(),
                line.name.clone(),
                line.status.to_string(),
                business,
                line.pending.to_string(),
                line.failed_24h.to_string(),
                line.last_run_at.map_or_else(dash, instant),
                line.settings_version.map_or_else(dash, |version| version.to_string()),
                line.reference_at.map_or_else(dash, |at| ago((now - at).num_seconds())),
                line.backfill.as_ref().map_or_else(dash, BackfillJson::words),
            ]
        })
        .collect();
    let head = [
        "id",
        "organisation",
        "name",
        "status",
        "business",
        "pending",
        "failed 24 h",
        "last run",
        "settings",
        "lists' age",
        "missed documents",
    ];
    table(head, &rows)
}
