//! The keys of the tax rate map: a percentage, and if wanted a tax class and a country (`20.00`, `20.00/reduced`, `0.00//US`,
//! `20.00/reduced/IE`). The settings form checks them with this parser, translation looks them up with it.

use std::{cmp::Reverse, collections::BTreeMap, fmt, str::FromStr};

use messages::message;
use rust_decimal::Decimal;

use crate::{
    money::{from_minor, to_minor, typed_hundredths},
    territory::canonical_code,
};

/// Nobody taxes at more than 100 %: in hundredths of a percent.
const MOST: i64 = 10_000;
/// Tax classes have no longer names in Magento (`tax_class.class_name`).
const CLASS: usize = 255;

/// A key of the tax rate map. Displayed it is canonical: two decimals, the country in capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxKey {
    /// Hundredths of a percent.
    hundredths: i64,
    /// The tax class, as it was written.
    class: Option<String>,
    /// The customer's country: two capital letters.
    country: Option<String>,
}

/// Why a text is no key of the tax rate map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaxKeyError {
    /// The first part is no number.
    #[error("{}", message!(tax_keys.not_a_percentage, text = .0))]
    NotAPercentage(String),
    /// Nobody taxes at it.
    #[error("{}", message!(tax_keys.out_of_range, text = .0))]
    OutOfRange(String),
    /// The third part is no country.
    #[error("{}", message!(tax_keys.not_a_country, text = .0))]
    NotACountry(String),
    /// The class is longer than Magento's.
    #[error("{}", message!(tax_keys.class_too_long, limit = CLASS))]
    ClassTooLong,
    /// More than percentage, class and country.
    #[error("{}", message!(tax_keys.too_many_parts, text = .0))]
    TooManyParts(String),
    /// Two keys that mean the same.
    #[error("{}", message!(tax_keys.twice, key = .0))]
    Twice(TaxKey),
}

/// A key of three parts, each as it was typed.
pub fn joined(percentage: &str, class: &str, country: &str) -> String {
    let (percentage, class, country) = (percentage.trim(), class.trim(), country.trim());
    match (class, country) {
        ("", "") => percentage.to_owned(),
        (_, "") => format!("{percentage}/{class}"),
        _ => format!("{percentage}/{class}/{country}"),
    }
}

/// The percentage, the class and the country of a key, whether or not it is a good one.
pub fn parts(key: &str) -> [&str; 3] {
    let mut parts = key.splitn(3, '/').map(str::trim);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

impl FromStr for TaxKey {
    type Err = TaxKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let number = first.strip_suffix('%').unwrap_or(first).trim_end();
        let (hundredths, _) =
            typed_hundredths(number).ok_or_else(|| TaxKeyError::NotAPercentage(first.to_owned()))?;
        if !(0..=MOST).contains(&hundredths) {
            return Err(TaxKeyError::OutOfRange(number.to_owned()));
        }
        let class = parts.next().filter(|class| !class.is_empty());
        if class.is_some_and(|class| class.chars().count() > CLASS) {
            return Err(TaxKeyError::ClassTooLong);
        }
        let country = parts.next().filter(|country| !country.is_empty());
        if country
            .is_some_and(|country| country.len() != 2 || !country.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            return Err(TaxKeyError::NotACountry(country.unwrap_or_default().to_owned()));
        }
        match parts.next() {
            None => Ok(Self::new(hundredths, class, country)),
            Some(_) => Err(TaxKeyError::TooManyParts(text.to_owned())),
        }
    }
}

impl fmt::Display for TaxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.hundredths / 100, self.hundredths % 100)?;
        match (&self.class, &self.country) {
            (None, None) => Ok(()),
            (Some(class), None) => write!(f, "/{class}"),
            (class, Some(country)) => write!(f, "/{}/{country}", class.as_deref().unwrap_or_default()),
        }
    }
}

impl TaxKey {
    /// The key of a percentage, for a class and a country.
    pub fn of(percentage: Decimal, class: Option<&str>, country: Option<&str>) -> Self {
        Self::new(to_minor(percentage).unwrap_or(i64::MAX), class, country)
    }

    fn new(hundredths: i64, class: Option<&str>, country: Option<&str>) -> Self {
        Self {
            hundredths,
            class: class.map(|class| class.trim().to_owned()),
            country: country.map(|country| canonical_code(&country.trim().to_ascii_uppercase()).to_owned()),
        }
    }

