//! Looks for what a shop did while it was not paired, by the ids of its documents: behind the last known invoice and credit memo, and
//! for payments of invoices that were open. What is found is queued as its event would have been, through the same door, so that
//! an event that comes as well makes no second run.

mod first_id;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    ids::{BindingId, EventId, RunId},
    run::{BackfillStage, EntityKind, EventName},
};
use magento::Shop;
use serde_json::Value;
use store::{Backfill, NewEvent, Received};

use self::first_id::FirstId;
use crate::{Engine, connection::shop};

/// So many ids in a row without a document, beyond the highest known one, are the end: Magento's ids have gaps where a
/// transaction was rolled back or a document deleted.
const MISSES: i64 = 5;
/// Calls to the shop in one step.
const CALLS: u32 = 10;
/// Between two steps.
const PACE: TimeDelta = TimeDelta::seconds(1);
/// Where the queue is full, or the shop does not answer.
const REST: TimeDelta = TimeDelta::minutes(1);
/// A backfill feeds the queue up to so many runs: what comes live is not kept waiting behind a long search.
const FEED: i64 = 5;
/// So many open invoices, the newest, are looked at.
const OPEN_INVOICES: i64 = 500;
/// Characters of a document's number that are kept: Magento's column holds no more.
const LONGEST_NUMBER: usize = 50;
/// For so long after a pairing it is looked whether what comes live lies behind more.
const SEARCHED_ON: TimeDelta = TimeDelta::days(30);
/// How long a step may take: each call has its own, shorter limit, with a second token where the first is refused.
const STEP_LEASE: TimeDelta = TimeDelta::minutes(15);

/// Carries on with every backfill that is due; `true` where one has moved.
pub async fn advance_backfills(engine: &Engine) -> bool {
    let now = engine.environment.now();
    let due = engine.store.due_backfills(now).await.unwrap_or_else(|problem| {
        tracing::warn!(error = %problem, "it could not be read which shops are still searched");
        Vec::new()
    });
    let mut has_moved = false;
    for backfill in due {
        match advance(engine, &backfill).await {
            Ok(moved) => has_moved |= moved,
            Err(problem) => {
                tracing::warn!(binding = %backfill.binding_id, error = %problem, "a shop could not be searched on");
            }
        }
    }
    has_moved
}

/// A search ends where several ids in a row have no document. What comes live later may lie behind more of them: then what lies
/// between is looked at as well.
pub async fn search_on(engine: &Engine, binding: BindingId, now: DateTime<Utc>) -> store::Result<()> {
    let Some(ended) = engine.store.backfill(binding).await? else { return Ok(()) };
    if ended.ended_at.is_none() || now - ended.begun_at > SEARCHED_ON {
        return Ok(());
    }
    let behind = async |entity, next: Option<i64>| {
        let highest = engine.store.highest_id(binding, entity, now).await?;
        store::Result::Ok(highest.zip(next).is_some_and(|(highest, next)| highest >= next))
    };
    if behind(EntityKind::Invoice, ended.next_invoice).await?
        || behind(EntityKind::Creditmemo, ended.next_creditmemo).await?
    {
        // The open invoices were looked at already.
        let (stage, looked_at) = (BackfillStage::Invoices, OPEN_INVOICES);
        let on = Backfill { stage, looked_at, misses: 0, next_at: now, ended_at: None, ..ended };
        engine.store.save_backfill(&on).await?;
    }
    Ok(())
}

/// One step of one backfill, unless another process is at it.
async fn advance(engine: &Engine, due: &Backfill) -> store::Result<bool> {
    let (name, holder) = (format!("backfill:{}", due.binding_id), engine.environment.uuid_v4().to_string());
    let now = engine.environment.now();
    if !engine.store.acquire_lease(&name, &holder, now, now + STEP_LEASE).await? {
        return Ok(false);
    }
    let moved = step(engine, due).await;
    engine.store.release_lease(&name, &holder).await?;
    moved
}

async fn step(engine: &Engine, due: &Backfill) -> store::Result<bool> {
    // Read under the lease: its last holder has moved it.
    let Some(backfill) = engine.store.backfill(due.binding_id).await? else { return Ok(false) };
    if backfill.ended_at.is_some() || backfill.next_at > engine.environment.now() {
        return Ok(false);
    }
    let Some(binding) = engine.store.binding(backfill.binding_id).await? else { return Ok(false) };
    let mut search = BackfillSearch { engine, backfill, calls: CALLS };
    let stopped = match shop::shop(engine, &binding).await {
        Ok(shop) => search.go_on(&shop).await,
        Err(error) => Err(StepEnd::Shop(error.code)),
    };
    let now = engine.environment.now();
    let (code, wait) = match stopped {
        Ok(()) | Err(StepEnd::Full) => (None, PACE),
        Err(StepEnd::Shop(code)) => (Some(code), REST),
        Err(StepEnd::Store(error)) => return Err(error),
    };
    if code == Some(Code::MagentoAuth) {
        // Notes that the shop must be paired again, which begins the search again.
        engine.ask_shop(&binding).await;
    }
    let BackfillSearch { mut backfill, .. } = search;
    (backfill.code, backfill.next_at) = (code, now + wait);
    engine.store.save_backfill(&backfill).await
}

