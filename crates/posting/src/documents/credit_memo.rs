//! A credit memo becomes a sales credit note on the contact of its invoice, and then the books are closed (`settlement`).

use chrono::NaiveDate;
use domain::{
    business::ReferenceSet,
    code::Code,
    documents::{CreditMemo, Invoice},
    money::{round, round2, text},
    plan::{Adopt, Call, Expect, Method, Plan, Predicted},
    policy::{Policy, UnshownTax},
    xref::{XrefKey, XrefKind},
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{
    amounts::{rows::counting_lines, sums::DocumentSums, tax_rates::AvailableRates},
    contact::choice,
    context::Context,
    credit_note::{
        hypothesis::KnownRates,
        reconstruct::{self, ReconstructedSale},
        settlement::{self, CreditToSettle, OriginalInvoice},
    },
    documents::{
        body, credit_note_body,
        reconcile::{ExpectedTotals, reconciled},
    },
    findings::{self, Findings, NotPosted},
    idempotency::idempotency_id,
    keys,
    terms::{
        Terms, dates,
        exchange::{self, ExchangeRate},
    },
};

/// The cross-references that a plan of this memo looks at.
pub(crate) fn wanted_xrefs(memo: &CreditMemo, policy: &Policy, reference: &ReferenceSet) -> Vec<XrefKey> {
    let sale = reconstruct::plain_sale(memo, None);
    let of_invoice = |kind| memo.invoice_id.map(|id| XrefKey { kind, magento_key: id.to_string() });
    let own = [keys::credit_memo(memo), keys::allocation(memo), keys::refund(memo)];
    let invoices = [of_invoice(XrefKind::Invoice), of_invoice(XrefKind::Payment)];
    let contacts = [choice::own_key(&sale, reference), choice::fallback_key(&sale, policy, reference)];
    own.into_iter().chain(invoices.into_iter().flatten()).chain(contacts).collect()
}

/// Plans a credit memo: contact where none is known, credit note, in safe mode its release, allocation and refund.
pub(crate) fn plan(memo: &CreditMemo, original: Option<&OriginalInvoice>, context: &Context<'_>) -> Plan {
    let mut findings = Findings::default();
    let planned = match context.xrefs.get(&keys::credit_memo(memo)) {
        Some(known) => {
            settle_only(memo, &known.sage_id, original, context, &mut findings).map(|calls| (calls, None))
        }
        None => match skip_reason(memo, context.policy) {
            Some(code) => return Plan::skip(code),
            None => posting(memo, original, context, &mut findings)
                .map(|(calls, predicted)| (calls, Some(predicted))),
        },
    };
    match planned {
        Ok((calls, _)) if calls.is_empty() => match context.xrefs.get(&keys::credit_memo(memo)) {
            Some(known) => {
                let mut plan = findings::already(&format!("Credit memo {}", memo.increment_id), known);
                plan.notes.extend(findings.notes);
                plan
            }
            None => findings::plan_of(calls, None, findings),
        },
        Ok((calls, predicted)) => findings::plan_of(calls, predicted, findings),
        Err(ended) => reworded(*ended),
    }
}

/// The sale's steps speak of an invoice; here it is a memo.
fn reworded(mut plan: Plan) -> Plan {
    plan.message = plan.message.map(|message| message.replace("The invoice", "The credit memo"));
    plan
}

/// Why the policy skips a memo, if it does; the first reason that holds. A memo does not tell its store view.
fn skip_reason(memo: &CreditMemo, policy: &Policy) -> Option<Code> {
    let filter = &policy.website_filter;
    if policy.sync_since.is_some_and(|since| memo.created_at < since) {
        Some(Code::OutsideSyncSince)
    } else if !filter.is_empty() && !memo.website_id.is_some_and(|id| filter.contains(&id)) {
        Some(Code::OutsideWebsiteFilter)
    } else if round2(memo.grand_total).is_zero() && !policy.sync_zero_value_invoices {
        Some(Code::ZeroValueInvoice)
    } else {
        None
    }
}

/// The calls of a memo whose credit note is in Sage: what of the settlement is not made yet.
fn settle_only(
    memo: &CreditMemo,
    note: &str,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Vec<Call>, NotPosted> {
    let date = memo_day(memo, context, findings)?;
    let reference = body::reference_of(&memo.increment_id, context.policy, findings);
    let exchange = exchange_of(memo, context, findings)?;
    let debt = CreditToSettle { memo, note, reference: &reference, date, exchange };
    Ok(settlement::calls(&debt, original, context, findings))
}

fn memo_day(
    memo: &CreditMemo,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<NaiveDate, NotPosted> {
    let Context { policy, reference, .. } = *context;
    dates::document_day(memo.created_at, "credit memo", policy, reference, findings)
}

/// The exchange rate of a refund: the memo's own, which its invoice had.
fn exchange_of(
    memo: &CreditMemo,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Option<ExchangeRate>, NotPosted> {
    exchange::unchecked(memo.currency, memo.base_to_order_rate, context.reference, findings)
}

/// The calls of a memo that is not in Sage.
fn posting(
    memo: &CreditMemo,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(Vec<Call>, Predicted), NotPosted> {
    if let Some(reason) = reconstruct::contradiction(memo) {
        return Err(findings.fail(Code::DocumentMakesNoSense, reason));
    }
    let document = original.and_then(|original| original.document.as_ref());
    let shown = Invoice { grand_total: round2(memo.grand_total), ..reconstruct::plain_sale(memo, document) };
    let terms = match original {
        Some(_) => Terms::of_posted(&shown, context, findings)?,
        None => Terms::of(&shown, context, findings)?,
    };
    let sale_found = reconstructed(memo, document, &terms, context, findings)?;
    let (contact, contact_call) = contact_of(memo, &shown, original, context, findings);
    let fields = credit_note_body::fields(memo, &sale_found, &contact, original, &terms, context, findings)?;
    let expected =
        ExpectedTotals { total: memo.grand_total, tax: sale_found.sale.tax_amount, currency: memo.currency };
    let predicted = reconciled(&fields, "credit_note_lines", &expected, context.reference, findings)?;
    let date = memo_day(memo, context, findings)?;
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned();
    let exchange = exchange_of(memo, context, findings)?;
    let debt = CreditToSettle { memo, note: "{creditmemo}", reference: &reference, date, exchange };
    let mut calls: Vec<Call> = contact_call.into_iter().collect();
    calls.push(note_call(fields, &reference, memo, context, &predicted, terms.in_base(predicted.total)));
    if context.safe_mode {
        calls.push(release_call());
    }
    calls.extend(settlement::calls(&debt, original, context, findings));
    Ok((calls, predicted))
}

/// The memo as the sale that it takes back, or why its sums cannot be told.
fn reconstructed(
    memo: &CreditMemo,
    document: Option<&Invoice>,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<ReconstructedSale, NotPosted> {
    let rates = AvailableRates::new(context.policy, context.reference, &terms.place);
    let sale = reconstruct::plain_sale(memo, None);
    let shown = DocumentSums::of(&sale, &counting_lines(&sale, &mut Findings::default()));
    // The memo hides its discount on shipping, so that only lines are compared.
    let (percentages, _) = rates.percentages(&shown.goods, None);
    let shown_tax = sale.tax_amount;
    let untaxed_abroad = terms.place.is_abroad() && round2(shown_tax).is_zero();
    let usual = if untaxed_abroad { Some(Decimal::ZERO) } else { rates.usual() };
    let sale_found =
        reconstruct::reconstruct(memo, KnownRates { percentages: &percentages, usual, invoice: document });
    if let Some(reason) = &sale_found.refusal {
        return Err(findings.fail(Code::TotalsMismatch, mismatch(memo, reason)));
    }
    let is_taxable = context.reference.registered_for_tax && !untaxed_abroad;
    if !sale_found.is_certain && is_taxable && context.policy.unshown_tax == UnshownTax::Hold {
        let reason = match document {
            None => "Part of it is in no line, and nothing tells whether that was taxed.",
            Some(_) => {
                "Part of it is in no line, and its invoice does not tell to the penny what of that is tax."
            }
        };
        return Err(findings.hold(Code::UnshownTax, mismatch(memo, reason)));
    }
    if memo.grand_total != round2(memo.grand_total) {
        findings.rule(
            "total",
            text(memo.grand_total),
            "Magento left more than two decimals, which are rounded",
            round(memo.grand_total, 4).to_string(),
        );
    }
    if !round2(sale_found.hidden_tax).is_zero() {
        findings.note(format!(
            "The credit memo does not show the {} of tax on what its lines leave of the total; it was taken from the percentage of the lines.",
            text(sale_found.hidden_tax)
        ));
    }
    Ok(sale_found)
}

/// Both sums, and why no posting exists.
fn mismatch(memo: &CreditMemo, reason: &str) -> String {
    let sale = reconstruct::plain_sale(memo, None);
    let shown: Decimal = memo.lines.iter().map(|line| line.line_total).sum::<Decimal>()
        + memo.shipping_amount
        + memo.shipping_tax_amount
        + memo.adjustment_positive
        - memo.adjustment_negative;
    format!(
        "Magento's total is {}; what the lines, shipping and adjustments show comes to {} with {} tax. {reason}",
        text(memo.grand_total),
        text(shown),
        text(sale.tax_amount),
    )
}

/// The contact of the original invoice, whatever the rules say today; without one, the contact by the rules.
fn contact_of(
    memo: &CreditMemo,
    sale: &Invoice,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> (String, Option<Call>) {
    if let Some(original) = original {
        let invoice = memo.invoice_increment_id.as_deref().unwrap_or_default();
        findings.rule("contact", &*original.contact_id, "the contact of the invoice", invoice);
        return (original.contact_id.clone(), None);
    }
    let contact = choice::choose(sale, context, findings);
    (contact.id, contact.call)
}

fn note_call(
    fields: Map<String, Value>,
    reference: &str,
    memo: &CreditMemo,
    context: &Context<'_>,
    predicted: &Predicted,
    base_total: Option<Decimal>,
) -> Call {
    let key = keys::credit_memo(memo);
    let generation = context.generations.get(&key).copied().unwrap_or(0);
    let id = idempotency_id(context.binding, context.business, &key, generation);
    let mut body = Map::from_iter([("idempotency_id".to_owned(), Value::String(id))]);
    body.extend(fields);
    Call {
        name: "creditmemo".to_owned(),
        method: Method::Post,
        path: "/sales_credit_notes".to_owned(),
        body: json!({ "sales_credit_note": body }),
        xref: Some(key),
        adopt: Some(Adopt::Document {
            path: "/sales_credit_notes".to_owned(),
            reference: reference.to_owned(),
        }),
        expect: Some(Expect { total: predicted.total, tax: Some(predicted.tax), base_total }),
        releases_draft: false,
    }
}

fn release_call() -> Call {
    Call {
        name: "release".to_owned(),
        method: Method::Post,
        path: "/sales_credit_notes/{creditmemo}/release".to_owned(),
        body: Value::Null,
        xref: None,
        adopt: None,
        expect: None,
        releases_draft: true,
    }
}
