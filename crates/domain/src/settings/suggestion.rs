//! The settings that a business's own lists suggest, for a person to confirm.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Settings;
use crate::business::{ReferenceSet, TaxRate};

/// The nominal code that Sage's own charts give to the sales of products.
const PRODUCT_SALES: i64 = 4000;

impl Settings {
    /// The settings that these lists suggest: the highest standard rate, one rate for each percentage, the account of product sales,
    /// the first bank account in the business's currency. Nothing of it is used before a person has confirmed it: which zero rate
    /// is right, above all, no list tells.
    pub fn suggested(reference: &ReferenceSet) -> Self {
        let own = own_rates(reference);
        let mut tax_rate_map = BTreeMap::new();
        for rate in &own {
            if let Some(best) = best_of(&own, rate.percentage) {
                tax_rate_map.insert(format!("{:.2}", rate.percentage), best.id.clone());
            }
        }
        let standard = own
            .iter()
            .filter(|rate| rate.id.ends_with("STANDARD"))
            .max_by_key(|rate| rate.percentage)
            .or_else(|| own.iter().max_by_key(|rate| rate.percentage));
        let sales = reference
            .ledger_accounts
            .iter()
            .filter(|account| account.visible_in_sales)
            .min_by_key(|account| (account.nominal_code != Some(PRODUCT_SALES), account.nominal_code));
        let bank = reference.bank_accounts.iter().find(|bank| {
            bank.is_active && bank.currency.is_none_or(|currency| currency == reference.base_currency)
        });
        Self {
            default_tax_rate_id: standard.map(|rate| rate.id.clone()),
            default_ledger_account_id: sales.map(|account| account.id.clone()),
            default_bank_account_id: bank.map(|bank| bank.id.clone()),
            tax_rate_map,
            ..Self::default()
        }
    }
}

/// The rates of the business's own country; all of them where the ids do not tell.
fn own_rates(reference: &ReferenceSet) -> Vec<&TaxRate> {
    let prefix = format!("{}_", reference.country);
    let own: Vec<_> = reference.tax_rates.iter().filter(|rate| rate.id.starts_with(&prefix)).collect();
    if own.is_empty() { reference.tax_rates.iter().collect() } else { own }
}

/// Of several rates with one percentage: the one whose id says most plainly what it is.
fn best_of<'a>(rates: &[&'a TaxRate], percentage: Decimal) -> Option<&'a TaxRate> {
    const WORDS: [&str; 4] = ["STANDARD", "ZERO", "LOWER", "REDUCED"];
    let rank = |rate: &TaxRate| WORDS.iter().position(|word| rate.id.ends_with(word)).unwrap_or(WORDS.len());
    rates.iter().copied().filter(|rate| rate.percentage == percentage).min_by_key(|rate| rank(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(id: &str, percentage: i64) -> TaxRate {
        TaxRate {
            id: id.to_owned(),
            name: id.to_owned(),
            percentage: Decimal::from(percentage),
            regions: Vec::new(),
        }
    }

    #[test]
    fn of_rates_with_one_percentage_the_plainest_of_the_own_country_is_suggested() {
        let (exempt, zero) = (rate("GB_EXEMPT", 0), rate("GB_ZERO", 0));
        let rates = [&exempt, &zero];
        assert_eq!(best_of(&rates, Decimal::ZERO), Some(&zero));
        assert_eq!(best_of(&rates, Decimal::TEN), None);
    }
}
