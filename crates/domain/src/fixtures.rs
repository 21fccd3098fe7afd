//! What the tests of several files need: a British business.

use crate::business::ReferenceSet;

/// A British business registered for VAT.
pub fn reference() -> ReferenceSet {
    serde_json::from_str(include_str!("../../../fixtures/businesses/british.json")).unwrap()
}
