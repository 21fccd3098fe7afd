//! Where a sale goes, as the tax of the business sees it.
//!
//! The tax country of a document is that of its delivery address, else of its billing address. Sage itself looks at the contact's main
//! address (sage-api.md, section 8; Northern Ireland by the postcode of it), which is the billing address, or the business's
//! country for the contact that consumers share. So both are known here: one decides the rate, the other what Sage refuses.

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::Address,
    money::{round2, text},
    province,
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    address::country,
    buyer::Buyer,
    contact::identity::AssignedContact,
    findings::{Findings, NotPosted},
    sales_document::SalesDocument,
};

/// The member states (ISO 3166).
const EUROPEAN_UNION: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Where a place lies, seen from the business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaxArea {
    /// In the business's own tax area.
    Home,
    /// In another member state of the European Union.
    EuropeanUnion,
    /// Elsewhere.
    RestOfWorld,
}

/// Where a sale goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaceOfSupply {
    /// The tax country: two capital letters; none where no address shows it, which counts as home.
    pub country: Option<String>,
    /// Where that is.
    pub area: TaxArea,
    /// The country of the contact's main address.
    contact_country: Option<String>,
    /// Where that is: Sage's own view.
    contact_area: TaxArea,
    /// Whether the sale or its contact is abroad.
    pub is_abroad: bool,
    /// Canada: the region that taxes, such as `CA-ON`.
    pub region: Option<String>,
}

/// Where a country lies. Northern Ireland (postcodes BT) is a part of GB in Magento, and the Isle of Man is in the British tax
/// area; the Channel Islands are not.
fn area_of(country: Option<&str>, home: &str) -> TaxArea {
    match country {
        None => TaxArea::Home,
        Some(country) if country == home || (home == "GB" && country == "IM") => TaxArea::Home,
        Some(country) if EUROPEAN_UNION.contains(&country) => TaxArea::EuropeanUnion,
        Some(_) => TaxArea::RestOfWorld,
    }
}

impl PlaceOfSupply {
    /// Where a sale goes, for a business that is registered for tax; one that is not sells at home, wherever it sells. Refused where Sage
    /// takes no tax and Magento charged some.
    pub fn of(
        document: &SalesDocument<'_>,
        contact: &AssignedContact,
        reference: &ReferenceSet,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let (buyer, home) = (&document.buyer, reference.country.as_str());
        let (billing, delivery) = (buyer.main_address, buyer.delivery_address);
        let tax_country = delivery.and_then(country).map(|code| (code, delivery));
        let tax_country = tax_country.or_else(|| billing.and_then(country).map(|code| (code, billing)));
        let (country_code, address) =
            tax_country.map_or((None, delivery), |(code, address)| (Some(code), address));
        // The shared contact bears the business's own country.
        let contact_country = if contact.is_own { billing.and_then(country) } else { Some(home.to_owned()) };
        let area = |country: Option<&str>| {
            if reference.registered_for_tax { area_of(country, home) } else { TaxArea::Home }
        };
        let (area, contact_area) = (area(country_code.as_deref()), area(contact_country.as_deref()));
        let is_abroad = area != TaxArea::Home || contact_area != TaxArea::Home;
        let mut place =
            Self { country: country_code, area, contact_country, contact_area, is_abroad, region: None };
        if !reference.registered_for_tax {
            return Ok(place);
        }
        place.note_rule(address, buyer, reference, findings);
        match home {
            "CA" => place.region = place.canadian_region(address, reference, findings)?,
            "GB" | "IE" => {}
            _ if is_abroad => return Err(not_translated(&place, home)),
            _ => {}
        }
        place.check_tax(document.totals.tax, reference, findings)?;
        Ok(place)
    }

    /// A sale at home to a country, for tests of what only looks at the country and the region.
    #[cfg(test)]
    pub fn to(country: Option<&str>, region: Option<&str>) -> Self {
        Self {
            country: country.map(str::to_owned),
            area: TaxArea::Home,
            contact_country: None,
            contact_area: TaxArea::Home,
            is_abroad: false,
            region: region.map(str::to_owned),
        }
    }

