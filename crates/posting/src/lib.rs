#![doc = include_str!("../README.md")]
#![deny(
    clippy::float_arithmetic,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::lossy_float_literal
)]

mod address;
mod amounts;
mod buyer;
mod catalogue;
mod contact;
mod context;
mod costs;
mod credit_note;
mod document_kind;
mod documents;
mod email;
mod exchange_rate;
mod findings;
mod idempotency;
mod json_number;
mod keys;
mod limits;
mod percentage;
mod sales_document;
mod tax_return;
mod terms;
mod text;
mod tolerances;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use catalogue::stock::KnownStock;
pub use context::{Context, KnownRecord};
pub use credit_note::settlement::{OriginalInvoice, PostedPayment};
pub use documents::sage_arithmetic::{SageSums, sage_arithmetic};
pub use idempotency::{Generations, idempotency_id};
pub use terms::dates::local_day;

use std::collections::BTreeMap;

use domain::{
    Decimal,
    business::ReferenceSet,
    contact_snapshot::ContactSnapshot,
    documents::{CreditMemo, Customer, Invoice, Payment, Product},
    plan::Plan,
    settings::Settings,
    xref::XrefKey,
};

/// The cross-references that a plan of this invoice looks at: its own, its payment's and its contact's.
pub fn wanted_xrefs(invoice: &Invoice, settings: &Settings, reference: &ReferenceSet) -> Vec<XrefKey> {
    let buyer = buyer::Buyer::of_invoice(invoice);
    vec![
        keys::invoice(invoice),
        keys::payment(invoice),
        contact::identity::own_key(&buyer, reference),
        contact::identity::shared_key(&buyer, settings, reference),
    ]
}

/// Plans an invoice: contact, invoice, and in safe mode its release. An invoice that is in Sage already needs no call.
pub fn plan_invoice(invoice: &Invoice, context: &Context<'_>) -> Plan {
    documents::invoice::plan(invoice, context)
}

/// Plans the payment of an invoice, and the invoice itself first where Sage does not hold it yet.
pub fn plan_payment(invoice: &Invoice, payment: &Payment, context: &Context<'_>) -> Plan {
    documents::payment::plan(invoice, payment, None, context)
}

/// The same of an invoice that credit notes have reduced: it takes what is outstanding, and the rest stays on the customer's account.
pub fn plan_payment_of_reduced(
    invoice: &Invoice,
    payment: &Payment,
    outstanding: Decimal,
    context: &Context<'_>,
) -> Plan {
    documents::payment::plan(invoice, payment, Some(outstanding), context)
}

/// The cross-references that a plan of this credit memo looks at: its own, its settlement's, its invoice's and its contact's.
pub fn wanted_creditmemo_xrefs(
    memo: &CreditMemo,
    settings: &Settings,
    reference: &ReferenceSet,
) -> Vec<XrefKey> {
    documents::credit_memo::wanted_xrefs(memo, settings, reference)
}

/// Whether a memo that names no invoice is of this one: a guest's memo bears the time of its order, and so does the guest's invoice
/// (a running Magento 2.4.7; of customers with an account it is that of the account).
pub fn is_of_same_order(memo: &CreditMemo, invoice: &Invoice) -> bool {
    let lines = credit_note::invoice_lines::InvoiceLines::new(invoice.lines.iter().collect());
    let is_guest = memo.customer.magento_id == 0 && invoice.customer.magento_id == 0;
    let ordered_at = memo.customer.created_at.filter(|_| is_guest);
    ordered_at.is_some()
        && ordered_at == invoice.customer.created_at
        && memo.currency == invoice.currency
        && lines.can_return(&memo.lines)
}

/// Plans a credit memo: the credit note, in safe mode its release, and what closes the books. `original` is the memo's invoice as
/// Sage holds it, none where the memo names no invoice or Sage does not have it. Of a credit note that is in Sage only the rest of
/// the settlement is planned.
pub fn plan_creditmemo(memo: &CreditMemo, original: Option<&OriginalInvoice>, context: &Context<'_>) -> Plan {
    documents::credit_memo::plan(memo, original, context)
}

/// The cross-references that a plan of this customer looks at: a contact in every currency of the business.
pub fn wanted_customer_xrefs(customer: &Customer, reference: &ReferenceSet) -> Vec<XrefKey> {
    contact::customer::wanted_xrefs(customer, reference)
}

/// Plans a customer: an update of each contact that the customer has, or a contact in the base currency.
pub fn plan_customer(customer: &Customer, context: &Context<'_>) -> Plan {
    contact::customer::plan(customer, context)
}

/// What Magento shows of a customer, to be remembered beside each contact that it is written to; none for a guest, of whom there is
/// nothing but the order.
pub fn contact_snapshot(customer: &Customer, context: &Context<'_>) -> Option<ContactSnapshot> {
    contact::changes::snapshot(customer, context)
}

/// The plan of an invoice (or of its payment, where that posts the invoice) with the customer's news: the contact's update comes
/// first where the contact is known and what Magento shows differs from the `known` snapshot (missing = not known).
pub fn with_contact_changes(
    plan: Plan,
    invoice: &Invoice,
    known: &BTreeMap<XrefKey, ContactSnapshot>,
    context: &Context<'_>,
) -> Plan {
    contact::changes::with_changes(plan, invoice, known, context)
}

/// The cross-references that a plan of this product looks at.
pub fn wanted_product_xrefs(product: &Product) -> Vec<XrefKey> {
    catalogue::product::wanted_xrefs(product)
}

/// Plans a product: a product, a service, or a stock item with the movement that brings it to Magento's quantity.
pub fn plan_product(product: &Product, stock: &KnownStock, context: &Context<'_>) -> Plan {
    catalogue::product::plan(product, stock, context)
}
