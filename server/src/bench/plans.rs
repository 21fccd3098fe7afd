//! How long a Plan takes: an invoice of a hundred lines.

use std::{collections::BTreeMap, time::Instant};

use domain::{business::ReferenceSet, documents::Invoice, ids::BindingId, plan::Verdict, settings::Settings};
use posting::{Context, Generations, plan_invoice};
use serde_json::Value;

use super::Line;
use crate::{
    lifecycle::Failure,
    plan::{REFERENCE, SETTINGS},
};

const PLANS: u32 = 200;

pub fn measure() -> Result<Vec<Line>, Failure> {
    let (settings, reference): (Settings, ReferenceSet) =
        (serde_json::from_str(SETTINGS)?, serde_json::from_str(REFERENCE)?);
    let invoice = hundred_lines()?;
    let (xrefs, generations) = (BTreeMap::new(), Generations::new());
    let context = Context {
        binding: BindingId::default(),
        business: "bench",
        settings: &settings,
        reference: &reference,
        xrefs: &xrefs,
        generations: &generations,
        safe_mode: false,
    };
    let begun = Instant::now();
    for _ in 0..PLANS {
        let plan = plan_invoice(&invoice, &context);
        if plan.verdict != Verdict::Post {
            return Err(format!("the plan does not post: {:?}", plan.message).into());
        }
    }
    let micros = begun.elapsed().as_micros() / u128::from(PLANS);
    Ok(vec![("Plan of an invoice of 100 lines".to_owned(), format!("{micros} µs"))])
}

/// Fifty times the two lines of a sample that bear money; its sums grow with them.
fn hundred_lines() -> Result<Invoice, Failure> {
    let mut document: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json"))?;
    let lines: Vec<Value> = document["lines"].as_array().into_iter().flatten().take(2).cloned().collect();
    document["lines"] = lines.iter().cycle().take(100).cloned().collect();
    let mut invoice: Invoice = serde_json::from_value(document)?;
    invoice.subtotal = invoice.lines.iter().map(|line| line.line_subtotal).sum();
    let tax: domain::Decimal = invoice.lines.iter().map(|line| line.line_tax).sum();
    let discount: domain::Decimal = invoice.lines.iter().map(domain::documents::Line::discount).sum();
    invoice.tax_amount = tax + invoice.shipping_tax_amount;
    invoice.discount_amount = -discount;
    invoice.grand_total = invoice.subtotal - discount + invoice.shipping_amount + invoice.tax_amount;
    Ok(invoice)
}
