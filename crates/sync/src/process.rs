//! One claimed run: fetch, plan, perform, and what is to be recorded.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use domain::{
    business::ReferenceSet,
    code::Code,
    contact_snapshot::ContactSnapshot,
    documents::{Customer, Invoice},
    ids::BindingId,
    plan::{Plan, Verdict},
    policy::{FIRST_DOCUMENTS, Policy, SafeMode},
    redact::Redactor,
    run::{BindingStatus, EventName, RunStatus},
    xref::{XrefKey, XrefKind},
};
use futures::FutureExt;
use posting::{
    Context, Generations, KnownRecord, contact_snapshot, plan_invoice, plan_payment, wanted_xrefs,
    with_contact_changes,
};
use store::{
    Answer, Binding, Claimed, Fence, FinishRun, Intent, NewXref, Outcome, RunFacts, Step, SyncState,
};
use tracing::{error, warn};

use crate::{
    Engine, catalogue,
    decide::{self, Course, Stop},
    fetch::{self, Shop},
    lease::Lease,
    outage, perform,
    planning::{keep_plan, planned},
    refund,
};

/// What an attempt has gathered so far.
#[derive(Default)]
pub struct Gathered {
    /// Its calls that are not recorded yet.
    pub steps: Vec<Step>,
    /// What was learnt of the document.
    pub facts: RunFacts,
    /// What was made or found in Sage.
    pub xrefs: Vec<NewXref>,
    /// The invoice's own record in Sage: an `invoice.paid` speaks about the invoice's row in Magento.
    pub invoice_record: Option<KnownRecord>,
    /// Knows what belongs to people, from the document on.
    pub redactor: Redactor,
    /// What was to be done, redacted.
    pub plan: Option<Plan>,
}

/// Everything that a run is worked with.
pub struct Work<'a> {
    /// The worker's parts.
    pub engine: &'a Engine,
    /// The run.
    pub claimed: &'a Claimed,
    /// The hold on it: to be asked just before anything is written.
    pub lease: &'a Lease,
    /// Its binding.
    pub binding: Binding,
    /// The Sage business.
    pub business: store::SageBusiness,
    /// The settings it was queued under.
    pub policy: Arc<Policy>,
    /// The business's lists.
    pub reference: Arc<ReferenceSet>,
}

impl Work<'_> {
    /// The run's fence.
    pub fn fence(&self) -> Fence {
        Fence { run_id: self.claimed.run.id, attempt_id: self.claimed.attempt_id }
    }
}

/// Works a run to the end of this attempt. Never fails: what goes wrong becomes the outcome.
pub async fn process(engine: &Engine, claimed: &Claimed, lease: &Lease) -> FinishRun {
    let mut gathered = Gathered::default();
    let attempted = AssertUnwindSafe(attempt(engine, claimed, lease, &mut gathered)).catch_unwind().await;
    // A run that makes Ledger panic is tried again and then fails, as any other: it is not claimed for ever.
    let attempted = attempted.unwrap_or_else(|_| {
        error!(run = %claimed.run.id, "an attempt ended by a panic");
        Err(Stop::plain(Code::Internal))
    });
    let outcome = match attempted {
        Ok(outcome) => outcome,
        Err(stop) => {
            if stop.course == Course::Reauthorise {
                needs_reauth(engine, claimed, stop.code).await;
            }
            let stop = outage::judged(engine, &claimed.run, stop).await;
            let rests = outage::rests_before(engine, &claimed.run, &stop).await;
            let message = stop.message.map(|message| gathered.redactor.text(&message));
            decide::outcome(engine, &claimed.run, Stop { message, ..stop }, rests)
        }
    };
    let sync_state = sync_state(engine, claimed, &outcome, &gathered);
    FinishRun {
        fence: Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id },
        now: engine.outside.now(),
        outcome,
        facts: gathered.facts,
        xrefs: gathered.xrefs,
        sync_state,
        steps: gathered.steps,
        plan: gathered.plan,
        thresholds: engine.alerts.thresholds,
    }
}

