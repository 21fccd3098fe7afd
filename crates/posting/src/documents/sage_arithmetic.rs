//! What Sage makes of a body: an arithmetic of its own, which knows nothing of how the body came about. No invoice is posted
//! whose sums differ here from Magento's.

use std::collections::BTreeMap;

use domain::{
    business::ReferenceSet,
    money::{NotAnAmount, parse_bounded, round2},
};
use rust_decimal::Decimal;
use serde_json::Value;

/// The sums of a document as Sage shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SageSums {
    /// With tax.
    pub total: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The tax by tax rate id.
    pub tax_by_rate: BTreeMap<String, Decimal>,
}

impl SageSums {
    fn add(&mut self, net: Decimal, tax: Decimal, rate: Option<&str>) {
        self.total += net + tax;
        self.tax += tax;
        if let Some(rate) = rate {
            *self.tax_by_rate.entry(rate.to_owned()).or_default() += tax;
        }
    }
}

/// The sums of a document's fields (what stands within the wrapper). Each line is its quantity times its unit price, that rounded
/// to the penny before and the product after, less its discount; its tax is what was sent. Shipping's tax is recomputed from
/// net and rate. `None` for a body that Sage would refuse: a number that is none, a rate that it does not know, or a rate
/// above 0 without a tax.
pub fn sage_arithmetic(document: &Value, lines: &str, reference: &ReferenceSet) -> Option<SageSums> {
    let mut sums = SageSums::default();
    for line in document.get(lines)?.as_array()? {
        let price = round2(amount(line, "unit_price").ok()??);
        let net = round2(amount(line, "quantity").ok()?.unwrap_or(Decimal::ONE) * price)
            - round2(amount(line, "discount_amount").ok()?.unwrap_or_default());
        let rate = line.get("tax_rate_id").and_then(Value::as_str);
        let tax = match (rate, amount(line, "tax_amount").ok()?) {
            (_, Some(tax)) => round2(tax),
            (Some(rate), None) if !percentage(rate, reference)?.is_zero() => return None,
            (_, None) => Decimal::ZERO,
        };
        sums.add(net, tax, rate);
    }
    if let Some(net) = amount(document, "shipping_net_amount").ok()? {
        let rate = document.get("shipping_tax_rate_id").and_then(Value::as_str);
        let percent = rate.map_or(Some(Decimal::ZERO), |rate| percentage(rate, reference))?;
        let net = round2(net);
        sums.add(net, round2(net * percent / Decimal::ONE_HUNDRED), rate);
    }
    Some(sums)
}

/// A field's amount, if it is there.
fn amount(value: &Value, field: &str) -> Result<Option<Decimal>, NotAnAmount> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => parse_bounded(number.as_str()).map(Some),
        Some(Value::String(text)) => parse_bounded(text).map(Some),
        Some(other) => Err(NotAnAmount(other.to_string())),
    }
}

fn percentage(rate: &str, reference: &ReferenceSet) -> Option<Decimal> {
    reference.tax_rates.iter().find(|known| known.id == rate).map(|known| known.percentage)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures;

    #[test]
    fn lines_keep_their_tax_and_shipping_gets_its_own() {
        let document = json!({
            "invoice_lines": [
                {"quantity": 2, "unit_price": 12.49, "discount_amount": 2.50, "tax_rate_id": "GB_STANDARD", "tax_amount": 4.50},
                {"quantity": 1, "unit_price": "45.00", "discount_amount": "4.50", "tax_rate_id": "GB_STANDARD", "tax_amount": "8.10"},
            ],
            "shipping_net_amount": 4.95, "shipping_tax_rate_id": "GB_STANDARD",
        });
        let sums = sage_arithmetic(&document, "invoice_lines", &fixtures::reference()).unwrap();
        assert_eq!((sums.total, sums.tax), (Decimal::new(8152, 2), Decimal::new(1359, 2)));
        assert_eq!(sums.tax_by_rate["GB_STANDARD"], Decimal::new(1359, 2));
    }

    #[test]
    fn a_rate_without_its_tax_is_refused() {
        let document = json!({"invoice_lines": [{"unit_price": 1, "tax_rate_id": "GB_STANDARD"}]});
        assert_eq!(sage_arithmetic(&document, "invoice_lines", &fixtures::reference()), None);
    }
}
