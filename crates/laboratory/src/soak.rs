//! A simulated day of many shops: events, faults, outages, kills and saved settings, all from one seed.

use std::{fs, ops::Range};

use chrono::TimeDelta;
use domain::{run::EventName, settings::SafeMode};
use rand::{Rng, SeedableRng, rngs::StdRng};
use simulators::{
    magento::Documents,
    sage::{Kind, Rule},
};

use crate::{
    database::Database,
    family::{invoice, memo, person},
    fault::{FAULTS, Fate},
    world::{Process, Shop, World},
};

/// How many families of documents each shop makes in the day.
const FAMILIES: i64 = 6;
/// The day, in steps of ten minutes.
const STEPS: u32 = 144;
const STEP: TimeDelta = TimeDelta::minutes(10);
/// After the last failure everything must have ended by then: the hour of an unanswered create, and the tries around it.
const PATIENCE: TimeDelta = TimeDelta::hours(2);
/// What the simulators keep of one document for good: books, answers under idempotency ids, and the log of requests.
const KEPT_OF_A_DOCUMENT: u64 = 400 * 1024;

/// What is soaked.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// How many shops, each with a Sage business of its own.
    pub shops: usize,
    /// Where everything comes from.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Soaked {
    /// Documents that were told of.
    pub documents: u64,
    /// Faults that were ordered at Sage.
    pub faults: u64,
    /// How often the process was killed.
    pub kills: u64,
    /// How often a merchant connected Sage again, because a kill fell between Sage's new tokens and their storage.
    pub reconnected: u64,
    /// Minutes from the last failure to the last document.
    pub settled_after: i64,
    /// Documents and resident bytes, at noon and at midnight.
    pub resident: [(u64, u64); 2],
    /// What is not as it should be.
    pub problems: Vec<String>,
}

impl Soaked {
    /// Whether the afternoon has taken no more memory than what the simulators keep of its documents.
    pub const fn memory_is_flat(&self) -> bool {
        let [(noon, before), (midnight, after)] = self.resident;
        after.saturating_sub(before) <= (midnight - noon) * KEPT_OF_A_DOCUMENT + 16 * 1024 * 1024
    }
}

/// Soaks.
pub async fn soak(soak: Soak) -> Soaked {
    let database = Database::sqlite().await;
    let mut world = World::with_businesses(&database, documents(), SafeMode::Never, soak.shops).await;
    for _ in 1..soak.shops {
        world.open_another_shop(documents()).await;
    }
    let mut day = Day {
        random: StdRng::seed_from_u64(soak.seed),
        told: vec![0; soak.shops],
        down_until: 0,
        soaked: Soaked::default(),
    };
    let mut process = world.process(TimeDelta::zero()).await;
    for step in 0..STEPS {
        day.go_on(&world, step).await;
        process = day.work(&world, process).await;
        day.soaked.reconnected += world.reconnect(&process).await;
        world.clock.pass(STEP);
        if step == STEPS / 2 {
            day.soaked.resident[0] = (day.soaked.documents, resident());
        }
    }
    day.soaked.resident[1] = (day.soaked.documents, resident());
    all_is_well(&world);
    day.soaked.reconnected += world.reconnect(&process).await;
    let took = world.settle(&process).await;
    day.soaked.settled_after = took.num_minutes();
    if took > PATIENCE {
        day.soaked.problems.push(format!("it took {} minutes after the last failure", took.num_minutes()));
    }
    for (shop, told) in world.shops().zip(&day.told) {
        day.soaked.problems.extend(problems(&world, shop, *told).await);
    }
    world.end(&database).await;
    day.soaked
}

/// Six families: invoices that are paid and refunded, for three customers.
fn documents() -> Documents {
    let families = 1..=FAMILIES;
    let documents = families.flat_map(|number| {
        let customer = person(0, &format!("Customer{}", number % 3));
        [invoice(number, "paid", &customer), memo(number, number, &customer)]
    });
    Documents::from_values(documents.collect()).unwrap()
}