    /// Percent, two decimals.
    pub fn percentage(&self) -> Decimal {
        from_minor(self.hundredths)
    }

    /// The country, where the key names one.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// Whether an entry of this key is for this percentage, class and country. What the key leaves out it does not mind.
    /// Classes are compared as people do, capital or not.
    fn is_for(&self, hundredths: Option<i64>, class: Option<&str>, country: Option<&str>) -> bool {
        let same = |own: &Option<String>, other: Option<&str>| {
            own.as_deref().is_none_or(|own| {
                other.is_some_and(|other| own.to_lowercase() == other.trim().to_lowercase())
            })
        };
        Some(self.hundredths) == hundredths && same(&self.class, class) && same(&self.country, country)
    }

    /// How specific the key is: class and country, class, country, percentage alone.
    const fn specificity(&self) -> u8 {
        2 * self.class.is_some() as u8 + self.country.is_some() as u8
    }
}

/// The tax class by which the map names what is outside the tax: gift cards, roundings and other money that is no sale. For businesses
/// whose rates show no "No VAT".
pub const NO_VAT: &str = "no_vat";

/// The tax rate map, read: entries that are no keys are passed over (a save refuses them).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxMap<'a>(Vec<(TaxKey, &'a str)>);

impl<'a> TaxMap<'a> {
    /// Reads a map. Of two keys that mean the same the one that is written canonically counts, else the first.
    pub fn read(map: &'a BTreeMap<String, String>) -> Self {
        let mut entries: Vec<(TaxKey, bool, &str)> = map
            .iter()
            .filter_map(|(text, id)| {
                let key: TaxKey = text.parse().ok()?;
                let odd = key.to_string() != *text;
                Some((key, odd, id.as_str()))
            })
            .collect();
        entries.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
        entries.dedup_by(|later, first| later.0 == first.0);
        Self(entries.into_iter().map(|(key, _, id)| (key, id)).collect())
    }

    /// The entries: key and tax rate id.
    pub fn entries(&self) -> impl Iterator<Item = (&TaxKey, &'a str)> {
        self.0.iter().map(|(key, id)| (key, *id))
    }

    /// The rate that the map has for [`NO_VAT`]. One that any other entry has as well, or that is zero-rated or exempt by its id, is on
    /// the return and does not count.
    pub fn no_vat(&self) -> Option<&'a str> {
        let own = TaxKey::of(Decimal::ZERO, Some(NO_VAT), None);
        let (_, id) = self.entries().find(|(key, _)| **key == own)?;
        let is_declared = id.ends_with("_ZERO") || id.ends_with("_EXEMPT");
        let is_shared = self.entries().any(|(key, other)| *key != own && other == id);
        (!is_declared && !is_shared).then_some(id)
    }

    /// The most specific entry for a percentage and class in a place that the codes name, the most particular first (Northern
    /// Ireland: `XI`, `GB`).
    pub fn find(
        &self,
        percentage: Decimal,
        class: Option<&str>,
        countries: &[&str],
    ) -> Option<(&TaxKey, &'a str)> {
        let hundredths = to_minor(percentage);
        let rank = |key: &TaxKey| {
            let place = key.country().map(|own| countries.iter().position(|country| *country == own));
            // A country that is none of the place's is another's.
            let place = place.map_or(Some(countries.len()), |found| found)?;
            key.is_for(hundredths, class, key.country()).then_some((key.specificity(), Reverse(place)))
        };
        let fitting = self.entries().filter_map(|(key, id)| Some((rank(key)?, key, id)));
        fitting.max_by_key(|(rank, ..)| *rank).map(|(_, key, id)| (key, id))
    }
}

