//! A credit memo becomes a sales credit note on the contact of its invoice, and then the books are closed (`settlement`).

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::{CreditMemo, Invoice},
    money::round2,
    plan::{Call, Plan, Predicted},
    settings::Settings,
    xref::{XrefKey, XrefKind},
};
use messages::message;
use serde_json::Value;

use crate::{
    amounts::{foreign_tax, tax_rates::AvailableRates},
    buyer::Buyer,
    contact::{
        choice,
        identity::{self, AssignedContact},
        tax_treatment::TaxTreatment,
    },
    context::{Context, KnownRecord},
    credit_note::{
        note_rows, reconstruct, returned_sale,
        settlement::{self, CreditToSettle, OriginalInvoice},
    },
    document_kind::DocumentKind,
    documents::{
        credit_note_body::CreditNote,
        document_calls,
        reconcile::{ExpectedTotals, reconciled},
        reference, sold,
    },
    findings::{self, Findings, NotPosted},
    keys, tax_return,
    terms::{
        Terms,
        dates::{self, DocumentDay},
        exchange,
    },
};

/// The cross-references that a plan of this memo looks at.
pub(crate) fn wanted_xrefs(memo: &CreditMemo, settings: &Settings, reference: &ReferenceSet) -> Vec<XrefKey> {
    let buyer = Buyer::of_memo(memo, None);
    let of_invoice = |kind| memo.invoice_id.map(|id| XrefKey { kind, magento_key: id.to_string() });
    let own = [keys::credit_memo(memo), keys::allocation(memo), keys::refund(memo)];
    let invoices = [of_invoice(XrefKind::Invoice), of_invoice(XrefKind::Payment)];
    let contacts = [identity::own_key(&buyer, reference), identity::shared_key(&buyer, settings, reference)];
    own.into_iter().chain(invoices.into_iter().flatten()).chain(contacts).collect()
}

/// Plans a credit memo: contact where none is known, credit note, in safe mode its release, allocation and refund.
pub(crate) fn plan(memo: &CreditMemo, original: Option<&OriginalInvoice>, context: &Context<'_>) -> Plan {
    let mut findings = Findings::default();
    let known = context.xrefs.get(&keys::credit_memo(memo));
    let posting = match known {
        Some(known) => posted(memo, known, context, &mut findings),
        None => match skip_reason(memo, context.settings) {
            Some(code) => return Plan::skip(code),
            None => posting(memo, original, context, &mut findings),
        },
    };
    let NotePosting { mut calls, predicted, credit } = match posting {
        Ok(posting) => posting,
        Err(ended) => return *ended,
    };
    calls.extend(settlement::calls(&credit, original, context, &mut findings));
    match known {
        Some(known) if calls.is_empty() => {
            let mut plan =
                findings::already(&message!(plan_notes.credit_memo, number = memo.increment_id), known);
            plan.notes.extend(findings.notes);
            plan
        }
        _ => findings::plan_of(calls, predicted, findings),
    }
}

/// Why the settings skip a memo, if it does; the first reason that holds. A memo does not name its store view.
fn skip_reason(memo: &CreditMemo, settings: &Settings) -> Option<Code> {
    let filter = &settings.website_filter;
    if settings.sync_since.is_some_and(|since| memo.created_at < since) {
        Some(Code::OutsideSyncSince)
    } else if !filter.is_empty() && !memo.website_id.is_some_and(|id| filter.contains(&id)) {
        Some(Code::OutsideWebsiteFilter)
    } else if round2(memo.grand_total).is_zero()
        && !is_of_nothing_though_sold(memo)
        && !settings.sync_zero_value_invoices
    {
        Some(Code::ZeroValueInvoice)
    } else {
        None
    }
}

/// A credit note that is in Sage, or is brought there by these calls.
struct NotePosting<'a> {
    /// Contact, credit note, release.
    calls: Vec<Call>,
    /// The sums that Sage will show.
    predicted: Option<Predicted>,
    /// What is to be settled.
    credit: CreditToSettle<'a>,
}

/// A memo whose credit note is in Sage.
fn posted<'a>(
    memo: &'a CreditMemo,
    known: &KnownRecord,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<NotePosting<'a>, NotPosted> {
    let day = memo_day(memo, context, findings)?;
    findings.add(day.rule);
    let reference = reference::of(&memo.increment_id, context.settings, findings);
    let exchange = exchange::unchecked(memo.currency, memo.base_to_order_rate, context.reference, findings)?;
    let credit = CreditToSettle { memo, note: known.sage_id.clone(), reference, date: day.day, exchange };
    Ok(NotePosting { calls: Vec::new(), predicted: None, credit })
}

