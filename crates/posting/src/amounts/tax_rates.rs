//! From a percentage to a tax rate of the Sage business: the map, its most specific entry first, else the default rate, and only
//! a rate that has the percentage which Magento charged, and in Canada one that serves the province. Several rates of 0 % exist
//! (zero-rated, exempt, no tax), so 0 % is the merchant's choice: a map entry, or a default rate that is 0 % itself.

use domain::{
    business::{RateOwner, ReferenceSet, TaxRate},
    settings::{NO_VAT, Settings, TaxKey, TaxMap},
    territory::TaxArea,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::document_row::DocumentRow, findings::MissingSetting, percentage::is_same,
    terms::place_of_supply::PlaceOfSupply,
};

/// A tax rate, and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChosenRate {
    /// Sage's id.
    pub id: String,
    /// Its percentage in Sage, which Sage recomputes shipping with.
    pub percentage: Decimal,
    /// `tax_rate_map`, `default_tax_rate_id`, or `percentage and region`.
    pub rule: &'static str,
    /// The key of the map entry, or the percentage.
    pub input: String,
}

/// A percentage as the map writes it: `20.00`.
pub(crate) fn key(percent: Decimal) -> String {
    TaxKey::of(percent, None, None).to_string()
}

/// The rates to choose from for one document, and the percentages that follow from them whatever the document holds.
#[derive(Debug)]
pub(crate) struct AvailableRates<'a> {
    table: RateTable<'a>,
    /// Where the sale goes.
    pub place: &'a PlaceOfSupply,
    /// The percentages that the settings give a rate in the customer's country.
    pub settled: Vec<Decimal>,
    /// All percentages that the business and the settings know.
    pub known: Vec<Decimal>,
    /// The percentage that most sales bear.
    pub usual: Option<Decimal>,
    /// The rate of 0 % that the merchant chose for what is never taxed.
    pub untaxed: Result<ChosenRate, MissingSetting>,
    /// Sage's rate of what is outside the tax.
    pub outside: Result<ChosenRate, MissingSetting>,
}

impl<'a> AvailableRates<'a> {
    /// The rates for a sale that goes where the place says.
    pub fn new(settings: &'a Settings, reference: &'a ReferenceSet, place: &'a PlaceOfSupply) -> Self {
        let map = TaxMap::read(&settings.tax_rate_map);
        let table = RateTable { map, settings, reference, place };
        Self {
            settled: table.settled_percentages(),
            known: table.known_percentages(),
            usual: table.usual(),
            untaxed: table.choose(Decimal::ZERO, None),
            outside: table.outside(),
            table,
            place,
        }
    }

    /// The rate of a row.
    pub fn of_row(&self, row: &DocumentRow) -> Result<ChosenRate, MissingSetting> {
        if row.kind.is_outside_tax() {
            self.outside.clone()
        } else {
            self.choose(row.percent, row.class.as_deref())
        }
    }

    /// Whether a percentage above 0 was charged abroad and is certainly not the business's own country's: the merchant names no rate for
    /// it there, and the country has none like it or taxes no exports.
    pub fn is_foreign(&self, percent: Decimal, class: Option<&str>) -> bool {
        let RateTable { reference, place, .. } = &self.table;
        let is_home = |rate: &TaxRate| {
            rate.owner(&reference.country) == RateOwner::Home && is_same(rate.percentage, percent)
        };
        place.area != TaxArea::Home
            && !percent.is_zero()
            && (place.area == TaxArea::RestOfWorld || !reference.tax_rates.iter().any(is_home))
            && self.choose(percent, class).is_err()
    }

    /// The rate of a percentage, for a tax class where it is known.
    pub fn choose(&self, percent: Decimal, class: Option<&str>) -> Result<ChosenRate, MissingSetting> {
        self.table.choose(percent, class)
    }
}

