//! From a percentage to a tax rate of the Sage business: the map, its most specific entry first, else the default rate, and only
//! a rate that has the percentage which Magento charged. Several rates of 0 % exist (zero-rated, exempt, no tax), so 0 % is the
//! merchant's choice: a map entry, or a default rate that is 0 % itself.

use rust_decimal::Decimal;

use crate::{
    business::{ReferenceSet, TaxRate},
    policy::Policy,
};

use super::findings::Missing;

/// A tax rate, and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Sage's id.
    pub id: String,
    /// Its percentage in Sage, which Sage recomputes shipping with.
    pub percentage: Decimal,
    /// `tax_rate_map` or `default_tax_rate_id`.
    pub rule: &'static str,
    /// The key of the map entry, or the percentage.
    pub input: String,
}

/// How far a rate's percentage may lie from the charged one: keys have two decimals, and provincial rates three (14.975).
fn is_same(left: Decimal, right: Decimal) -> bool {
    (left - right).abs() <= Decimal::new(1, 2)
}

/// A percentage as the map writes it: `20.00`.
pub(super) fn key(percent: Decimal) -> String {
    format!("{:.2}", crate::money::round2(percent))
}

/// The percentages that lines are compared with: those of the business's rates, of the map's keys, and 0.
pub(super) fn known_percentages(policy: &Policy, reference: &ReferenceSet) -> Vec<Decimal> {
    let of_keys =
        policy.tax_rate_map.keys().filter_map(|key| crate::money::parse(key.split('/').next()?).ok());
    let mut known: Vec<Decimal> = reference.tax_rates.iter().map(|rate| rate.percentage).collect();
    for percent in of_keys.chain([Decimal::ZERO]) {
        // A key's two decimals never stand beside the exact percentage of a rate.
        if !known.iter().any(|other| is_same(*other, percent)) {
            known.push(percent);
        }
    }
    known.sort_unstable();
    known.dedup();
    known
}

/// The rate of a percentage, for a tax class and a country where they are known.
pub(super) fn choose(
    percent: Decimal,
    class: Option<&str>,
    country: Option<&str>,
    policy: &Policy,
    reference: &ReferenceSet,
) -> Result<Choice, Missing> {
    let percent_key = key(percent);
    if let Some((input, id)) = map_entry(&percent_key, class, country, policy) {
        return checked(id, &input, percent, reference);
    }
    let default = policy.default_tax_rate_id.as_deref().and_then(|id| rate(id, reference));
    match default {
        Some(rate) if is_same(rate.percentage, percent) => Ok(Choice {
            id: rate.id.clone(),
            percentage: rate.percentage,
            rule: "default_tax_rate_id",
            input: percent_key,
        }),
        _ => Err(missing(&percent_key, default)),
    }
}

fn rate<'a>(id: &str, reference: &'a ReferenceSet) -> Option<&'a TaxRate> {
    reference.tax_rates.iter().find(|rate| rate.id == id)
}

/// The most specific entry: class and country, country, class, percentage alone.
fn map_entry<'a>(
    percent: &str,
    class: Option<&str>,
    country: Option<&str>,
    policy: &'a Policy,
) -> Option<(String, &'a String)> {
    let keys = [
        class.zip(country).map(|(class, country)| format!("{percent}/{class}/{country}")),
        country.map(|country| format!("{percent}//{country}")),
        class.map(|class| format!("{percent}/{class}")),
        Some(percent.to_owned()),
    ];
    keys.into_iter().flatten().find_map(|key| policy.tax_rate_map.get(&key).map(|id| (key, id)))
}

/// The mapped rate, if Sage has it and it is of the charged percentage: a wrong entry would misstate the tax return.
fn checked(id: &str, input: &str, percent: Decimal, reference: &ReferenceSet) -> Result<Choice, Missing> {
    let setting = format!("tax_rate_map.{input}");
    match rate(id, reference) {
        None => {
            let sentence = format!("The tax rate map sends {input} % to {id}, which Sage does not know.");
            Err(Missing { setting, sentence })
        }
        Some(rate) if !is_same(rate.percentage, percent) => {
            let sentence = format!(
                "The tax rate map sends {input} to {}, which is {} % in Sage: choose a rate of {} %.",
                rate.name,
                rate.percentage.normalize(),
                percent.normalize()
            );
            Err(Missing { setting, sentence })
        }
        Some(rate) => Ok(Choice {
            id: rate.id.clone(),
            percentage: rate.percentage,
            rule: "tax_rate_map",
            input: input.to_owned(),
        }),
    }
}

fn missing(percent: &str, default: Option<&TaxRate>) -> Missing {
    let why = default.map_or_else(
        || "there is no default tax rate".to_owned(),
        |rate| format!("the default rate is {} %", rate.percentage.normalize()),
    );
    Missing {
        setting: format!("tax_rate_map.{percent}"),
        sentence: format!("No tax rate is chosen for {percent} % (tax rate map, key {percent:?}; {why})."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::fixtures;

    fn percent(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_most_specific_map_entry_wins() {
        let mut policy = fixtures::policy();
        policy.tax_rate_map.insert("20.00/reduced".to_owned(), "GB_STANDARD".to_owned());
        policy.tax_rate_map.insert("0.00//US".to_owned(), "GB_NO_TAX".to_owned());
        let reference = fixtures::reference();
        let choose =
            |text, class, country| choose(percent(text), class, country, &policy, &reference).unwrap();
        assert_eq!(choose("20", Some("reduced"), Some("GB")).input, "20.00/reduced");
        assert_eq!(choose("0", None, Some("US")).id, "GB_NO_TAX");
        assert_eq!(choose("0", None, Some("GB")).id, "GB_ZERO");
        assert_eq!(choose("5", None, None).rule, "tax_rate_map");
    }

    #[test]
    fn a_default_of_twenty_percent_is_never_put_on_an_untaxed_line() {
        let policy = Policy { tax_rate_map: std::collections::BTreeMap::new(), ..fixtures::policy() };
        let reference = fixtures::reference();
        assert_eq!(choose(percent("20"), None, None, &policy, &reference).unwrap().id, "GB_STANDARD");
        let missing = choose(percent("0"), None, None, &policy, &reference).unwrap_err();
        assert_eq!(missing.setting, "tax_rate_map.0.00");
        let policy = Policy { default_tax_rate_id: Some("GB_ZERO".to_owned()), ..policy };
        assert_eq!(choose(percent("0"), None, None, &policy, &reference).unwrap().id, "GB_ZERO");
    }

    #[test]
    fn a_map_entry_of_another_percentage_is_not_used() {
        let mut policy = fixtures::policy();
        policy.tax_rate_map.insert("20.00".to_owned(), "GB_LOWER".to_owned());
        assert!(choose(percent("20"), None, None, &policy, &fixtures::reference()).is_err());
    }

    #[test]
    fn a_key_of_two_decimals_stands_for_the_rate_of_three() {
        let mut reference = fixtures::reference();
        reference.tax_rates.push(TaxRate {
            id: "CA_QC".to_owned(),
            name: "GST and QST".to_owned(),
            percentage: percent("14.975"),
        });
        let mut policy = fixtures::policy();
        policy.tax_rate_map.insert("14.98".to_owned(), "CA_QC".to_owned());
        assert_eq!(choose(percent("14.975"), None, None, &policy, &reference).unwrap().id, "CA_QC");
        assert!(!known_percentages(&policy, &reference).contains(&percent("14.98")));
    }
}
