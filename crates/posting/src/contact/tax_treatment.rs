//! Sage's own view of a contact's tax (`contact.tax_treatment`): sent where the country of the main address shows another than the true
//! one, because Sage takes or refuses tax by it (sage-api.md, section 8).

use domain::{
    business::ReferenceSet,
    territory::{TaxArea, Territory},
};
use serde_json::{Value, json};

/// Which rules Sage applies to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaxTreatment {
    /// Those of the business's own country.
    Home,
    /// Those of the European Union, for a customer who is registered there.
    EuRegistered,
    /// Those of the European Union, for a consumer.
    EuNotRegistered,
    /// Those of the rest of the world.
    RestOfWorld,
}

impl TaxTreatment {
    /// The treatment of a contact whose territory Sage does not see by its country; none where it does.
    pub fn by_address(territory: &Territory, has_vat_number: bool, reference: &ReferenceSet) -> Option<Self> {
        let home = reference.country.as_str();
        if !reference.registered_for_tax || territory.is_seen_by_country(home) {
            return None;
        }
        Some(match territory.seen_from(home, true) {
            TaxArea::Home => Self::Home,
            TaxArea::EuropeanUnion if has_vat_number => Self::EuRegistered,
            TaxArea::EuropeanUnion => Self::EuNotRegistered,
            TaxArea::RestOfWorld => Self::RestOfWorld,
        })
    }

    /// The field's value.
    pub fn value(self) -> Value {
        match self {
            Self::Home => json!({ "home_tax": true }),
            Self::EuRegistered => json!({ "eu_tax_registered": true }),
            Self::EuNotRegistered => json!({ "eu_not_tax_registered": true }),
            Self::RestOfWorld => json!({ "rest_of_world_tax": true }),
        }
    }
}
