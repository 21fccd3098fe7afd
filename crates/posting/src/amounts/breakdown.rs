//! From a document to its rows to the penny, each with its tax rate: or the reason why there are none.

use domain::{
    code::Code,
    money::{round2, text},
    plan::{RefusedSums, SumSource},
    text::clean,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        discount_rows,
        document_row::{DocumentRow, RowKind},
        foreign_tax, known_rates,
        rounding::{self, RoundingTarget},
        rows,
        sums::DocumentSums,
        tax_rates::{AvailableRates, ChosenRate},
        unallocated::{self, GapExplanation},
    },
    context::Context,
    findings::{Findings, MissingSetting, NotPosted},
    sales_document::{DocumentTotals, SalesDocument},
};

/// A row with its tax rate; none for a business that is not registered for tax.
#[derive(Debug)]
pub(crate) struct TaxedRow {
    /// The row.
    pub row: DocumentRow,
    /// The rate.
    pub rate: Option<ChosenRate>,
}

/// The rows to the penny, each with its tax rate.
pub(crate) fn rows(
    document: &SalesDocument<'_>,
    rates: &AvailableRates<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Vec<TaxedRow>, NotPosted> {
    let Context { settings, reference, .. } = *context;
    let totals = &document.totals;
    let sums = DocumentSums::of(totals, &document.lines);
    note_lines_without_money(&sums, findings);
    let (known, fits) = known_rates::of(&sums.goods, sums.shipping.as_ref(), totals.tax, rates);
    let (recovered, explanation) = unallocated::best(&sums, (&fits.goods, &fits.shipping), &known);
    if let Some(reason) = &explanation.refusal {
        let both = both_sums(totals, &sums);
        return Err(findings.refuse(mismatch(&both, reason), both));
    }
    let apart = rates.untaxed.is_ok() && reference.registered_for_tax;
    let mut rows = rows::build(&sums, &recovered, &explanation, apart, findings);
    if rows.is_empty() {
        return Err(findings
            .fail(Code::InconsistentDocument, message!(plan.no_lines, document = document.kind.noun())));
    }
    if settings.discount_ledger_account_id.is_some() && reference.registered_for_tax {
        discount_rows::by_percentage(&mut rows);
    }
    settle(&mut rows, totals, &explanation, findings);
    if !reference.registered_for_tax {
        tax_into_price(&mut rows, findings);
        return Ok(rows.into_iter().map(|row| TaxedRow { row, rate: None }).collect());
    }
    findings.rule(
        "percentages",
        recovered.goods_basis.word(),
        message!(reasons.discount_basis),
        message!(reasons.line_taxes),
    );
    if settings.foreign_tax_ledger_account_id.is_some() {
        foreign_tax::take_out(&mut rows, rates, findings);
    }
    for row in &rows {
        rates.place.check_tax(row.tax, reference, findings)?;
    }
    with_rates(rows, rates, findings)
}

/// Notes the lines whose money is in others: a bundle's parent names what the customer bought.
fn note_lines_without_money(sums: &DocumentSums<'_>, findings: &mut Findings) {
    for line in &sums.lines_without_money {
        findings.note(message!(
            plan_notes.line_without_money,
            line = clean(&line.name),
            quantity = line.qty.normalize()
        ));
    }
}

fn settle(
    rows: &mut [DocumentRow],
    totals: &DocumentTotals,
    explanation: &GapExplanation,
    findings: &mut Findings,
) {
    let target = RoundingTarget {
        total: round2(totals.grand_total),
        tax: round2(totals.tax),
        tolerance: explanation.tolerance,
        tax_tolerance: explanation.tax_tolerance,
    };
    rounding::settle(rows, target, findings);
}

/// Magento's sums, and those of its lines.
fn both_sums(totals: &DocumentTotals, sums: &DocumentSums<'_>) -> RefusedSums {
    let (total, tax) = (totals.grand_total, totals.tax);
    RefusedSums {
        total,
        tax: Some(tax),
        other_total: total - sums.net_gap - sums.tax_gap,
        other_tax: tax - sums.tax_gap,
        source: SumSource::Lines,
    }
}

/// Both sums, and why no posting exists.
fn mismatch(both: &RefusedSums, reason: &str) -> String {
    message!(
        plan.invoice_mismatch,
        total = text(both.total),
        tax = text(both.tax.unwrap_or_default()),
        shown = text(both.other_total),
        shown_tax = text(both.other_tax),
        reason = reason
    )
}

/// A business that is not registered for tax records no tax: what was charged is the price.
fn tax_into_price(rows: &mut [DocumentRow], findings: &mut Findings) {
    for row in rows.iter_mut().filter(|row| !row.tax.is_zero()) {
        row.subtotal += row.tax;
        row.tax = Decimal::ZERO;
        // A penny of negative tax on a line of pennies: no discount is more than its line.
        if row.discount > row.subtotal {
            row.subtotal -= row.discount;
            row.discount = Decimal::ZERO;
        }
        findings.note(message!(plan_notes.tax_in_price));
    }
}

fn with_rates(
    rows: Vec<DocumentRow>,
    rates: &AvailableRates<'_>,
    findings: &mut Findings,
) -> Result<Vec<TaxedRow>, NotPosted> {
    let mut missing: Vec<MissingSetting> = Vec::new();
    let mut taxed = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        match rates.of_row(&row) {
            Ok(choice) => {
                let subject = match row.kind {
                    RowKind::Shipping => "shipping tax rate".to_owned(),
                    _ => format!("line {} tax rate", index + 1),
                };
                findings.rule(subject, &*choice.id, choice.rule, &*choice.input);
                taxed.push(TaxedRow { row, rate: Some(choice) });
            }
            Err(one) if !missing.contains(&one) => missing.push(one),
            Err(_) => {}
        }
    }
    if missing.is_empty() { Ok(taxed) } else { Err(findings.hold_for(&missing)) }
}
