//! What a shop feels of a neighbour that sends the worst documents it can, beside the same shop without it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{BindingId, OrganisationId},
    run::RunStatus,
    settings::SafeMode,
};
use reqwest::{Client, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};
use simulators::{
    magento::{self, Documents},
    sage,
};
use store::{Organisation, PageRequest, Run, SettingsVersion};
use sync::PairRequest;
use tokio::{
    runtime::{self, Handle, Runtime},
    task::JoinSet,
    time,
};

use super::{Line, history::run, micros_at};
use crate::{
    environment::Machine,
    lifecycle::Failure,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox, consent_and_connect, settings},
    simulate,
};

/// How often the healthy shop tells of an invoice.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether something has arrived.
const LOOK: Duration = Duration::from_millis(5);
/// A document that has not arrived by then never will.
const PATIENCE: Duration = Duration::from_mins(2);
/// Callers of the neighbour's at once.
const CALLERS: u64 = 8;
/// How many documents the neighbour has; of those that it tells of after them the shop knows nothing.
const HOSTILE: u64 = 200;
/// So many runs the healthy shop had in the week before.
const WEEK: i64 = 2_000;
/// How many events each of its callers had taken, and how many refused.
type Flood = JoinSet<Result<(u64, u64), Failure>>;
const PAGES: [&str; 3] = ["/healthz", "/dashboard", "/dashboard/sync"];

/// Measures for so many seconds without the neighbour, and for as many with it.
pub async fn measure(seconds: u64) -> Result<Vec<Line>, Failure> {
    let span = Duration::from_secs(seconds);
    let of_sage = sage::Options { more_businesses: 1, ..sage::Options::default() };
    // One a second in each half, and one more that is begun at its end.
    let half = seconds + 2;
    let books = sage::start(of_sage).await?;
    let documents = Documents::from_values((1..=half * 2).map(invoice).collect())?;
    let sandbox = Sandbox::set(Options {
        documents: Some(documents),
        sage_url: Some(books.url()),
        ..Options::default()
    })
    .await?;
    busy_week(&sandbox).await?;
    let healthy = Healthy::new(&sandbox).await?;
    let idle = healthy.feel(1, span).await?;
    let elsewhere = Elsewhere::new()?;
    let neighbour = Neighbour::new(&sandbox, &elsewhere).await?;
    let flood = neighbour.flood(span, &elsewhere)?;
    let beside = healthy.feel(half + 1, span).await?;
    let (mut taken, mut refused) = (0, 0);
    for caller in flood.join_all().await {
        let told = caller?;
        (taken, refused) = (taken + told.0, refused + told.1);
    }
    let mut lines = vec![(
        "a neighbour's worst documents: events taken and refused".to_owned(),
        format!("{taken}, {refused}"),
    )];
    lines.extend(idle.into_iter().zip(beside).map(|(idle, beside)| line(&idle, &beside)));
    sandbox.stop().await;
    books.stop().await;
    Ok(lines)
}

/// A week behind the healthy shop, more than its pages look at: otherwise they would grow with what is measured, neighbour or not.
async fn busy_week(sandbox: &Sandbox) -> Result<(), Failure> {
    let shop = [sandbox.binding.id];
    let start = Machine.now() - TimeDelta::days(8);
    let runs: Vec<Run> = (0..WEEK)
        // Its numbers lie beyond those that are told of later.
        .map(|number| Run { magento_id: number + 1_000_000, ..run(number, WEEK * 52, start, &shop) })
        .collect();
    Ok(sandbox.process.engine.store.seed_for_bench(sandbox.organisation, &runs).await?)
}

/// What was measured of one thing.
struct Felt {
    what: &'static str,
    times: Vec<Duration>,
}

fn line(idle: &Felt, beside: &Felt) -> Line {
    let of = |percent| {
        let (idle, beside) = (micros_at(&idle.times, percent), micros_at(&beside.times, percent));
        let hundredths = beside.saturating_mul(100) / idle.max(1);
        let ratio = format!("{}.{:02} x", hundredths / 100, hundredths % 100);
        format!(
            "{}.{} to {}.{} ms, {ratio}",
            idle / 1000,
            idle % 1000 / 100,
            beside / 1000,
            beside % 1000 / 100
        )
    };
    let what = format!("{} without and with that neighbour", idle.what);
    (what, format!("median {}; p95 {}", of(50), of(95)))
}

