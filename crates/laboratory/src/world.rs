//! A world: a Sage, a shop, a database, and the processes of Ledger that come and go, all under one handed-in time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    health::Thresholds,
    ids::{AttemptId, EventId, OrganisationId, RunId},
    run::{BindingStatus, EventName},
    settings::{SafeMode, Settings},
};
use server::{
    config::Config,
    lifecycle,
    sandbox::{Controls, consent_and_connect, settings},
};
use simulators::{magento, sage};
use store::{
    Binding, Claimed, Fence, FinishRun, NewEvent, Organisation, Outcome, PageRequest, Run, RunFacts,
    SettingsVersion, Store, Targets,
};
use sync::{Engine, PairRequest};
use tempfile::TempDir;

use crate::{
    clock::{Clock, Machine},
    database::{Database, in_memory},
    gate::{Gate, GatedStore},
};

/// Where the shop finds Ledger; nothing listens there.
const LEDGER: &str = "http://127.0.0.1:9";

/// How often what is due is worked before it is called endless.
const MOST_ROUNDS: u32 = 120;

/// The world of one cell.
pub struct World {
    /// The true time.
    pub clock: Arc<Clock>,
    /// Sage.
    pub sage: sage::Running,
    /// What a person does in Sage.
    pub sage_controls: Controls,
    /// The shop.
    pub shop: Shop,
    /// The database as the laboratory looks at it, past every gate.
    pub store: Arc<dyn Store>,
    /// The organisation.
    pub organisation: OrganisationId,
    others: Vec<Shop>,
    shop_skew: Arc<AtomicI64>,
    config: Config,
    machines: AtomicU64,
    // Holds the database; deleted with the world.
    _folder: TempDir,
}

/// A shop that is paired and connected.
pub struct Shop {
    /// Magento.
    pub running: magento::Running,
    /// Its binding; another one after a pairing that made one.
    pub binding: Binding,
}

/// A process of Ledger.
pub struct Process {
    /// Its parts.
    pub engine: Arc<Engine>,
    /// Where it can be stopped.
    pub gate: Arc<Gate>,
    skew: TimeDelta,
}

impl World {
    /// A shop with these documents, paired and connected, its settings saved.
    pub async fn new(database: &Database, documents: magento::Documents, safe_mode: SafeMode) -> Self {
        Self::with_businesses(database, documents, safe_mode, 0).await
    }

    /// The same where Sage has so many more businesses.
    pub async fn with_businesses(
        database: &Database,
        documents: magento::Documents,
        safe_mode: SafeMode,
        more_businesses: usize,
    ) -> Self {
        let folder = in_memory();
        let clock = Arc::new(Clock::default());
        let shop_skew = Arc::new(AtomicI64::new(0));
        let sage = sage::start(sage::Options {
            clock: of_sage(&clock),
            more_businesses,
            ..sage::Options::default()
        })
        .await
        .unwrap();
        let running = open(documents, &clock, &shop_skew).await;
        let config = config(&sage.url(), database.create(folder.path()).await);
        let store = lifecycle::connect(&config.database_url).await.unwrap();
        let organisation = OrganisationId(Machine::new(Arc::clone(&clock), TimeDelta::zero(), 0).id());
        let created =
            Organisation { id: organisation, name: "Blue Mug Ltd".to_owned(), created_at: clock.now() };
        store.create_organisation(&created).await.unwrap();
        let sage_controls = Controls::new(&sage.url()).unwrap();
        let process = start(&config, &clock, TimeDelta::zero(), 1).await;
        let binding = pair(&process, &running, organisation).await;
        let machines = AtomicU64::new(2);
        let world = Self {
            clock,
            sage,
            sage_controls,
            shop: Shop { running, binding },
            store,
            organisation,
            others: Vec::new(),
            shop_skew,
            config,
            machines,
            _folder: folder,
        };
        world.save(|settings| settings.safe_mode = safe_mode).await;
        world
    }

    /// A process whose clock is off by `skew`: its own connections, its own memory.
    pub async fn process(&self, skew: TimeDelta) -> Process {
        start(&self.config, &self.clock, skew, self.machines.fetch_add(1, Ordering::SeqCst)).await
    }

    /// The shop's clock shows what the process's shows: how far they may differ is the wire's matter.
    pub fn shop_follows(&self, process: &Process) {
        self.shop_skew.store(process.skew.num_milliseconds(), Ordering::SeqCst);
    }

    /// Works what is due now.
    pub async fn work(&self, process: &Process) -> usize {
        self.shop_follows(process);
        sync::run_until_idle(&process.engine).await
    }

