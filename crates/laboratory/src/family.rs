//! Families of documents: what Magento holds, what it tells, and what Sage's books must show in the end.

use domain::{
    run::EventName::{
        self, CreditmemoCreated, CustomerUpserted, InvoiceCreated, InvoicePaid, ProductUpserted,
    },
    settings::SafeMode,
};
use serde_json::{Value, json};
use simulators::magento::Documents;

/// Magento's ids of a family's documents.
pub const INVOICE: i64 = 101;
/// The memo's.
pub const MEMO: i64 = 201;
/// The customer's.
pub const CUSTOMER: i64 = 301;
/// The product's.
pub const PRODUCT: i64 = 401;

/// An open invoice to another customer, which belongs to no family.
pub const BYSTANDER: i64 = 102;
/// That customer's name, by which the books leave it out.
pub const BYSTANDERS_NAME: &str = "Bystander";

/// The documents that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// An invoice to a new customer, its payment, its full credit memo: contact, invoice, receipt, note, refund.
    Paid,
    /// The same in safe mode: invoice and note are drafts that are released.
    Drafts,
    /// The invoice stays unpaid: its memo's note is allocated to it.
    Open,
    /// 18 of the invoice's 30 are paid: 12 of the note are allocated, 18 refunded.
    PartPaid,
    /// A customer and a product with stock.
    Catalogue,
    /// The customer and the product are in Sage and have been changed in Magento since: an invoice updates its contact, then the two
    /// are updated themselves.
    Changed,
    /// Drafts whose sums Sage gets wrong once: each is deleted, and made again when a person retries.
    Withdrawn,
}

/// What the books must show of one list: the total and the status of each record, where they are looked at.
pub type Books = Vec<(&'static str, Vec<(&'static str, &'static str)>)>;

impl Family {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Paid,
        Self::Drafts,
        Self::Open,
        Self::PartPaid,
        Self::Catalogue,
        Self::Changed,
        Self::Withdrawn,
    ];

    /// As it is called in a cell's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Drafts => "drafts",
            Self::Open => "open",
            Self::PartPaid => "part-paid",
            Self::Catalogue => "catalogue",
            Self::Changed => "changed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What Magento tells, in its order.
    pub const fn events(self) -> &'static [(EventName, i64)] {
        match self {
            Self::Paid | Self::Drafts | Self::PartPaid | Self::Withdrawn => {
                &[(InvoiceCreated, INVOICE), (InvoicePaid, INVOICE), (CreditmemoCreated, MEMO)]
            }
            Self::Open => &[(InvoiceCreated, INVOICE), (CreditmemoCreated, MEMO)],
            Self::Catalogue => &[(CustomerUpserted, CUSTOMER), (ProductUpserted, PRODUCT)],
            Self::Changed => {
                &[(InvoiceCreated, INVOICE), (CustomerUpserted, CUSTOMER), (ProductUpserted, PRODUCT)]
            }
        }
    }

    /// Whether it ends with a credit memo.
    pub const fn has_memo(self) -> bool {
        !matches!(self, Self::Catalogue | Self::Changed)
    }

    /// Whether somebody has to press "Retry" even when nothing else goes wrong.
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::Withdrawn)
    }

    /// When its documents go through drafts.
    pub const fn safe_mode(self) -> SafeMode {
        match self {
            Self::Drafts | Self::Withdrawn => SafeMode::Always,
            _ => SafeMode::Never,
        }
    }

    /// What the shop holds.
    pub fn documents(self) -> Documents {
        let (mut guest, bystander) = (person(0, "Quill"), person(0, BYSTANDERS_NAME));
        if self == Self::Changed {
            guest = person(CUSTOMER, "Quill");
        }
        let mut documents = vec![
            person(CUSTOMER, "Quill"),
            product(),
            invoice(
                INVOICE,
                if matches!(self, Self::Open | Self::Changed) { "open" } else { "paid" },
                &guest,
            ),
            memo(MEMO, INVOICE, &guest),
            invoice(BYSTANDER, "open", &bystander),
        ];
        if self == Self::PartPaid {
            documents.push(payment("18"));
        }
        Documents::from_values(documents).unwrap()
    }
}

/// A customer; a guest without an account where the id is 0.
pub fn person(id: i64, name: &str) -> Value {
    let address = json!({
        "kind": "billing", "street": ["12 High St"], "city": "Bristol", "postcode": "BS1 2AW",
        "country_id": "GB", "telephone": "07700900123",
    });
    json!({
        "magento_id": id, "email": format!("{}@example.com", name.to_lowercase()), "first_name": "Ada",
        "last_name": name, "phone": "07700900123", "website_id": 1, "addresses": [address],
        "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:00:00Z",
    })
}

fn lines() -> Value {
    json!([{
        "sku": "MUG", "name": "Stoneware mug", "qty": 2, "unit_price": 12.5, "line_subtotal": 25,
        "line_tax": 5, "line_total": 30, "tax_rate": 0.2,
    }])
}

/// An invoice of 25.00 and 5.00 tax.
pub fn invoice(id: i64, state: &str, customer: &Value) -> Value {
    let address = &customer["addresses"][0];
    json!({
        "magento_id": id, "increment_id": format!("{id:09}"), "order_id": id, "order_increment_id": format!("{id:09}"),
        "website_id": 1, "store_id": 1, "currency": "GBP", "state": state, "customer": customer, "lines": lines(),
        "subtotal": 25, "tax_amount": 5, "shipping_amount": 0, "shipping_tax_amount": 0, "discount_amount": 0,
        "grand_total": 30, "created_at": "2026-03-01T10:00:00Z", "payment_method": "checkmo",
        "billing_address": address, "shipping_address": address, "base_to_order_rate": 1,
    })
}

/// The credit memo of all of an invoice.
pub fn memo(id: i64, invoice: i64, customer: &Value) -> Value {
    json!({
        "magento_id": id, "increment_id": format!("{id:09}"), "invoice_id": invoice,
        "invoice_increment_id": format!("{invoice:09}"), "website_id": 1, "currency": "GBP", "customer": customer,
        "lines": lines(), "adjustment_positive": 0, "adjustment_negative": 0, "grand_total": 30,
        "shipping_amount": 0, "shipping_tax_amount": 0, "created_at": "2026-03-02T08:00:00Z",
        "invoice_created_at": "2026-03-01T10:00:00Z", "base_to_order_rate": 1,
    })
}

fn payment(amount: &str) -> Value {
    let amount: serde_json::Number = amount.parse().unwrap();
    json!({
        "magento_id": INVOICE, "invoice_id": INVOICE, "invoice_increment_id": "000000101", "method": "checkmo",
        "currency": "GBP", "amount": amount, "captured_at": "2026-03-01T11:00:00Z", "gateway_metadata": [],
    })
}

/// A product of which seven are in stock.
pub fn product() -> Value {
    json!({
        "magento_id": PRODUCT, "sku": "MUG", "name": "Stoneware mug", "product_type": "simple", "price": 12.5,
        "weight": 0.5, "stock_qty": 7, "manage_stock": true, "tax_class": "2", "website_ids": [1],
        "created_at": "2026-03-01T09:00:00Z", "updated_at": "2026-03-01T09:00:00Z",
    })
}
