//! The bindings: credentials, connections, queue and deliveries of each.

use std::{collections::HashMap, sync::Arc};

use ::sync::Engine;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{environment::Environment, ids::BindingId, preflight::Severity, run::BindingStatus};
use futures::{StreamExt, stream};
use messages::message;
use store::{Binding, BindingFigures, CredentialKind, Store};

use super::Finding;
use crate::{
    commands::output::{ago, instant},
    config::Config,
    environment::Machine,
    lifecycle,
};

/// For how long a run may be due: a worker takes it within seconds, a busy business within minutes.
const DUE: TimeDelta = TimeDelta::minutes(15);
/// How old lists may be: they are fetched every day.
const STALE: TimeDelta = TimeDelta::hours(48);
/// How many bindings are asked at once.
const AT_ONCE: usize = 4;

/// Looks at every binding; without a key only at what is stored.
pub async fn look(config: &Config, store: &Arc<dyn Store>, ask: bool) -> Vec<Finding> {
    let (bindings, figures) = match tokio::try_join!(store.list_all_bindings(), store.figures(Machine.now()))
    {
        Ok(read) => read,
        Err(error) => {
            let (means, to_do) =
                (message!(doctor.shops.not_checked), message!(doctor.shops.not_checked_action));
            return vec![Finding::problem("database", error.to_string(), means, to_do)];
        }
    };
    let figures: HashMap<BindingId, BindingFigures> =
        figures.into_iter().map(|figures| (figures.binding_id, figures)).collect();
    let engine = lifecycle::engine(config, Arc::clone(store), ::sync::Timing::default()).await.ok();
    let mut findings = match &engine {
        Some(engine) => credentials(engine).await,
        None => Vec::new(),
    };
    if bindings.is_empty() {
        findings.push(Finding::note(
            "bindings",
            message!(doctor.shops.none),
            "",
            message!(doctor.shops.none_action),
        ));
    }
    let looks = bindings.iter().filter(|binding| binding.status != BindingStatus::Revoked).map(|binding| {
        let engine = engine.as_ref().filter(|_| ask);
        one(store, engine, binding, figures.get(&binding.id))
    });
    let of_each: Vec<Vec<Finding>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    findings.extend(of_each.into_iter().flatten());
    findings
}

/// Whether the keys open everything that is sealed for bindings.
async fn credentials(engine: &Engine) -> Vec<Finding> {
    const CHECK: &str = "credentials";
    const PAGE: u32 = 200;
    let (mut opened, mut findings, mut after) = (0, Vec::new(), None);
    loop {
        let page = match engine.store.page_credentials(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                findings.push(Finding::problem(
                    CHECK,
                    error.to_string(),
                    message!(doctor.shops.credentials_not_checked),
                    "",
                ));
                return findings;
            }
        };
        for sealed in &page {
            let result = engine.open_credential(sealed.binding, sealed.kind).await;
            match result {
                Ok(_) => opened += 1,
                Err(error) => {
                    let says = message!(
                        doctor.shops.credential,
                        kind = sealed.kind.as_str(),
                        shop = sealed.binding,
                        error = error
                    );
                    findings.push(Finding::problem(CHECK, says, means(sealed.kind), KEY_ACTION));
                }
            }
        }
        let Some(last) = page.last() else { break };
        after = Some((last.binding, last.kind));
    }
    findings.push(Finding::ok(CHECK, message!(doctor.shops.credentials, opened = opened)));
    findings
}

const KEY_ACTION: &str = message!(doctor.shops.key_action);

const fn means(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::MagentoApiKey => message!(doctor.shops.key_of_shop_means),
        CredentialKind::SageTokens => message!(doctor.shops.key_of_sage_means),
        CredentialKind::SageConsent => message!(doctor.shops.key_of_consent_means),
    }
}

async fn one(
    store: &Arc<dyn Store>,
    engine: Option<&Engine>,
    binding: &Binding,
    figures: Option<&BindingFigures>,
) -> Vec<Finding> {
    let now = Machine.now();
    let mut findings = standing(binding);
    if let Some(figures) = figures {
        findings.extend(queue(figures, now));
        findings.extend(deliveries(figures));
        findings.extend(lists(figures, now));
    }
    match store.count_runs(binding.id, now - TimeDelta::hours(24)).await {
        Ok(counts) => findings.extend(lately(counts)),
        Err(error) => {
            findings.push(Finding::problem(
                "runs",
                error.to_string(),
                message!(doctor.shops.not_counted),
                "",
            ));
        }
    }
    if let Some(engine) = engine {
        findings.extend(both_sides(engine, binding).await);
    }
    findings.into_iter().map(|finding| finding.of(binding)).collect()
}

