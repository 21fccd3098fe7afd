//! The service behind a run's page.

mod calls;
pub(crate) mod missing;
mod names;
mod plan;
mod related;
mod remedies;
mod sage_link;
mod timeline;
mod totals;

use chrono::{DateTime, Utc};
use domain::{
    business::ReferenceSet,
    code::Code,
    fields,
    ids::RunId,
    remedy::{self, RetryNow},
    run::{ActionKind, EventName, RunStatus},
};
use messages::message;
use store::{Action, Attempt, Binding, DeliveryState, Run, RunPlan};
use views::{
    bindings,
    error::{AppError, ErrorCode},
    run::{AdviceView, RunView},
    runs::status_label,
    settings,
};

use crate::{Member, Services};

pub use remedies::Rights;

/// Everything that a run's page is made of.
#[derive(Clone, Debug)]
pub struct RunDetails {
    /// The run.
    pub run: Run,
    /// Its shop.
    pub binding: Binding,
    /// Its tries, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its newest Plan; `Err` when it cannot be read by this version.
    pub plan: Result<Option<RunPlan>, ()>,
    /// What Magento is told of the document.
    pub delivery: Option<DeliveryState>,
    /// The business's lists, for names.
    pub reference: Option<ReferenceSet>,
    /// The newest run of the invoice that it depends on.
    pub invoice_run: Option<RunId>,
    /// The newest runs of the other documents of the same sale.
    pub related: Vec<Run>,
    /// What people did to it: when, and in a sentence.
    pub deeds: Vec<(DateTime<Utc>, String)>,
    /// Where Sage's own pages are in this installation, besides Sage's hosts.
    pub sage_origin: String,
}

/// A run of the member's organisation.
pub async fn page(services: &Services, member: &Member, id: &str) -> Result<RunView, AppError> {
    let id: RunId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    // Read before the rest: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes_of(member.organisation()).borrow();
    let kept = kept(services, member, id).await?;
    Ok(RunView { version, ..view(&kept, Rights::of(member)) })
}

async fn kept(services: &Services, member: &Member, id: RunId) -> Result<RunDetails, AppError> {
    let (store, organisation) = (&services.store, member.organisation());
    let run = store.run(organisation, id).await?.ok_or(ErrorCode::NotFound)?;
    let binding = store.binding(run.binding_id).await?.ok_or(ErrorCode::NotFound)?;
    let plan = match store.plan_of(organisation, id).await {
        Ok(plan) => Ok(plan),
        Err(store::Error::Inconsistency { .. }) => Err(()),
        Err(error) => return Err(error.into()),
    };
    let (entity, magento_id) = (run.event.entity(), run.magento_id);
    let attempts = store.attempts(organisation, id).await?;
    let invoice = related::invoice_of(&run, &attempts);
    let related = related::of_sale(services, &run, invoice).await?;
    let invoice_run = related.iter().find(|run| run.event == EventName::InvoiceCreated).map(|run| run.id);
    Ok(RunDetails {
        delivery: store.delivery_of(organisation, binding.id, entity, magento_id).await?,
        reference: store.reference(binding.id).await?.map(|cached| cached.set),
        invoice_run,
        related,
        deeds: deeds(store.actions_of_run(organisation, id).await?),
        sage_origin: services.consent_origin.clone(),
        attempts,
        plan,
        binding,
        run,
    })
}

/// What people did, each in a sentence.
fn deeds(actions: Vec<Action>) -> Vec<(DateTime<Utc>, String)> {
    let sentence = |action: Action| {
        let (name, detail) = (action.actor.name, action.detail);
        let with = |words: &str| {
            let end = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            format!("{name} {words}{end}")
        };
        let sentence = match action.kind {
            ActionKind::Retried => with(message!(run_deeds.retried)),
            ActionKind::Requeued => with(message!(run_deeds.requeued)),
            ActionKind::SyncAsked => with(message!(run_deeds.sync_asked)),
            ActionKind::Paused => with(message!(run_deeds.paused)),
            ActionKind::Excluded => with(message!(run_deeds.excluded)),
            ActionKind::Included => with(message!(run_deeds.included)),
            other => with(&other.as_str().replace('_', " ")),
        };
        (action.at, sentence)
    };
    actions.into_iter().map(sentence).collect()
}

