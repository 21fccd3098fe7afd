//! The fields of a sales invoice.

use domain::{documents::Invoice, money::text, policy::Policy, text::clean_optional};
use serde_json::{Map, Value};

use crate::{
    amounts::{accounts, breakdown::TaxedRow, rows::RowKind},
    contact::address::{self, addresses},
    context::Context,
    documents::lines,
    findings::{Findings, NotPosted},
    json_number,
    terms::{Terms, dates},
    text::{cut, cut_front},
};

/// Sage's limits, in characters.
const REFERENCE: usize = 25;
const NOTES: usize = 2000;

/// The fields of the sales invoice, without the idempotency id.
pub(crate) fn fields(
    invoice: &Invoice,
    context: &Context<'_>,
    contact: &str,
    terms: &Terms,
    rows: &[TaxedRow],
    findings: &mut Findings,
) -> Result<Map<String, Value>, NotPosted> {
    let Context { policy, reference, .. } = *context;
    let date = dates::document_day(invoice.created_at, "invoice", policy, reference, findings)?;
    let mut fields = Map::new();
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("contact_id", Value::String(contact.to_owned()));
    put("date", Value::String(date.to_string()));
    put("reference", Value::String(reference_of(&invoice.increment_id, policy, findings)));
    put("notes", Value::String(notes(invoice, findings)));
    let (billing, delivery) = addresses(invoice);
    let both =
        [("main_address", billing, "billing address"), ("delivery_address", delivery, "delivery address")];
    for (field, magento, what) in both {
        if let Some(address) = magento.and_then(|magento| address::address(magento, what, findings)) {
            put(field, address);
        }
    }
    terms.put_header(&mut fields);
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    if context.safe_mode {
        put("status_id", Value::String("DRAFT".to_owned()));
    }
    let (shipping, lines) = shipping_and_lines(rows, terms, context, findings)?;
    if let Some((net, rate)) = shipping {
        put("shipping_net_amount", net);
        put("shipping_tax_rate_id", Value::String(rate));
    }
    put("invoice_lines", Value::Array(lines));
    Ok(fields)
}

/// Shipping's net and tax rate.
type ShippingPanel = (Value, String);

/// The shipping panel, where it fits, and the lines.
fn shipping_and_lines(
    rows: &[TaxedRow],
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(Option<ShippingPanel>, Vec<Value>), NotPosted> {
    let Context { policy, reference, .. } = *context;
    let (mut panel, mut lines, mut missing) = (None, Vec::with_capacity(rows.len()), Vec::new());
    // The panel alone is no invoice: Sage wants a line.
    let panel_allowed = rows.len() > 1;
    for TaxedRow { row, rate } in rows {
        if row.kind == RowKind::Shipping && row.subtotal.is_zero() && row.tax.is_zero() {
            continue;
        }
        if let Some(rate) = rate
            .as_ref()
            .filter(|rate| panel_allowed && lines::fits_shipping_panel(row, rate, policy, reference))
        {
            findings.rule(
                "shipping",
                "shipping panel",
                "Sage recomputes Magento's tax exactly",
                text(row.net()),
            );
            panel = Some((json_number::number(row.net()), rate.id.clone()));
            continue;
        }
        match accounts::account_of(row.kind, policy, reference) {
            Ok((account, rule)) => {
                findings.rule(format!("account of {}", row.kind.word()), &*account, rule, "");
                let mut line = lines::line(row, account, rate.as_ref(), findings);
                terms.put_line(&mut line);
                lines.push(line);
            }
            Err(one) if !missing.contains(&one) => missing.push(one),
            Err(_) => {}
        }
    }
    if missing.is_empty() { Ok((panel, lines)) } else { Err(findings.hold_for(&missing)) }
}

/// The number in Sage: the policy's prefix, never twice, and Magento's number.
pub(crate) fn reference_of(increment_id: &str, policy: &Policy, findings: &mut Findings) -> String {
    let prefix = policy.invoice_number_prefix.as_deref().map(str::trim).unwrap_or_default();
    let reference = if increment_id.starts_with(prefix) {
        increment_id.to_owned()
    } else {
        format!("{prefix}{increment_id}")
    };
    cut_front(&reference, REFERENCE, "reference", findings)
}

fn notes(invoice: &Invoice, findings: &mut Findings) -> String {
    let mut notes = match &invoice.order_increment_id {
        Some(order) => format!("Magento order {order}, invoice {}", invoice.increment_id),
        None => format!("Magento invoice {}", invoice.increment_id),
    };
    if let Some(number) = clean_optional(invoice.po_number.as_deref()) {
        notes.push_str("\nPurchase Order: ");
        notes.push_str(&number);
    }
    cut(&notes, NOTES, "notes", findings)
}