/// The map with canonical keys, as it is saved; else what is wrong, by the key as it was typed.
pub fn canonical_tax_map(
    map: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<(String, TaxKeyError)>> {
    let (mut canonical, mut errors) = (BTreeMap::new(), Vec::new());
    for (text, id) in map {
        match text.parse::<TaxKey>() {
            Ok(key) if canonical.contains_key(&key.to_string()) => {
                errors.push((text.clone(), TaxKeyError::Twice(key)));
            }
            Ok(key) => drop(canonical.insert(key.to_string(), id.clone())),
            Err(error) => errors.push((text.clone(), error)),
        }
    }
    if errors.is_empty() { Ok(canonical) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FieldProblem;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect()
    }

    #[test]
    fn a_key_is_read_however_it_is_written_and_shown_in_one_way() {
        for (text, canonical) in [
            ("20", "20.00"),
            (" 20.0 % ", "20.00"),
            ("14.975", "14.98"),
            ("0//us", "0.00//US"),
            ("0//el", "0.00//GR"),
            ("20//UK", "20.00//GB"),
            ("0//xi", "0.00//XI"),
            ("20/reduced", "20.00/reduced"),
            ("20.00/ Reduced goods /ie", "20.00/Reduced goods/IE"),
            ("5//", "5.00"),
        ] {
            assert_eq!(text.parse::<TaxKey>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_code_and_a_sentence() {
        for (text, code, sentence) in [
            ("", "invalid_format", "“” is not a percentage, such as 20 or 20.00"),
            ("twenty", "invalid_format", "“twenty” is not a percentage, such as 20 or 20.00"),
            ("120", "out_of_range", "120 is not a percentage between 0 and 100"),
            ("-1", "out_of_range", "-1 is not a percentage between 0 and 100"),
            ("0//Ireland", "invalid_format", "“Ireland” is not a country of two letters, such as IE"),
            ("0/a/IE/b", "invalid_format", "“0/a/IE/b” has more parts than percentage/class/country"),
        ] {
            let error = text.parse::<TaxKey>().unwrap_err();
            assert_eq!(
                (FieldProblem::from(&error).as_str(), error.to_string().as_str()),
                (code, sentence),
                "{text}"
            );
        }
    }

    #[test]
    fn class_and_country_win_over_class_over_country_over_the_percentage_alone() {
        let map = map(&[("20", "d"), ("20//IE", "c"), ("20/reduced", "b"), ("20/reduced/IE", "a")]);
        let map = TaxMap::read(&map);
        let twenty = Decimal::from(20);
        let id = |class, countries: &[&str]| map.find(twenty, class, countries).unwrap().1;
        assert_eq!(id(Some("Reduced"), &["IE"]), "a");
        assert_eq!(id(Some("reduced"), &["FR"]), "b");
        assert_eq!(id(Some("other"), &["IE"]), "c");
        assert_eq!(id(Some("other"), &[]), "d");
        assert_eq!(map.find(Decimal::ONE, None, &[]), None);
    }

    #[test]
    fn a_place_of_two_names_takes_the_more_particular_and_never_another_country_s() {
        let map = map(&[("0", "any"), ("0//GB", "british"), ("0//XI", "northern"), ("0//FR", "french")]);
        let map = TaxMap::read(&map);
        let id = |countries: &[&str]| map.find(Decimal::ZERO, None, countries).unwrap().1;
        assert_eq!((id(&["XI", "GB"]), id(&["GB"]), id(&["IM", "GB"])), ("northern", "british", "british"));
        assert_eq!((id(&["IC"]), id(&[])), ("any", "any"));
    }

    #[test]
    fn a_rate_of_what_is_no_sale_is_on_no_return_and_serves_nothing_else() {
        let no_vat = |entries: &[(&str, &str)]| TaxMap::read(&map(entries)).no_vat().map(str::to_owned);
        assert_eq!(no_vat(&[("0/no_vat", "outside"), ("0", "CA_ZERO")]).as_deref(), Some("outside"));
        assert_eq!(no_vat(&[("0/no_vat", "CA_EXEMPT")]), None);
        assert_eq!(no_vat(&[("0/no_vat", "own"), ("0", "own")]), None);
        assert_eq!(no_vat(&[("0", "CA_ZERO")]), None);
    }

    #[test]
    fn of_two_keys_that_mean_the_same_the_canonical_one_counts_and_a_save_refuses_both() {
        let map = map(&[("20", "typed"), ("20.00", "canonical")]);
        assert_eq!(TaxMap::read(&map).find(Decimal::from(20), None, &[]).unwrap().1, "canonical");
        let errors = canonical_tax_map(&map).unwrap_err();
        assert_eq!((errors.len(), FieldProblem::from(&errors[0].1).as_str()), (1, "conflict"));
    }

    #[test]
    fn a_map_is_saved_with_canonical_keys() {
        let saved = canonical_tax_map(&map(&[("20", "a"), ("0//us", "b")])).unwrap();
        assert_eq!(saved, map(&[("20.00", "a"), ("0.00//US", "b")]));
    }
}
