//! Documents from Magento, each fetch a step of the audit trail.

use chrono::{DateTime, Utc};
use domain::{
    bounds::brief,
    code::Code,
    documents::{self, CreditMemo, Customer, Document, Invoice, Payment, Product},
    email, money,
};
use magento::{Fetched, Shop};
use posting::local_day;
use serde_json::Value;
use store::{KnownCustomer, Step};

use super::{
    audit_trail::millis, disposition::AttemptError, log::AttemptLog, planning::computed, work::Work,
};

/// Fetches the run's invoice and notes what it says.
pub async fn invoice(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Invoice, AttemptError> {
    let invoice = invoice_of(work, shop, log, work.claimed.run.magento_id).await?;
    log.facts.increment_id = Some(invoice.increment_id.clone());
    log.facts.customer = Some(name_of(&invoice.customer));
    note_customer(log, &invoice.customer);
    log.facts.currency = Some(invoice.currency.to_string());
    log.facts.amount_minor = money::to_minor(invoice.grand_total);
    log.facts.tax_minor = money::to_minor(invoice.tax_amount);
    note_day(work, log, invoice.created_at);
    Ok(invoice)
}

/// Fetches an invoice.
pub async fn invoice_of(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
    id: i64,
) -> Result<Invoice, AttemptError> {
    let begun = work.engine.environment.now();
    let fetched = work.engine.magento.invoice(shop, id).await;
    record(work, log, begun, ("invoice", id), fetched).await
}

/// Fetches the payment of the run's invoice.
pub async fn payment(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Payment, AttemptError> {
    let id = work.claimed.run.magento_id;
    let engine = work.engine;
    let begun = engine.environment.now();
    let fetched = engine.magento.payment(shop, id).await;
    let payment: Payment = record(work, log, begun, ("payment", id), fetched).await?;
    log.facts.amount_minor = money::to_minor(payment.amount);
    log.facts.tax_minor = None;
    note_day(work, log, payment.captured_at);
    Ok(payment)
}

/// Fetches the run's credit memo and notes what it says.
pub async fn creditmemo(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
) -> Result<CreditMemo, AttemptError> {
    let memo: CreditMemo = entity(work, shop, log, "creditmemo").await?;
    log.facts.increment_id = Some(memo.increment_id.clone());
    log.facts.customer = Some(name_of(&memo.customer));
    note_customer(log, &memo.customer);
    log.facts.currency = Some(memo.currency.to_string());
    log.facts.amount_minor = money::to_minor(memo.grand_total);
    note_day(work, log, memo.created_at);
    Ok(memo)
}

/// Fetches the run's customer and notes the name.
pub async fn customer(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Customer, AttemptError> {
    let customer: Customer = entity(work, shop, log, "customer").await?;
    log.facts.customer = Some(name_of(&customer)).filter(|name| !name.is_empty());
    note_customer(log, &customer);
    Ok(customer)
}

/// Fetches the run's product and notes its SKU and name.
pub async fn product(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Product, AttemptError> {
    let product: Product = entity(work, shop, log, "product").await?;
    log.facts.increment_id = Some(brief(&product.sku));
    log.facts.customer = Some(brief(&product.name)).filter(|name| !name.is_empty());
    Ok(product)
}

/// Fetches the run's entity of another kind.
async fn entity<T: Document + Send + 'static>(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
    kind: &'static str,
) -> Result<T, AttemptError> {
    let (engine, id) = (work.engine, work.claimed.run.magento_id);
    let begun = engine.environment.now();
    let fetched = match kind {
        "creditmemo" => engine.magento.creditmemo(shop, id).await,
        "customer" => engine.magento.customer(shop, id).await,
        _ => engine.magento.product(shop, id).await,
    };
    record(work, log, begun, (kind, id), fetched).await
}

/// Notes the day that the document bears in the books.
fn note_day(work: &Work<'_>, log: &mut AttemptLog, at: DateTime<Utc>) {
    log.facts.document_date = Some(local_day(at, &work.settings, &work.reference));
}

/// What the customer is found by.
pub fn known_customer(customer: &Customer) -> KnownCustomer {
    let email_digest = customer.email.as_deref().and_then(email::digest);
    KnownCustomer { email_digest, customer_id: Some(customer.magento_id).filter(|id| *id != 0) }
}

fn note_customer(log: &mut AttemptLog, customer: &Customer) {
    let KnownCustomer { email_digest, customer_id } = known_customer(customer);
    log.facts.email_digest = email_digest;
    log.facts.customer_id = customer_id;
}

/// The company, else the person.
fn name_of(customer: &Customer) -> String {
    if let Some(company) = customer.company.as_deref().filter(|company| !company.trim().is_empty()) {
        return brief(company.trim());
    }
    let names = [customer.first_name.as_deref(), customer.last_name.as_deref()];
    brief(&names.into_iter().flatten().map(str::trim).collect::<Vec<_>>().join(" "))
}

/// Keeps the fetch as a step, and reads what it brought.
async fn record<T: Document + Send + 'static>(
    work: &Work<'_>,
    log: &mut AttemptLog,
    begun: DateTime<Utc>,
    (kind, id): (&str, i64),
    fetched: Result<Fetched<Value>, magento::Error>,
) -> Result<T, AttemptError> {
    let mut step = Step {
        target: "magento".to_owned(),
        name: kind.to_owned(),
        method: "GET".to_owned(),
        path: format!("/V1/byte8/{kind}/{id}"),
        status: None,
        request_id: None,
        idempotency_id: None,
        summary: "fetched".to_owned(),
        request: None,
        answer: None,
        started_at: begun,
        duration_ms: 0,
    };
    match fetched {
        Ok(fetched) => {
            step.status = Some(i32::from(fetched.status));
            step.duration_ms = millis(fetched.duration);
            let (answer, document) = redacted_and_read(work, log, fetched.value).await?;
            step.answer = answer;
            log.steps.push(step);
            document
        }
        Err(error) => {
            step.status = error.status().map(i32::from);
            step.summary = error.to_string();
            log.steps.push(step);
            Err(error.into())
        }
    }
}

/// The document as the audit trail keeps it, and as it is read. What is told of a field that cannot be read is redacted as well: the
/// whole document is learnt first.
async fn redacted_and_read<T: Document + Send + 'static>(
    work: &Work<'_>,
    log: &mut AttemptLog,
    document: Value,
) -> Result<(Option<String>, Result<T, AttemptError>), AttemptError> {
    let (mut redactor, now) = (std::mem::take(&mut log.redactor), work.engine.environment.now());
    let compute = move || {
        redactor.learn(&document);
        let read = documents::read::<T>(&document, now);
        // What could be read is kept without what nobody reads; what was read from JSON can be written as such.
        let known = read.as_ref().ok().map(|read| serde_json::to_value(read).unwrap_or_default());
        (redactor.kept(known.as_ref().unwrap_or(&document)), redactor, read)
    };
    let (answer, redactor, read) = computed(work.engine.timing.computing, compute).await?;
    log.redactor = redactor;
    Ok((answer, read.map_err(|error| AttemptError::new(Code::UnreadableDocument, format!("{error}.")))))
}
