//! Where a sale goes, as the tax of the business sees it.
//!
//! The place of supply of a document is where the goods are delivered (Directive 2006/112/EC, art. 31 to 33; VAT Act 1994, s. 7), else
//! its billing address. Sage itself looks at the contact's main address (sage-api.md, section 8; Northern Ireland by the postcode of it),
//! which is the billing address, or the business's country for the contact that consumers share. So both are known here: one decides
//! the rate, and where Sage would refuse that rate the contact is treated as at home.

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::Address,
    money::{round2, text},
    province,
    territory::{self, TaxArea, Territory},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    buyer::Buyer,
    contact::{identity::AssignedContact, tax_treatment::TaxTreatment},
    findings::{Findings, NotPosted},
    sales_document::SalesDocument,
};

/// Where a sale goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaceOfSupply {
    /// The territory; none where no address shows it, which counts as home.
    pub territory: Option<Territory>,
    /// Where that is.
    pub area: TaxArea,
    /// What the tax rate map calls it, the most particular first.
    pub rate_codes: Vec<&'static str>,
    /// The country of the contact's main address, as people read it.
    contact_country: Option<&'static str>,
    /// Where that is: what Sage sees of the contact without being asked otherwise.
    contact_area: TaxArea,
    /// Whether the sale or its contact is abroad.
    pub is_abroad: bool,
    /// What the contact must be treated as, so that Sage takes this sale's tax.
    pub treatment: Option<TaxTreatment>,
    /// Canada: the region that taxes, such as `CA-ON`.
    pub region: Option<String>,
}

/// The territory of an address, refused where it names a country that is none.
fn territory_of(
    address: Option<&Address>,
    what: &str,
    findings: &Findings,
) -> Result<Option<Territory>, NotPosted> {
    let found = address.map_or(Ok(None), territory::of_address);
    found.map_err(|unknown| {
        let message = message!(place_of_supply.no_such_country, address = what, country = unknown.0);
        findings.fail(Code::UnreadableDocument, message)
    })
}

impl PlaceOfSupply {
    /// Where a sale goes, for a business that is registered for tax; one that is not sells at home, wherever it sells. Refused where Sage
    /// takes no tax and Magento charged some, unless that tax `is_foreign` and has an account of its own.
    pub fn of(
        document: &SalesDocument<'_>,
        contact: &AssignedContact,
        is_foreign: bool,
        reference: &ReferenceSet,
        findings: &mut Findings,
    ) -> Result<Self, NotPosted> {
        let (buyer, home) = (&document.buyer, reference.country.as_str());
        let billing = territory_of(buyer.main_address, message!(field_names.billing_address), findings)?;
        let delivery =
            territory_of(buyer.delivery_address, message!(field_names.delivery_address), findings)?;
        // The address that shows the place of supply; without a country it still shows a province.
        let address = match (&delivery, &billing) {
            (None, Some(_)) => buyer.main_address,
            _ => buyer.delivery_address,
        };
        let territory = delivery.or_else(|| billing.clone());
        let seen = |territory: Option<&Territory>| match territory {
            Some(territory) if reference.registered_for_tax => territory.seen_from(home, true),
            _ => TaxArea::Home,
        };
        // The shared contact bears the business's own country.
        let contact_territory = billing.filter(|_| contact.is_own);
        let (area, contact_area) = (seen(territory.as_ref()), seen(contact_territory.as_ref()));
        let is_treated_as_home = area == TaxArea::Home && contact_area != TaxArea::Home;
        let mut place = Self {
            rate_codes: territory.as_ref().map(|one| one.rate_codes(home, true)).unwrap_or_default(),
            territory,
            area,
            contact_country: contact_territory.map(|territory| territory.code.unwrap_or(territory.name)),
            contact_area,
            is_abroad: area != TaxArea::Home || contact_area != TaxArea::Home,
            treatment: is_treated_as_home.then_some(TaxTreatment::Home),
            region: None,
        };
        if !reference.registered_for_tax {
            return Ok(place);
        }
        place.note_rule(buyer, reference, findings);
        match home {
            "CA" => place.region = place.canadian_region(address, reference, findings)?,
            "GB" | "IE" => {}
            _ if place.is_abroad => return Err(not_translated(&place, home)),
            _ => {}
        }
        if !is_foreign {
            place.check_tax(document.totals.tax, reference, findings)?;
        }
        Ok(place)
    }

