//! What the policy does not want synced.

use domain::{
    code::Code,
    documents::{Invoice, InvoiceState},
    money::round2,
    policy::Policy,
};

/// Why the policy skips an invoice, if it does; the first reason that holds.
pub(crate) fn reason(invoice: &Invoice, policy: &Policy) -> Option<Code> {
    let outside =
        |filter: &[i64], id: Option<i64>| !filter.is_empty() && !id.is_some_and(|id| filter.contains(&id));
    if invoice.state == InvoiceState::Cancelled {
        Some(Code::InvoiceCancelled)
    } else if policy.sync_since.is_some_and(|since| invoice.created_at < since) {
        Some(Code::OutsideSyncSince)
    } else if outside(&policy.website_filter, invoice.website_id) {
        Some(Code::OutsideWebsiteFilter)
    } else if outside(&policy.store_filter, invoice.store_id) {
        Some(Code::OutsideStoreFilter)
    } else if invoice.state == InvoiceState::Open && !policy.sync_unpaid_invoices {
        Some(Code::UnpaidInvoice)
    } else if round2(invoice.grand_total).is_zero() && !policy.sync_zero_value_invoices {
        Some(Code::ZeroValueInvoice)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_first_reason_that_holds_is_told() {
        let mut invoice = fixtures::invoice("invoice-6-zero");
        let mut policy = Policy::default();
        assert_eq!(reason(&invoice, &policy), None);
        policy.sync_zero_value_invoices = false;
        assert_eq!(reason(&invoice, &policy), Some(Code::ZeroValueInvoice));
        policy.sync_unpaid_invoices = false;
        assert_eq!(reason(&invoice, &policy), Some(Code::ZeroValueInvoice), "it is paid");
        invoice.state = InvoiceState::Open;
        assert_eq!(reason(&invoice, &policy), Some(Code::UnpaidInvoice));
        policy.store_filter = vec![1, 7];
        assert_eq!(reason(&invoice, &policy), Some(Code::UnpaidInvoice), "its store is 1");
        policy.store_filter = vec![7];
        assert_eq!(reason(&invoice, &policy), Some(Code::OutsideStoreFilter));
        policy.website_filter = vec![7];
        assert_eq!(reason(&invoice, &policy), Some(Code::OutsideWebsiteFilter));
        policy.sync_since = Some(invoice.created_at + chrono::TimeDelta::seconds(1));
        assert_eq!(reason(&invoice, &policy), Some(Code::OutsideSyncSince));
        invoice.state = InvoiceState::Cancelled;
        assert_eq!(reason(&invoice, &policy), Some(Code::InvoiceCancelled));
    }
}