/// When Sage or Magento refuses us for good, the binding says so and its runs wait; one that somebody disconnected or paused
/// meanwhile stays as it is.
async fn needs_reauth(engine: &Engine, claimed: &Claimed, code: Code) {
    let now = engine.outside.now();
    let id = claimed.run.binding_id;
    let begun = claimed.run.started_at.unwrap_or(claimed.run.created_at);
    if code == Code::MagentoAuth && engine.was_paired_since(id, begun).await {
        return;
    }
    let noted = engine.store.note_refusal(id, code).await;
    let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
    if let Err(problem) = noted.and(engine.store.change_binding_status(id, active, refused, now, None).await)
    {
        warn!(binding = %id, error = %problem, "the binding could not be marked as needing a new connection");
    }
}

async fn attempt(
    engine: &Engine,
    claimed: &Claimed,
    lease: &Lease,
    gathered: &mut Gathered,
) -> Result<Outcome, Stop> {
    let run = &claimed.run;
    let work = prepare(engine, claimed, lease).await?;
    outage::ensure_up(engine, &work.binding).await?;
    if let Some(exclusion) =
        engine.store.exclusion(run.binding_id, run.event.entity(), run.magento_id).await?
    {
        return Err(Stop::new(Code::ExcludedByPerson, exclusion.reason));
    }
    let shop = fetch::shop(engine, &work.binding).await?;
    let mut planned = 1;
    loop {
        match work_event(&work, &shop, gathered).await {
            Err(Stop { course: Course::PlanAgain, .. }) if planned < PLANS => planned += 1,
            ended => return ended,
        }
    }
}

/// How often a document is planned in one attempt: again when performing the plan has found a record that was not known, or that one
/// is gone. There are fewer kinds of such records in a plan.
const PLANS: usize = 5;

async fn work_event(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Outcome, Stop> {
    match work.claimed.run.event {
        EventName::InvoiceCreated => {
            let invoice = fetch::invoice(work, shop, gathered).await?;
            carry_out(work, gathered, invoice, plan_invoice).await
        }
        EventName::InvoicePaid => invoice_paid(work, shop, gathered).await,
        EventName::CreditmemoCreated => refund::creditmemo(work, shop, gathered).await,
        EventName::CustomerUpserted => catalogue::customer(work, shop, gathered).await,
        // Nothing has to be fetched to know this, and a shop saves its products often.
        EventName::ProductUpserted if !work.policy.sync_products => Err(Stop::plain(Code::ProductsDisabled)),
        EventName::ProductUpserted => catalogue::product(work, shop, gathered).await,
    }
}

async fn prepare<'a>(engine: &'a Engine, claimed: &'a Claimed, lease: &'a Lease) -> Result<Work<'a>, Stop> {
    let run = &claimed.run;
    let missing = |what: &str| Stop::new(Code::Internal, format!("the run's {what} is gone"));
    let binding = engine.store.binding(run.binding_id).await?.ok_or_else(|| missing("binding"))?;
    let business = binding.business.clone().ok_or_else(|| Stop::plain(Code::BindingPending))?;
    let policy = match run.policy_version {
        0 => engine.store.current_policy(binding.id).await?,
        version => engine.store.policy(binding.id, version).await?,
    };
    let policy =
        policy.ok_or_else(|| Stop::new(Code::NeedsMapping, "The settings have not been saved yet."))?.policy;
    let reference = match engine.store.reference(binding.id).await? {
        Some(cached) => cached.set,
        None => engine.refresh_reference(&binding, None).await?,
    };
    let (policy, reference) = (Arc::new(policy), Arc::new(reference));
    Ok(Work { engine, claimed, lease, binding, business, policy, reference })
}

