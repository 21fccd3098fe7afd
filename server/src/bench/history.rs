//! The history at the size it will have, in both databases and on the page.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    email,
    environment::Environment,
    ids::{BindingId, OrganisationId, RunId},
    run::{BindingStatus, EventName, RunStatus},
};
use reqwest::{Client, header, redirect::Policy};
use store::{Find, Order, PageRequest, Reach, Run, RunFacts, RunFilter, Seek, SortBy, Span, Store};
use uuid::Uuid;

use super::{Line, events, micros_at, show, spread};
use crate::{
    environment::Machine,
    lifecycle::Failure,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};

/// How many shops an organisation has here.
const BINDINGS: usize = 200;
/// So many runs are written together.
pub(super) const TOGETHER: i64 = 20_000;
/// How often each page is asked for.
pub(super) const TIMES: usize = 50;

/// Measures on SQLite, and on the Postgres of an address where there is one.
pub async fn measure(runs: i64, postgres: Option<&str>) -> Result<(), Failure> {
    one("SQLite", runs, None).await?;
    match postgres {
        Some(url) => one("Postgres", runs, Some(url.to_owned())).await?,
        None => show([("the same on Postgres".to_owned(), "not measured: give --postgres URL".to_owned())]),
    }
    Ok(())
}

async fn one(name: &str, runs: i64, database_url: Option<String>) -> Result<(), Failure> {
    let sandbox = Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await?;
    let store = &*sandbox.process.engine.store;
    let shops = shops(store, sandbox.organisation, sandbox.binding.id).await?;
    let begun = Instant::now();
    let start = Machine.now() - TimeDelta::days(365);
    let mut number = 0;
    while number < runs {
        let until = runs.min(number + TOGETHER);
        let filled: Vec<Run> = (number..until).map(|number| run(number, runs, start, &shops)).collect();
        store.seed_for_bench(sandbox.organisation, &filled).await?;
        number = until;
    }
    show([(
        format!("{name}: {runs} runs of {BINDINGS} shops, filled in"),
        format!("{} s", begun.elapsed().as_secs()),
    )]);
    let middle = run(runs / 2, runs, start, &shops);
    let late = run(runs * 9 / 10, runs, start, &shops);
    let pages = pages(store, sandbox.organisation, &shops, &middle, &late).await?;
    show(asked(name, store, sandbox.organisation, &pages).await?);
    let (whose, now) = (sandbox.organisation, Machine.now());
    let (two_weeks, times) = (now - TimeDelta::days(14), now - TimeDelta::days(7));
    show([
        (format!("{name}: open runs by cause"), timed(|| store.causes(whose, 100)).await?),
        (format!("{name}: how each shop gets along"), timed(|| store.loads(whose, now)).await?),
        (
            format!("{name}: volume of two weeks"),
            timed(|| store.volume(whose, Span::Day, two_weeks, now)).await?,
        ),
        (format!("{name}: times of the newest 1,000"), timed(|| store.times(whose, times, 1_000)).await?),
    ]);
    rendered(name, &sandbox, &middle).await?;
    let durable = events::durable(&sandbox, Duration::from_secs(5)).await?;
    show([(format!("{name}: 202s a second into that history, 64 callers"), durable.to_string())]);
    sandbox.stop().await;
    Ok(())
}

/// The stage's own shop and others beside it.
async fn shops(
    store: &dyn Store,
    organisation: OrganisationId,
    own: BindingId,
) -> Result<Vec<BindingId>, Failure> {
    let mut shops = vec![own];
    let binding = store.binding(own).await?.ok_or("the stage has no shop")?;
    for number in 1..BINDINGS {
        let mut another = binding.clone();
        another.id = BindingId(Machine.id());
        another.organisation_id = organisation;
        another.name = format!("Shop {number}");
        another.business = None;
        another.status = BindingStatus::Paused;
        store.create_binding(&another, None).await?;
        shops.push(another.id);
    }
    Ok(shops)
}

/// An amount that one run in fifty has.
const CROWDED: i64 = 2_999;

