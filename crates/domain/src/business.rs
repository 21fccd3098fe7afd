//! The reference set: the lists of a Sage business that translation and settings choose from, cached.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, amount, from_minor, to_minor},
    text::folded,
};

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
    /// Canada: the regions whose tax it is (`CA-ON`), as `GET /tax_rates?address_region_id=` tells (sage-api.md, section 3); empty
    /// = all, or not known.
    #[serde(default)]
    pub regions: Vec<String>,
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

/// A part of the reference set, in the order in which they are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceList {
    /// The business itself.
    Business,
    /// Currency, tax scheme, start of accounts.
    FinancialSettings,
    /// Tax rates.
    TaxRates,
    /// Ledger accounts.
    LedgerAccounts,
    /// Bank accounts.
    BankAccounts,
    /// Payment methods.
    PaymentMethods,
    /// Currencies.
    Currencies,
    /// Goods, services.
    GoodsServicesTypes,
    /// Default accounts.
    DefaultAccounts,
    /// Exchange rates.
    ExchangeRates,
}

impl ReferenceList {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Business,
        Self::FinancialSettings,
        Self::TaxRates,
        Self::LedgerAccounts,
        Self::BankAccounts,
        Self::PaymentMethods,
        Self::Currencies,
        Self::GoodsServicesTypes,
        Self::DefaultAccounts,
        Self::ExchangeRates,
    ];

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Business => "The business",
            Self::FinancialSettings => "Financial settings",
            Self::TaxRates => "Tax rates",
            Self::LedgerAccounts => "Ledger accounts",
            Self::BankAccounts => "Bank accounts",
            Self::PaymentMethods => "Payment methods",
            Self::Currencies => "Currencies",
            Self::GoodsServicesTypes => "Types of goods and services",
            Self::DefaultAccounts => "Default accounts",
            Self::ExchangeRates => "Exchange rates",
        }
    }
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
    /// Sage's own exchange rates, in base units for one foreign unit (`rate` of `GET /exchange_rates`), to compare Magento's with.
    #[serde(default, with = "rates")]
    pub exchange_rates: BTreeMap<Currency, Decimal>,
    /// Canada: the business's own region (`CA-ON`), for exports; none where it is not known.
    #[serde(default)]
    pub region: Option<String>,
}

/// What the sums of a business are kept in: enough to show and compare amounts without its lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// ISO country code of the business, such as `GB`.
    pub country: String,
    /// Its base currency.
    pub base_currency: Currency,
    /// Sage's own exchange rates, in base units for one foreign unit.
    #[serde(default, with = "rates")]
    pub exchange_rates: BTreeMap<Currency, Decimal>,
}

impl Books {
    /// What an amount in minor units comes to in the base currency; none where no rate is known.
    pub fn in_base(&self, currency: &str, minor: i64) -> Option<i64> {
        let currency: Currency = currency.parse().ok()?;
        if currency == self.base_currency {
            return Some(minor);
        }
        let rate = self.exchange_rates.get(&currency).filter(|rate| **rate > Decimal::ZERO)?;
        to_minor(from_minor(minor).checked_mul(*rate)?)
    }
}

/// Serde for rates by currency: text that keeps every digit.
mod rates {
    use std::collections::BTreeMap;

    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::money::{Currency, optional_rate};

    /// A rate within the map.
    #[derive(Deserialize)]
    struct RateEntry(#[serde(with = "optional_rate")] Option<Decimal>);

    pub fn serialize<S: Serializer>(
        rates: &BTreeMap<Currency, Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let texts: BTreeMap<Currency, String> =
            rates.iter().map(|(currency, rate)| (*currency, rate.to_string())).collect();
        texts.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Currency, Decimal>, D::Error> {
        let rates = BTreeMap::<Currency, RateEntry>::deserialize(deserializer)?;
        Ok(rates.into_iter().filter_map(|(currency, rate)| Some((currency, rate.0?))).collect())
    }
}

/// Whose tax a rate of Sage's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateOwner {
    /// Nobody's: "No VAT", of what is outside the tax. It appears on no return, unlike a rate of 0 % (Sage's help, "VAT rates").
    NoTax,
    /// The business's own country's.
    Home,
    /// Another country's, declared there or through the One Stop Shop.
    Other,
}

impl TaxRate {
    /// Whose tax the rate is, for a business of a country: Sage's ids begin with the country (`GB_STANDARD`), and one without a country
    /// in front is the business's own.
    pub fn owner(&self, home: &str) -> RateOwner {
        let name = folded(&self.name);
        let country =
            self.id.split_once('_').map(|(country, _)| country).filter(|country| country.len() == 2);
        let is_one_stop = self.id.split('_').any(|part| matches!(part, "OSS" | "IOSS" | "MOSS"))
            || name.split(' ').any(|word| matches!(word, "oss" | "ioss" | "moss" | "destination"));
        let is_no_tax = self.percentage.is_zero()
            && (self.id.ends_with("NO_TAX") || name.starts_with("no vat") || name.starts_with("no tax"));
        if is_no_tax {
            RateOwner::NoTax
        } else if is_one_stop || country.is_some_and(|country| country != home) {
            RateOwner::Other
        } else {
            RateOwner::Home
        }
    }

