//! The fields that invoices and credit notes have alike.

use domain::{money::text, policy::Policy};
use serde_json::{Map, Value};

use crate::{
    amounts::{accounts, breakdown::TaxedRow, document_row::RowKind},
    contact::address::{self, addresses},
    context::Context,
    documents::lines,
    findings::{Findings, NotPosted},
    json_number,
    sales_document::SalesDocument,
    terms::Terms,
    text::cut_front,
};

/// Sage's limit of a document's reference, in characters.
const REFERENCE: usize = 25;

/// The document's fields without its idempotency id: its heading, addresses, currency and lines.
pub(crate) fn fields(
    document: &SalesDocument<'_>,
    heading: Map<String, Value>,
    terms: &Terms,
    rows: &[TaxedRow],
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Map<String, Value>, NotPosted> {
    let mut fields = heading;
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    let (billing, delivery) = addresses(&document.buyer);
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
    put(document.kind.lines_field(), Value::Array(lines));
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
