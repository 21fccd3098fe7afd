//! Who a document is for, as the document shows it.

use domain::{
    documents::{Address, Customer, Invoice},
    money::Currency,
    text::clean_optional,
};
use rust_decimal::Decimal;

/// Who a document is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buyer<'a> {
    /// The customer, or a guest.
    pub customer: &'a Customer,
    /// The document's own billing address.
    pub billing_address: Option<&'a Address>,
    /// The document's own shipping address; none where nothing is delivered.
    pub shipping_address: Option<&'a Address>,
    /// The currency they buy in: Sage locks a contact to one.
    pub currency: Currency,
    /// What they owe, which may earn them a contact of their own.
    pub total: Decimal,
    /// The document that names a guest without an e-mail address.
    pub document_id: i64,
}

impl<'a> Buyer<'a> {
    /// Who an invoice is for.
    pub fn of_invoice(invoice: &'a Invoice) -> Self {
        Self {
            customer: &invoice.customer,
            billing_address: invoice.billing_address.as_ref(),
            shipping_address: invoice.shipping_address.as_ref(),
            currency: invoice.currency,
            total: invoice.grand_total,
            document_id: invoice.magento_id,
        }
    }

    /// A customer by the addresses of their profile, who buys nothing.
    pub fn of_profile(customer: &'a Customer, currency: Currency) -> Self {
        Self {
            customer,
            billing_address: address_of(customer, "billing"),
            shipping_address: address_of(customer, "shipping"),
            currency,
            total: Decimal::ZERO,
            document_id: 0,
        }
    }

    /// The billing and delivery address, each standing in for the other where one is missing (virtual orders have no delivery), the
    /// profile's where both are.
    pub fn addresses(&self) -> (Option<&'a Address>, Option<&'a Address>) {
        let profile = self.customer.addresses.first();
        let (billing, delivery) = (self.billing_address, self.shipping_address);
        (billing.or(delivery).or(profile), delivery.or(billing).or(profile))
    }

    /// The company, of the customer or of the billing address.
    pub fn company(&self) -> Option<String> {
        let billing = self.billing_address.and_then(|address| address.company.as_deref());
        clean_optional(self.customer.company.as_deref()).or_else(|| clean_optional(billing))
    }

    /// Whether the customer or the billing address has a VAT number.
    pub fn has_vat_number(&self) -> bool {
        let billing = self.billing_address.and_then(|address| address.vat_id.as_deref());
        clean_optional(self.customer.vat_id.as_deref()).or_else(|| clean_optional(billing)).is_some()
    }

    /// The person's name; none where neither name is known.
    pub fn person(&self) -> Option<String> {
        let customer = self.customer;
        let names = [customer.first_name.as_deref(), customer.last_name.as_deref()].map(clean_optional);
        clean_optional(Some(&names.into_iter().flatten().collect::<Vec<_>>().join(" ")))
    }
}

/// An address of a customer's profile.
fn address_of<'a>(customer: &'a Customer, kind: &str) -> Option<&'a Address> {
    customer.addresses.iter().find(|address| address.kind.as_deref() == Some(kind))
}