/// The shop whose people wait.
struct Healthy<'a> {
    sandbox: &'a Sandbox,
    client: Client,
    cookie: String,
}

impl<'a> Healthy<'a> {
    async fn new(sandbox: &'a Sandbox) -> Result<Self, Failure> {
        let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).build()?;
        let form = [("email", EMAIL), ("password", PASSWORD), ("next", "")];
        let answer = client.post(format!("{}/api/session/sign-in", sandbox.url())).form(&form).send().await?;
        let cookie = answer.headers().get(header::SET_COOKIE).ok_or("nobody was signed in")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { sandbox, client, cookie })
    }

    /// Tells of an invoice each second, and looks at pages meanwhile.
    async fn feel(&self, first: u64, span: Duration) -> Result<Vec<Felt>, Failure> {
        let names = ["webhooks", "runs", "states shown in Magento"].into_iter().chain(PAGES);
        let mut felt: Vec<Felt> = names.map(|what| Felt { what, times: Vec::new() }).collect();
        let (begun, mut tick) = (Instant::now(), time::interval(EVERY));
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let url = events_url(self.sandbox, self.sandbox.binding.id);
        let mut id = first;
        while begun.elapsed() < span {
            tick.tick().await;
            let sent = Instant::now();
            let token = self.sandbox.shop()?.token();
            let answer = tell(&self.client, &url, token, id).await?;
            felt[0].times.push(sent.elapsed());
            if answer != StatusCode::ACCEPTED {
                return Err(format!("the healthy shop was answered {answer}").into());
            }
            let run = async {
                while !self.is_posted(id).await? {
                    time::sleep(LOOK).await;
                }
                Ok::<_, Failure>(())
            };
            time::timeout(PATIENCE, run).await??;
            felt[1].times.push(sent.elapsed());
            let state = async {
                while !self.is_shown(id) {
                    time::sleep(LOOK).await;
                }
            };
            time::timeout(PATIENCE, state).await?;
            felt[2].times.push(sent.elapsed());
            for (page, felt) in PAGES.iter().zip(felt.iter_mut().skip(3)) {
                let asked = Instant::now();
                let page = self.client.get(format!("{}{page}", self.sandbox.url()));
                let answer = page.header(header::COOKIE, &self.cookie).send().await?.error_for_status()?;
                answer.bytes().await?;
                felt.times.push(asked.elapsed());
            }
            id += 1;
        }
        Ok(felt)
    }

    async fn is_posted(&self, id: u64) -> Result<bool, Failure> {
        let newest = PageRequest { limit: 1, ..PageRequest::default() };
        let page = self.sandbox.process.engine.store.page_runs(self.sandbox.organisation, &newest).await?;
        let is_it = |run: &Run| run.magento_id.unsigned_abs() == id && run.status == RunStatus::Succeeded;
        Ok(page.runs.first().is_some_and(is_it))
    }

    fn is_shown(&self, id: u64) -> bool {
        let Ok(shop) = self.sandbox.shop() else { return false };
        shop.sync_state().iter().any(|row| row.magento_id.unsigned_abs() == id && row.sync_status == "synced")
    }
}

/// Tells Ledger of an invoice as the module does.
async fn tell(client: &Client, url: &str, token: Option<String>, id: u64) -> Result<StatusCode, Failure> {
    let body = json!({
        "magento_entity_id": id, "website_id": 1, "store_id": 1, "occurred_at": Machine.now(),
        "payload": { "increment_id": format!("{id:09}"), "paid": true },
    });
    let event = client.post(url).header("Idempotency-Key", format!("invoice.created:{id}")).json(&body);
    Ok(event.bearer_auth(token.unwrap_or_default()).send().await?.status())
}

fn events_url(sandbox: &Sandbox, shop: BindingId) -> String {
    format!("{}/webhooks/magento/{shop}/invoice.created", sandbox.url())
}

/// Where the neighbour's shop and its callers run: as if on another machine, they take only what this one has idle.
struct Elsewhere(Option<Runtime>);