fn standing(binding: &Binding) -> Vec<Finding> {
    const CHECK: &str = "binding";
    let since =
        message!(doctor.shops.since, status = binding.status, time = instant(binding.status_changed_at));
    vec![match binding.status {
        BindingStatus::Active | BindingStatus::Revoked => Finding::ok(CHECK, since),
        BindingStatus::Paused => Finding::note(
            CHECK,
            since,
            message!(doctor.shops.paused_means),
            message!(doctor.shops.paused_action),
        ),
        BindingStatus::Pending => Finding::note(
            CHECK,
            since,
            message!(doctor.shops.pending_means),
            message!(doctor.shops.pending_action),
        ),
        BindingStatus::NeedsReauth => Finding::problem(
            CHECK,
            since,
            message!(doctor.shops.refused_means),
            message!(doctor.shops.refused_action),
        ),
    }]
}

fn queue(figures: &BindingFigures, now: DateTime<Utc>) -> Vec<Finding> {
    const CHECK: &str = "queue";
    let mut findings = Vec::new();
    if figures.lost > 0 {
        let says = message!(doctor.shops.lost, runs = figures.lost);
        let means = message!(doctor.shops.lost_means);
        findings.push(Finding::problem(CHECK, says, means, message!(doctor.shops.lost_action)));
    }
    match figures.due_since.map(|since| now - since) {
        Some(age) if age > DUE => {
            let says = message!(doctor.shops.late, time = ago(age.num_seconds()));
            let means = message!(doctor.shops.late_means);
            let to_do = message!(doctor.shops.late_action);
            findings.push(Finding::problem(CHECK, says, means, to_do));
        }
        _ if figures.lost == 0 => {
            let BindingFigures { queued, running, waiting, retrying, .. } = figures;
            let says = message!(
                doctor.shops.queue,
                queued = queued,
                running = running,
                waiting = waiting,
                retrying = retrying
            );
            findings.push(Finding::ok(CHECK, says));
        }
        _ => {}
    }
    findings
}

fn deliveries(figures: &BindingFigures) -> Option<Finding> {
    let given_up = figures.deliveries_given_up;
    (given_up > 0).then(|| {
        let says = message!(doctor.shops.not_reported, count = given_up);
        let means = message!(doctor.shops.not_reported_means);
        Finding::note("deliveries", says, means, message!(doctor.shops.not_reported_action))
    })
}

fn lists(figures: &BindingFigures, now: DateTime<Utc>) -> Option<Finding> {
    const CHECK: &str = "reference";
    let age = now - figures.reference_at?;
    let says = message!(doctor.shops.lists, time = ago(age.num_seconds()));
    Some(if age > STALE {
        let to_do = message!(doctor.shops.lists_action);
        Finding::note(CHECK, says, message!(doctor.shops.lists_means), to_do)
    } else {
        Finding::ok(CHECK, says)
    })
}

fn lately(counts: store::Counts) -> Vec<Finding> {
    const CHECK: &str = "runs";
    let last = counts.last_finished_at.map_or_else(
        || Finding::ok(CHECK, message!(doctor.shops.no_run)),
        |at| Finding::ok(CHECK, message!(doctor.shops.last_run, time = instant(at))),
    );
    let failed = (counts.failed > 0).then(|| {
        let says = message!(doctor.shops.failed, runs = counts.failed);
        let to_do = message!(doctor.shops.failed_action);
        Finding::note(CHECK, says, message!(doctor.shops.failed_means), to_do)
    });
    std::iter::once(last).chain(failed).collect()
}

/// What the shop and Sage answer at this moment: tokens, rights, clocks, module, locks.
async fn both_sides(engine: &Engine, binding: &Binding) -> Vec<Finding> {
    let found = match engine.preflight(binding, true).await {
        Ok(found) => found,
        Err(error) => {
            return vec![Finding::problem(
                "connections",
                error.to_string(),
                message!(doctor.shops.connections_not_checked),
                "",
            )];
        }
    };
    let finding = |found: domain::preflight::Finding| {
        let (check, sentence) = (found.code.as_str(), found.code.sentence());
        let says = if found.detail.is_empty() {
            sentence.to_owned()
        } else {
            message!(doctor.shops.found, sentence = sentence, detail = found.detail)
        };
        match found.code.severity() {
            Severity::Fine => Finding::ok(check, says),
            Severity::Warns => {
                Finding::note(check, says, message!(doctor.shops.warned_means), found.code.action())
            }
            Severity::Blocks => {
                Finding::problem(check, says, message!(doctor.shops.blocked_means), found.code.action())
            }
        }
    };
    found.into_iter().map(finding).collect()
}
