//! The bindings: credentials, connections, queue and deliveries of each.

use std::{collections::HashMap, sync::Arc};

use ::sync::Engine;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{environment::Environment, ids::BindingId, preflight::Severity, run::BindingStatus};
use futures::{StreamExt, stream};
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
            let (means, to_do) = ("The bindings were not looked at.", "Report it if it stays.");
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
        findings.push(Finding::note("bindings", "there is none yet", "", "Pair a shop in the browser."));
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
                findings.push(Finding::problem(CHECK, error.to_string(), "They were not all looked at.", ""));
                return findings;
            }
        };
        for sealed in &page {
            let result = engine.open_credential(sealed.binding, sealed.kind).await;
            match result {
                Ok(_) => opened += 1,
                Err(error) => {
                    let says = format!("{} of {}: {error}", sealed.kind.as_str(), sealed.binding);
                    findings.push(Finding::problem(CHECK, says, means(sealed.kind), MEND));
                }
            }
        }
        let Some(last) = page.last() else { break };
        after = Some((last.binding, last.kind));
    }
    findings.push(Finding::ok(CHECK, format!("{opened} open")));
    findings
}

const MEND: &str = "Put the key that sealed it back into LEDGER_KEYS, then `ledger keys rotate`; if it is lost, connect again.";

const fn means(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::MagentoApiKey => {
            "The shop's events are refused, and its documents cannot be fetched."
        }
        CredentialKind::SageTokens => "Nothing is posted to the shop's Sage business.",
        CredentialKind::SageConsent => "A consent that was under way cannot be finished.",
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
            findings.push(Finding::problem("runs", error.to_string(), "They could not be counted.", ""));
        }
    }
    if let Some(engine) = engine {
        findings.extend(both_sides(engine, binding).await);
    }
    findings.into_iter().map(|finding| finding.of(binding)).collect()
}

fn standing(binding: &Binding) -> Vec<Finding> {
    const CHECK: &str = "binding";
    let since = format!("{} since {}", binding.status, instant(binding.status_changed_at));
    vec![match binding.status {
        BindingStatus::Active | BindingStatus::Revoked => Finding::ok(CHECK, since),
        BindingStatus::Paused => Finding::note(CHECK, since, "Its documents wait.", "Resume it on its page."),
        BindingStatus::Pending => Finding::note(
            CHECK,
            since,
            "Its documents wait until Sage is connected.",
            "Connect Sage on its page.",
        ),
        BindingStatus::NeedsReauth => Finding::problem(
            CHECK,
            since,
            "Sage or Magento no longer accepts the credentials; documents wait.",
            "Connect it again on its page.",
        ),
    }]
}

fn queue(figures: &BindingFigures, now: DateTime<Utc>) -> Vec<Finding> {
    const CHECK: &str = "queue";
    let mut findings = Vec::new();
    if figures.lost > 0 {
        let says = format!("{} runs are held by a worker that shows no sign of life", figures.lost);
        let means = "The worker died; another takes them over, if there is one.";
        findings.push(Finding::problem(CHECK, says, means, "See that a worker is running."));
    }
    match figures.due_since.map(|since| now - since) {
        Some(age) if age > DUE => {
            let says = format!("the oldest due run has been due for {}", ago(age.num_seconds()));
            let means = "No worker is running, or Sage or the shop is slow.";
            let to_do = "See that `ledger serve` or `ledger worker` is running and what its log says.";
            findings.push(Finding::problem(CHECK, says, means, to_do));
        }
        _ if figures.lost == 0 => {
            let BindingFigures { queued, running, waiting, retrying, .. } = figures;
            let says = format!("{queued} queued, {running} running, {waiting} waiting, {retrying} retrying");
            findings.push(Finding::ok(CHECK, says));
        }
        _ => {}
    }
    findings
}

fn deliveries(figures: &BindingFigures) -> Option<Finding> {
    let given_up = figures.deliveries_given_up;
    (given_up > 0).then(|| {
        let says = format!("{given_up} states were never told to Magento");
        let means = "Its grids show something else than what is in Sage.";
        Finding::note(
            "deliveries",
            says,
            means,
            "Retry their runs once the shop answers: the state is told again.",
        )
    })
}

fn lists(figures: &BindingFigures, now: DateTime<Utc>) -> Option<Finding> {
    const CHECK: &str = "reference";
    let age = now - figures.reference_at?;
    let says = format!("Sage's lists are {} old", ago(age.num_seconds()));
    Some(if age > STALE {
        let to_do = "`ledger reference refresh` fetches them, or says why it cannot.";
        Finding::note(CHECK, says, "They are fetched every day; it has not worked lately.", to_do)
    } else {
        Finding::ok(CHECK, says)
    })
}

fn lately(counts: store::Counts) -> Vec<Finding> {
    const CHECK: &str = "runs";
    let last = counts.last_finished_at.map_or_else(
        || Finding::ok(CHECK, "none has ended yet"),
        |at| Finding::ok(CHECK, format!("the last one ended {}", instant(at))),
    );
    let failed = (counts.failed > 0).then(|| {
        let says = format!("{} failed within 24 h", counts.failed);
        let to_do = "`ledger runs list --status failed` lists them, with their codes.";
        Finding::note(CHECK, says, "These documents are not in Sage as they should be.", to_do)
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
                "They could not be looked at.",
                "",
            )];
        }
    };
    let finding = |found: domain::preflight::Finding| {
        let (check, sentence) = (found.code.as_str(), found.code.sentence());
        let says = if found.detail.is_empty() {
            sentence.to_owned()
        } else {
            format!("{sentence} ({})", found.detail)
        };
        match found.code.severity() {
            Severity::Fine => Finding::ok(check, says),
            Severity::Warns => {
                Finding::note(check, says, "Some documents will not arrive as expected.", found.code.action())
            }
            Severity::Blocks => {
                Finding::problem(check, says, "No document arrives before it is mended.", found.code.action())
            }
        }
    };
    found.into_iter().map(finding).collect()
}
