//! From rows to Sage's lines: quantity times a price of two decimals where that is the row's subtotal exactly, otherwise
//! quantity 1 with the subtotal as the price and "3 x" in front of the name, because Sage rounds the unit price before it multiplies.

use domain::{
    business::ReferenceSet,
    money::{self, text},
    settings::Settings,
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    amounts::{
        accounts,
        breakdown::TaxedRow,
        document_row::{DocumentRow, RowKind},
        tax_rates::ChosenRate,
    },
    context::Context,
    findings::{Findings, NotPosted},
    json_number,
    terms::Terms,
    text::cut,
};

/// Sage shows no limit of a line's description; its products' is this.
const DESCRIPTION: usize = 255;

/// Shipping's net and tax rate.
pub(crate) type ShippingPanel = (Value, String);

/// The shipping panel, where it fits, and the lines.
pub(crate) fn shipping_and_lines(
    rows: &[TaxedRow],
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(Option<ShippingPanel>, Vec<Value>), NotPosted> {
    let Context { settings, reference, .. } = *context;
    let (mut panel, mut lines, mut missing) = (None, Vec::with_capacity(rows.len()), Vec::new());
    // The panel alone is no invoice: Sage wants a line.
    let panel_allowed = rows.len() > 1;
    for TaxedRow { row, rate } in rows {
        if row.kind == RowKind::Shipping && row.subtotal.is_zero() && row.tax.is_zero() {
            continue;
        }
        if let Some(rate) =
            rate.as_ref().filter(|rate| panel_allowed && fits_shipping_panel(row, rate, settings, reference))
        {
            findings.rule("shipping", "shipping panel", message!(reasons.shipping_panel), text(row.net()));
            panel = Some((json_number::number(row.net()), rate.id.clone()));
            continue;
        }
        match accounts::account_of(row.kind, settings, reference) {
            Ok((account, rule)) => {
                findings.rule(format!("account of {}", row.kind.word()), &*account, rule, "");
                let mut line = line(row, account, rate.as_ref(), findings);
                line.extend(terms.line_fields.clone());
                lines.push(Value::Object(line));
            }
            Err(one) if !missing.contains(&one) => missing.push(one),
            Err(_) => {}
        }
    }
    if missing.is_empty() { Ok((panel, lines)) } else { Err(findings.hold_for(&missing)) }
}

/// The shipping panel's amount and rate, where Sage would recompute Magento's tax from them exactly. Sage ignores a tax sent with the panel.
fn fits_shipping_panel(
    row: &DocumentRow,
    rate: &ChosenRate,
    settings: &Settings,
    reference: &ReferenceSet,
) -> bool {
    let account = &settings.shipping_ledger_account_id;
    let recomputed = money::round2(row.net() * rate.percentage / Decimal::ONE_HUNDRED);
    row.kind == RowKind::Shipping
        && row.net() > Decimal::ZERO
        && recomputed == row.tax
        && (account.is_none() || *account == reference.carriage_ledger_account_id)
}

/// A line of the body. Without a rate (a business not registered for tax) no tax field is sent.
fn line(
    row: &DocumentRow,
    account: String,
    rate: Option<&ChosenRate>,
    findings: &mut Findings,
) -> Map<String, Value> {
    let mut fields = Map::new();
    let (quantity, price, description) = match row.quantity_and_price() {
        Some((quantity, price)) => (quantity, price, row.description.clone()),
        None if row.quantity <= Decimal::ZERO => (Decimal::ONE, row.subtotal, row.description.clone()),
        None => (Decimal::ONE, row.subtotal, format!("{} x {}", row.quantity.normalize(), row.description)),
    };
    let description = cut(&description, DESCRIPTION, message!(field_names.line_description), findings);
    fields.insert("description".to_owned(), Value::String(description));
    fields.insert("ledger_account_id".to_owned(), Value::String(account));
    fields.insert("quantity".to_owned(), json_number::plain_number(quantity.normalize().to_string()));
    fields.insert("unit_price".to_owned(), json_number::number(price));
    if !row.discount.is_zero() {
        fields.insert("discount_amount".to_owned(), json_number::number(row.discount));
    }
    if let Some(rate) = rate {
        fields.insert("tax_rate_id".to_owned(), Value::String(rate.id.clone()));
        fields.insert("tax_amount".to_owned(), json_number::number(row.tax));
    }
    fields
}