    /// A sale at home to a country, for tests of what only looks at the country and the region.
    #[cfg(test)]
    pub fn to(country: Option<&'static str>, region: Option<&str>) -> Self {
        Self {
            territory: None,
            area: TaxArea::Home,
            rate_codes: country.into_iter().collect(),
            contact_country: None,
            contact_area: TaxArea::Home,
            is_abroad: false,
            treatment: None,
            region: region.map(str::to_owned),
        }
    }

    /// The same place for a sale of services: to Northern Ireland they are supplied as to the rest of the United Kingdom.
    pub fn for_services(self, reference: &ReferenceSet, findings: &mut Findings) -> Self {
        let home = reference.country.as_str();
        let seen = self.territory.as_ref().map(|territory| territory.seen_from(home, false));
        let Some((territory, area)) = self.territory.as_ref().zip(seen.filter(|area| *area != self.area))
        else {
            return self;
        };
        findings.rule("tax country", "GB", message!(reasons.services_to_northern_ireland), territory.name);
        Self { area, rate_codes: territory.rate_codes(home, false), ..self }
    }

    /// The territory's letters, else its name, as people and the rules know it.
    pub fn name(&self) -> &str {
        let name = self.territory.as_ref().map(|territory| territory.code.unwrap_or(territory.name));
        name.unwrap_or(message!(place_of_supply.unknown_country))
    }

    /// The letters of the map's key for a tax that this place bears: its own, else those of the country of its addresses.
    pub fn key_code(&self) -> Option<&'static str> {
        let postal = self.territory.as_ref().map(|territory| territory.postal_country);
        self.rate_codes.first().copied().or(postal)
    }

    /// Remembers where the sale goes, unless it is plainly at home.
    fn note_rule(&self, buyer: &Buyer<'_>, reference: &ReferenceSet, findings: &mut Findings) {
        let Some(territory) = &self.territory else { return };
        let source = if buyer.shown.shipping.is_some() {
            message!(field_names.delivery_address)
        } else {
            message!(field_names.billing_address)
        };
        let rule = match (self.area, territory.code) {
            (TaxArea::Home, Some("XI")) => message!(reasons.northern_ireland).to_owned(),
            (TaxArea::Home, Some("IM")) => message!(reasons.isle_of_man).to_owned(),
            (TaxArea::Home, _) if self.contact_area != TaxArea::Home => {
                message!(reasons.delivered_at_home).to_owned()
            }
            (TaxArea::Home, _) => return,
            (_, Some("XI")) if reference.country == "IE" => {
                message!(reasons.northern_ireland_goods).to_owned()
            }
            _ if territory.source.is_some() => message!(
                reasons.own_tax_area,
                name = territory.name,
                source = territory.source.unwrap_or_default()
            ),
            (TaxArea::EuropeanUnion, _) => message!(reasons.european_union).to_owned(),
            (TaxArea::RestOfWorld, _) => "abroad".to_owned(),
        };
        findings.rule("tax country", self.name(), rule, source);
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
        let is_taken =
            self.contact_area != TaxArea::RestOfWorld || self.treatment == Some(TaxTreatment::Home);
        if reference.country != "GB" || is_taken || round2(tax).is_zero() {
            return Ok(());
        }
        let goes_to = self.name();
        let lives_in = self.contact_country.unwrap_or(message!(place_of_supply.unknown_country));
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
    let message = message!(place_of_supply.not_supported, country = place.name(), home = home);
    Box::new(domain::plan::Plan::hold(Code::CrossBorderNotSupported, message))
}
