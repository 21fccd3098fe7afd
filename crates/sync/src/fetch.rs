//! Documents from Magento, each fetch a step of the audit trail.

use domain::{
    code::Code,
    documents::{Invoice, Payment},
    money,
};
use magento::{Fetched, SubKeys};
use serde_json::Value;
use store::{Binding, CredentialKind, Step};

pub use magento::Shop;

use crate::{
    Engine, credentials,
    decide::Stop,
    process::{Gathered, Work},
};

/// The shop of a binding, with the keys that its calls need.
pub async fn shop(engine: &Engine, binding: &Binding) -> Result<Shop, Stop> {
    let kind = CredentialKind::MagentoApiKey;
    let (api_key, _) = credentials::open(engine.store.as_ref(), &engine.keys, binding.id, kind)
        .await?
        .ok_or_else(|| Stop::new(Code::MagentoAuth, "The shop's key is gone: it was disconnected."))?;
    let url = engine.magento.shop_url(&binding.magento_url)?;
    Ok(Shop { url, tenant: binding.id, keys: SubKeys::derive(&api_key) })
}

/// Fetches the run's invoice and notes what it says.
pub async fn invoice(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Invoice, Stop> {
    let id = work.claimed.run.magento_id;
    let engine = work.engine;
    let begun = engine.outside.now();
    let fetched = engine.magento.invoice(shop, id).await;
    let invoice = record(gathered, begun, "invoice", &format!("/V1/byte8/invoice/{id}"), fetched)?;
    gathered.facts.increment_id = Some(invoice.increment_id.clone());
    gathered.facts.customer = Some(customer_name(&invoice));
    gathered.facts.currency = Some(invoice.currency.to_string());
    gathered.facts.amount_minor = money::to_minor(invoice.grand_total);
    gathered.facts.tax_minor = money::to_minor(invoice.tax_amount);
    Ok(invoice)
}

/// Fetches the payment of the run's invoice.
pub async fn payment(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Payment, Stop> {
    let id = work.claimed.run.magento_id;
    let engine = work.engine;
    let begun = engine.outside.now();
    let fetched = engine.magento.payment(shop, id).await;
    let payment = record(gathered, begun, "payment", &format!("/V1/byte8/payment/{id}"), fetched)?;
    gathered.facts.amount_minor = money::to_minor(payment.amount);
    gathered.facts.tax_minor = None;
    Ok(payment)
}

/// Fetches the run's credit memo for what people see of it.
pub async fn creditmemo_facts(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<(), Stop> {
    let id = work.claimed.run.magento_id;
    let engine = work.engine;
    let begun = engine.outside.now();
    let fetched = engine.magento.creditmemo(shop, id).await;
    let memo = record(gathered, begun, "creditmemo", &format!("/V1/byte8/creditmemo/{id}"), fetched)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    gathered.facts.increment_id = text(&memo["increment_id"]);
    gathered.facts.currency = text(&memo["currency"]);
    let name = [&memo["customer"]["first_name"], &memo["customer"]["last_name"]].into_iter().filter_map(text);
    gathered.facts.customer = Some(name.collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty());
    if let Value::Number(total) = &memo["grand_total"] {
        gathered.facts.amount_minor = money::parse(total.as_str()).ok().and_then(money::to_minor);
    }
    Ok(())
}

fn customer_name(invoice: &Invoice) -> String {
    let customer = &invoice.customer;
    if let Some(company) = customer.company.as_deref().filter(|company| !company.trim().is_empty()) {
        return company.trim().to_owned();
    }
    let names = [customer.first_name.as_deref(), customer.last_name.as_deref()];
    names.into_iter().flatten().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn record<T>(
    gathered: &mut Gathered,
    begun: chrono::DateTime<chrono::Utc>,
    name: &str,
    path: &str,
    fetched: Result<Fetched<T>, magento::Error>,
) -> Result<T, Stop> {
    let mut step = Step {
        target: "magento".to_owned(),
        name: name.to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        status: None,
        request_id: None,
        idempotency_id: None,
        summary: "fetched".to_owned(),
        started_at: begun,
        duration_ms: 0,
    };
    match fetched {
        Ok(fetched) => {
            step.status = Some(i32::from(fetched.status));
            step.duration_ms = i64::try_from(fetched.duration.as_millis()).unwrap_or(i64::MAX);
            gathered.steps.push(step);
            Ok(fetched.value)
        }
        Err(error) => {
            step.status = error.status().map(i32::from);
            step.summary = error.to_string();
            gathered.steps.push(step);
            Err(error.into())
        }
    }
}
