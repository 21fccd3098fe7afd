//! Territories as the value added tax sees them: which one an address lies in, whatever the shop calls its country, and how it lies
//! from a business in Great Britain, Ireland or Canada.

mod aliases;
mod areas;
mod countries;
mod vat_area;

use crate::{
    documents::Address,
    text::{clean_optional, folded},
};
use aliases::ALIASES;
use countries::COUNTRIES;

pub use areas::{AREAS, Area};
pub use vat_area::VatArea;

/// The member states of the European Union (Directive 2006/112/EC, art. 5(2)).
const MEMBER_STATES: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Kosovo has no code in ISO 3166-1, and Sage's list of countries follows that.
const KOSOVO: &str = "XK";

/// Where a place lies, seen from a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxArea {
    /// In the business's own tax area.
    Home,
    /// In the European Union, outside the business's own tax area.
    EuropeanUnion,
    /// Elsewhere.
    RestOfWorld,
}

/// A territory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Territory {
    /// Two letters by which the tax rate map names it; none for areas that nobody gave any.
    pub code: Option<&'static str>,
    /// The country that an address there names (ISO 3166-1), as Sage takes it; none where Sage lists none.
    pub country: Option<&'static str>,
    /// The country of the postal address, whose codes of tax rates an area without one shares.
    pub postal_country: &'static str,
    /// What people read.
    pub name: &'static str,
    /// Whose tax it is under.
    pub vat: VatArea,
    /// Where it is said of an area that it is taxed otherwise than its country.
    pub source: Option<&'static str>,
}

/// A text that names no country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCountry(pub String);

/// The territory of an address; none where it names no country.
pub fn of_address(address: &Address) -> Result<Option<Territory>, UnknownCountry> {
    let Some(text) = clean_optional(address.country_id.as_deref()) else { return Ok(None) };
    let named = named(&text).ok_or(UnknownCountry(text))?;
    let is_country = named.code == Some(named.postal_country);
    let area = if is_country { area_within(named.postal_country, address) } else { None };
    Ok(Some(area.map_or(named, of_area)))
}

/// The code of the tax rate map for what somebody wrote as a country: EL is GR, UK is GB, any other stays as it is.
pub fn canonical_code(code: &str) -> &str {
    match code {
        "EL" => "GR",
        "UK" => "GB",
        code => code,
    }
}

/// The territory that a text names by a code or a name.
fn named(text: &str) -> Option<Territory> {
    let name = folded(text);
    let alias = ALIASES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
    let is_code = |(two, three, _): &&(&str, &str, &str)| {
        two.eq_ignore_ascii_case(&name) || three.eq_ignore_ascii_case(&name)
    };
    let by_code = || COUNTRIES.iter().find(is_code);
    let by_name = || COUNTRIES.iter().find(|(_, _, english)| folded(english) == name);
    let code = alias.or_else(|| by_code().or_else(by_name).map(|country| country.0))?;
    let area = AREAS.iter().find(|area| area.code == Some(code));
    Some(area.map_or_else(|| of_country(code), |area| Territory { country: listed(code), ..of_area(area) }))
}

/// The code as Sage lists it: areas that are no country are a part of one.
fn listed(code: &'static str) -> Option<&'static str> {
    match code {
        "XI" => Some("GB"),
        "IC" | "EA" => Some("ES"),
        KOSOVO => None,
        code => Some(code),
    }
}

fn of_country(code: &'static str) -> Territory {
    let name = COUNTRIES.iter().find(|country| country.0 == code).map_or("Kosovo", |country| country.2);
    let vat = match code {
        "GB" => VatArea::UnitedKingdom,
        "CA" => VatArea::Canada,
        code if MEMBER_STATES.contains(&code) => VatArea::EuropeanUnion,
        _ => VatArea::Elsewhere,
    };
    Territory { code: Some(code), country: listed(code), postal_country: code, name, vat, source: None }
}

/// The territory of an area, whose addresses keep the country that they name.
fn of_area(area: &'static Area) -> Territory {
    Territory {
        code: area.code,
        country: Some(area.country),
        postal_country: area.country,
        name: area.name,
        vat: area.vat,
        source: Some(area.source),
    }
}

/// The area of a country that an address lies in: by the postcode, else by the names of region and town.
fn area_within(country: &str, address: &Address) -> Option<&'static Area> {
    let areas = || AREAS.iter().filter(|area| area.country == country);
    let postcode = plain_postcode(address.postcode.as_deref(), country);
    if let Some(postcode) = &postcode {
        let begins = |prefix: &&str| begins(postcode, prefix, country);
        let fitting = areas().filter_map(|area| {
            let longest = area.postcodes.iter().copied().filter(|prefix| begins(prefix)).map(str::len).max();
            longest.map(|length| (length, area))
        });
        return fitting.max_by_key(|(length, _)| *length).map(|(_, area)| area);
    }
    let names: Vec<String> =
        [&address.region, &address.city].into_iter().flatten().map(|name| folded(name)).collect();
    areas().find(|area| area.regions.iter().any(|region| names.iter().any(|name| name == region)))
}

