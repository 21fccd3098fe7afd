//! The payment of an invoice becomes a customer receipt that pays the invoice in the same call.

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::{Invoice, Payment},
    money::{round2, text},
    plan::{Adopt, Call, Expect, Method, Plan},
    settings::Settings,
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    buyer::Buyer,
    contact::choice,
    context::Context,
    documents::{invoice, reference, skip},
    findings::{self, Findings, MissingSetting, NotPosted, label_of},
    json_number, keys,
    terms::{dates, exchange},
};

/// Plans the payment of an invoice, and the invoice itself first where Sage does not hold it yet. `outstanding` is what credit notes
/// have left of an invoice that is there.
pub(crate) fn plan(
    invoice: &Invoice,
    payment: &Payment,
    outstanding: Option<Decimal>,
    context: &Context<'_>,
) -> Plan {
    if let Some(known) = context.xrefs.get(&keys::payment(invoice)) {
        return findings::already(&message!(plan_notes.payment, number = invoice.increment_id), known);
    }
    let mut findings = Findings::default();
    match calls(invoice, (payment, outstanding), context, &mut findings) {
        Ok((calls, predicted)) => findings::plan_of(calls, predicted, findings),
        Err(ended) => *ended,
    }
}

type Calls = (Vec<Call>, Option<domain::plan::Predicted>);

fn calls(
    invoice: &Invoice,
    (payment, outstanding): (&Payment, Option<Decimal>),
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Calls, NotPosted> {
    let posted = context.xrefs.get(&keys::invoice(invoice));
    if posted.is_none() && skip::reason(invoice, context.settings).is_some() {
        return Err(Box::new(Plan::skip(Code::InvoiceNotSynced)));
    }
    if payment.currency != invoice.currency {
        let message = message!(plan.payment_currency, payment = payment.currency, invoice = invoice.currency);
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    if round2(payment.amount) < Decimal::ZERO {
        let message = message!(plan.negative_payment, amount = text(payment.amount));
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    if round2(payment.amount).is_zero() || round2(invoice.grand_total).is_zero() {
        return Err(Box::new(Plan::skip(Code::NothingToPay)));
    }
    exchange::check_decimals(payment.currency, payment.amount, None, findings)?;
    let bank = bank_account(payment, context.settings, context.reference, findings)?;
    let (mut calls, predicted, contact, artefact) = match posted {
        None => {
            let posting = invoice::posting(invoice, context, findings)?;
            (posting.calls, Some(posting.predicted), posting.contact, "{invoice}".to_owned())
        }
        Some(known) => {
            let contact = choice::of_posted_invoice(&Buyer::of_invoice(invoice), context, findings);
            (contact.call.into_iter().collect(), None, contact.id, known.sage_id.clone())
        }
    };
    calls.push(payment_call(
        invoice,
        payment,
        context,
        ReceiptParties { contact, artefact, bank, outstanding },
        findings,
    )?);
    Ok((calls, predicted))
}

/// The bank account of a payment method: mapped, mapped to none, or the default. It keeps the payment's currency or the base
/// currency, into which Sage converts by the payment's exchange rate; money cannot arrive in an account of a third currency.
fn bank_account(
    payment: &Payment,
    settings: &Settings,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<String, NotPosted> {
    let method = payment.method.as_str();
    let (id, setting) = match settings.payment_method_map.get(method) {
        Some(mapped) => (mapped.as_ref(), format!("payment_method_map.{method}")),
        None => (settings.default_bank_account_id.as_ref(), "default_bank_account_id".to_owned()),
    };
    let Some(id) = id else { return Err(Box::new(Plan::skip(Code::PaymentMethodNotMapped))) };
    let account = reference.bank_accounts.iter().find(|account| account.id == *id && account.is_active);
    let sentence = match account {
        None => {
            message!(missing_settings.not_a_bank_account, id = id, setting = label_of(&setting))
        }
        Some(account) => match account.currency {
            Some(kept) if kept != payment.currency && kept != reference.base_currency => message!(
                missing_settings.bank_account_currency,
                currency = payment.currency,
                account = account.name,
                setting = label_of(&setting),
                kept = kept,
                base = reference.base_currency
            ),
            _ => {
                findings.rule("bank account", id, setting, method);
                return Ok(id.clone());
            }
        },
    };
    Err(findings.hold_for(&[MissingSetting { setting, sentence }]))
}

/// Whose payment it is, of what and how much of it, into which account.
struct ReceiptParties {
    contact: String,
    artefact: String,
    bank: String,
    outstanding: Option<Decimal>,
}

fn payment_call(
    invoice: &Invoice,
    payment: &Payment,
    context: &Context<'_>,
    payee: ReceiptParties,
    findings: &mut Findings,
) -> Result<Call, NotPosted> {
    let Context { settings, reference, .. } = *context;
    let exchange = exchange::unchecked(invoice.currency, invoice.base_to_order_rate, reference, findings)?;
    let key = keys::payment(invoice);
    let date = dates::document_day(payment.captured_at, "payment", settings, reference, findings)?;
    let sage_reference = reference::of(&invoice.increment_id, settings, findings);
    let (amount, total) = (round2(payment.amount), round2(invoice.grand_total));
    let owed = payee.outstanding.map_or(total, |outstanding| round2(outstanding).clamp(Decimal::ZERO, total));
    let allocated = amount.min(owed);
    if owed < total && amount > owed {
        findings.note(message!(settlement.credit_notes, owed = text(owed), rest = text(amount - owed)));
    } else if amount > total {
        findings.note(message!(settlement.overpaid, amount = text(amount), total = text(total)));
    } else if amount < owed {
        findings.note(message!(settlement.part_paid, amount = text(amount), rest = text(owed - amount)));
    }
    let mut fields = context.identified(&key);
    if let Some(exchange) = exchange {
        exchange.put_into(&mut fields);
    }
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("transaction_type_id", Value::String("CUSTOMER_RECEIPT".to_owned()));
    put("contact_id", Value::String(payee.contact));
    put("bank_account_id", Value::String(payee.bank));
    put("date", Value::String(date.to_string()));
    put("total_amount", json_number::number(amount));
    put("reference", Value::String(sage_reference.clone()));
    if allocated > Decimal::ZERO {
        put(
            "allocated_artefacts",
            json!([{ "artefact_id": payee.artefact, "amount": json_number::number(allocated) }]),
        );
    }
    Ok(Call {
        name: "payment".to_owned(),
        method: Method::Post,
        path: "/contact_payments".to_owned(),
        body: json!({ "contact_payment": fields }),
        xref: Some(key),
        adopt: Some(Adopt::Payment { reference: sage_reference }),
        expect: Some(Expect {
            total: amount,
            tax: None,
            base_total: exchange.and_then(|rate| rate.in_base(amount)),
        }),
        releases_draft: false,
    })
}