    /// Whether the rate may be used in a region (`CA-BC`); one that names no regions may be used in all.
    pub fn serves(&self, region: &str) -> bool {
        self.regions.is_empty() || self.is_of(region)
    }

    /// Whether the rate names a region as its own.
    pub fn is_of(&self, region: &str) -> bool {
        self.regions.iter().any(|own| own == region)
    }
}

impl ReferenceSet {
    /// The rate of what is outside the tax, where the business has one.
    pub fn no_tax_rate(&self) -> Option<&TaxRate> {
        self.tax_rates.iter().find(|rate| rate.owner(&self.country) == RateOwner::NoTax)
    }

    /// What its sums are kept in.
    pub fn books(&self) -> Books {
        Books {
            country: self.country.clone(),
            base_currency: self.base_currency,
            exchange_rates: self.exchange_rates.clone(),
        }
    }

    /// Sage's own exchange rate of a currency, in base units for one foreign unit, where it is known.
    pub fn exchange_rate(&self, currency: Currency) -> Option<Decimal> {
        self.exchange_rates.get(&currency).copied()
    }

    /// The business's own region (`CA-ON`), where it is known.
    pub fn own_region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_worth_what_sages_rate_says_and_nothing_is_made_up() {
        let rates = [("EUR", "0.85"), ("IDR", "0.00005"), ("KWD", "0")];
        let rates = rates.map(|(currency, rate)| (currency.parse().unwrap(), rate.parse().unwrap()));
        let books =
            Books { country: "GB".to_owned(), base_currency: Currency::GBP, exchange_rates: rates.into() };
        assert_eq!(books.in_base("GBP", 123), Some(123));
        assert_eq!(books.in_base("EUR", 10_000), Some(8_500));
        assert_eq!(books.in_base("IDR", 1_500_000_000), Some(75_000), "fifteen million are not much");
        for unknown in ["KWD", "TRY", "pounds"] {
            assert_eq!(books.in_base(unknown, 100), None, "{unknown}");
        }
        assert_eq!(books.in_base("EUR", i64::MAX), Some(7_839_866_231_326_559_436));
    }

    #[test]
    fn a_rate_shows_whose_tax_it_is() {
        let owner = |id: &str, name: &str, percentage: &str| {
            let percentage = percentage.parse().unwrap();
            TaxRate { id: id.to_owned(), name: name.to_owned(), percentage, regions: Vec::new() }.owner("GB")
        };
        for (id, name) in [("GB_NO_TAX", "No Tax 0.00%"), ("a1b2", "No VAT")] {
            assert_eq!(owner(id, name, "0"), RateOwner::NoTax, "{id}");
        }
        for (id, name, percentage) in [
            ("GB_STANDARD", "Standard", "20"),
            ("GB_ZERO", "Zero Rated", "0"),
            ("9f0c", "My own rate", "12.5"),
        ] {
            assert_eq!(owner(id, name, percentage), RateOwner::Home, "{id}");
        }
        for (id, name) in
            [("IE_DESTINATION", "Ireland"), ("PT_STANDARD_OSS", "Portugal"), ("9f0c", "Germany OSS")]
        {
            assert_eq!(owner(id, name, "23"), RateOwner::Other, "{id}");
        }
    }

    #[test]
    fn a_set_that_was_stored_before_there_were_rates_and_regions_is_read() {
        let set = crate::fixtures::reference();
        let mut stored = serde_json::to_value(&set).unwrap();
        stored["exchange_rates"] = serde_json::json!({ "EUR": "0.852224305437191", "USD": 0.7485 });
        let read: ReferenceSet = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(read.exchange_rate(Currency::EUR).unwrap().to_string(), "0.852224305437191");
        assert_eq!(
            serde_json::from_value::<ReferenceSet>(serde_json::to_value(&read).unwrap()).unwrap(),
            read
        );
        let fields = stored.as_object_mut().unwrap();
        fields.remove("exchange_rates");
        fields.remove("region");
        for rate in fields["tax_rates"].as_array_mut().unwrap() {
            rate.as_object_mut().unwrap().remove("regions");
        }
        assert_eq!(serde_json::from_value::<ReferenceSet>(stored).unwrap(), set);
    }
}
