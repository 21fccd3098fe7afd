//! The fields that invoices and credit notes have alike.

use domain::settings::Settings;
use messages::message;
use serde_json::{Map, Value};

use crate::{
    address,
    amounts::breakdown::TaxedRow,
    context::Context,
    documents::lines,
    findings::{Findings, NotPosted},
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
    let buyer = &document.buyer;
    let both = [
        ("main_address", buyer.main_address, message!(field_names.billing_address)),
        ("delivery_address", buyer.delivery_address, message!(field_names.delivery_address)),
    ];
    for (field, magento, what) in both {
        if let Some(address) = magento.and_then(|magento| address::address(magento, what, findings)) {
            put(field, address);
        }
    }
    if context.safe_mode {
        put("status_id", Value::String("DRAFT".to_owned()));
    }
    let (shipping, lines) = lines::shipping_and_lines(rows, terms, context, findings)?;
    if let Some((net, rate)) = shipping {
        put("shipping_net_amount", net);
        put("shipping_tax_rate_id", Value::String(rate));
    }
    put(document.kind.lines_field(), Value::Array(lines));
    fields.extend(terms.document_fields.clone());
    Ok(fields)
}

/// The number in Sage: the settings' prefix, never twice, and Magento's number.
pub(crate) fn reference_of(increment_id: &str, settings: &Settings, findings: &mut Findings) -> String {
    let prefix = settings.invoice_number_prefix.as_deref().map(str::trim).unwrap_or_default();
    let reference = if increment_id.starts_with(prefix) {
        increment_id.to_owned()
    } else {
        format!("{prefix}{increment_id}")
    };
    cut_front(&reference, REFERENCE, message!(field_names.reference), findings)
}
