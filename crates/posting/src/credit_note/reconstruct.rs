//! A credit memo's header shows neither discount nor tax, so the sale that it takes back is reconstructed: the discount on shipping,
//! product taxes with their tax, and what Magento credits too much. Each hypothesis makes a sale, the sale is explained as an
//! invoice is, and the one that leaves least open is taken; where none fits, the memo is refused.

use domain::{
    code::Code,
    documents::{CreditMemo, Invoice},
    money::{round, round2, text},
    plan::{Plan, RefusedSums, SumSource},
    settings::UndeterminedTax,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::tax_rates::AvailableRates,
    context::Context,
    credit_note::{
        explained_sale::ExplainedSale, from_invoice, from_memo, memo_evidence::MemoEvidence, readings,
    },
    findings::{Findings, NotPosted},
    sales_document::SalesDocument,
};

/// The sale that a credit memo takes back.
#[derive(Debug)]
pub(crate) struct ReconstructedSale<'a> {
    /// The sale, without adjustments and without what Magento credits too much.
    pub sale: SalesDocument<'a>,
    /// What Magento credits too much, without tax.
    pub excess: Decimal,
}

/// Reconstructs the sale that a memo takes back, or says why its sums cannot be known.
pub(crate) fn reconstruct<'a>(
    memo: &CreditMemo,
    shown: &SalesDocument<'a>,
    invoice: Option<&Invoice>,
    rates: &AvailableRates<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<ReconstructedSale<'a>, NotPosted> {
    let evidence = MemoEvidence::new(memo, shown, rates);
    let (sale, found) = likeliest(shown, invoice, &evidence);
    if let Some(reason) = &found.refusal {
        let both = both_sums(memo, shown);
        return Err(findings.refuse(mismatch(&both, reason), both));
    }
    let is_taxable = context.reference.registered_for_tax && !evidence.known.is_untaxed_abroad;
    let is_accepted = found.is_likely && context.settings.tax_undetermined == UndeterminedTax::Infer;
    if !found.is_certain && !is_accepted && is_taxable {
        let reason = match invoice {
            None => message!(figures.memo_undetermined),
            Some(_) => message!(figures.memo_undetermined_by_invoice),
        };
        let held = findings.hold(Code::TaxUndetermined, mismatch(&both_sums(memo, shown), reason));
        let readings = readings::in_words(&found.hidden_taxes, memo.grand_total, shown.totals.tax);
        return Err(Box::new(Plan { readings, ..*held }));
    }
    note_what_was_found(memo, &found, findings);
    Ok(ReconstructedSale { sale: SalesDocument { totals: found.totals, ..sale }, excess: found.excess })
}

/// By what the invoice shows, where that was fetched and can be read, else by what the memo shows itself.
fn likeliest<'a>(
    shown: &SalesDocument<'a>,
    invoice: Option<&Invoice>,
    evidence: &MemoEvidence<'_>,
) -> (SalesDocument<'a>, ExplainedSale) {
    let by_invoice = invoice.and_then(|invoice| from_invoice::explain(invoice, shown, evidence));
    let has_hidden_tax = by_invoice.as_ref().map(|sale| sale.has_hidden_tax);
    if let Some(found) = by_invoice.and_then(|sale| sale.fitting) {
        return found;
    }
    let found = from_memo::explain(evidence);
    let is_certain = match has_hidden_tax {
        Some(has_hidden_tax) => !has_hidden_tax && found.hidden_tax.is_zero(),
        // An invoice that cannot be read leaves everything open.
        None => found.is_certain && invoice.is_none(),
    };
    let is_likely = found.is_likely && has_hidden_tax != Some(true);
    (shown.clone(), ExplainedSale { is_certain, is_likely, ..found })
}

fn note_what_was_found(memo: &CreditMemo, found: &ExplainedSale, findings: &mut Findings) {
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

/// Magento's sum of a memo, and that of its parts.
fn both_sums(memo: &CreditMemo, sale: &SalesDocument<'_>) -> RefusedSums {
    let other_total: Decimal = memo.lines.iter().map(|line| line.line_total).sum::<Decimal>()
        + memo.shipping_amount
        + memo.shipping_tax_amount
        + memo.adjustment_positive
        - memo.adjustment_negative;
    RefusedSums {
        total: memo.grand_total,
        // Magento gives a memo's tax by line alone.
        tax: None,
        other_total,
        other_tax: sale.totals.tax,
        source: SumSource::Lines,
    }
}

/// Both sums of a memo, and why no posting exists.
fn mismatch(both: &RefusedSums, reason: &str) -> String {
    message!(
        plan.memo_mismatch,
        total = text(both.total),
        shown = text(both.other_total),
        shown_tax = text(both.other_tax),
        reason = reason
    )
}
