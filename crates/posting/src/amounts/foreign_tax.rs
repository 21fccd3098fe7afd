//! Tax of another jurisdiction that Sage has no rate for (sales tax of the United States): it is owed there, so it is money on a liability
//! account, and no tax of the document.

use domain::money::text;
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        document_row::{DocumentRow, RowKind},
        tax_rates::AvailableRates,
    },
    findings::Findings,
};

/// Takes such tax out of the rows into one of its own.
pub(crate) fn take_out(rows: &mut Vec<DocumentRow>, rates: &AvailableRates<'_>, findings: &mut Findings) {
    let mut sum = Decimal::ZERO;
    for row in rows.iter_mut().filter(|row| rates.is_foreign(row.percent, row.class.as_deref())) {
        sum += row.tax;
        row.tax = Decimal::ZERO;
        row.percent = Decimal::ZERO;
    }
    if !sum.is_zero() {
        let description = format!("Tax of {}", rates.place.name());
        findings.rule("foreign tax", text(sum), message!(reasons.foreign_tax), rates.place.name());
        rows.push(DocumentRow::extra(RowKind::ForeignTax, &description, sum, Decimal::ZERO, Decimal::ZERO));
    }
}

/// The tax that was taken out of a document's rows.
pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a DocumentRow>) -> Decimal {
    rows.filter(|row| row.kind == RowKind::ForeignTax).map(DocumentRow::net).sum()
}
