//! What the settings do not want synced.

use domain::{
    code::Code,
    documents::{Invoice, InvoiceState},
    money::round2,
    settings::Settings,
};

use crate::documents::sold;

/// Why the settings skip an invoice, if it does; the first reason that holds.
pub(crate) fn reason(invoice: &Invoice, settings: &Settings) -> Option<Code> {
    let outside =
        |filter: &[i64], id: Option<i64>| !filter.is_empty() && !id.is_some_and(|id| filter.contains(&id));
    if invoice.state == InvoiceState::Cancelled {
        Some(Code::InvoiceCancelled)
    } else if settings.sync_since.is_some_and(|since| invoice.created_at < since) {
        Some(Code::OutsideSyncSince)
    } else if outside(&settings.website_filter, invoice.website_id) {
        Some(Code::OutsideWebsiteFilter)
    } else if outside(&settings.store_filter, invoice.store_id) {
        Some(Code::OutsideStoreFilter)
    } else if invoice.state == InvoiceState::Open && !settings.sync_unpaid_invoices {
        Some(Code::UnpaidInvoice)
    } else if round2(invoice.grand_total).is_zero()
        && sold::of_invoice(invoice).is_zero()
        && !settings.sync_zero_value_invoices
    {
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
        let mut settings = Settings::default();
        assert_eq!(reason(&invoice, &settings), None);
        settings.sync_zero_value_invoices = false;
        assert_eq!(reason(&invoice, &settings), Some(Code::ZeroValueInvoice));
        settings.sync_unpaid_invoices = false;
        assert_eq!(reason(&invoice, &settings), Some(Code::ZeroValueInvoice), "it is paid");
        invoice.state = InvoiceState::Open;
        assert_eq!(reason(&invoice, &settings), Some(Code::UnpaidInvoice));
        settings.store_filter = vec![1, 7];
        assert_eq!(reason(&invoice, &settings), Some(Code::UnpaidInvoice), "its store is 1");
        settings.store_filter = vec![7];
        assert_eq!(reason(&invoice, &settings), Some(Code::OutsideStoreFilter));
        settings.website_filter = vec![7];
        assert_eq!(reason(&invoice, &settings), Some(Code::OutsideWebsiteFilter));
        settings.sync_since = Some(invoice.created_at + chrono::TimeDelta::seconds(1));
        assert_eq!(reason(&invoice, &settings), Some(Code::OutsideSyncSince));
        invoice.state = InvoiceState::Cancelled;
        assert_eq!(reason(&invoice, &settings), Some(Code::InvoiceCancelled));
    }
}
