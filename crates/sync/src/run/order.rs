//! The invoice of a memo that was made from its order. Such a memo names neither; a guest's bears the time of the order, as the guest's
//! invoice does.

use domain::documents::{CreditMemo, Invoice};
use posting::is_of_same_order;

use crate::{
    attempt::{disposition::AttemptError, fetch, log::AttemptLog, work::Work},
    connection::shop::Shop,
};

/// How many of the guest's invoices are looked at: each costs a question to the shop.
const MOST_INVOICES: u32 = 10;

/// The memo with its invoice's name, and whether it was found by the order. An order of several invoices that could all be meant names none.
pub async fn with_invoice(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
    memo: CreditMemo,
) -> Result<(CreditMemo, bool), AttemptError> {
    let customer = fetch::known_customer(&memo.customer);
    let is_guest = customer.customer_id.is_none() && customer.email_digest.is_some();
    if memo.invoice_id.is_some() || !is_guest || memo.customer.created_at.is_none() {
        return Ok((memo, false));
    }
    let (store, currency) = (&work.engine.store, memo.currency.to_string());
    let posted = store.invoices_posted_for(work.binding.id, &customer, &currency, MOST_INVOICES).await?;
    let mut of_order: Vec<Invoice> = Vec::new();
    for id in posted {
        let invoice = fetch::invoice_of(work, shop, log, id).await?;
        if is_of_same_order(&memo, &invoice) {
            of_order.push(invoice);
        }
    }
    let [invoice] = &of_order[..] else { return Ok((memo, false)) };
    let named = CreditMemo {
        invoice_id: Some(invoice.magento_id),
        invoice_increment_id: Some(invoice.increment_id.clone()),
        invoice_created_at: Some(invoice.created_at),
        ..memo
    };
    Ok((named, true))
}
