//! The rows that become lines of a Sage document: to the penny, each with its account's kind, discount, tax and percentage.

use domain::{
    documents::Line,
    money::{round2, text},
    text::clean,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        discount_rows,
        document_row::{DocumentRow, RowKind},
        product_tax::ProductTax,
        recovered_rates::RecoveredRates,
        sums::DocumentSums,
        unallocated::GapExplanation,
    },
    findings::Findings,
    sales_document::SalesDocument,
};

/// Notes the lines whose money is in others: a bundle's parent names what the customer bought.
pub(crate) fn note_lines_without_money(document: &SalesDocument<'_>, findings: &mut Findings) {
    for line in document.lines_without_money() {
        findings.note(message!(
            plan_notes.line_without_money,
            line = clean(&line.name),
            quantity = line.qty.normalize()
        ));
    }
}

/// Builds the rows. `apart` takes discounts that were taxed before they were given out of the lines, where a rate of 0 % is
/// there to put them on: so each line keeps the tax that its rate makes.
pub(crate) fn build(
    lines: &[&Line],
    sums: &DocumentSums,
    rates: &RecoveredRates,
    explanation: &GapExplanation,
    apart: bool,
    findings: &mut Findings,
) -> Vec<DocumentRow> {
    let mut rows = goods(lines, rates, explanation);
    rows.extend(explanation.product_taxes.iter().map(|one| product_tax(one, findings)));
    rows.extend(shipping(sums, rates, explanation, findings));
    note_compensation(explanation, findings);
    discount_rows::untaxed(&mut rows, sums, rates, apart, findings);
    rows.extend(difference(sums, explanation, findings));
    rows
}

fn goods(lines: &[&Line], rates: &RecoveredRates, explanation: &GapExplanation) -> Vec<DocumentRow> {
    let row = |(index, line): (usize, &&Line)| DocumentRow {
        kind: RowKind::Goods,
        description: clean(if line.name.trim().is_empty() { &line.sku } else { &line.name }),
        quantity: line.qty,
        unit_price: line.unit_price,
        subtotal: round2(line.line_subtotal),
        discount: round2(line.discount() - explanation.compensation[index]),
        tax: round2(line.line_tax),
        percent: rates.goods[index],
        class: line.tax_class.clone(),
    };
    lines.iter().enumerate().map(row).collect()
}

fn product_tax(product_tax: &ProductTax, findings: &mut Findings) -> DocumentRow {
    let ProductTax { net, tax, percent } = *product_tax;
    findings.rule("fixed product tax", text(net), message!(reasons.product_tax), text(tax));
    DocumentRow::extra(RowKind::ProductTax, "Fixed product tax or fee", net, tax, percent)
}

fn shipping(
    sums: &DocumentSums,
    rates: &RecoveredRates,
    explanation: &GapExplanation,
    findings: &mut Findings,
) -> Option<DocumentRow> {
    let (shipping, percent) = sums.shipping.as_ref().zip(rates.shipping)?;
    let (net, tax) = (round2(shipping.subtotal), round2(shipping.tax));
    let discount = round2(shipping.discount - explanation.shipping_compensation);
    if !discount.is_zero() {
        findings.rule(
            "shipping discount",
            text(discount),
            message!(reasons.shipping_discount),
            text(shipping.discount),
        );
    }
    Some(DocumentRow { discount, ..DocumentRow::extra(RowKind::Shipping, "Shipping", net, tax, percent) })
}

fn note_compensation(explanation: &GapExplanation, findings: &mut Findings) {
    let given_back = explanation.compensation.iter().sum::<Decimal>() + explanation.shipping_compensation;
    if !round2(given_back).is_zero() {
        findings.rule("discounts", "without tax", message!(reasons.discount_compensation), text(given_back));
    }
}

/// Untaxed money that no field shows: gift cards and store credit take from the total, fees add to it.
fn difference(
    sums: &DocumentSums,
    explanation: &GapExplanation,
    findings: &mut Findings,
) -> Option<DocumentRow> {
    // The stray discount is part of the gap and has its own row.
    let difference = explanation.difference + round2(sums.stray_discount);
    if difference.is_zero() {
        return None;
    }
    let (kind, description) = if difference < Decimal::ZERO {
        (RowKind::GiftCard, "Difference to Magento's total (gift card or store credit)")
    } else {
        (RowKind::Fee, "Difference to Magento's total (fee or untaxed product tax)")
    };
    findings.rule("difference", text(difference), message!(reasons.difference), description);
    Some(DocumentRow::extra(kind, description, difference, Decimal::ZERO, Decimal::ZERO))
}
