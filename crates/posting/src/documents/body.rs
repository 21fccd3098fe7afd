//! The fields that invoices and credit notes have alike.

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
};

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
    put(document.kind.api_names().lines, Value::Array(lines));
    fields.extend(terms.document_fields.clone());
    Ok(fields)
}
