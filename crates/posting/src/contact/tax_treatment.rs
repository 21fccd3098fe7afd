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

    /// The field's value for a new contact.
    pub fn value(self) -> Value {
        json!({ self.field(): true })
    }

    /// The field's value for a contact that may be treated otherwise so far.
    pub fn instead_of_all_others(self) -> Value {
        let all = [Self::Home, Self::EuRegistered, Self::EuNotRegistered, Self::RestOfWorld];
        all.into_iter().map(|one| (one.field().to_owned(), Value::Bool(one == self))).collect()
    }

    fn field(self) -> &'static str {
        match self {
            Self::Home => "home_tax",
            Self::EuRegistered => "eu_tax_registered",
            Self::EuNotRegistered => "eu_not_tax_registered",
            Self::RestOfWorld => "rest_of_world_tax",
        }
    }
}
