//! The rows that become lines of a Sage document: to the penny, each with its account's kind, discount, tax and percentage.

use domain::{
    documents::Line,
    money::{round2, text},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        document_row::{DocumentRow, RowKind},
        product_tax::ProductTax,
        recovered_rates::RecoveredRates,
        sums::DocumentSums,
        taxed_amount::DiscountBasis,
        unallocated::GapExplanation,
    },
    findings::Findings,
    text::readable,
    tolerances::CASH_ROUNDING,
};

/// Builds the rows. `apart` takes discounts that were taxed before they were given out of the lines, where a rate of 0 % is
/// there to put them on: so each line keeps the tax that its rate makes.
pub(crate) fn build(
    sums: &DocumentSums<'_>,
    rates: &RecoveredRates,
    explanation: &GapExplanation,
    apart: bool,
    findings: &mut Findings,
) -> Vec<DocumentRow> {
    let mut rows = goods(&sums.lines, rates, explanation, findings);
    rows.extend(explanation.product_taxes.iter().map(|one| product_tax(one, findings)));
    rows.extend(shipping(sums, rates, explanation, findings));
    note_compensation(explanation, findings);
    untaxed_discounts(&mut rows, sums, rates, apart, findings);
    rows.extend(difference(sums, explanation, findings));
    rows
}

fn goods(
    lines: &[&Line],
    rates: &RecoveredRates,
    explanation: &GapExplanation,
    findings: &mut Findings,
) -> Vec<DocumentRow> {
    let row = |(index, line): (usize, &&Line)| DocumentRow {
        kind: if line.is_multi_purpose_voucher() { RowKind::GiftCard } else { RowKind::Goods },
        description: description(line, findings),
        quantity: line.qty,
        unit_price: line.unit_price,
        subtotal: round2(line.line_subtotal),
        discount: round2(line.discount() - explanation.compensation[index].likely),
        tax: round2(line.line_tax),
        percent: rates.goods[index],
        class: line.tax_class.clone(),
    };
    lines.iter().enumerate().map(row).collect()
}

/// The name; a name that shows nothing gives way to the SKU, and that to a stand-in.
fn description(line: &Line, findings: &mut Findings) -> String {
    let mut shown = |text| readable(text, message!(field_names.line_description), findings);
    if let Some(text) = shown(&line.name).or_else(|| shown(&line.sku)) {
        return text;
    }
    findings.note(message!(plan_notes.nameless_line));
    message!(document_names.nameless_line).to_owned()
}

fn product_tax(product_tax: &ProductTax, findings: &mut Findings) -> DocumentRow {
    let ProductTax { net, tax, percent } = *product_tax;
    findings.rule("fixed product tax", text(net), message!(reasons.product_tax), text(tax));
    DocumentRow::extra(RowKind::ProductTax, "Fixed product tax or fee", net, tax, percent)
}

fn shipping(
    sums: &DocumentSums<'_>,
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
    let given_back = explanation.compensation.iter().map(|one| one.likely).sum::<Decimal>()
        + explanation.shipping_compensation;
    if !round2(given_back).is_zero() {
        findings.rule("discounts", "without tax", message!(reasons.discount_compensation), text(given_back));
    }
}

/// Adds the untaxed rows of discounts that no line may hold: those given after tax, where `apart` says that a rate of 0 % is there to
/// put them on, what goes beyond a line's price, and those that neither a line nor shipping explains.
fn untaxed_discounts(
    rows: &mut Vec<DocumentRow>,
    sums: &DocumentSums<'_>,
    rates: &RecoveredRates,
    apart: bool,
    findings: &mut Findings,
) {
    let outside = taken_out(rows, rates, apart);
    if outside > Decimal::ZERO {
        findings.rule("discount", text(outside), message!(reasons.discount_after_tax), text(outside));
        rows.push(discount_row("Discount (taxed on the full price)", outside));
    }
    let stray = round2(sums.stray_discount);
    if stray > Decimal::ZERO {
        findings.rule("discount", text(stray), message!(reasons.discount_of_document), text(stray));
        rows.push(discount_row("Discount of the whole invoice", stray));
    }
}

/// Takes discounts out of the lines that may not hold them, and says how much.
fn taken_out(rows: &mut [DocumentRow], rates: &RecoveredRates, apart: bool) -> Decimal {
    let mut outside = Decimal::ZERO;
    for row in rows.iter_mut().filter(|row| row.discount > Decimal::ZERO) {
        let basis = if row.kind == RowKind::Shipping { rates.shipping_basis } else { rates.goods_basis };
        let is_apart = basis == DiscountBasis::AfterTax && apart;
        let most = if is_apart { Decimal::ZERO } else { row.subtotal.max(Decimal::ZERO) };
        if row.discount > most {
            outside += row.discount - most;
            row.discount = most;
        }
    }
    for row in rows.iter_mut().filter(|row| row.discount < Decimal::ZERO) {
        row.subtotal -= row.discount;
        row.discount = Decimal::ZERO;
    }
    outside
}

fn discount_row(description: &str, discount: Decimal) -> DocumentRow {
    DocumentRow::extra(RowKind::Discount, description, -discount, Decimal::ZERO, Decimal::ZERO)
}

/// Untaxed money that no field shows: gift cards and store credit take from the total, fees add to it.
fn difference(
    sums: &DocumentSums<'_>,
    explanation: &GapExplanation,
    findings: &mut Findings,
) -> Option<DocumentRow> {
    // The stray discount is part of the gap and has its own row.
    let difference = explanation.difference + round2(sums.stray_discount);
    if difference.is_zero() {
        return None;
    }
    if difference.abs() <= CASH_ROUNDING {
        findings.rule("difference", text(difference), message!(reasons.cash_rounding), "Cash rounding");
        let kind = RowKind::CashRounding;
        return Some(DocumentRow::extra(kind, "Cash rounding", difference, Decimal::ZERO, Decimal::ZERO));
    }
    let (kind, description) = if difference < Decimal::ZERO {
        (RowKind::GiftCard, "Difference to Magento's total (gift card or store credit)")
    } else {
        (RowKind::Fee, "Difference to Magento's total (fee or untaxed product tax)")
    };
    findings.rule("difference", text(difference), message!(reasons.difference), description);
    Some(DocumentRow::extra(kind, description, difference, Decimal::ZERO, Decimal::ZERO))
}
