//! Who a document is for, as the document shows it: read once, so that every step sees the same names and addresses.

use domain::{
    documents::{Address, CreditMemo, Customer, Invoice},
    money::{Currency, round2},
    text::clean_optional,
};
use rust_decimal::Decimal;

/// Who a document is for.
#[derive(Clone, Debug)]
pub(crate) struct Buyer<'a> {
    /// The customer, or a guest.
    pub customer: &'a Customer,
    /// The addresses that the document itself shows.
    pub shown: ShownAddresses<'a>,
    /// The billing address, another standing in where the document shows none.
    pub main_address: Option<&'a Address>,
    /// The delivery address, another standing in where the document shows none.
    pub delivery_address: Option<&'a Address>,
    /// The company, of the customer or of the billing address.
    pub company: Option<String>,
    /// Whether the customer or the billing address has a VAT number.
    pub has_vat_number: bool,
    /// The person's name; none where neither name is known.
    pub person: Option<String>,
    /// The currency they buy in: Sage locks a contact to one.
    pub currency: Currency,
    /// What they owe, which may earn them a contact of their own.
    pub total: Decimal,
    /// The document that names a guest without an e-mail address.
    pub document_id: i64,
}

/// The addresses that a document shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownAddresses<'a> {
    /// Where the bill goes.
    pub billing: Option<&'a Address>,
    /// Where the goods go; none where nothing is delivered.
    pub shipping: Option<&'a Address>,
}

impl<'a> ShownAddresses<'a> {
    fn of_invoice(invoice: &'a Invoice) -> Self {
        Self { billing: invoice.billing_address.as_ref(), shipping: invoice.shipping_address.as_ref() }
    }

    fn of_profile(customer: &'a Customer) -> Self {
        let of_kind = |kind| customer.addresses.iter().find(|address| address.kind.as_deref() == Some(kind));
        Self { billing: of_kind("billing"), shipping: of_kind("shipping") }
    }
}

impl<'a> Buyer<'a> {
    /// Who an invoice is for.
    pub fn of_invoice(invoice: &'a Invoice) -> Self {
        let shown = ShownAddresses::of_invoice(invoice);
        Self {
            total: invoice.grand_total,
            document_id: invoice.magento_id,
            ..Self::read(&invoice.customer, shown, invoice.currency)
        }
    }

    /// Who a memo is for. It has no addresses of its own: the invoice's show where the goods went, the profile's stand in.
    pub fn of_memo(memo: &'a CreditMemo, invoice: Option<&'a Invoice>) -> Self {
        let of_profile = || ShownAddresses::of_profile(&memo.customer);
        let shown = invoice.map_or_else(of_profile, ShownAddresses::of_invoice);
        Self {
            total: round2(memo.grand_total),
            // A guest without an e-mail address is named by the invoice; a memo without one must not be taken for an invoice.
            document_id: memo.invoice_id.unwrap_or(-memo.magento_id),
            ..Self::read(&memo.customer, shown, memo.currency)
        }
    }

    /// A customer by the addresses of their profile, who buys nothing.
    pub fn of_profile(customer: &'a Customer, currency: Currency) -> Self {
        Self::read(customer, ShownAddresses::of_profile(customer), currency)
    }

    fn read(customer: &'a Customer, shown: ShownAddresses<'a>, currency: Currency) -> Self {
        let ShownAddresses { billing, shipping } = shown;
        // Billing and delivery stand in for each other (virtual orders have no delivery), the profile's address for both.
        let profile = customer.addresses.first();
        let of_customer_or_billing = |own: Option<&str>, of_address: fn(&Address) -> Option<&str>| {
            clean_optional(own).or_else(|| clean_optional(billing.and_then(of_address)))
        };
        let vat_number = of_customer_or_billing(customer.vat_id.as_deref(), |one| one.vat_id.as_deref());
        let names = [customer.first_name.as_deref(), customer.last_name.as_deref()].map(clean_optional);
        Self {
            customer,
            shown,
            main_address: billing.or(shipping).or(profile),
            delivery_address: shipping.or(billing).or(profile),
            company: of_customer_or_billing(customer.company.as_deref(), |one| one.company.as_deref()),
            has_vat_number: vat_number.is_some(),
            person: clean_optional(Some(&names.into_iter().flatten().collect::<Vec<_>>().join(" "))),
            currency,
            total: Decimal::ZERO,
            document_id: 0,
        }
    }
}