/// The settings' map and the business's rates, looked up for one place.
#[derive(Debug)]
struct RateTable<'a> {
    map: TaxMap<'a>,
    settings: &'a Settings,
    reference: &'a ReferenceSet,
    place: &'a PlaceOfSupply,
}

impl<'a> RateTable<'a> {
    fn rate(&self, id: &str) -> Option<&'a TaxRate> {
        self.reference.tax_rates.iter().find(|rate| rate.id == id)
    }

    /// The region that taxes (Canada).
    fn region(&self) -> Option<&'a str> {
        self.place.region.as_deref()
    }

    fn serves(&self, rate: &TaxRate) -> bool {
        self.region().is_none_or(|region| rate.serves(region))
    }

    /// Whether a code of the map's keys names the place.
    fn is_here(&self, code: &str) -> bool {
        self.place.rate_codes.contains(&code)
    }

    /// Whether a rate is the tax of the very country that the sale goes to, by Sage's id of it (`IE_STANDARD_OSS`).
    fn is_of_place(&self, id: &str) -> bool {
        let is_other = |rate: &TaxRate| rate.owner(&self.reference.country) == RateOwner::Other;
        let country = id.split_once('_').map(|(country, _)| country);
        country.is_some_and(|country| self.is_here(country)) && self.rate(id).is_some_and(is_other)
    }

    /// The percentages of the map's keys for the customer's country, of the default rate, and 0.
    fn settled_percentages(&self) -> Vec<Decimal> {
        let here = |key: &TaxKey| key.country().is_none_or(|code| self.is_here(code));
        let mapped = self.map.entries().filter(|(key, _)| here(key)).filter_map(|(_, id)| self.rate(id));
        let serving = mapped.chain(self.default()).filter(|rate| self.serves(rate));
        let mut settled: Vec<Decimal> = serving.map(|rate| rate.percentage).chain([Decimal::ZERO]).collect();
        settled.sort_unstable();
        settled.dedup();
        settled
    }

    /// The percentages of the business's rates, of the map's keys, and 0. What another province charges is not among them.
    fn known_percentages(&self) -> Vec<Decimal> {
        let serving = self.reference.tax_rates.iter().filter(|rate| self.serves(rate));
        let mut known: Vec<Decimal> = serving.map(|rate| rate.percentage).collect();
        let elsewhere = |id: &str| self.rate(id).is_some_and(|rate| !self.serves(rate));
        let keys = self.map.entries().filter(|(_, id)| !elsewhere(id)).map(|(key, _)| key.percentage());
        for percent in keys.chain([Decimal::ZERO]) {
            // A key's two decimals never stand beside the exact percentage of a rate.
            if !known.iter().any(|other| is_same(*other, percent)) {
                known.push(percent);
            }
        }
        known.sort_unstable();
        known.dedup();
        known
    }

    /// The percentage that most sales bear: the one that the map has for the customer's country alone, else the default rate's.
    fn usual(&self) -> Option<Decimal> {
        let of_country =
            self.map.entries().filter(|(key, _)| key.country().is_some_and(|code| self.is_here(code)));
        let own = of_country.filter_map(|(_, id)| self.rate(id)).map(|rate| rate.percentage).max();
        own.filter(|percent| *percent > Decimal::ZERO).or_else(|| self.default().map(|rate| rate.percentage))
    }

    fn default(&self) -> Option<&'a TaxRate> {
        self.settings.default_tax_rate_id.as_deref().and_then(|id| self.rate(id))
    }

    fn choose(&self, percent: Decimal, class: Option<&str>) -> Result<ChosenRate, MissingSetting> {
        let percent_key = key(percent);
        let is_foreign = self.place.area != TaxArea::Home && !percent.is_zero();
        let codes = match self.place.key_code() {
            // The letters that a tax of an area without any of its own is asked for by.
            Some(code) if is_foreign && self.place.rate_codes.is_empty() => &[code],
            _ => &self.place.rate_codes[..],
        };
        let entry = self.map.find(percent, class, codes);
        // Whose tax it is abroad is the merchant's word: what is said of every country says it only where the rate is that country's.
        let is_said = |entry: &TaxKey, id: &str| entry.country().is_some() || self.is_of_place(id);
        let entry = entry.filter(|(entry, id)| !is_foreign || is_said(entry, id));
        if let Some((entry, id)) = entry
            && let Some(chosen) = self.mapped(id, &entry.to_string(), percent)?
        {
            return Ok(chosen);
        }
        if is_foreign {
            return Err(self.foreign(percent));
        }
        let chosen = |rate: &TaxRate, rule| ChosenRate {
            id: rate.id.clone(),
            percentage: rate.percentage,
            rule,
            input: percent_key.clone(),
        };
        let default = self.default();
        if let Some(rate) = default.filter(|rate| is_same(rate.percentage, percent) && self.serves(rate)) {
            return Ok(chosen(rate, "default_tax_rate_id"));
        }
        match self.only_one_of_region(percent) {
            Some(rate) => Ok(chosen(rate, message!(reasons.region_rate))),
            None => Err(self.missing(&percent_key, default)),
        }
    }

    /// The rate of what is outside the tax: Sage's own, or the one that the map has for [`NO_VAT`].
    fn outside(&self) -> Result<ChosenRate, MissingSetting> {
        let key = TaxKey::of(Decimal::ZERO, Some(NO_VAT), None);
        if let Some(id) = self.map.no_vat()
            && let Some(chosen) = self.mapped(id, &key.to_string(), Decimal::ZERO)?
        {
            return Ok(chosen);
        }
        let rule = message!(reasons.not_a_sale);
        let chosen = |rate: &TaxRate| ChosenRate {
            id: rate.id.clone(),
            percentage: rate.percentage,
            rule,
            input: rate.name.clone(),
        };
        let missing = || MissingSetting {
            setting: format!("tax_rate_map.{key}"),
            sentence: message!(missing_settings.no_vat_rate).to_owned(),
        };
        self.reference.no_tax_rate().map(chosen).ok_or_else(missing)
    }

    /// The mapped rate, if Sage has it and it is of the charged percentage: a wrong entry would misstate the tax return. `None`
    /// where it serves other provinces only.
    fn mapped(&self, id: &str, input: &str, percent: Decimal) -> Result<Option<ChosenRate>, MissingSetting> {
        let setting = format!("tax_rate_map.{input}");
        match self.rate(id) {
            None => {
                let sentence = message!(missing_settings.mapped_rate_gone, rate = input, id = id);
                Err(MissingSetting { setting, sentence })
            }
            Some(rate) if !is_same(rate.percentage, percent) => {
                let sentence = message!(
                    missing_settings.mapped_rate_differs,
                    rate = input,
                    name = rate.name,
                    in_sage = rate.percentage.normalize(),
                    charged = percent.normalize()
                );
                Err(MissingSetting { setting, sentence })
            }
            Some(rate) => Ok(self.serves(rate).then(|| ChosenRate {
                id: rate.id.clone(),
                percentage: rate.percentage,
                rule: "tax_rate_map",
                input: input.to_owned(),
            })),
        }
    }

    /// The one rate that the region has of a percentage above 0; of several, and of 0 %, the merchant chooses.
    fn only_one_of_region(&self, percent: Decimal) -> Option<&'a TaxRate> {
        let region = self.region().filter(|_| !percent.is_zero())?;
        let mut fitting = self
            .reference
            .tax_rates
            .iter()
            .filter(|rate| rate.is_of(region) && is_same(rate.percentage, percent));
        let one = fitting.next()?;
        fitting.next().is_none().then_some(one)
    }

    /// A tax that was charged abroad and may be another country's.
    fn foreign(&self, percent: Decimal) -> MissingSetting {
        let setting = TaxKey::of(percent, None, self.place.key_code()).to_string();
        let sentence = message!(
            missing_settings.foreign_tax,
            percent = percent.normalize(),
            place = self.place.name(),
            home = self.reference.country,
            key = setting
        );
        MissingSetting { setting: format!("tax_rate_map.{setting}"), sentence }
    }

    fn missing(&self, percent: &str, default: Option<&TaxRate>) -> MissingSetting {
        let reason = default.map_or_else(
            || message!(missing_settings.no_default_rate).to_owned(),
            |rate| message!(missing_settings.other_default_rate, percentage = rate.percentage.normalize()),
        );
        let sentence = match self.region() {
            Some(region) => {
                message!(
                    missing_settings.no_rate_in_region,
                    percent = percent,
                    region = region,
                    reason = reason
                )
            }
            None => message!(missing_settings.no_rate, percent = percent, reason = reason),
        };
        MissingSetting { setting: format!("tax_rate_map.{percent}"), sentence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn percent(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// The choice for a class and a country.
    fn choose(
        percent: Decimal,
        class: Option<&str>,
        country: Option<&'static str>,
        settings: &Settings,
        reference: &ReferenceSet,
    ) -> Result<ChosenRate, MissingSetting> {
        let place = PlaceOfSupply::to(country, None);
        AvailableRates::new(settings, reference, &place).choose(percent, class)
    }

    #[test]
    fn the_most_specific_map_entry_wins() {
        let mut settings = fixtures::settings();
        settings.tax_rate_map.insert("20.00/reduced".to_owned(), "GB_STANDARD".to_owned());
        settings.tax_rate_map.insert("0.00//US".to_owned(), "GB_NO_TAX".to_owned());
        let reference = fixtures::reference();
        let choose =
            |text, class, country| choose(percent(text), class, country, &settings, &reference).unwrap();
        assert_eq!(choose("20", Some("reduced"), Some("GB")).input, "20.00/reduced");
        assert_eq!(choose("0", None, Some("US")).id, "GB_NO_TAX");
        assert_eq!(choose("0", None, Some("GB")).id, "GB_ZERO");
        assert_eq!(choose("5", None, None).rule, "tax_rate_map");
    }

    #[test]
    fn a_default_of_twenty_percent_is_never_put_on_an_untaxed_line() {
        let settings = Settings { tax_rate_map: std::collections::BTreeMap::new(), ..fixtures::settings() };
        let reference = fixtures::reference();
        assert_eq!(choose(percent("20"), None, None, &settings, &reference).unwrap().id, "GB_STANDARD");
        let missing = choose(percent("0"), None, None, &settings, &reference).unwrap_err();
        assert_eq!(missing.setting, "tax_rate_map.0.00");
        let settings = Settings { default_tax_rate_id: Some("GB_ZERO".to_owned()), ..settings };
        assert_eq!(choose(percent("0"), None, None, &settings, &reference).unwrap().id, "GB_ZERO");
    }

    #[test]
    fn a_map_entry_of_another_percentage_is_not_used() {
        let mut settings = fixtures::settings();
        settings.tax_rate_map.insert("20.00".to_owned(), "GB_LOWER".to_owned());
        assert!(choose(percent("20"), None, None, &settings, &fixtures::reference()).is_err());
    }

    #[test]
    fn a_key_of_two_decimals_stands_for_the_rate_of_three() {
        let mut reference = fixtures::reference();
        reference.tax_rates.push(TaxRate {
            id: "CA_QC".to_owned(),
            name: "GST and QST".to_owned(),
            percentage: percent("14.975"),
            regions: Vec::new(),
        });
        let mut settings = fixtures::settings();
        settings.tax_rate_map.insert("14.98".to_owned(), "CA_QC".to_owned());
        assert_eq!(choose(percent("14.975"), None, None, &settings, &reference).unwrap().id, "CA_QC");
        let place = PlaceOfSupply::to(Some("CA"), None);
        let known = AvailableRates::new(&settings, &reference, &place).known;
        assert!(!known.contains(&percent("14.98")));
    }
}