/// A payment waits for its invoice; when no run of the invoice exists it syncs the invoice itself.
async fn invoice_paid(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Outcome, Stop> {
    let run = &work.claimed.run;
    wait_for_invoice(work, run.magento_id).await?;
    let invoice = fetch::invoice(work, shop, gathered).await?;
    let payment = fetch::payment(work, shop, gathered).await?;
    let plan = move |invoice: &Invoice, context: &Context<'_>| plan_payment(invoice, &payment, context);
    carry_out(work, gathered, invoice, plan).await
}

/// Stops unless the run of this invoice has ended well, or there is none.
pub async fn wait_for_invoice(work: &Work<'_>, invoice: i64) -> Result<(), Stop> {
    let store = &work.engine.store;
    let parent = store.latest_run_of_event(work.binding.id, EventName::InvoiceCreated, invoice).await?;
    let code = match parent.map(|parent| parent.status) {
        None | Some(RunStatus::Succeeded) => return Ok(()),
        Some(RunStatus::SkippedByPolicy) => Code::InvoiceNotSynced,
        Some(_) => Code::WaitingForInvoice,
    };
    Err(Stop { course: Course::WaitForInvoice(invoice), ..Stop::plain(code) })
}

/// What is known of a document before it is planned.
pub struct Known {
    /// What is in Sage.
    pub xrefs: BTreeMap<XrefKey, KnownRecord>,
    /// What Magento told of the contacts' customer when they were written last.
    pub told: BTreeMap<XrefKey, ContactSnapshot>,
    /// What Magento tells of the customer now, where the document speaks for the customer.
    pub customer: Option<ContactSnapshot>,
    /// What Sage was asked for.
    pub intents: BTreeMap<XrefKey, Intent>,
    generations: Generations,
    safe_mode: bool,
}

impl Known {
    /// Looks the keys up: in the store, and in what this attempt has made so far.
    pub async fn of(work: &Work<'_>, gathered: &mut Gathered, keys: &[XrefKey]) -> Result<Self, Stop> {
        let (store, binding, business) = (&work.engine.store, work.binding.id, &work.business.id);
        let (mut xrefs, mut told) = (BTreeMap::new(), BTreeMap::new());
        for xref in store.xrefs(binding, business, keys).await? {
            told.extend(xref.told.map(|told| (xref.key.clone(), told)));
            let record = KnownRecord { sage_id: xref.sage_id, displayed_as: xref.displayed_as };
            xrefs.insert(xref.key, record);
        }
        let intents = store.intents(binding, business, keys).await?;
        gathered.xrefs.extend(settled(&intents, &xrefs, business));
        for xref in gathered.xrefs.iter().filter(|xref| keys.contains(&xref.key)) {
            let record =
                KnownRecord { sage_id: xref.sage_id.clone(), displayed_as: xref.displayed_as.clone() };
            xrefs.insert(xref.key.clone(), record);
        }
        let generations = intents.iter().map(|(key, intent)| (key.clone(), intent.generation)).collect();
        Ok(Self { xrefs, told, customer: None, intents, generations, safe_mode: safe_mode(work).await? })
    }

    /// The same, with a document that speaks for this customer.
    #[must_use]
    pub fn with_customer(self, work: &Work<'_>, customer: &Customer) -> Self {
        let context = self.context(work.binding.id, &work.business.id, &work.policy, &work.reference);
        Self { customer: contact_snapshot(customer, &context), ..self }
    }

    /// The record of this kind, where there is one.
    pub fn record(&self, kind: XrefKind) -> Option<&KnownRecord> {
        self.xrefs.iter().find(|(key, _)| key.kind == kind).map(|(_, record)| record)
    }

    /// The key of this kind of a record that Sage was asked for and has or may have.
    pub fn begun(&self, kind: XrefKind) -> Option<&XrefKey> {
        let is_begun = |(key, intent): &(&XrefKey, &Intent)| key.kind == kind && intent.may_be_made();
        self.intents.iter().find(is_begun).map(|(key, _)| key)
    }

    /// What a translation depends on besides the document.
    pub fn context<'a>(
        &'a self,
        binding: BindingId,
        business: &'a str,
        policy: &'a Policy,
        reference: &'a ReferenceSet,
    ) -> Context<'a> {
        Context {
            binding,
            business,
            policy,
            reference,
            xrefs: &self.xrefs,
            generations: &self.generations,
            safe_mode: self.safe_mode,
        }
    }
}

/// What settles a credit note and was made by an attempt that did not live to say so: it has no sums to compare and is no draft, so that
/// it is known as soon as Sage has answered. The plan counts with it.
fn settled(
    intents: &BTreeMap<XrefKey, Intent>,
    xrefs: &BTreeMap<XrefKey, KnownRecord>,
    business: &str,
) -> Vec<NewXref> {
    let is_settlement = |key: &XrefKey| matches!(key.kind, XrefKind::Allocation | XrefKind::Refund);
    let unknown = intents.iter().filter(|(key, _)| is_settlement(key) && !xrefs.contains_key(*key));
    let answered = unknown.filter_map(|(key, intent)| Some((key, intent.answer()?)));
    let xref = |(key, answer): (&XrefKey, &Answer)| NewXref {
        key: key.clone(),
        business_id: business.to_owned(),
        sage_id: answer.sage_id.clone(),
        displayed_as: answer.displayed_as.clone(),
    };
    answered.map(xref).collect()
}