/// Why a step ends before its calls are used up.
enum StepEnd {
    /// There are runs enough in the queue.
    Full,
    /// The shop cannot be asked.
    Shop(Code),
    /// Ledger's own store.
    Store(store::Error),
}

impl From<store::Error> for StepEnd {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<magento::Error> for StepEnd {
    fn from(error: magento::Error) -> Self {
        Self::Shop(error.code())
    }
}

/// A document as far as its events depend on it.
#[derive(Default)]
struct FoundDocument {
    is_paid: bool,
    increment_id: Option<String>,
    website_id: i64,
    store_id: i64,
    created_at: Option<DateTime<Utc>>,
    /// The invoice that a memo is for.
    invoice_id: Option<i64>,
}

impl FoundDocument {
    /// Reads what is needed and no more: whether the document is sound is its run's matter.
    fn of(document: &Value) -> Self {
        let text = |name: &str| document[name].as_str();
        let number = |name: &str| document[name].as_i64();
        Self {
            is_paid: text("state") == Some("paid"),
            increment_id: text("increment_id").map(|number| number.chars().take(LONGEST_NUMBER).collect()),
            website_id: number("website_id").unwrap_or_default(),
            store_id: number("store_id").unwrap_or_default(),
            created_at: text("created_at").and_then(|at| at.parse().ok()),
            invoice_id: number("invoice_id"),
        }
    }
}

/// Whether it may be the document that is at fault, and not the shop.
const fn may_be_the_document(error: &magento::Error) -> bool {
    use magento::Error::{InvalidResponse, Refused, TooLarge, Unavailable, Unreachable};
    matches!(
        error,
        InvalidResponse { .. } | Refused { .. } | TooLarge { .. } | Unavailable { .. } | Unreachable(_)
    )
}

struct BackfillSearch<'a> {
    engine: &'a Engine,
    backfill: Backfill,
    /// Calls that are left to this step.
    calls: u32,
}

