//! A credit memo becomes a sales credit note on the contact of its invoice, and then the books are closed (`settlement`).

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::{CreditMemo, Invoice},
    money::{round, round2, text},
    plan::{Call, Plan, Predicted},
    settings::{Settings, UndeterminedTax},
    xref::{XrefKey, XrefKind},
};
use messages::message;
use serde_json::Value;

use crate::{
    amounts::{sums::DocumentSums, tax_rates::AvailableRates},
    buyer::Buyer,
    contact::{choice, identity},
    context::Context,
    credit_note::{
        note_rows,
        reconstruct::{self, ReconstructedSale},
        returned_sale,
        settlement::{self, CreditToSettle, OriginalInvoice},
    },
    documents::{
        body,
        credit_note_body::CreditNote,
        document_calls,
        reconcile::{ExpectedTotals, reconciled},
    },
    findings::{self, Findings, NotPosted},
    keys,
    sales_document::{DocumentKind, SalesDocument},
    terms::{
        Terms,
        dates::{self, DocumentDay},
        exchange::{self, ExchangeRate},
    },
};

/// The cross-references that a plan of this memo looks at.
pub(crate) fn wanted_xrefs(memo: &CreditMemo, settings: &Settings, reference: &ReferenceSet) -> Vec<XrefKey> {
    let buyer = returned_sale::buyer(memo, None);
    let of_invoice = |kind| memo.invoice_id.map(|id| XrefKey { kind, magento_key: id.to_string() });
    let own = [keys::credit_memo(memo), keys::allocation(memo), keys::refund(memo)];
    let invoices = [of_invoice(XrefKind::Invoice), of_invoice(XrefKind::Payment)];
    let contacts = [identity::own_key(&buyer, reference), identity::shared_key(&buyer, settings, reference)];
    own.into_iter().chain(invoices.into_iter().flatten()).chain(contacts).collect()
}

/// Plans a credit memo: contact where none is known, credit note, in safe mode its release, allocation and refund.
pub(crate) fn plan(memo: &CreditMemo, original: Option<&OriginalInvoice>, context: &Context<'_>) -> Plan {
    let mut findings = Findings::default();
    let planned = match context.xrefs.get(&keys::credit_memo(memo)) {
        Some(known) => {
            settle_only(memo, &known.sage_id, original, context, &mut findings).map(|calls| (calls, None))
        }
        None => match skip_reason(memo, context.settings) {
            Some(code) => return Plan::skip(code),
            None => posting(memo, original, context, &mut findings)
                .map(|(calls, predicted)| (calls, Some(predicted))),
        },
    };
    match planned {
        Ok((calls, _)) if calls.is_empty() => match context.xrefs.get(&keys::credit_memo(memo)) {
            Some(known) => {
                let mut plan =
                    findings::already(&message!(plan_notes.credit_memo, number = memo.increment_id), known);
                plan.notes.extend(findings.notes);
                plan
            }
            None => findings::plan_of(calls, None, findings),
        },
        Ok((calls, predicted)) => findings::plan_of(calls, predicted, findings),
        Err(ended) => *ended,
    }
}