/// One of so many runs, spread over a year: 96 in 100 succeed, one in 100 fails, of 25 causes.
pub(super) fn run(number: i64, of: i64, start: DateTime<Utc>, shops: &[BindingId]) -> Run {
    // Walks through all residues, so that neighbours differ in everything; their digits, so that what a run is says nothing of
    // whose it is or what it is worth.
    let mixed = number.wrapping_mul(7_919).rem_euclid(1_000_003);
    let other = number.wrapping_mul(104_729).rem_euclid(1_000_003);
    let (status, code, message) = match mixed % 100 {
        0 => (RunStatus::Failed, Some(Code::SageValidation), Some(format!("Rule {} of Sage", letter(other)))),
        1 => (RunStatus::SkippedByPolicy, Some(Code::UnpaidInvoice), None),
        2 if other % 7 == 0 => (RunStatus::Waiting, Some(Code::NeedsMapping), None),
        _ => (RunStatus::Succeeded, None, None),
    };
    let event = match mixed / 100 % 20 {
        0..8 => EventName::InvoiceCreated,
        8..14 => EventName::InvoicePaid,
        14 => EventName::CreditmemoCreated,
        15..18 => EventName::CustomerUpserted,
        _ => EventName::ProductUpserted,
    };
    let at = start + TimeDelta::milliseconds(365 * 86_400_000 / of.max(1) * number);
    let has_amount = !matches!(event, EventName::CustomerUpserted | EventName::ProductUpserted);
    // One price is asked again and again.
    let amount = has_amount.then_some(if other % 50 == 0 { CROWDED } else { other % 50_000 + 100 });
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    let place = u128::try_from(number).unwrap_or_default();
    let shop = usize::try_from(mixed / 2_000).unwrap_or_default() % shops.len().max(1);
    Run {
        id: RunId(Uuid::from_u128(millis << 80 | 7 << 76 | 2 << 62 | place)),
        binding_id: shops.get(shop).copied().unwrap_or_default(),
        event,
        magento_id: number,
        status,
        code,
        message,
        attempts: 1,
        next_at: at,
        settings_version: 1,
        facts: RunFacts {
            increment_id: Some(format!("{number:09}")),
            customer: Some(format!("Customer {}", other % 40_000)),
            currency: amount.map(|_| "GBP".to_owned()),
            amount_minor: amount,
            tax_minor: amount.map(|amount| amount / 6),
            sage_amount_minor: amount,
            sage_tax_minor: amount.map(|amount| amount / 6),
            sage_id: Some(format!("{number:032x}")),
            sage_reference: Some(format!("SI-{number}")),
            email_digest: email::digest(&format!("customer{}@example.com", other % 40_000)),
            customer_id: Some(other % 40_000),
            document_date: Some(at.date_naive()),
        },
        website_id: 1,
        store_id: 1,
        occurred_at: at - TimeDelta::seconds(30),
        created_at: at,
        updated_at: at,
        finished_at: status.is_terminal().then_some(at + TimeDelta::seconds(2)),
        started_at: Some(at + TimeDelta::seconds(1)),
        resolved_by: None,
        trace_parent: None,
    }
}

fn letter(number: i64) -> char {
    u8::try_from(number % 25).map_or('x', |place| char::from(b'a' + place))
}

/// The pages that are asked for: each filter alone and with others, first and deep, in every order.
async fn pages(
    store: &dyn Store,
    organisation: OrganisationId,
    shops: &[BindingId],
    middle: &Run,
    late: &Run,
) -> Result<Vec<(String, PageRequest)>, Failure> {
    let mut pages = Vec::new();
    for (what, filter) in filters(shops, middle) {
        let from = near(store, organisation, &filter, middle).await?;
        let back = near(store, organisation, &filter, late).await?;
        for (how, order) in ORDERS {
            for (place, seek) in
                [("first page", Seek::First), ("deep", Seek::After(from)), ("back", Seek::Before(back))]
            {
                let request =
                    PageRequest { filter: filter.clone(), order, seek, limit: 25, ..PageRequest::default() };
                pages.push((format!("{what}, {how}, {place}"), request));
            }
        }
    }
    Ok(pages)
}