impl BackfillSearch<'_> {
    /// Until the calls are used up, the queue is full, or nothing is left.
    async fn go_on(&mut self, shop: &Shop) -> Result<(), StepEnd> {
        while self.calls > 0 && self.backfill.ended_at.is_none() {
            self.has_room().await?;
            match self.backfill.stage {
                BackfillStage::Invoices => self.next_document(shop, EntityKind::Invoice).await?,
                BackfillStage::CreditMemos => self.next_document(shop, EntityKind::Creditmemo).await?,
                BackfillStage::Payments => self.next_open_invoice(shop).await?,
            }
        }
        Ok(())
    }

    async fn has_room(&self) -> Result<(), StepEnd> {
        let queued = self.engine.store.count_queued_runs(self.backfill.binding_id, FEED).await?;
        if queued < FEED { Ok(()) } else { Err(StepEnd::Full) }
    }

    /// Looks at the next id of a kind.
    async fn next_document(&mut self, shop: &Shop, entity: EntityKind) -> Result<(), StepEnd> {
        let Some(id) = *self.position(entity) else {
            let mut first = FirstId::new();
            while let Some(id) = first.next() {
                first.learn(id, self.begins_older(shop, entity, id).await?);
            }
            *self.position(entity) = Some(first.found());
            return Ok(());
        };
        if self.engine.store.latest_run(self.backfill.binding_id, entity, id).await?.is_some() {
            self.backfill.misses = 0;
        } else if let Some(found) = self.look(shop, entity, id).await? {
            self.backfill.misses = 0;
            if !self.is_older(entity, &found).await? {
                self.take(entity, id, &found).await?;
            }
        } else {
            self.backfill.misses += 1;
        }
        *self.position(entity) = Some(id + 1);
        if self.backfill.misses >= MISSES && self.highest_id(entity).await?.is_none_or(|highest| id > highest)
        {
            self.next_stage();
        }
        Ok(())
    }

    async fn take(&mut self, entity: EntityKind, id: i64, found: &FoundDocument) -> Result<(), StepEnd> {
        let created = match entity {
            EntityKind::Creditmemo => EventName::CreditmemoCreated,
            _ => EventName::InvoiceCreated,
        };
        if self.queue(created, id, found).await? {
            self.backfill.found += 1;
        }
        if found.is_paid {
            self.queue(EventName::InvoicePaid, id, found).await?;
        }
        Ok(())
    }

    async fn highest_id(&self, entity: EntityKind) -> Result<Option<i64>, StepEnd> {
        let now = self.engine.environment.now();
        Ok(self.engine.store.highest_id(self.backfill.binding_id, entity, now).await?)
    }

    /// Whether the first document from this id on is older than what is looked for.
    async fn begins_older(&mut self, shop: &Shop, entity: EntityKind, id: i64) -> Result<bool, StepEnd> {
        for id in id..id + MISSES {
            if let Some(found) = self.look(shop, entity, id).await? {
                return self.is_older(entity, &found).await;
            }
        }
        Ok(false)
    }

    /// Whether a document was made before the shop was paired first. Behind a known one none was; and a memo of a known invoice
    /// was made later than that.
    async fn is_older(&self, entity: EntityKind, found: &FoundDocument) -> Result<bool, StepEnd> {
        let Backfill { binding_id, made_since, begun_at, .. } = self.backfill;
        let store = &self.engine.store;
        if found.created_at.is_none_or(|at| at >= made_since)
            || store.highest_id(binding_id, entity, begun_at).await?.is_some()
        {
            return Ok(false);
        }
        let Some(invoice) = found.invoice_id else { return Ok(true) };
        Ok(store.latest_run(binding_id, EntityKind::Invoice, invoice).await?.is_none())
    }

    /// Looks whether the next of the known open invoices has been paid.
    async fn next_open_invoice(&mut self, shop: &Shop) -> Result<(), StepEnd> {
        let Backfill { binding_id, below_invoice, looked_at, .. } = self.backfill;
        let open = self.engine.store.open_invoices(binding_id, below_invoice, 1).await?;
        let Some(id) = open.first().copied().filter(|_| looked_at < OPEN_INVOICES) else {
            self.next_stage();
            return Ok(());
        };
        if let Some(found) = self.look(shop, EntityKind::Invoice, id).await?.filter(|found| found.is_paid)
            && self.queue(EventName::InvoicePaid, id, &found).await?
        {
            self.backfill.found += 1;
        }
        (self.backfill.below_invoice, self.backfill.looked_at) = (Some(id), looked_at + 1);
        Ok(())
    }

    const fn position(&mut self, entity: EntityKind) -> &mut Option<i64> {
        match entity {
            EntityKind::Creditmemo => &mut self.backfill.next_creditmemo,
            _ => &mut self.backfill.next_invoice,
        }
    }

    fn next_stage(&mut self) {
        self.backfill.misses = 0;
        match self.backfill.stage {
            BackfillStage::Invoices => self.backfill.stage = BackfillStage::Payments,
            BackfillStage::Payments => self.backfill.stage = BackfillStage::CreditMemos,
            BackfillStage::CreditMemos => self.backfill.ended_at = Some(self.engine.environment.now()),
        }
    }

    /// A document, where there is one. One that cannot be read is one all the same: its run says what is wrong with it.
    async fn look(
        &mut self,
        shop: &Shop,
        entity: EntityKind,
        id: i64,
    ) -> Result<Option<FoundDocument>, StepEnd> {
        match self.fetch(shop, entity, id).await {
            Err(error) if may_be_the_document(&error) => {
                // A shop that answers otherwise, and fails at this document again, fails at this document.
                self.engine.magento.ping(shop).await?;
                match self.fetch(shop, entity, id).await {
                    Err(error) if may_be_the_document(&error) => Ok(Some(FoundDocument::default())),
                    other => Ok(other?),
                }
            }
            other => Ok(other?),
        }
    }

    async fn fetch(
        &mut self,
        shop: &Shop,
        entity: EntityKind,
        id: i64,
    ) -> Result<Option<FoundDocument>, magento::Error> {
        self.calls = self.calls.saturating_sub(1);
        let fetched = match entity {
            EntityKind::Creditmemo => self.engine.magento.creditmemo(shop, id).await,
            _ => self.engine.magento.invoice(shop, id).await,
        };
        match fetched {
            Ok(fetched) => Ok(Some(FoundDocument::of(&fetched.value))),
            Err(magento::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As if Magento had told of it just now; what it has told of already is left alone, and `false` is answered.
    async fn queue(&mut self, event: EventName, id: i64, found: &FoundDocument) -> Result<bool, StepEnd> {
        let (engine, now) = (self.engine, self.engine.environment.now());
        let ids = (EventId(engine.environment.id()), RunId(engine.environment.id()));
        let new = NewEvent {
            increment_id: found.increment_id.clone(),
            website_id: found.website_id,
            store_id: found.store_id,
            ..NewEvent::asked_for(ids, self.backfill.binding_id, event, id, now)
        };
        let is_new = matches!(engine.store.receive(&new).await?, Received::Queued(_));
        self.backfill.queued += i64::from(is_new);
        Ok(is_new)
    }
}