/// The page of what is kept, for somebody with these rights.
pub fn view(kept: &RunDetails, rights: Rights) -> RunView {
    let run = &kept.run;
    let binding = run.binding_id.to_string();
    let names = names::Names::of(kept.reference.as_ref(), run.facts.customer.as_deref());
    let sage = sage_link::of(kept);
    let country = kept.reference.as_ref().map(|reference| reference.country.as_str());
    let document = run.facts.increment_id.clone().unwrap_or_else(|| format!("#{}", run.magento_id));
    let settings = (run.settings_version > 0).then(|| {
        (run.settings_version, format!("{}/{}", settings::versions_href(&binding), run.settings_version))
    });
    RunView {
        version: 0,
        may_exclude: rights.may_retry && may_exclude(run),
        id: run.id.to_string(),
        title: title(kept, &document),
        related: related::view(kept),
        document,
        event: run.event,
        status: run.status,
        shop: (kept.binding.name.clone(), bindings::href(&binding)),
        customer: run.facts.customer.clone().filter(|name| !name.is_empty()),
        advice: advice(kept, rights),
        totals: totals::of(run, kept.plan.as_ref().ok().and_then(Option::as_ref), country),
        settings,
        moments: timeline::of(kept),
        plan: plan::of(kept.plan.as_ref(), run.message.as_deref(), &names, totals::tax_word(country)),
        attempts: kept.attempts.iter().rev().map(calls::attempt).collect(),
        sage,
    }
}

/// Ten tabs with runs are told apart by their titles.
fn title(kept: &RunDetails, document: &str) -> String {
    let what = match kept.run.event {
        EventName::InvoiceCreated => message!(run_title.invoice),
        EventName::InvoicePaid => message!(run_title.payment),
        EventName::CreditmemoCreated => message!(run_title.credit_memo),
        EventName::CustomerUpserted => message!(run_title.customer),
        EventName::ProductUpserted => message!(run_title.product),
    };
    let status = status_label(kept.run.status).to_lowercase();
    format!("{document} {what} {status} \u{b7} {}", kept.binding.name)
}

/// Whether the run's document can still be kept out of Sage, as far as its run says.
fn may_exclude(run: &Run) -> bool {
    let is_in_sage = run.status == RunStatus::Succeeded || run.facts.sage_id.is_some();
    let is_posted = is_in_sage && run.event.happens_once();
    !is_posted && run.status != RunStatus::Running && run.code != Some(Code::Excluded)
}

/// What Sage did not know in the newest attempt.
fn unknown_record(kept: &RunDetails) -> Option<missing::UnknownRecord> {
    let steps = kept.attempts.last()?.steps.iter().rev();
    let step = steps.into_iter().find(|step| step.target == "sage" && step.status == Some(404))?;
    missing::unknown_record(step, kept.reference.as_ref()?)
}

fn advice(kept: &RunDetails, rights: Rights) -> AdviceView {
    let run = &kept.run;
    let code = run.reason(kept.binding.status);
    let mut advice = remedy::advice(run.status, code);
    let unknown = unknown_record(kept).filter(|_| code == Some(Code::SageNotFound));
    if let Some(unknown) = &unknown {
        (advice.action, advice.remedies) = (unknown.action, unknown.remedies);
    }
    let of_a_retry = match remedy::retry_now(run.status, kept.binding.status) {
        RetryNow::Goes => None,
        RetryNow::Waits(why) | RetryNow::Cannot(why) => Some(why),
    };
    AdviceView {
        sentence: unknown.map_or_else(|| advice.sentence.to_owned(), |unknown| unknown.sentence),
        action: advice.action.to_owned(),
        message: run.message.as_deref().map(fields::message_in_words),
        code: code.map(domain::code::Code::as_str),
        next_try: (run.status == RunStatus::Retrying && code == run.code).then(|| run.next_at.into()),
        remedies: remedies::of(kept, rights, &advice),
        of_a_retry: of_a_retry.filter(|_| rights.may_retry),
    }
}