/// Why the settings skip a memo, if it does; the first reason that holds. A memo does not name its store view.
fn skip_reason(memo: &CreditMemo, settings: &Settings) -> Option<Code> {
    let filter = &settings.website_filter;
    if settings.sync_since.is_some_and(|since| memo.created_at < since) {
        Some(Code::OutsideSyncSince)
    } else if !filter.is_empty() && !memo.website_id.is_some_and(|id| filter.contains(&id)) {
        Some(Code::OutsideWebsiteFilter)
    } else if round2(memo.grand_total).is_zero() && !settings.sync_zero_value_invoices {
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
    let date = memo_day(memo, context, findings)?.noted(findings);
    let reference = body::reference_of(&memo.increment_id, context.settings, findings);
    let exchange = exchange_of(memo, context, findings)?;
    let credit = CreditToSettle { memo, note, reference: &reference, date, exchange };
    Ok(settlement::calls(&credit, original, context, findings))
}

fn memo_day(
    memo: &CreditMemo,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<DocumentDay, NotPosted> {
    let Context { settings, reference, .. } = *context;
    dates::unnoted_day(memo.created_at, DocumentKind::CreditNote.noun(), settings, reference, findings)
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
    if let Some(reason) = returned_sale::contradiction(memo) {
        return Err(findings.fail(Code::InconsistentDocument, reason));
    }
    let invoice = original.and_then(|original| original.document.as_ref());
    let shown = returned_sale::shown(memo, invoice);
    let terms = match original {
        Some(_) => Terms::of_posted(&shown, context, findings)?,
        None => Terms::of(&shown, context, findings)?,
    };
    let found = reconstructed(memo, &shown, invoice, &terms, context, findings)?;
    let (contact, contact_call) = contact_of(memo, &shown.buyer, original, context, findings);
    let rows = note_rows::rows(memo, &found, &terms, context, findings)?;
    let day = memo_day(memo, context, findings)?;
    let note = CreditNote { memo, sale: &found.sale, original, contact: &contact, day: day.day };
    let fields = note.fields(&terms, &rows, context, findings)?;
    let expected =
        ExpectedTotals { total: memo.grand_total, tax: found.sale.totals.tax, currency: memo.currency };
    let predicted = reconciled(shown.kind, &fields, &expected, context.reference, findings)?;
    let date = day.noted(findings);
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned();
    let exchange = exchange_of(memo, context, findings)?;
    let credit = CreditToSettle { memo, note: "{creditmemo}", reference: &reference, date, exchange };
    let (key, base_total) = (keys::credit_memo(memo), terms.in_base(predicted.total));
    let mut calls: Vec<Call> = contact_call.into_iter().collect();
    calls.extend(document_calls::calls(shown.kind, key, fields, &predicted, base_total, context));
    calls.extend(settlement::calls(&credit, original, context, findings));
    Ok((calls, predicted))
}

/// The sale that the memo takes back, or why its sums cannot be known.
fn reconstructed<'a>(
    memo: &CreditMemo,
    shown: &SalesDocument<'a>,
    invoice: Option<&Invoice>,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<ReconstructedSale<'a>, NotPosted> {
    let rates = AvailableRates::new(context.settings, context.reference, &terms.place);
    let sums = DocumentSums::of(&shown.totals, &shown.counting_lines());
    let untaxed_abroad = terms.is_untaxed_abroad(shown.totals.tax);
    // The memo hides its discount on shipping, so that only lines are compared.
    let (known, _) = rates.known(&sums.goods, None, untaxed_abroad);
    let found = reconstruct::reconstruct(memo, shown, invoice, &known);
    if let Some(reason) = &found.refusal {
        let both = returned_sale::both_sums(memo);
        return Err(findings.refuse(returned_sale::mismatch(&both, reason), both));
    }
    let is_taxable = context.reference.registered_for_tax && !untaxed_abroad;
    if !found.is_certain && is_taxable && context.settings.tax_undetermined == UndeterminedTax::Hold {
        let reason = match invoice {
            None => message!(figures.memo_undetermined),
            Some(_) => {
                message!(figures.memo_undetermined_by_invoice)
            }
        };
        let reason = returned_sale::mismatch(&returned_sale::both_sums(memo), reason);
        return Err(findings.hold(Code::TaxUndetermined, reason));
    }
    note_what_was_found(memo, &found, findings);
    Ok(found)
}

fn note_what_was_found(memo: &CreditMemo, found: &ReconstructedSale<'_>, findings: &mut Findings) {
    if memo.grand_total != round2(memo.grand_total) {
        findings.rule(
            "total",
            text(memo.grand_total),
            message!(reasons.more_decimals),
            round(memo.grand_total, 4).to_string(),
        );
    }
    if !round2(found.hidden_tax).is_zero() {
        findings.note(message!(plan_notes.hidden_tax, amount = text(found.hidden_tax)));
    }
}

/// The contact of the original invoice, whatever the rules say today; without one, the contact by the rules.
fn contact_of(
    memo: &CreditMemo,
    buyer: &Buyer<'_>,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> (String, Option<Call>) {
    if let Some(original) = original {
        let invoice = memo.invoice_increment_id.as_deref().unwrap_or_default();
        findings.rule("contact", &*original.contact_id, message!(reasons.contact_of_invoice), invoice);
        return (original.contact_id.clone(), None);
    }
    let contact = choice::choose(buyer, context, findings);
    (contact.id, contact.call)
}