/// A postcode's letters and digits without the country's letters in front (`E-35001`, `FR 98000`); none where it says nothing.
fn plain_postcode(postcode: Option<&str>, country: &str) -> Option<String> {
    let signs = postcode?.chars().filter(char::is_ascii_alphanumeric);
    let is_of_country = |sign: &char| country != "GB" && sign.is_ascii_alphabetic();
    let plain: String = signs.skip_while(is_of_country).map(|sign| sign.to_ascii_uppercase()).collect();
    // Shops that need no postcode fill in noughts.
    let says_something = plain.chars().any(|sign| sign != '0') && plain.len() > 1;
    says_something.then_some(plain)
}

/// Whether a postcode begins with an area's letters or digits; letters are a whole word (`BT1`, not `BTX`).
fn begins(postcode: &str, prefix: &str, country: &str) -> bool {
    let rest = postcode.strip_prefix(prefix);
    rest.is_some_and(|rest| country != "GB" || rest.starts_with(|sign: char| sign.is_ascii_digit()))
}

impl Territory {
    /// How the territory lies from a business of a country. Northern Ireland is the Union's for goods alone.
    pub fn seen_from(&self, home: &str, is_goods: bool) -> TaxArea {
        let is_union = match self.vat {
            VatArea::EuropeanUnion => true,
            VatArea::NorthernIreland => is_goods,
            VatArea::UnitedKingdom | VatArea::Canada | VatArea::Elsewhere => false,
        };
        let is_british = matches!(self.vat, VatArea::UnitedKingdom | VatArea::NorthernIreland);
        let is_home = match home {
            "GB" => is_british,
            // An area of the business's own country may be outside its tax.
            home => self.code == Some(home),
        };
        match (is_home, home) {
            (true, _) => TaxArea::Home,
            // From Canada a member state is abroad like any other country.
            (false, "CA") => TaxArea::RestOfWorld,
            (false, _) if is_union => TaxArea::EuropeanUnion,
            (false, _) => TaxArea::RestOfWorld,
        }
    }

    /// What the tax rate map calls the territory, seen from a business of a country: the most particular first. An area that is taxed
    /// as a part of a country may be named by either.
    pub fn rate_codes(&self, home: &str, is_goods: bool) -> Vec<&'static str> {
        // Nothing that is said of Great Britain holds for goods to Northern Ireland, nor for services what is said of those goods.
        if self.vat == VatArea::NorthernIreland && home == "IE" {
            return vec![if is_goods { "XI" } else { "GB" }];
        }
        let is_part = self.vat != VatArea::Elsewhere;
        let own = self.code.into_iter();
        let country = Some(self.postal_country).filter(|country| is_part && self.code != Some(country));
        own.chain(country).collect()
    }

    /// Whether Sage, which looks at the country alone and knows Northern Ireland by its postcode, sees the territory as it is.
    pub fn is_seen_by_country(&self, home: &str) -> bool {
        match self.vat {
            // The Isle of Man is one tax area with the United Kingdom in Sage too; seen from elsewhere it is abroad in any case.
            VatArea::UnitedKingdom | VatArea::NorthernIreland | VatArea::Canada => true,
            VatArea::EuropeanUnion => self.code == Some(self.postal_country) || home == "CA",
            VatArea::Elsewhere => match self.country {
                None => false,
                Some(country) => of_country(country).seen_from(home, true) == self.seen_from(home, true),
            },
        }
    }
}

#[cfg(test)]
mod tests;