/// The day as it goes.
struct Day {
    random: StdRng,
    /// How many families each shop has told of.
    told: Vec<i64>,
    down_until: u32,
    soaked: Soaked,
}

impl Day {
    fn one_in(&mut self, times: u32) -> bool {
        self.random.random_range(0..times) == 0
    }

    fn between(&mut self, range: Range<u32>) -> u32 {
        self.random.random_range(range)
    }

    /// What the world does in ten minutes.
    async fn go_on(&mut self, world: &World, step: u32) {
        for (number, shop) in world.shops().enumerate() {
            if self.told[number] < FAMILIES && self.random.random_range(0..STEPS / 8) == 0 {
                self.told[number] += 1;
                let id = self.told[number];
                let events =
                    [EventName::InvoiceCreated, EventName::InvoicePaid, EventName::CreditmemoCreated];
                for event in events {
                    world.tell_of(shop, event, id).await;
                    self.soaked.documents += 1;
                }
            }
            let is_down = self.random.random_range(0..20) == 0;
            shop.running.faults().change(|faults| faults.down = is_down);
        }
        if step >= self.down_until {
            world.sage.faults().clear();
            if self.one_in(30) {
                self.down_until = step + self.between(1..7);
                world.sage.faults().add(Kind::FailBefore, Rule::times(u32::MAX).status(503));
            }
        }
        for fault in FAULTS.iter().filter(|fault| fault.fate == Fate::Hears) {
            if self.one_in(6) {
                let call = Rule::times(1).on("POST", "/v3.1/").skip(self.between(0..12));
                world.sage.faults().add(fault.kind, fault.at(call));
                self.soaked.faults += 1;
            }
        }
        if self.one_in(12) {
            world.sage_controls.delete("/_sim/access-tokens").await.unwrap();
        }
        if self.one_in(12) {
            world.save(|_| ()).await;
        }
    }

    /// The process works, and may be killed.
    async fn work(&mut self, world: &World, process: Process) -> Process {
        if !self.one_in(3) {
            world.work(&process).await;
            return process;
        }
        process.gate.stop_at(self.between(0..100) as usize);
        let is_killed = tokio::select! {
            _ = world.work(&process) => false,
            () = process.gate.stopped() => true,
        };
        process.gate.clear();
        if !is_killed {
            return process;
        }
        drop(process);
        self.soaked.kills += 1;
        world.process(TimeDelta::zero()).await
    }
}

/// Every fault has ended.
fn all_is_well(world: &World) {
    world.sage.faults().clear();
    for shop in world.shops() {
        shop.running.faults().clear();
    }
}

/// What a shop's runs and books have that they should not have.
async fn problems(world: &World, shop: &Shop, told: i64) -> Vec<String> {
    let mut problems = Vec::new();
    let counts =
        world.store.count_runs(shop.binding.id, world.clock.now() - TimeDelta::days(9)).await.unwrap();
    if (counts.pending, counts.failed) != (0, 0) {
        problems.push(format!("{}: {} pending, {} failed", shop.binding.name, counts.pending, counts.failed));
    }
    let books = world.books_of(&shop.binding);
    let contacts = told.min(3);
    let payments = told * 2;
    let wanted = [
        ("contacts", contacts),
        ("sales_invoices", told),
        ("sales_credit_notes", told),
        ("contact_payments", payments),
    ];
    for (list, wanted) in wanted {
        let records = books[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let settled = |record: &&serde_json::Value| {
            list == "contacts"
                || (record["total_amount"] == "30.0"
                    && (list == "contact_payments" || record["status"]["id"] == "PAID"))
        };
        let found = records.iter().filter(settled).count();
        if i64::try_from(found).ok() != Some(wanted) || found != records.len() {
            problems.push(format!(
                "{}: {list}: {found} of {} records are right, {wanted} are wanted",
                shop.binding.name,
                records.len()
            ));
        }
    }
    problems
}

/// What this process holds of the machine's memory, in bytes.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}
