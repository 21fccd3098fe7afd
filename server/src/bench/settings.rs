//! The settings page at the size of the largest charts of accounts.

use std::time::Instant;

use domain::{business::ReferenceSet, environment::Environment};
use reqwest::{Client, header, redirect::Policy};
use store::CachedReference;

use super::{Line, spread};
use crate::{
    environment::Machine,
    lifecycle::Failure,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};

const ACCOUNTS: i64 = 5_000;
const RATES: i64 = 500;
const TIMES: usize = 20;

pub async fn measure() -> Result<Vec<Line>, Failure> {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await?;
    let cached = CachedReference { set: grown(sandbox.reference.clone()), fetched_at: Machine.now() };
    sandbox.process.engine.store.put_reference(sandbox.binding.id, &cached, None).await?;
    let browser = Client::builder().redirect(Policy::none()).build()?;
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "")];
    let signed_in = browser.post(format!("{}/api/session/sign-in", sandbox.url())).form(&form).send().await?;
    let cookie = signed_in.headers().get(header::SET_COOKIE).ok_or("the sign-in was refused")?.clone();
    let url = format!("{}/dashboard/bindings/{}/settings", sandbox.url(), sandbox.binding.id);
    let mut times = Vec::with_capacity(TIMES);
    let mut size = 0;
    for _ in 0..TIMES {
        let begun = Instant::now();
        let answer = browser.get(&url).header(header::COOKIE, &cookie).send().await?;
        size = answer.error_for_status()?.bytes().await?.len();
        times.push(begun.elapsed());
    }
    sandbox.stop().await;
    let measured = format!("{}, {} kB before compression", spread(&times), size / 1000);
    Ok(vec![(format!("settings page with {ACCOUNTS} ledger accounts and {RATES} tax rates"), measured)])
}

fn grown(mut set: ReferenceSet) -> ReferenceSet {
    if let (Some(account), Some(rate)) = (set.ledger_accounts.get(1).cloned(), set.tax_rates.first().cloned())
    {
        for number in 0..ACCOUNTS {
            let mut account = account.clone();
            account.id = format!("{number:032}");
            account.name = format!("Sales of department {number} ({})", 10_000 + number);
            account.nominal_code = Some(10_000 + number);
            set.ledger_accounts.push(account);
        }
        for number in 0..RATES {
            let mut rate = rate.clone();
            rate.id = format!("GB_RATE_{number}");
            rate.name = format!("Rate {number} 20.00%");
            set.tax_rates.push(rate);
        }
    }
    set
}
