//! What is particular to sales invoices.

use super::artefacts::Sort;

/// Sales invoices.
pub(super) static INVOICE: Sort = Sort {
    resource: "sales_invoices",
    lines: "invoice_lines",
    number: "invoice_number",
    own_prefix: "invoice_number_prefix",
    prefix_setting: "sales_invoice_number_prefix",
    draft_number: "SI-DRAFT",
    transaction_type: "SALES_INVOICE",
    takes_stock: true,
};