/// Plans an invoice or its payment with what is known of them, and performs the plan.
async fn carry_out(
    work: &Work<'_>,
    gathered: &mut Gathered,
    invoice: Invoice,
    plan: impl FnOnce(&Invoice, &Context<'_>) -> Plan + Send + 'static,
) -> Result<Outcome, Stop> {
    let known = Known::of(work, gathered, &wanted_xrefs(&invoice, &work.policy, &work.reference)).await?;
    let known = Arc::new(known.with_customer(work, &invoice.customer));
    gathered.invoice_record = known.record(XrefKind::Invoice).cloned();
    let told = Arc::clone(&known);
    let plan = move |context: &Context<'_>| {
        with_contact_changes(plan(&invoice, context), &invoice, &told.told, context)
    };
    let plan = planned(work, &known, plan).await?;
    follow(work, gathered, &plan, &known).await
}

/// Does what a plan says. What is in Sage already or may be there is finished as it was begun, also where today's settings would not
/// have posted it: it cannot be skipped or held any more.
pub async fn follow(
    work: &Work<'_>,
    gathered: &mut Gathered,
    plan: &Plan,
    known: &Known,
) -> Result<Outcome, Stop> {
    keep_plan(work, gathered, plan).await?;
    match plan.verdict {
        Verdict::Post => {
            perform::perform(work, gathered, plan, known).await?;
            Ok(Outcome::Succeeded)
        }
        Verdict::Skip | Verdict::Hold | Verdict::Fail => {
            let made = XrefKind::made_by(work.claimed.run.event).and_then(|kind| known.begun(kind));
            if let Some(key) = made.filter(|key| !known.xrefs.contains_key(*key))
                && perform::finish_begun(work, gathered, key, known).await?
            {
                return Err(Stop { course: Course::PlanAgain, ..Stop::plain(Code::Internal) });
            }
            let code = plan.code.unwrap_or(Code::Internal);
            // The code's own sentence is shown beside it anyway.
            let message = plan.message.clone().filter(|message| message != code.sentence());
            Err(Stop { message, ..Stop::plain(code) })
        }
    }
}

async fn safe_mode(work: &Work<'_>) -> Result<bool, Stop> {
    Ok(match work.policy.safe_mode {
        SafeMode::Always => true,
        SafeMode::Never => false,
        SafeMode::FirstDocuments => {
            let since = work.binding.trusted_since;
            work.engine.store.count_posted(work.binding.id, since).await? < FIRST_DOCUMENTS
        }
    })
}

/// What Magento is told: nothing before the run has ended, and nothing of a payment that was only skipped.
fn sync_state(
    engine: &Engine,
    claimed: &Claimed,
    outcome: &Outcome,
    gathered: &Gathered,
) -> Option<SyncState> {
    let run = &claimed.run;
    let is_payment = run.event == EventName::InvoicePaid;
    let (status, skip_reason, error_code) = match outcome {
        Outcome::Succeeded => ("synced", None, None),
        Outcome::Skipped { .. } if is_payment => return None,
        Outcome::Skipped { code, .. } => ("skipped", Some(code.as_str().to_owned()), None),
        Outcome::Failed { code, .. } => ("failed", None, code.class().map(|class| class.as_str().to_owned())),
        Outcome::Waiting { .. } | Outcome::Retrying { .. } | Outcome::Resting { .. } => return None,
    };
    let (sage_id, sage_reference) = if is_payment {
        let record = gathered.invoice_record.clone();
        (record.as_ref().map(|record| record.sage_id.clone()), record.and_then(|record| record.displayed_as))
    } else {
        (gathered.facts.sage_id.clone(), gathered.facts.sage_reference.clone())
    };
    Some(SyncState {
        entity: run.event.entity(),
        magento_id: run.magento_id,
        status: status.to_owned(),
        sage_id,
        sage_reference,
        skip_reason,
        error_code,
        at: engine.outside.now(),
    })
}
