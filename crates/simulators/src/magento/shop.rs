//! The shop itself: its state, its clock, and what its observers and its cron do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use super::client::{Client, LedgerAnswer};
use super::documents::{Documents, Kind};
use super::faults::Faults;
use super::outbox::{Outbox, OutboxRow};
use super::pairing::{Paired, Pairing};
use super::sync_state::SyncStates;
use super::text::quoted;
use super::tokens::Replays;
use super::{Clock, Options};

/// What the shop's database and cache hold.
pub(crate) struct Tables {
    pub pairing: Pairing,
    pub replays: Replays,
    pub outbox: Outbox,
    pub sync_states: SyncStates,
    /// Documents that were edited since the shop was opened.
    edited: HashMap<(Kind, u64), String>,
    random: StdRng,
}

impl Tables {
    fn token_id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn code(&mut self) -> String {
        hex::encode(self.random.random::<[u8; 16]>())
    }
}

/// A running shop.
pub(crate) struct Shop {
    pub documents: Documents,
    pub faults: Faults,
    clock: Clock,
    client: Client,
    batch: usize,
    tables: Mutex<Tables>,
    fetches: AtomicU64,
    /// One cron pass at a time, as Magento's lock per job.
    pass: tokio::sync::Mutex<()>,
}

impl Shop {
    pub fn open(options: Options) -> std::io::Result<Arc<Self>> {
        let mut tables = Tables {
            pairing: Pairing::default(),
            replays: Replays::default(),
            outbox: Outbox::default(),
            sync_states: SyncStates::default(),
            edited: HashMap::new(),
            random: StdRng::seed_from_u64(options.seed),
        };
        let code = options.pairing_code.unwrap_or_else(|| tables.code());
        tables.pairing.set_code(code, (options.clock)());
        Ok(Arc::new(Self {
            documents: options.documents,
            faults: Faults::default(),
            clock: options.clock,
            client: Client::new()?,
            batch: options.batch,
            tables: Mutex::new(tables),
            fetches: AtomicU64::new(0),
            pass: tokio::sync::Mutex::new(()),
        }))
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// The tables, for one statement; nothing awaits in here.
    pub fn with<T>(&self, act: impl FnOnce(&mut Tables) -> T) -> T {
        act(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The merchant edits a document: from now on this is what is served.
    pub fn edit(&self, kind: Kind, id: u64, text: String) {
        self.with(|tables| tables.edited.insert((kind, id), text));
    }

    /// A document as it is served today; the look is counted.
    pub fn fetch(&self, kind: Kind, id: u64) -> Option<String> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let edited = self.with(|tables| tables.edited.get(&(kind, id)).cloned());
        edited.or_else(|| self.documents.raw(kind, id).map(str::to_owned))
    }

    /// How often a document was asked for.
    pub fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }

    /// The code that waits, or a new one when it was used or is too old.
    pub fn pairing_code(&self) -> String {
        let now = self.now();
        let waiting = self.with(|tables| tables.pairing.waiting_code(now).map(str::to_owned));
        waiting.unwrap_or_else(|| self.new_pairing_code(None))
    }

    /// The merchant presses the button; `text` is for tests that know the code beforehand.
    pub fn new_pairing_code(&self, text: Option<String>) -> String {
        let now = self.now();
        self.with(|tables| {
            let code = text.unwrap_or_else(|| tables.code());
            tables.pairing.set_code(code.clone(), now);
            code
        })
    }

    /// An observer sees a saved document: a row in the outbox and a pending chip. Nothing happens while the
    /// shop is not paired. Says whether a row was added.
    pub fn enqueue(&self, event: &str, id: u64, increment_id: Option<&str>) -> bool {
        let now = self.now();
        let (place, payload) = self.describe(event, id, increment_id);
        self.with(|tables| {
            if tables.pairing.paired().is_none() {
                return false;
            }
            let added = tables.outbox.enqueue(event, id, place, &payload, now);
            let entity_type = event.split('.').next().unwrap_or_default();
            tables.sync_states.note_pending(entity_type, id.try_into().unwrap_or(i64::MAX), now);
            added
        })
    }

    /// Every document's events, in the order in which a shop would have met them.
    pub fn enqueue_all(&self) -> usize {
        let mut events: Vec<(&str, u64)> = Vec::new();
        for id in self.documents.ids(Kind::Invoice) {
            events.push(("invoice.created", id));
            let paid =
                self.documents.facts(Kind::Invoice, id).is_some_and(|facts| is_paid(facts.state.as_deref()));
            if paid {
                events.push(("invoice.paid", id));
            }
        }
        let rest = [
            (Kind::CreditMemo, "creditmemo.created"),
            (Kind::Customer, "customer.upserted"),
            (Kind::Product, "product.upserted"),
        ];
        for (kind, event) in rest {
            events.extend(self.documents.ids(kind).into_iter().map(|id| (event, id)));
        }
        events.into_iter().filter(|(event, id)| self.enqueue(event, *id, None)).count()
    }

    /// One pass of the outbox: the due rows of a batch, one after the other. Says how many were posted.
    pub async fn run_cron(&self) -> usize {
        let _pass = self.pass.lock().await;
        let now = self.now();
        let due = self.with(|tables| {
            tables.outbox.sweep(now);
            tables.outbox.due(now, self.batch)
        });
        let mut posted = 0;
        for row in due {
            // Asked again each time: the merchant may disconnect in the middle of a pass.
            let Some((paired, token)) = self.signed() else { break };
            self.post(&row, &paired, &token).await;
            posted += 1;
        }
        posted
    }

    /// Disconnects: Ledger is told, and the shop forgets the pairing whatever came back.
    pub async fn disconnect(&self) -> Option<LedgerAnswer> {
        let (paired, token) = self.signed()?;
        let answer = self.client.disconnect(&paired, &token).await;
        self.with(|tables| tables.pairing.forget());
        Some(answer)
    }

    pub async fn tile(&self) -> Option<LedgerAnswer> {
        let (paired, token) = self.signed()?;
        Some(self.client.tile(&paired, &token).await)
    }

    pub async fn status(&self, entity_type: &str, id: &str) -> Option<LedgerAnswer> {
        let (paired, token) = self.signed()?;
        Some(self.client.status(&paired, &token, entity_type, id).await)
    }

    async fn post(&self, row: &OutboxRow, paired: &Paired, token: &str) {
        // The tenant of today, also for a row of yesterday (sample 090 of the outbox).
        let (base, tenant, event) = (&paired.ledger_base_url, &paired.tenant_id, &row.event_name);
        let url = format!("{base}/webhooks/magento/{tenant}/{event}");
        let outcome = self.client.post_event(&url, token, &row.idempotency_key, &row.payload).await;
        let now = self.now();
        self.with(|tables| tables.outbox.settle(row.id, &url, outcome, now));
    }

    pub fn signed(&self) -> Option<(Paired, String)> {
        let now = self.now();
        self.with(|tables| {
            let paired = tables.pairing.paired()?.clone();
            let token = paired.keys.mint(&paired.tenant_id, now, tables.token_id());
            Some((paired, token))
        })
    }

    /// Website and store (0 = unknown), and the inner payload of an event.
    fn describe(&self, event: &str, id: u64, increment_id: Option<&str>) -> ((u64, u64), String) {
        let entity = event.split('.').next().unwrap_or_default();
        let kind = match entity {
            "creditmemo" => Kind::CreditMemo,
            "customer" => Kind::Customer,
            "product" => Kind::Product,
            _ => Kind::Invoice,
        };
        let facts = self.documents.facts(kind, id);
        let website = facts.map_or(1, |facts| facts.website_id.unwrap_or(0));
        let place = match kind {
            Kind::Product => (0, 0),
            Kind::Customer => (website, 0),
            Kind::CreditMemo => (website, facts.map_or(1, |memo| self.documents.store_of_memo(memo))),
            Kind::Invoice | Kind::Payment => (website, facts.map_or(1, |facts| facts.store_id.unwrap_or(0))),
        };
        let of_document = facts.and_then(|facts| facts.increment_id.as_deref());
        let payload = match increment_id.or(of_document) {
            Some(number) if event == "invoice.created" => {
                let paid = facts.is_some_and(|facts| is_paid(facts.state.as_deref()));
                format!("{{\"increment_id\":{},\"paid\":{paid}}}", quoted(number))
            }
            Some(number) if matches!(kind, Kind::Invoice | Kind::CreditMemo) => {
                format!("{{\"increment_id\":{}}}", quoted(number))
            }
            _ => "{}".to_owned(),
        };
        (place, payload)
    }
}

fn is_paid(state: Option<&str>) -> bool {
    state == Some("paid")
}
