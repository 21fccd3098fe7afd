//! The settings: a binding's settings (the seven cards). A missing field takes its default.

pub mod cards;
mod check;
pub mod confirmed_rates;
mod differences;
pub mod form;
mod lists;
mod merge;
mod sentences;
mod suggestion;
pub mod tax_key;

pub use check::{FieldProblem, Problems};
pub use differences::{Change, differences};
pub use lists::{Choice, Choices, List, Lists, MISSING, time_zones};
pub use merge::{Asked, Merged, merge};
pub use tax_key::{NO_VAT, TaxKey, TaxKeyError, TaxMap, canonical_tax_map};

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{money::amount, words};

words! {
    /// When a document is created as a draft, compared, and only then released.
    #[derive(Default)]
    pub enum SafeMode {
        /// The first twenty documents after connecting and after every change of the settings.
        #[default]
        FirstDocuments,
        /// Every document.
        Always,
        /// None.
        Never,
    }
}

/// How many documents go through safe mode under [`SafeMode::FirstDocuments`].
pub const FIRST_DOCUMENTS: i64 = 20;

words! {
    /// Whose name a contact bears where both a company and a person are known.
    #[derive(Default)]
    pub enum NamePriority {
        /// The company's.
        #[default]
        Company,
        /// The person's.
        Person,
    }
}

words! {
    /// What happens to an invoice that mixes goods and services across a border.
    #[derive(Default)]
    pub enum MixedGoodsServices {
        /// All lines take the default type.
        #[default]
        Default,
        /// It waits for a person.
        Hold,
    }
}

words! {
    /// What happens to a credit memo that names no invoice and hides money that may be taxed or not (a product tax, a fee).
    #[derive(Default)]
    pub enum UndeterminedTax {
        /// It waits for a person: a guess would be somebody's VAT.
        #[default]
        Hold,
        /// The tax is inferred from what makes a round sum, and the plan says so.
        Infer,
    }
}

/// One contact for consumers' sales instead of one each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consolidation {
    /// Whether it is used.
    pub enabled: bool,
    /// The contact's name.
    pub fallback_contact_name: String,
    /// The contact's e-mail address.
    pub fallback_contact_email: Option<String>,
    /// The contact's reference, at most nine characters.
    pub fallback_contact_reference: String,
    /// From this grand total on a customer gets a contact of their own; 0 = off.
    #[serde(with = "amount")]
    pub min_total_for_individual: Decimal,
    /// Whether customers with a company always get a contact of their own.
    pub always_individual_for_b2b: bool,
}

impl Default for Consolidation {
    fn default() -> Self {
        Self {
            enabled: false,
            fallback_contact_name: "Magento Web Sales".to_owned(),
            fallback_contact_email: None,
            fallback_contact_reference: "WEBSALES".to_owned(),
            min_total_for_individual: Decimal::ZERO,
            always_individual_for_b2b: true,
        }
    }
}