/// A run that a person may have come to: of the filter, and no newer than another; or that one, where there is none.
async fn near(
    store: &dyn Store,
    organisation: OrganisationId,
    filter: &RunFilter,
    run: &Run,
) -> Result<RunId, Failure> {
    let until = Some(filter.until.map_or(run.created_at, |until| until.min(run.created_at)));
    let request = PageRequest {
        filter: RunFilter { until, ..filter.clone() },
        limit: 1,
        reach: Reach { window: i64::MAX, ..Reach::default() },
        ..PageRequest::default()
    };
    let page = store.page_runs(organisation, &request).await?;
    Ok(page.runs.first().map_or(run.id, |run| run.id))
}

const ORDERS: [(&str, Order); 4] = [
    ("newest first", Order { by: SortBy::Received, descending: true }),
    ("oldest first", Order { by: SortBy::Received, descending: false }),
    ("largest first", Order { by: SortBy::Amount, descending: true }),
    ("by number", Order { by: SortBy::Number, descending: false }),
];

fn filters(shops: &[BindingId], middle: &Run) -> [(&'static str, RunFilter); 25] {
    let any = RunFilter::default;
    let shop = shops.get(BINDINGS / 2).copied();
    let (succeeded, failed) = (Some(RunStatus::Succeeded), Some(RunStatus::Failed));
    let find = |find| RunFilter { find: Some(find), ..any() };
    let day = Some(middle.created_at + TimeDelta::days(1));
    [
        ("everything", any()),
        ("one shop", RunFilter { binding: shop, ..any() }),
        ("failed", RunFilter { status: failed, ..any() }),
        ("succeeded", RunFilter { status: succeeded, ..any() }),
        ("failed of one shop", RunFilter { binding: shop, status: failed, ..any() }),
        ("credit memos", RunFilter { event: Some(EventName::CreditmemoCreated), ..any() }),
        (
            "failed credit memos",
            RunFilter { event: Some(EventName::CreditmemoCreated), status: failed, ..any() },
        ),
        ("payments of one shop", RunFilter { binding: shop, event: Some(EventName::InvoicePaid), ..any() }),
        ("one reason", RunFilter { code: Some(Code::UnpaidInvoice), ..any() }),
        (
            "one error code of one shop",
            RunFilter { binding: shop, code: Some(Code::SageValidation), ..any() },
        ),
        ("open", RunFilter { open: true, ..any() }),
        ("one day", RunFilter { from: Some(middle.created_at), until: day, ..any() }),
        ("failed until the middle", RunFilter { status: failed, until: Some(middle.created_at), ..any() }),
        ("amounts above 500.00", RunFilter { at_least: Some(50_000), ..any() }),
        ("amounts from 10.00 to 100.00", RunFilter { at_least: Some(1_000), at_most: Some(10_000), ..any() }),
        ("failed above 500.00", RunFilter { status: failed, at_least: Some(50_000), ..any() }),
        ("failed above 100.00", RunFilter { status: failed, at_least: Some(10_000), ..any() }),
        (
            "succeeded credit memos above 400.00 of one shop in the first half",
            RunFilter {
                binding: shop,
                status: succeeded,
                event: Some(EventName::CreditmemoCreated),
                at_least: Some(40_000),
                until: Some(middle.created_at),
                ..any()
            },
        ),
        ("a Magento number", find(Find { numbers: number(middle), ..Find::default() })),
        ("a Sage number", find(Find { numbers: vec!["SI-4711".to_owned()], ..Find::default() })),
        (
            "an e-mail address",
            find(Find { email_digest: middle.facts.email_digest.clone(), ..Find::default() }),
        ),
        ("an amount", find(Find { amount_minor: Some(8_152), ..Find::default() })),
        ("an amount of thousands", find(Find { amount_minor: Some(CROWDED), ..Find::default() })),
        (
            "failed, of an amount of thousands",
            RunFilter { status: failed, ..find(Find { amount_minor: Some(CROWDED), ..Find::default() }) },
        ),
        ("a request of Sage's", find(Find { sage_id: Some("no such".to_owned()), ..Find::default() })),
    ]
}

fn number(run: &Run) -> Vec<String> {
    run.facts.increment_id.clone().into_iter().collect()
}

/// All of the pages, and the five that took longest.
async fn asked(
    name: &str,
    store: &dyn Store,
    organisation: OrganisationId,
    pages: &[(String, PageRequest)],
) -> Result<Vec<Line>, Failure> {
    let mut all = Vec::with_capacity(pages.len() * TIMES);
    let mut each = Vec::with_capacity(pages.len());
    for (what, request) in pages {
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let begun = Instant::now();
            store.page_runs(organisation, request).await?;
            times.push(begun.elapsed());
        }
        all.extend_from_slice(&times);
        each.push((what, times));
    }
    each.sort_by_key(|(_, times)| std::cmp::Reverse(micros_at(times, 95)));
    let mut lines =
        vec![(format!("{name}: {} pages of the history in the store", pages.len()), spread(&all))];
    for (what, times) in each.into_iter().take(5) {
        lines.push((format!("{name}: among the slowest: {what}"), spread(&times)));
    }
    Ok(lines)
}