    /// Works until nothing is left to do by itself, however long that takes; how long it took. It ends where a day brings nothing.
    pub async fn settle(&self, process: &Process) -> TimeDelta {
        let begun = self.clock.now();
        for _ in 0..MOST_ROUNDS {
            self.work(process).await;
            let store = &process.engine.store;
            let due = [store.next_due().await.unwrap(), store.next_delivery_due(Targets::All).await.unwrap()];
            let Some(due) = due.into_iter().flatten().min() else { break };
            let wait = due - process.engine.environment.now() + TimeDelta::seconds(1);
            if wait > TimeDelta::days(1) {
                break;
            }
            self.clock.pass(wait);
        }
        self.clock.now() - begun
    }

    /// Pairs the shop and connects Sage, as a merchant does.
    pub async fn pair(&mut self, process: &Process) {
        self.shop.binding = pair(process, &self.shop.running, self.organisation).await;
    }

    /// Opens another shop, with a Sage business of its own.
    pub async fn open_another_shop(&mut self, documents: magento::Documents) {
        let running = open(documents, &self.clock, &self.shop_skew).await;
        let process = self.process(TimeDelta::zero()).await;
        let binding = pair(&process, &running, self.organisation).await;
        self.save_for(&binding, |_| ()).await;
        self.others.push(Shop { running, binding });
    }

    /// The merchants whose connection to Sage has ended connect again; how many did.
    pub async fn reconnect(&self, process: &Process) -> u64 {
        let mut reconnected = 0;
        for shop in self.shops() {
            let binding = self.store.binding(shop.binding.id).await.unwrap().unwrap();
            if binding.status == BindingStatus::NeedsReauth {
                // While Sage is down they cannot.
                reconnected += u64::from(consent_and_connect(&process.engine, &binding).await.is_ok());
            }
        }
        reconnected
    }

    /// All shops.
    pub fn shops(&self) -> impl Iterator<Item = &Shop> {
        std::iter::once(&self.shop).chain(&self.others)
    }

    /// Saves the settings, with a change.
    pub async fn save(&self, change: impl FnOnce(&mut Settings)) {
        self.save_for(&self.shop.binding, change).await;
    }

    async fn save_for(&self, binding: &Binding, change: impl FnOnce(&mut Settings)) {
        let id = binding.id;
        let saved = self.store.current_settings(id).await.unwrap();
        let (version, mut settings) = if let Some(saved) = saved {
            (saved.version + 1, saved.settings)
        } else {
            let reference = self.store.reference(id).await.unwrap().unwrap().set;
            let purchases = reference.ledger_accounts.iter().find(|account| account.visible_in_expenses);
            let mut first = settings(&reference, SafeMode::Never);
            (first.sync_products, first.sync_stock) = (true, true);
            first.default_purchase_ledger_account_id = purchases.map(|account| account.id.clone());
            (1, first)
        };
        change(&mut settings);
        let created_at = self.clock.now();
        let version = SettingsVersion { version, settings, author: None, reason: None, created_at };
        self.store.save_settings(id, &version, None).await.unwrap();
    }

    /// Magento tells of something that has happened.
    pub async fn tell(&self, event: EventName, magento_id: i64) {
        self.tell_of(&self.shop, event, magento_id).await;
    }

    /// One of the shops tells of something.
    pub async fn tell_of(&self, shop: &Shop, event: EventName, magento_id: i64) {
        shop.running.enqueue(event.as_str(), magento_id.unsigned_abs(), None);
        self.receive(&shop.binding, event, magento_id).await;
    }

    /// So many documents were posted before; nobody looks at them any more.
    pub async fn posted_before(&self, documents: i64) {
        for id in 0..documents {
            self.receive(&self.shop.binding, EventName::InvoiceCreated, 9_000 + id).await;
            let (attempt, now) = (AttemptId(self.environment().id()), self.clock.now());
            let until = now + TimeDelta::minutes(1);
            let Claimed { run, attempt_id, .. } =
                self.store.claim_run(attempt, "history", now, until).await.unwrap().unwrap();
            let finish = FinishRun {
                fence: Fence { run_id: run.id, attempt_id },
                now,
                outcome: Outcome::Succeeded,
                facts: RunFacts::default(),
                xrefs: Vec::new(),
                sync_state: None,
                steps: Vec::new(),
                plan: None,
                thresholds: Thresholds::default(),
            };
            self.store.finish_run(&finish).await.unwrap();
        }
    }

    async fn receive(&self, binding: &Binding, event: EventName, magento_id: i64) {
        let environment = self.environment();
        let event = NewEvent {
            id: EventId(environment.id()),
            run_id: RunId(environment.id()),
            binding_id: binding.id,
            event,
            idempotency_key: format!("{event}:{magento_id}"),
            magento_id,
            increment_id: None,
            website_id: 1,
            store_id: 1,
            body: "{}".to_owned(),
            occurred_at: environment.now(),
            received_at: environment.now(),
            token: None,
            trace_parent: None,
        };
        self.store.receive(&event).await.unwrap();
    }

