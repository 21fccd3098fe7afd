//! The rows of a credit note that no row of the sale stands for.

use domain::{
    documents::CreditMemo,
    money::{round2, text},
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        breakdown::TaxedRow,
        rows::{DocumentRow, RowKind},
        tax_rates::AvailableRates,
    },
    context::Context,
    findings::{Findings, NotPosted},
    terms::Terms,
};

/// Adjustments, and what Magento credits too much, as rows of their own: never taxed.
pub(crate) fn adjustments(memo: &CreditMemo, excess: Decimal, findings: &mut Findings) -> Vec<DocumentRow> {
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
            "shipping tax x shipping discount / shipping: a fault of Magento's",
        ),
    ];
    let mut rows = Vec::new();
    for (amount, sign, description, input) in parts {
        let amount = round2(amount) * sign;
        if !amount.is_zero() {
            findings.rule("adjustment", text(amount), "a line of its own, without tax", input);
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
pub(crate) fn untaxed(
    row: DocumentRow,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<TaxedRow, NotPosted> {
    if !context.reference.registered_for_tax {
        return Ok(TaxedRow { row, rate: None });
    }
    match AvailableRates::new(context.policy, context.reference, &terms.place).choose(row.percent, None) {
        Ok(choice) => {
            findings.rule("adjustment tax rate", &*choice.id, choice.rule, &*choice.input);
            Ok(TaxedRow { row, rate: Some(choice) })
        }
        Err(missing) => Err(findings.hold_for(&[missing])),
    }
}