/// Whether a memo gives nothing back for goods that come back: what paid for them was no money.
fn is_of_nothing_though_sold(memo: &CreditMemo) -> bool {
    let is_adjusted = !(memo.adjustment_positive.is_zero() && memo.adjustment_negative.is_zero());
    round2(memo.grand_total).is_zero() && !is_adjusted && !sold::of_memo(memo).is_zero()
}

fn memo_day(
    memo: &CreditMemo,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<DocumentDay, NotPosted> {
    let Context { settings, reference, .. } = *context;
    dates::unnoted_day(memo.created_at, DocumentKind::CreditNote.noun(), settings, reference, findings)
}

/// The calls of a memo that is not in Sage.
fn posting<'a>(
    memo: &'a CreditMemo,
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<NotePosting<'a>, NotPosted> {
    let invoice = original.and_then(|original| original.document.as_ref());
    if let Some(invoice) = invoice.filter(|invoice| invoice.currency != memo.currency) {
        let message = message!(plan.memo_currency, memo = memo.currency, invoice = invoice.currency);
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    let shown = returned_sale::read(memo, invoice)
        .map_err(|reason| findings.fail(Code::InconsistentDocument, reason))?;
    let is_of_nothing = |invoice: &Invoice| round2(invoice.grand_total).is_zero();
    if is_of_nothing_though_sold(memo) && !invoice.is_some_and(is_of_nothing) {
        return Err(sold::unpaid(sold::of_memo(memo), findings));
    }
    let assigned = identity::assign(&shown.buyer, context);
    let terms = Terms::of(&shown, &assigned, original.is_some(), context, findings)?;
    let rates = AvailableRates::new(context.settings, context.reference, &terms.place);
    let found = reconstruct::reconstruct(memo, &shown, invoice, &rates, context, findings)?;
    let (contact, contact_call) =
        contact_of(memo, &shown.buyer, (assigned, terms.place.treatment), original, context, findings);
    let rows = note_rows::rows(memo, &found, &rates, context, findings)?;
    let day = memo_day(memo, context, findings)?;
    let note = CreditNote { memo, sale: &found.sale, original, contact: &contact, day: &day };
    let fields = note.fields(&terms, &rows, context, findings)?;
    let tax = found.sale.totals.tax - foreign_tax::of(rows.iter().map(|taxed| &taxed.row));
    let expected = ExpectedTotals { total: memo.grand_total, tax, currency: memo.currency };
    let predicted = reconciled(shown.kind, &fields, &expected, context.reference, findings)?;
    let beside = memo.adjustment_positive - memo.adjustment_negative + found.excess;
    let boxes = tax_return::proven(&found.sale, &fields, beside, &terms, context, findings)?;
    let predicted = Predicted { boxes, ..predicted };
    findings.add(day.rule);
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (note, exchange) = ("{creditmemo}".to_owned(), terms.exchange);
    let credit = CreditToSettle { memo, note, reference, date: day.day, exchange };
    let (key, base_total) =
        (keys::credit_memo(memo), exchange.and_then(|rate| rate.in_base(predicted.total)));
    let mut calls: Vec<Call> = contact_call.into_iter().collect();
    calls.extend(document_calls::calls(shown.kind, key, fields, &predicted, base_total, context));
    Ok(NotePosting { calls, predicted: Some(predicted), credit })
}

/// The contact of the original invoice, whatever the rules say today; without one, the contact by the rules.
fn contact_of(
    memo: &CreditMemo,
    buyer: &Buyer<'_>,
    (assigned, treatment): (AssignedContact, Option<TaxTreatment>),
    original: Option<&OriginalInvoice>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> (String, Option<Call>) {
    if let Some(original) = original {
        let invoice = memo.invoice_increment_id.as_deref().unwrap_or_default();
        if original.is_by_order {
            let name = original.displayed_as.as_deref().unwrap_or(&original.sage_id);
            findings.rule("invoice", name, message!(reasons.invoice_of_order), invoice);
        }
        findings.rule("contact", &*original.contact_id, message!(reasons.contact_of_invoice), invoice);
        return (original.contact_id.clone(), None);
    }
    let contact = choice::choose(assigned, buyer, treatment, context, findings);
    (contact.id, contact.call)
}