impl Elsewhere {
    fn new() -> Result<Self, Failure> {
        let mut machine = runtime::Builder::new_multi_thread();
        #[cfg(target_os = "linux")]
        machine.on_thread_start(|| {
            // Refused, it measures a worse neighbour.
            let _niceness = rustix::process::nice(19);
        });
        Ok(Self(Some(machine.worker_threads(1).enable_all().build()?)))
    }

    fn handle(&self) -> Result<&Handle, Failure> {
        self.0.as_ref().map(Runtime::handle).ok_or_else(|| "it was shut down".into())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // A runtime must not wait for its tasks within another one.
        if let Some(machine) = self.0.take() {
            machine.shutdown_background();
        }
    }
}

/// The shop that sends the worst documents, of another organisation.
struct Neighbour {
    shop: Arc<magento::Running>,
    url: String,
}

impl Neighbour {
    async fn new(sandbox: &Sandbox, elsewhere: &Elsewhere) -> Result<Self, Failure> {
        let (engine, now) = (&sandbox.process.engine, Machine.now());
        let organisation = OrganisationId(Machine.id());
        let name = "Neighbour Ltd".to_owned();
        engine.store.create_organisation(&Organisation { id: organisation, name, created_at: now }).await?;
        let documents = Documents::from_values((1..=HOSTILE).map(hostile).collect())?;
        let shop = simulate::start_magento(0, documents, None, Duration::ZERO, Arc::new(Machine));
        let shop = elsewhere.handle()?.spawn(shop).await??;
        let request = PairRequest {
            organisation,
            name: "Neighbour",
            magento_url: &shop.url(),
            code: &shop.pairing_code(),
            ledger_url: &sandbox.url(),
        };
        let binding = engine.pair(&request, None).await?.binding;
        let reference = consent_and_connect(engine, &binding).await?;
        let settings = settings(&reference, SafeMode::Never);
        let version = SettingsVersion { version: 1, settings, author: None, reason: None, created_at: now };
        engine.store.save_settings(binding.id, &version, None).await?;
        Ok(Self { shop: Arc::new(shop), url: events_url(sandbox, binding.id) })
    }

    /// Sends events as fast as they are answered; how many were taken, and how many refused.
    fn flood(&self, span: Duration, elsewhere: &Elsewhere) -> Result<Flood, Failure> {
        let (begun, number) = (Instant::now(), Arc::new(AtomicU64::new(1)));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (shop, url, number) = (Arc::clone(&self.shop), self.url.clone(), Arc::clone(&number));
            let caller = async move {
                let client = Client::builder().timeout(PATIENCE).build()?;
                let (mut taken, mut refused) = (0, 0);
                while begun.elapsed() < span {
                    let id = number.fetch_add(1, Ordering::Relaxed);
                    match tell(&client, &url, shop.token(), id).await? {
                        StatusCode::ACCEPTED => taken += 1,
                        _ => refused += 1,
                    }
                }
                Ok((taken, refused))
            };
            callers.spawn_on(caller, elsewhere.handle()?);
        }
        Ok(callers)
    }
}

/// A sample invoice under another number.
fn invoice(id: u64) -> Value {
    let mut invoice: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json")).unwrap_or_default();
    invoice["magento_id"] = id.into();
    invoice["increment_id"] = format!("{id:09}").into();
    invoice["customer"]["magento_id"] = 0.into();
    invoice
}

/// A document as bad as may be: as large as is read, everything in it different; or one that cannot be read.
fn hostile(id: u64) -> Value {
    let mut invoice = invoice(id);
    let line = invoice["lines"][0].take();
    if id.is_multiple_of(4) {
        invoice["lines"] = json!([line]);
        invoice["lines"][0]["unit_price"] = json!("0E2147483647");
        return invoice;
    }
    let lines = (0..3_000).map(|number| {
        let mut line = line.clone();
        line["sku"] = format!("SKU-{number}").into();
        line["name"] = format!("A mug for {number} Long Street of {id}").into();
        line["line_tax"] = json!(number);
        line
    });
    invoice["lines"] = lines.collect();
    let address = invoice["customer"]["addresses"][0].clone();
    let addresses = (0..3_000).map(|number| {
        let mut address = address.clone();
        address["street"] = json!([format!("{number} Long Street of {id}")]);
        address["postcode"] = format!("P{number} {id}XX").into();
        address
    });
    invoice["customer"]["addresses"] = addresses.collect();
    invoice
}
