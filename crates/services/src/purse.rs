//! Sums of several currencies in that of the books, as far as Sage's rates are known.

use std::collections::{BTreeMap, HashMap};

use domain::{
    business::Books,
    ids::{BindingId, OrganisationId},
    money::Currency,
};
use messages::message;
use views::{error::AppError, format::money};

use crate::Services;

/// What the sums of each shop are kept in.
pub(crate) type AllBooks = HashMap<BindingId, Books>;

/// The books of an organisation's shops.
pub(crate) async fn all_books(
    services: &Services,
    organisation: OrganisationId,
) -> Result<AllBooks, AppError> {
    Ok(services.store.books(organisation).await?.into_iter().collect())
}

/// The currency of a shop's books, where it is known.
pub(crate) fn base_of(books: &AllBooks, binding: BindingId) -> Option<&str> {
    books.get(&binding).map(|books| books.base_currency.as_str())
}

/// A sum that grows.
#[derive(Default)]
pub(crate) struct Purse {
    /// By the currency of the books.
    in_books: BTreeMap<Currency, i64>,
    /// What no rate is known for, by its own currency.
    others: BTreeMap<String, i64>,
    is_converted: bool,
}

impl Purse {
    /// Adds what documents of a shop come to.
    pub(crate) fn add(&mut self, books: &AllBooks, binding: BindingId, currency: Option<&str>, minor: i64) {
        let Some(currency) = currency.filter(|_| minor != 0) else { return };
        let known = books.get(&binding);
        let in_books = known.and_then(|books| Some((books.base_currency, books.in_base(currency, minor)?)));
        if let Some((base, in_base)) = in_books {
            self.is_converted |= base.as_str() != currency;
            let sum = self.in_books.entry(base).or_default();
            *sum = sum.saturating_add(in_base);
        } else {
            let sum = self.others.entry(currency.to_owned()).or_default();
            *sum = sum.saturating_add(minor);
        }
    }

    /// What it is worth beside others, in the currency of the books. What nobody knows the rate of counts nothing: fifteen million of
    /// one currency may be less than a hundred of another.
    pub(crate) fn worth(&self) -> i64 {
        self.in_books.values().fold(0, |sum, minor| sum.saturating_add(*minor))
    }

    /// Whether Sage's rates were needed for it.
    pub(crate) const fn is_converted(&self) -> bool {
        self.is_converted
    }

    /// The sum for people, and whether it is converted; none where there is none.
    pub(crate) fn words(&self) -> Option<String> {
        let sums = self.sums()?;
        Some(if self.is_converted { message!(overview.at_sages_rates, amount = sums) } else { sums })
    }

    /// The sum alone.
    pub(crate) fn sums(&self) -> Option<String> {
        let own = self.in_books.iter().map(|(currency, minor)| {
            let code = currency.as_str();
            money(code, *minor, Some(code))
        });
        let others = self.others.iter().map(|(currency, minor)| money(currency, *minor, None));
        let sums: Vec<String> = own.chain(others).collect();
        (!sums.is_empty()).then(|| sums.join(" + "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(base: &str, rates: &[(&str, &str)]) -> Books {
        let rate = |(currency, rate): &(&str, &str)| (currency.parse().unwrap(), rate.parse().unwrap());
        Books {
            country: String::new(),
            base_currency: base.parse().unwrap(),
            exchange_rates: rates.iter().map(rate).collect(),
        }
    }

    fn shop(number: u32) -> BindingId {
        format!("{number:032x}").parse().unwrap()
    }

    #[test]
    fn millions_of_a_small_currency_are_worth_what_they_are_in_the_books() {
        let all = AllBooks::from([(shop(1), books("GBP", &[("IDR", "0.00005")]))]);
        let (mut rupiah, mut pounds) = (Purse::default(), Purse::default());
        rupiah.add(&all, shop(1), Some("IDR"), 1_500_000_000);
        pounds.add(&all, shop(1), Some("GBP"), 80_000);
        assert!(pounds.worth() > rupiah.worth());
        assert_eq!(rupiah.words().as_deref(), Some("\u{a3}750.00, at Sage\u{2019}s rates"));
        assert_eq!(pounds.words().as_deref(), Some("\u{a3}800.00"));
    }

    #[test]
    fn what_no_rate_is_known_for_keeps_its_currency_and_counts_nothing() {
        let all = AllBooks::from([(shop(1), books("GBP", &[])), (shop(2), books("EUR", &[]))]);
        let mut purse = Purse::default();
        purse.add(&all, shop(1), Some("TRY"), 9_999_900);
        purse.add(&all, shop(1), Some("GBP"), 100);
        purse.add(&all, shop(2), Some("EUR"), 200);
        purse.add(&all, shop(3), Some("GBP"), 300);
        purse.add(&all, shop(1), None, 400);
        assert_eq!(purse.worth(), 300);
        let words = "\u{20ac}2.00 + \u{a3}1.00 + GBP 3.00 + TRY 99,999.00";
        assert_eq!(purse.words().as_deref(), Some(words));
        assert_eq!(Purse::default().words(), None);
    }
}
