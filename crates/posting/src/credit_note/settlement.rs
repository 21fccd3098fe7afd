//! Closing the books of a refund: a credit note pays off what is outstanding of its invoice, and money that the customer had paid
//! through Ledger goes back from the bank account that it came into. What neither takes stays on the customer's account.

use chrono::NaiveDate;
use domain::{
    documents::{CreditMemo, Invoice},
    money::{amount, optional_amount, round2, text},
    plan::{Adopt, Call, Expect, Method},
    xref::XrefKey,
};
use messages::message;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::Context, exchange_rate::ExchangeRate, findings::Findings, json_number, keys, text::cut_front,
};

/// Sage's limit of a payment's reference, in characters.
const REFERENCE: usize = 25;

/// The payment of an invoice that Ledger posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedPayment {
    /// Sage's id of the receipt.
    pub sage_id: String,
    /// The bank account that it went into.
    pub bank_account_id: String,
}

/// The invoice that a credit memo takes back, as Sage holds it just before the plan is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalInvoice {
    /// Sage's id.
    pub sage_id: String,
    /// What people see, such as `SI-27`.
    pub displayed_as: Option<String>,
    /// The contact that it was posted on, and the credit note must be posted on.
    pub contact_id: String,
    /// Its day.
    pub date: Option<NaiveDate>,
    /// Its status in Sage, such as `UNPAID`; a `VOID` or `DRAFT` one takes no allocation.
    pub status: Option<String>,
    /// What is outstanding of it, in its own currency.
    #[serde(with = "amount")]
    pub outstanding: Decimal,
    /// Its payment, where Ledger posted one and Sage still holds it.
    pub payment: Option<PostedPayment>,
    /// What is outstanding of the credit note itself, where an earlier attempt made it already.
    #[serde(default, with = "optional_amount")]
    pub left_of_note: Option<Decimal>,
    /// Whether the memo does not name it: it is the guest's of the same order.
    #[serde(default)]
    pub is_by_order: bool,
    /// The same invoice as Magento has it: its addresses show where the goods went, its sums what the memo hides.
    #[serde(default)]
    pub document: Option<Invoice>,
}

/// What is to be settled.
pub(crate) struct CreditToSettle<'a> {
    /// The memo.
    pub memo: &'a CreditMemo,
    /// Sage's id of the credit note, or `{creditmemo}`.
    pub note: String,
    /// The reference of the credit note.
    pub reference: String,
    /// The memo's day.
    pub date: NaiveDate,
    /// Its exchange rate; none in the base currency.
    pub exchange: Option<ExchangeRate>,
}

/// The calls that settle a credit note, as far as they are not made yet.
pub(crate) fn calls(
    credit: &CreditToSettle<'_>,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Vec<Call> {
    let total = round2(credit.memo.grand_total);
    if total.is_zero() {
        findings.note(message!(settlement.zero_total));
        return Vec::new();
    }
    let Some(original) = original else {
        findings.note(message!(settlement.no_invoice, amount = text(total)));
        return Vec::new();
    };
    let mut calls = Vec::new();
    let allocation = keys::allocation(credit.memo);
    let is_allocated = context.xrefs.contains_key(&allocation);
    // Without word from Sage a note that was allocated before counts as used up: better on account than refunded twice.
    let open = original.left_of_note.unwrap_or(if is_allocated { Decimal::ZERO } else { total });
    let mut left = round2(open).clamp(Decimal::ZERO, total);
    let against = if is_allocated { Decimal::ZERO } else { allocatable(original).min(left) };
    if against > Decimal::ZERO {
        findings.rule("allocation", text(against), message!(reasons.outstanding), text(original.outstanding));
        calls.push(allocation_call(allocation, against, credit, original, context));
        left -= against;
    }
    if left.is_zero() || context.xrefs.contains_key(&keys::refund(credit.memo)) {
        return calls;
    }
    match bank_account(original, context) {
        Ok(bank) => {
            findings.rule("refund", text(left), message!(reasons.bank_of_payment), bank);
            calls.push(refund_call(left, bank, credit, original, context, findings));
        }
        Err(why) => findings.note(message!(settlement.no_refund, amount = text(left), reason = why)),
    }
    calls
}

/// What an allocation can pay off.
fn allocatable(original: &OriginalInvoice) -> Decimal {
    match original.status.as_deref() {
        Some("VOID" | "DRAFT" | "PRO_FORMA" | "DECLINED" | "PAID") => Decimal::ZERO,
        _ => round2(original.outstanding).max(Decimal::ZERO),
    }
}

/// The bank account that the refund leaves, or why there is no refund.
fn bank_account<'a>(original: &'a OriginalInvoice, context: &Context<'_>) -> Result<&'a str, &'static str> {
    if !context.settings.record_refunds {
        return Err(message!(settlement.refunds_off));
    }
    let payment = original.payment.as_ref().ok_or(message!(settlement.no_payment))?;
    let bank = &payment.bank_account_id;
    let is_active = |known: &&domain::business::BankAccount| known.id == *bank && known.is_active;
    context
        .reference
        .bank_accounts
        .iter()
        .find(is_active)
        .map(|_| bank.as_str())
        .ok_or(message!(settlement.bank_inactive))
}

fn allocation_call(
    key: XrefKey,
    against: Decimal,
    credit: &CreditToSettle<'_>,
    original: &OriginalInvoice,
    context: &Context<'_>,
) -> Call {
    let mut fields = context.identified(&key);
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("transaction_type_id", "CUSTOMER_ALLOCATION".into());
    put("contact_id", original.contact_id.clone().into());
    put("date", credit.date.to_string().into());
    put(
        "allocated_artefacts",
        json!([
            { "artefact_id": original.sage_id, "amount": json_number::number(against) },
            { "artefact_id": credit.note, "amount": json_number::number(-against) },
        ]),
    );
    Call {
        name: "allocation".to_owned(),
        method: Method::Post,
        path: "/contact_allocations".to_owned(),
        body: json!({ "contact_allocation": fields }),
        xref: Some(key),
        // Sage lists allocations without a reference; a second one is refused, because nothing is outstanding any more.
        adopt: None,
        expect: None,
        releases_draft: false,
    }
}

fn refund_call(
    left: Decimal,
    bank: &str,
    credit: &CreditToSettle<'_>,
    original: &OriginalInvoice,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Call {
    let key = keys::refund(credit.memo);
    // Invoices and memos are numbered apart, so a receipt may bear the memo's number: the word keeps them apart.
    let reference = cut_front(
        &format!("Refund {}", credit.reference),
        REFERENCE,
        message!(field_names.refund_reference),
        findings,
    );
    let mut fields = context.identified(&key);
    if let Some(exchange) = credit.exchange {
        exchange.put_into(&mut fields);
    }
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("transaction_type_id", "CUSTOMER_REFUND".into());
    put("contact_id", original.contact_id.clone().into());
    put("bank_account_id", bank.into());
    put("date", credit.date.to_string().into());
    put("total_amount", json_number::number(left));
    put("reference", reference.clone().into());
    put("allocated_artefacts", json!([{ "artefact_id": credit.note, "amount": json_number::number(left) }]));
    Call {
        name: "refund".to_owned(),
        method: Method::Post,
        path: "/contact_payments".to_owned(),
        body: json!({ "contact_payment": fields }),
        xref: Some(key),
        adopt: Some(Adopt::Payment { reference }),
        expect: Some(Expect {
            total: left,
            tax: None,
            base_total: credit.exchange.and_then(|exchange| exchange.in_base(left)),
        }),
        releases_draft: false,
    }
}