/// How long a question takes that is asked again and again.
pub(super) async fn timed<T>(question: impl AsyncFn() -> store::Result<T>) -> Result<String, Failure> {
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        question().await?;
        times.push(begun.elapsed());
    }
    Ok(spread(&times))
}

/// The page as a browser gets it.
async fn rendered(name: &str, sandbox: &Sandbox, middle: &Run) -> Result<(), Failure> {
    let browser = Client::builder().redirect(Policy::none()).build()?;
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "")];
    let signed_in = browser.post(format!("{}/api/session/sign-in", sandbox.url())).form(&form).send().await?;
    let cookie = signed_in.headers().get(header::SET_COOKIE).ok_or("the sign-in was refused")?.clone();
    let deep = middle.id;
    let paths = [
        "/dashboard/sync".to_owned(),
        "/dashboard/sync?status=failed".to_owned(),
        format!("/dashboard/sync?status=succeeded&after={deep}"),
        format!("/dashboard/sync?sort=amount&after={deep}"),
        "/dashboard/sync?q=SI-4711".to_owned(),
        "/dashboard/sync?q=status:failed%20amount:%3E100".to_owned(),
        "/dashboard/sync/causes".to_owned(),
        "/dashboard".to_owned(),
        "/dashboard?span=day".to_owned(),
    ];
    for path in paths {
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let begun = Instant::now();
            let answer = browser
                .get(format!("{}{path}", sandbox.url()))
                .header(header::COOKIE, &cookie)
                .send()
                .await?;
            if answer.status() != reqwest::StatusCode::OK {
                return Err(format!("{path} was answered with {}", answer.status()).into());
            }
            answer.bytes().await?;
            times.push(begun.elapsed());
        }
        show([(format!("{name}: rendered: {path}").replace(&deep.to_string(), "…"), spread(&times))]);
    }
    show([exported(name, &browser, &cookie, sandbox).await?]);
    Ok(())
}

/// The whole history as a file, and how much the process grew meanwhile.
async fn exported(
    name: &str,
    browser: &Client,
    cookie: &header::HeaderValue,
    sandbox: &Sandbox,
) -> Result<Line, Failure> {
    let url = format!("{}/dashboard/sync/export.csv", sandbox.url());
    let begun = Instant::now();
    let mut answer = browser.get(url).header(header::COOKIE, cookie).send().await?.error_for_status()?;
    let (mut size, mut before, mut most) = (0, 0, 0);
    while let Some(chunk) = answer.chunk().await? {
        size += chunk.len();
        let now = resident().unwrap_or_default();
        if before == 0 {
            before = now;
        }
        most = most.max(now);
    }
    let measured = format!(
        "{} MB in {} s; the process grew by {} MB from the first row to the last",
        size / 1_000_000,
        begun.elapsed().as_secs(),
        (most - before) / 1_000
    );
    Ok((format!("{name}: the whole history exported"), measured))
}

/// What the process holds in memory, in kB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().split(' ').next()?.parse().ok()
}
