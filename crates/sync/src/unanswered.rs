//! Documents that Sage or a shop failed to answer, by binding: one may be too much for it, several are an outage.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use domain::{
    ids::{BindingId, RunId},
    run::Side,
};

/// So many documents that fail one after another are no coincidence: Sage reads but does not write, or the shop answers a ping alone.
const DOCUMENTS: usize = 3;

/// The documents of each binding that a side failed to answer since one got through, up to [`DOCUMENTS`].
#[derive(Debug, Default)]
pub struct UnansweredDocuments(Mutex<HashMap<(BindingId, Side), BTreeSet<RunId>>>);

impl UnansweredDocuments {
    /// Notes one, and tells whether there are too many of them for a coincidence.
    pub fn is_outage(&self, binding: BindingId, side: Side, run: RunId) -> bool {
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = unanswered.entry((binding, side)).or_default();
        if runs.len() < DOCUMENTS {
            runs.insert(run);
        }
        runs.len() >= DOCUMENTS
    }

    /// One got through.
    pub fn forget(&self, binding: BindingId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != binding);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_document_is_no_outage_and_three_are_until_one_gets_through() {
        let unanswered = UnansweredDocuments::default();
        let (shop, other) = (BindingId(Uuid::from_u128(1)), BindingId(Uuid::from_u128(2)));
        let run = |id| RunId(Uuid::from_u128(id));
        for _ in 0..50 {
            assert!(!unanswered.is_outage(shop, Side::Sage, run(1)), "it may be the document");
        }
        assert!(!unanswered.is_outage(shop, Side::Sage, run(2)));
        assert!(!unanswered.is_outage(other, Side::Sage, run(9)));
        assert!(!unanswered.is_outage(shop, Side::Magento, run(3)), "each side for itself");
        assert!(unanswered.is_outage(shop, Side::Sage, run(3)));
        assert!(unanswered.is_outage(shop, Side::Sage, run(1)));
        unanswered.forget(shop);
        assert!(!unanswered.is_outage(shop, Side::Sage, run(1)));
    }
}
