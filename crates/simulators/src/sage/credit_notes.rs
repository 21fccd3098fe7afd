//! What is particular to sales credit notes: the same lines, positive amounts, and no field that links to the invoice.

use super::artefacts::Sort;

/// Sales credit notes.
pub(super) static CREDIT_NOTE: Sort = Sort {
    resource: "sales_credit_notes",
    lines: "credit_note_lines",
    number: "credit_note_number",
    own_prefix: "credit_note_number_prefix",
    prefix_setting: "sales_credit_note_number_prefix",
    draft_number: "SCN-DRAFT",
    transaction_type: "SALES_CREDIT_NOTE",
    takes_stock: false,
};
