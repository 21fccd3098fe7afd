//! Which tax a line may bear: registration, provinces, and customers abroad.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    errors::Refusal,
    money, reference,
    tables::{Business, Record, Row, text},
};

/// Where the customer is, as the tax of a business in Great Britain sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Home,
    EuropeanUnion,
    RestOfWorld,
}

/// The rules for the lines of one document.
pub(super) struct TaxRules<'a> {
    business: &'a Business,
    place: Place,
    /// Whether lines need a goods or services type.
    cross_border: bool,
    /// Canada: the province that taxes (`CA-ON`).
    region: Option<String>,
    goods_services: Option<String>,
}

/// A rate that was found and allowed.
pub(super) struct Rate {
    pub(super) link: Value,
    pub(super) percentage: Decimal,
}

impl<'a> TaxRules<'a> {
    pub(super) fn new(business: &'a Business, contact: &Row, request: &Record) -> Result<Self, Refusal> {
        let place = if business.country == "GB" { place(contact) } else { Place::Home };
        let region = text(request, "tax_address_region_id").map(str::to_owned);
        if let Some(region) = &region {
            business.row("address_regions", region)?;
        }
        if business.country == "CA" && business.taxed() && region.is_none() {
            return Err(Refusal::required("tax_address_region_id"));
        }
        let cross_border = business.taxed() && place != Place::Home;
        Ok(Self { business, place, cross_border, region, goods_services: None })
    }

    /// The rate of a line or of the shipping panel. `source` names the field; `needed` is false for shipping of nothing.
    pub(super) fn rate(
        &self,
        id: Option<&str>,
        tax: Decimal,
        source: &str,
        needed: bool,
    ) -> Result<Option<Rate>, Refusal> {
        if !self.business.taxed() {
            if id.is_some() || !tax.is_zero() {
                let message = "You cannot add tax, your business is not registered for tax";
                return Err(Refusal::invalid(source, message));
            }
            return Ok(None);
        }
        let Some(id) = id else {
            return if needed { Err(Refusal::required(source)) } else { Ok(None) };
        };
        let row = self.business.row("tax_rates", id)?;
        let percentage = money::field(&row.body, "percentage").unwrap_or_default();
        if self.place == Place::RestOfWorld && percentage > Decimal::ZERO {
            return Err(Refusal::invalid(source, "must be 'Zero Rated' for Customers outside the EU"));
        }
        if self.region.as_deref().is_some_and(|region| !reference::serves(row, region)) {
            return Err(Refusal::invalid(source, "is not valid for the tax address region"));
        }
        Ok(Some(Rate { link: row.base(), percentage }))
    }

    /// The goods or services type of a line: needed for customers abroad, and then one for the whole document.
    pub(super) fn goods_services(&mut self, line: &Record, path: &str) -> Result<Value, Refusal> {
        let source = format!("{path}.eu_goods_services_type_id");
        let Some(id) = text(line, "eu_goods_services_type_id") else {
            return if self.cross_border { Err(Refusal::required(&source)) } else { Ok(Value::Null) };
        };
        let found = self.business.row("eu_goods_services_types", id)?.base();
        if self.cross_border && self.goods_services.get_or_insert_with(|| id.to_owned()) != id {
            return Err(Refusal::invalid(&source, "must be the same"));
        }
        Ok(found)
    }
}

/// Rates allowed for a contact: `GET /tax_determinations`. Agrees with what [`TaxRules::rate`] refuses.
pub(super) fn determined<'a>(
    business: &'a Business,
    contact: Option<&Row>,
) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
    let place = match contact {
        Some(contact) if business.country == "GB" => place(contact),
        _ => Place::Home,
    };
    let taxed = business.taxed();
    let allowed = move |row: &&Row| {
        let percentage = money::field(&row.body, "percentage").unwrap_or_default();
        taxed && (place != Place::RestOfWorld || percentage.is_zero())
    };
    Box::new(business.table("tax_rates").living().filter(allowed))
}

/// Whether a customer is in the European Union but not at home: by the treatment, else by the main address, where a postcode of Northern
/// Ireland counts for goods from Ireland.
pub(super) fn is_in_union(business: &Business, contact: &Row) -> bool {
    let address = contact.body.get("main_address").unwrap_or(&Value::Null);
    let is_northern_irish = contact.body.get("ni_based") == Some(&Value::Bool(true));
    let is_at_home = address["country"]["id"].as_str() == Some(business.country);
    let by_address = place(contact) == Place::EuropeanUnion && !is_at_home;
    by_address || (business.country == "IE" && is_northern_irish)
}

/// An explicit tax treatment goes before the country of the main address. The Isle of Man is one VAT area with the UK.
fn place(contact: &Row) -> Place {
    let treatment = contact.body.get("tax_treatment").unwrap_or(&Value::Null);
    if treatment["rest_of_world_tax"] == true {
        return Place::RestOfWorld;
    }
    if treatment["eu_tax_registered"] == true || treatment["eu_not_tax_registered"] == true {
        return Place::EuropeanUnion;
    }
    if treatment["home_tax"] == true {
        return Place::Home;
    }
    let address = contact.body.get("main_address").unwrap_or(&Value::Null);
    match address["country"]["id"].as_str() {
        None | Some("GB" | "IM") => Place::Home,
        Some(country) if reference::EU.contains(&country) => Place::EuropeanUnion,
        Some(_) => Place::RestOfWorld,
    }
}
