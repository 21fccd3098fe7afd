//! The rows of a credit note: those of the sale that it takes back, and adjustments.

use domain::{
    documents::CreditMemo,
    money::{round2, text},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        breakdown::{self, TaxedRow},
        document_row::{DocumentRow, RowKind},
        tax_rates::AvailableRates,
    },
    context::Context,
    credit_note::reconstruct::ReconstructedSale,
    findings::{Findings, NotPosted},
};

/// The rows to the penny, each with its tax rate.
pub(crate) fn rows(
    memo: &CreditMemo,
    found: &ReconstructedSale<'_>,
    rates: &AvailableRates<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Vec<TaxedRow>, NotPosted> {
    let adjustments = adjustments(memo, found.excess, findings);
    // Lines of nothing are left out where something else is credited.
    let mut rows = if is_nothing(found) && !adjustments.is_empty() {
        Vec::new()
    } else {
        breakdown::rows(&found.sale, rates, context, findings)?
    };
    for row in adjustments {
        rows.push(untaxed(row, rates, context, findings)?);
    }
    Ok(rows)
}

/// Whether the sale comes to nothing in every part.
fn is_nothing(found: &ReconstructedSale<'_>) -> bool {
    let sale = &found.sale;
    sale.lines.iter().all(|line| line.line_total.is_zero() && line.line_subtotal.is_zero())
        && sale.totals.shipping.is_zero()
        && sale.totals.grand_total.is_zero()
}

/// Adjustments, and what Magento credits too much, as rows of their own: never taxed.
fn adjustments(memo: &CreditMemo, excess: Decimal, findings: &mut Findings) -> Vec<DocumentRow> {
    let parts = [
        (
            memo.adjustment_positive,
            Decimal::ONE,
            "Adjustment in the customer's favour",
            "adjustment_positive",
        ),
        (memo.adjustment_negative, Decimal::NEGATIVE_ONE, "Fee kept from the refund", "adjustment_negative"),
        (
            excess,
            Decimal::ONE,
            "Shipping discount that Magento credits although no shipping is refunded",
            message!(reasons.excess_credit),
        ),
    ];
    let mut rows = Vec::new();
    for (amount, sign, description, input) in parts {
        let amount = round2(amount) * sign;
        if !amount.is_zero() {
            findings.rule("adjustment", text(amount), message!(reasons.adjustment), input);
            rows.push(DocumentRow::extra(
                RowKind::Adjustment,
                description,
                amount,
                Decimal::ZERO,
                Decimal::ZERO,
            ));
        }
    }
    rows
}

/// An untaxed row with the rate of 0 % that the merchant chose.
fn untaxed(
    row: DocumentRow,
    rates: &AvailableRates<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<TaxedRow, NotPosted> {
    if !context.reference.registered_for_tax {
        return Ok(TaxedRow { row, rate: None });
    }
    match &rates.untaxed {
        Ok(choice) => {
            findings.rule("adjustment tax rate", &*choice.id, choice.rule, &*choice.input);
            Ok(TaxedRow { row, rate: Some(choice.clone()) })
        }
        Err(missing) => Err(findings.hold_for(std::slice::from_ref(missing))),
    }
}
