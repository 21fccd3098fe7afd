//! The reference set: the lists of a Sage business that translation and settings choose from, cached.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, amount};

/// A tax rate of the business, for sales.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// Sage's id, such as `GB_STANDARD`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Percent, such as 20.
    #[serde(with = "amount")]
    pub percentage: Decimal,
}

/// A ledger account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAccount {
    /// Sage's id.
    pub id: String,
    /// Its name with the number.
    pub name: String,
    /// Nominal code, such as 4000.
    pub nominal_code: Option<i64>,
    /// Whether it may be used on sales documents.
    pub visible_in_sales: bool,
    /// Whether it may be used on purchases.
    pub visible_in_expenses: bool,
}

/// A bank account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// Sage's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its currency, where Sage tells.
    pub currency: Option<Currency>,
    /// Whether it is in use.
    pub is_active: bool,
}

/// An id with a name: payment methods, goods/services types and the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Sage's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The cached lists of a Sage business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceSet {
    /// ISO country code of the business, such as `GB`.
    pub country: String,
    /// Its base currency.
    pub base_currency: Currency,
    /// Whether it keeps books in several currencies.
    pub multi_currency_enabled: bool,
    /// Whether it is registered for tax.
    pub registered_for_tax: bool,
    /// No document may be dated before it.
    pub accounts_start_date: Option<NaiveDate>,
    /// Rates for sales.
    pub tax_rates: Vec<TaxRate>,
    /// Accounts.
    pub ledger_accounts: Vec<LedgerAccount>,
    /// Bank accounts.
    pub bank_accounts: Vec<BankAccount>,
    /// Payment methods.
    pub payment_methods: Vec<Named>,
    /// Currencies by code.
    pub currencies: Vec<Named>,
    /// Goods, services.
    pub eu_goods_services_types: Vec<Named>,
    /// The account that the shipping panel posts to, where Sage tells.
    pub carriage_ledger_account_id: Option<String>,
}
