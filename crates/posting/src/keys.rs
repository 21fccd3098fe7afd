//! What Ledger remembers each Sage record by.

use domain::{
    documents::{CreditMemo, Invoice},
    xref::{XrefKey, XrefKind},
};

/// The key of the invoice's own cross-reference.
pub(crate) fn invoice(invoice: &Invoice) -> XrefKey {
    XrefKey { kind: XrefKind::Invoice, magento_key: invoice.magento_id.to_string() }
}

/// The key of the payment's cross-reference.
pub(crate) fn payment(invoice: &Invoice) -> XrefKey {
    XrefKey { kind: XrefKind::Payment, magento_key: invoice.magento_id.to_string() }
}

/// The key of the credit note's cross-reference.
pub(crate) fn credit_memo(memo: &CreditMemo) -> XrefKey {
    XrefKey { kind: XrefKind::Creditmemo, magento_key: memo.magento_id.to_string() }
}

/// The key of the allocation's cross-reference.
pub(crate) fn allocation(memo: &CreditMemo) -> XrefKey {
    XrefKey { kind: XrefKind::Allocation, magento_key: memo.magento_id.to_string() }
}

/// The key of the refund's cross-reference.
pub(crate) fn refund(memo: &CreditMemo) -> XrefKey {
    XrefKey { kind: XrefKind::Refund, magento_key: memo.magento_id.to_string() }
}