    /// Remembers where the sale goes, unless it is plainly at home.
    fn note_rule(
        &self,
        address: Option<&Address>,
        buyer: &Buyer<'_>,
        reference: &ReferenceSet,
        findings: &mut Findings,
    ) {
        let Some(country) = &self.country else { return };
        let source = if buyer.shown.shipping.is_some() {
            message!(field_names.delivery_address)
        } else {
            message!(field_names.billing_address)
        };
        let postcode = address.and_then(|address| address.postcode.as_deref()).unwrap_or_default().trim();
        let northern_ireland =
            reference.country == "GB" && country == "GB" && postcode.to_uppercase().starts_with("BT");
        let rule = match self.area {
            TaxArea::Home if northern_ireland => message!(reasons.northern_ireland),
            TaxArea::Home if *country != reference.country => message!(reasons.isle_of_man),
            TaxArea::Home if self.contact_area != TaxArea::Home => {
                message!(reasons.delivered_at_home)
            }
            TaxArea::Home => return,
            TaxArea::EuropeanUnion => message!(reasons.european_union),
            TaxArea::RestOfWorld => "abroad",
        };
        findings.rule("tax country", country.as_str(), rule, source);
    }

    /// The region that taxes a sale of a Canadian business: the customer's province, for exports the business's own, where it is
    /// known.
    fn canadian_region(
        &self,
        address: Option<&Address>,
        reference: &ReferenceSet,
        findings: &mut Findings,
    ) -> Result<Option<String>, NotPosted> {
        if self.area != TaxArea::Home {
            let own = reference.own_region().map(str::to_owned);
            match &own {
                Some(region) => {
                    findings.rule("tax region", region.as_str(), message!(reasons.export_region), "");
                }
                None => findings.note(message!(plan_notes.no_home_province)),
            }
            return Ok(own);
        }
        if let Some((code, told_by)) = address.and_then(province::of_address) {
            let region = format!("CA-{code}");
            findings.rule("tax region", &*region, message!(reasons.province), told_by);
            return Ok(Some(region));
        }
        let region = address.and_then(|address| address.region.as_deref()).unwrap_or_default().trim();
        let why = match region {
            "" => message!(place_of_supply.no_province).to_owned(),
            region => message!(place_of_supply.unknown_province, region = region),
        };
        let message = message!(place_of_supply.province, reason = why);
        Err(findings.fail(Code::TaxRegionUnknown, message))
    }

    /// Refuses tax that Magento charged where Sage takes none: a British business may use no rate above 0 % for a customer outside
    /// the European Union ("must be 'Zero Rated' for Customers outside the EU"). It is never dropped.
    pub fn check_tax(
        &self,
        tax: Decimal,
        reference: &ReferenceSet,
        findings: &Findings,
    ) -> Result<(), NotPosted> {
        if reference.country != "GB" || self.contact_area != TaxArea::RestOfWorld || round2(tax).is_zero() {
            return Ok(());
        }
        let goes_to = self.country.as_deref().unwrap_or(message!(place_of_supply.unknown_country));
        let lives_in = self.contact_country.as_deref().unwrap_or(message!(place_of_supply.unknown_country));
        let message = message!(
            place_of_supply.tax_not_allowed,
            tax = text(tax),
            goes_to = goes_to,
            lives_in = lives_in
        );
        Err(findings.fail(Code::TaxNotAllowed, message))
    }
}

fn not_translated(place: &PlaceOfSupply, home: &str) -> NotPosted {
    let country = place.country.as_deref().unwrap_or(message!(place_of_supply.unknown_country));
    let message = message!(place_of_supply.not_supported, country = country, home = home);
    Box::new(domain::plan::Plan::hold(Code::CrossBorderNotSupported, message))
}