/// A binding's settings. Every save makes a new version; a run keeps the version it was queued under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// Whether open invoices are synced.
    pub sync_unpaid_invoices: bool,
    /// Whether invoices of nothing are synced.
    pub sync_zero_value_invoices: bool,
    /// Documents created before it are skipped.
    pub sync_since: Option<DateTime<Utc>>,
    /// Websites that are synced; empty = all.
    pub website_filter: Vec<i64>,
    /// Store views that are synced; empty = all.
    pub store_filter: Vec<i64>,
    /// Whether products are synced.
    pub sync_products: bool,
    /// Whether stock is synced.
    pub sync_stock: bool,
    /// When documents are compared as drafts first.
    pub safe_mode: SafeMode,
    /// The tax rate of what no map entry names.
    pub default_tax_rate_id: Option<String>,
    /// The sales account of lines.
    pub default_ledger_account_id: Option<String>,
    /// The bank account of payments whose method is not mapped.
    pub default_bank_account_id: Option<String>,
    /// The purchase account of products.
    pub default_purchase_ledger_account_id: Option<String>,
    /// The account of shipping; unset = Sage's shipping panel, or the sales account.
    pub shipping_ledger_account_id: Option<String>,
    /// The account of discounts; unset = the sales account.
    pub discount_ledger_account_id: Option<String>,
    /// The account of gift cards and store credit; unset = the sales account.
    pub gift_card_ledger_account_id: Option<String>,
    /// The account of fees; unset = the sales account.
    pub fee_ledger_account_id: Option<String>,
    /// The account of adjustments; unset = the sales account.
    pub adjustment_ledger_account_id: Option<String>,
    /// The liability account of tax that is another jurisdiction's and that Sage has no rate for; unset = such documents wait or fail.
    pub foreign_tax_ledger_account_id: Option<String>,
    /// Payment method to bank account; a method mapped to none leaves the invoice unpaid.
    pub payment_method_map: BTreeMap<String, Option<String>>,
    /// Whether refunds are recorded.
    pub record_refunds: bool,
    /// Percentage (`20.00`, `20.00/reduced`, `0.00//US`, see [`TaxKey`]) to tax rate; the most specific wins.
    pub tax_rate_map: BTreeMap<String, String>,
    /// In front of references, never twice.
    pub invoice_number_prefix: Option<String>,
    /// Whose name a contact bears.
    pub customer_name_priority: NamePriority,
    /// The zone of a document's day; unset = the zone of the business's country.
    pub document_time_zone: Option<String>,
    /// Rates that a merchant has confirmed, a currency and a day each ([`confirmed_rates`]).
    pub confirmed_exchange_rates: Option<String>,
    /// `GOODS` or `SERVICES` where a line's type is not known.
    pub default_eu_goods_services_type: String,
    /// Product type to `GOODS` or `SERVICES`.
    pub product_type_eu_goods_map: BTreeMap<String, String>,
    /// What happens to a mix.
    pub mixed_goods_services: MixedGoodsServices,
    /// What happens to tax that a credit memo does not show.
    pub tax_undetermined: UndeterminedTax,
    /// One contact for consumers' sales.
    pub consolidation: Consolidation,
}

/// Magento's product types, and what they are as a rule.
const PRODUCT_TYPES: [(&str, &str); 6] = [
    ("simple", "GOODS"),
    ("configurable", "GOODS"),
    ("bundle", "GOODS"),
    ("grouped", "GOODS"),
    ("virtual", "SERVICES"),
    ("downloadable", "SERVICES"),
];

impl Default for Settings {
    fn default() -> Self {
        let mut product_types = BTreeMap::new();
        for (kind, word) in PRODUCT_TYPES {
            product_types.insert(kind.to_owned(), word.to_owned());
        }
        Self {
            sync_unpaid_invoices: true,
            sync_zero_value_invoices: true,
            sync_since: None,
            website_filter: Vec::new(),
            store_filter: Vec::new(),
            sync_products: false,
            sync_stock: false,
            safe_mode: SafeMode::FirstDocuments,
            default_tax_rate_id: None,
            default_ledger_account_id: None,
            default_bank_account_id: None,
            default_purchase_ledger_account_id: None,
            shipping_ledger_account_id: None,
            discount_ledger_account_id: None,
            gift_card_ledger_account_id: None,
            fee_ledger_account_id: None,
            adjustment_ledger_account_id: None,
            foreign_tax_ledger_account_id: None,
            payment_method_map: BTreeMap::new(),
            record_refunds: true,
            tax_rate_map: BTreeMap::new(),
            invoice_number_prefix: None,
            customer_name_priority: NamePriority::Company,
            document_time_zone: None,
            confirmed_exchange_rates: None,
            default_eu_goods_services_type: "GOODS".to_owned(),
            product_type_eu_goods_map: product_types,
            mixed_goods_services: MixedGoodsServices::Default,
            tax_undetermined: UndeterminedTax::Hold,
            consolidation: Consolidation::default(),
        }
    }
}
