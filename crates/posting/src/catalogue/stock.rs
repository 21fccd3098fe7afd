//! The movement that brings a stock item to Magento's quantity.

use chrono::{DateTime, Utc};
use domain::{
    documents::Product,
    money::{optional_amount, round2, text},
    plan::{Call, Method},
    xref::{XrefKey, XrefKind},
};
use messages::message;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::Context,
    findings::{Findings, NotPosted},
    json_number,
    terms::dates,
    text::cut,
};

/// Sage's limits, in characters.
const DETAILS: usize = 50;
const REFERENCE: usize = 31;

/// What Sage holds of a product, read just before the plan is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownStock {
    /// How many Sage has of the stock item: of the one that is known, or else of the one that bears the SKU exactly. None where
    /// Sage has no such item, or shows no quantity.
    #[serde(default, with = "optional_amount")]
    pub quantity: Option<Decimal>,
    /// When the run was queued: the same for every try of a run, so that a movement is made once, and another for the next run.
    /// It is the movement's day.
    pub as_of: DateTime<Utc>,
}

/// The movement of the difference; none where Sage has what Magento has, or does not say what it has.
pub(crate) fn movement(
    product: &Product,
    item: &str,
    is_known: bool,
    stock: &KnownStock,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Option<Call>, NotPosted> {
    let Some(quantities) = quantities(product, is_known, stock, findings) else { return Ok(None) };
    let moved = quantities.wanted - round2(quantities.held);
    let (in_magento, wanted) = (quantities.in_magento.normalize(), quantities.wanted.normalize());
    if moved.is_zero() {
        findings.rule("stock", "unchanged", message!(reasons.stock_equal), wanted.to_string());
        return Ok(None);
    }
    findings.rule(
        "stock",
        moved.normalize().to_string(),
        message!(reasons.stock_difference),
        message!(reasons.stock_quantities, in_magento = in_magento, in_sage = quantities.held.normalize()),
    );
    movement_call(product, item, &quantities, stock, context, findings).map(Some)
}

/// How many of a product there are.
struct Quantities {
    in_magento: Decimal,
    /// How many Sage should have: none below zero.
    wanted: Decimal,
    /// How many Sage has.
    held: Decimal,
}

fn quantities(
    product: &Product,
    is_known: bool,
    stock: &KnownStock,
    findings: &mut Findings,
) -> Option<Quantities> {
    let Some(in_magento) = product.stock_qty else {
        findings.note(message!(plan_notes.no_quantity_in_magento));
        return None;
    };
    let held = match stock.quantity {
        Some(held) => held,
        None if is_known => {
            findings.note(message!(plan_notes.no_quantity_in_sage));
            return None;
        }
        None => Decimal::ZERO,
    };
    // Backorders: Sage holds no stock below zero.
    if in_magento < Decimal::ZERO {
        let quantity = in_magento.normalize();
        findings.note(message!(plan_notes.negative_quantity, quantity = quantity));
    }
    Some(Quantities { in_magento, wanted: round2(in_magento).max(Decimal::ZERO), held })
}

fn movement_call(
    product: &Product,
    item: &str,
    quantities: &Quantities,
    stock: &KnownStock,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Call, NotPosted> {
    let Context { settings, reference, .. } = *context;
    let Quantities { wanted, held, .. } = *quantities;
    let date = dates::document_day(stock.as_of, "stock movement", settings, reference, findings)?;
    let key = XrefKey {
        kind: XrefKind::StockMovement,
        magento_key: format!("{}:{}:{}", product.magento_id, stock.as_of.timestamp_millis(), text(held)),
    };
    let moved = wanted - round2(held);
    let details = format!("Magento has {}, Sage had {}", wanted.normalize(), round2(held).normalize());
    let details = cut(&details, DETAILS, message!(field_names.movement_details), findings);
    let sage_reference =
        cut(&format!("Magento {}", product.magento_id), REFERENCE, message!(field_names.reference), findings);
    let mut fields = context.identified(&key);
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("stock_item_id", item.into());
    put("date", date.to_string().into());
    put("quantity", json_number::plain_number(moved.normalize().to_string()));
    put("cost_price", json_number::number(product.cost.unwrap_or_default().max(Decimal::ZERO)));
    put("details", details.into());
    put("reference", sage_reference.into());
    Ok(Call {
        name: "stock_movement".to_owned(),
        method: Method::Post,
        path: "/stock_movements".to_owned(),
        body: json!({ "stock_movement": fields }),
        xref: Some(key),
        // A movement that was made shows in Sage's quantity, which is read before every plan.
        adopt: None,
        expect: None,
        releases_draft: false,
    })
}
