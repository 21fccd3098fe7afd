//! Who a document is for, as the document shows it: read once, so that every step sees the same names and addresses.

use domain::{
    documents::{Address, CreditMemo, Customer, Invoice},
    money::{Currency, round2},
    text::{is_placeholder, is_placeholder_name},
    vat_number,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    address::country_of,
    email,
    findings::Findings,
    text::{readable, stated},
};

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
    /// The VAT number of the customer or of the billing address, where it has the form of its country's.
    pub vat_number: Option<String>,
    /// The e-mail address, where it is one.
    pub email: Option<String>,
    /// The telephone number, of the customer or of the billing address.
    pub telephone: Option<String>,
    /// The person's name; none where neither name is known.
    pub person: Option<String>,
    /// The currency they buy in: Sage locks a contact to one.
    pub currency: Currency,
    /// What they owe, which may earn them a contact of their own.
    pub total: Decimal,
    /// The document that names a guest without an e-mail address.
    pub document_id: i64,
    /// What of all this is not as Magento has it, for whoever makes or updates the contact.
    pub notes: Vec<String>,
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
        let main_address = billing.or(shipping).or(profile);
        let mut findings = Findings::default();
        let mut of_customer_or_billing =
            |own: Option<&str>, of_address: fn(&Address) -> Option<&str>, what| {
                stated(own, what, &mut findings)
                    .or_else(|| stated(billing.and_then(of_address), what, &mut findings))
            };
        let company = of_customer_or_billing(
            customer.company.as_deref(),
            |one| one.company.as_deref(),
            message!(field_names.company),
        );
        let number = of_customer_or_billing(
            customer.vat_id.as_deref(),
            |one| one.vat_id.as_deref(),
            message!(field_names.vat_number),
        );
        let telephone = stated(customer.phone.as_deref(), message!(field_names.telephone), &mut findings)
            .or_else(|| {
                let address = main_address.and_then(|one| one.telephone.as_deref());
                stated(address, message!(field_names.telephone), &mut findings)
            });
        Self {
            customer,
            shown,
            main_address,
            delivery_address: shipping.or(billing).or(profile),
            company,
            vat_number: number.and_then(|number| vat_number(&number, main_address, &mut findings)),
            email: email_address(customer, &mut findings),
            telephone,
            person: person(customer, &mut findings),
            currency,
            total: Decimal::ZERO,
            document_id: 0,
            notes: findings.notes,
        }
    }
}

/// The number in its country's form, for the country of the contact's main address; one that Sage would refuse is left out.
fn vat_number(number: &str, main_address: Option<&Address>, findings: &mut Findings) -> Option<String> {
    let country = main_address.and_then(country_of);
    let written = vat_number::of(number, country);
    if written.is_none() {
        let country = country.unwrap_or(message!(place_of_supply.unknown_country));
        findings.note(message!(plan_notes.vat_number, country = country));
    }
    written
}

/// The customer's e-mail address; a text that is none is left out, because Sage would refuse the contact for it. No note repeats what
/// belongs to somebody.
fn email_address(customer: &Customer, findings: &mut Findings) -> Option<String> {
    let text = stated(customer.email.as_deref(), message!(field_names.email), findings)?;
    let address = email::address(&text);
    match &address {
        None => findings.note(message!(plan_notes.not_an_email)),
        Some(address) if *address != text => {
            findings.note(message!(plan_notes.email_made_plain));
        }
        Some(_) => {}
    }
    address
}

/// The person's names. One of the two may look like a placeholder (Mr Null), both may not.
fn person(customer: &Customer, findings: &mut Findings) -> Option<String> {
    let names = [customer.first_name.as_deref(), customer.last_name.as_deref()];
    let what = message!(field_names.person_name);
    let mut parts: Vec<String> = Vec::new();
    for name in names.into_iter().flatten() {
        match readable(name, what, findings) {
            Some(name) if is_placeholder_name(&name) => {
                findings.note(message!(plan_notes.placeholder, field = what, text = name));
            }
            name => parts.extend(name),
        }
    }
    if !parts.is_empty() && parts.iter().all(|part| is_placeholder(part)) {
        findings.note(message!(plan_notes.placeholder, field = what, text = parts.join(" ")));
        return None;
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}