    fn environment(&self) -> Machine {
        let seed = self.machines.fetch_add(1, Ordering::SeqCst);
        Machine::new(Arc::clone(&self.clock), TimeDelta::zero(), seed)
    }

    /// The runs of the family, newest first.
    pub async fn runs(&self) -> Vec<Run> {
        let request = PageRequest { limit: 200, ..PageRequest::default() };
        let mut runs = self.store.page_runs(self.organisation, &request).await.unwrap().runs;
        runs.retain(|run| run.magento_id < 9_000);
        runs
    }

    /// A person changes or (with no change) deletes in Sage what a list holds last.
    pub async fn change_in_sage(&self, list: &str, change: Option<&serde_json::Value>) {
        let books = self.books();
        let Some(record) = books[list].as_array().and_then(|records| records.last()) else { return };
        let (business, id) =
            (books["id"].as_str().unwrap_or_default(), record["id"].as_str().unwrap_or_default());
        let path = format!("/_sim/records/{business}/{list}/{id}");
        match change {
            Some(change) => self.sage_controls.patch(&path, change).await.unwrap(),
            None => self.sage_controls.delete(&path).await.unwrap(),
        }
    }

    /// What Sage holds of the connected business.
    pub fn books(&self) -> serde_json::Value {
        self.books_of(&self.shop.binding)
    }

    /// What Sage holds of the business of a binding.
    pub fn books_of(&self, binding: &Binding) -> serde_json::Value {
        let id = binding.business.as_ref().map_or("", |business| business.id.as_str());
        self.sage.books()["businesses"][id].take()
    }

    /// Ends the simulators and takes the database away.
    pub async fn end(self, database: &Database) {
        self.store.close().await;
        database.drop_copy(&self.config.database_url).await;
        for shop in std::iter::once(self.shop).chain(self.others) {
            shop.running.stop().await;
        }
        self.sage.stop().await;
    }
}

fn of_sage(clock: &Arc<Clock>) -> sage::Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || clock.now())
}

fn of_shop(clock: &Arc<Clock>, skew: &Arc<AtomicI64>) -> magento::Clock {
    let (clock, skew) = (Arc::clone(clock), Arc::clone(skew));
    Arc::new(move || clock.now() + TimeDelta::milliseconds(skew.load(Ordering::SeqCst)))
}

async fn open(documents: magento::Documents, clock: &Arc<Clock>, skew: &Arc<AtomicI64>) -> magento::Running {
    let options = magento::Options {
        port: 0,
        documents,
        clock: of_shop(clock, skew),
        seed: 1,
        pairing_code: None,
        cron_every: std::time::Duration::ZERO,
        batch: magento::BATCH,
    };
    magento::start(options).await.unwrap()
}

async fn start(config: &Config, clock: &Arc<Clock>, skew: TimeDelta, seed: u64) -> Process {
    let gate = Arc::new(Gate::default());
    let inner = lifecycle::connect(&config.database_url).await.unwrap();
    let machine = Arc::new(Machine::new(Arc::clone(clock), skew, seed));
    // As a worker does first.
    inner.bring_forward(machine.now()).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(GatedStore::new(inner, Arc::clone(&gate)));
    let engine = lifecycle::engine_in(config, store, machine, sync::Timing::default()).unwrap();
    Process { engine: Arc::new(engine), gate, skew }
}

async fn pair(process: &Process, shop: &magento::Running, organisation: OrganisationId) -> Binding {
    let request = PairRequest {
        organisation,
        name: "Blue Mug shop",
        magento_url: &shop.url(),
        code: &shop.pairing_code(),
        ledger_url: LEDGER,
    };
    let paired = process.engine.pair(&request, None).await.unwrap();
    consent_and_connect(&process.engine, &paired.binding).await.unwrap();
    process.engine.store.binding(paired.binding.id).await.unwrap().unwrap()
}

fn config(sage_url: &str, database_url: String) -> Config {
    let mut config = Config::defaults().unwrap();
    config.keys = vault::KeyRing::generate([7; 32], "laboratory").into();
    LEDGER.clone_into(&mut config.public_url);
    config.database_url = database_url;
    config.magento.allow_private_addresses = true;
    config.alerts.allow_private_addresses = true;
    sage_url.clone_into(&mut config.sage.base_url);
    "ledger".clone_into(&mut config.sage.client_id);
    config.sage.client_secret = "ledger-secret".to_owned().into();
    config.sage.calls_per_second = 0;
    config
}
