//! The last and only gate before a posting: the sums that Sage makes of the finished body must be Magento's.

use std::collections::BTreeMap;

use domain::{
    business::ReferenceSet,
    code::Code,
    money::{Currency, round2, text},
    plan::{Predicted, RefusedSums, SumSource},
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    document_kind::DocumentKind,
    documents::sage_arithmetic::sage_arithmetic,
    findings::{Findings, NotPosted},
};

/// What Magento says that a document comes to.
pub(crate) struct ExpectedTotals {
    /// Total with tax.
    pub total: Decimal,
    /// Tax.
    pub tax: Decimal,
    /// Currency of both.
    pub currency: Currency,
}

/// The sums that Sage will show of a body of this kind; refused with both sums where they are not Magento's.
pub(crate) fn reconciled(
    kind: DocumentKind,
    fields: &Map<String, Value>,
    expected: &ExpectedTotals,
    reference: &ReferenceSet,
    findings: &Findings,
) -> Result<Predicted, NotPosted> {
    let total = round2(expected.total);
    let tax = if reference.registered_for_tax { round2(expected.tax) } else { Decimal::ZERO };
    let sums = sage_arithmetic(&Value::Object(fields.clone()), kind.api_names().lines, reference)
        .ok_or_else(|| findings.fail(Code::TotalsMismatch, message!(plan.not_summed)))?;
    if (sums.total, sums.tax) != (total, tax) {
        let message = message!(
            plan.sage_mismatch,
            total = text(total),
            tax = text(tax),
            in_sage = text(sums.total),
            tax_in_sage = text(sums.tax)
        );
        let both = RefusedSums {
            total,
            tax: Some(tax),
            other_total: sums.total,
            other_tax: sums.tax,
            source: SumSource::Sage,
        };
        return Err(findings.refuse(message, both));
    }
    let tax_by_rate: BTreeMap<_, _> =
        sums.tax_by_rate.into_iter().map(|(rate, tax)| (rate, text(tax))).collect();
    Ok(Predicted { total, tax, currency: expected.currency, tax_by_rate, boxes: BTreeMap::new() })
}
