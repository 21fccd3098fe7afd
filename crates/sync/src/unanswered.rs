//! Documents that Sage or a shop failed to answer, by binding: one may be too much for it, several are an outage.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use domain::{
    ids::{BindingId, RunId},
    run::{EventName, Side},
};

/// So many documents that fail one after another are no coincidence: Sage reads but does not write, or the shop answers a ping alone.
const DOCUMENTS: usize = 3;
/// So many suspects of a side are remembered; of more, a few are found out later.
const SUSPECTS: usize = 1_000;

/// What a side of a binding failed to answer.
#[derive(Debug, Default)]
struct Unanswered {
    /// Since a document got through, up to [`DOCUMENTS`].
    in_a_row: BTreeMap<RunId, EventName>,
    /// Before another document of its kind got through: such a one speaks for itself alone.
    suspects: BTreeSet<RunId>,
}

/// The documents of each binding that a side failed to answer.
#[derive(Debug, Default)]
pub struct UnansweredDocuments(Mutex<HashMap<(BindingId, Side), Unanswered>>);

impl UnansweredDocuments {
    /// Notes one, and tells whether there are too many of them for a coincidence.
    pub fn is_outage(&self, binding: BindingId, side: Side, (run, event): (RunId, EventName)) -> bool {
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unanswered = unanswered.entry((binding, side)).or_default();
        if unanswered.suspects.contains(&run) {
            return false;
        }
        if unanswered.in_a_row.len() < DOCUMENTS {
            unanswered.in_a_row.insert(run, event);
        }
        unanswered.in_a_row.len() >= DOCUMENTS
    }

    /// Both sides accepted a document, so neither is down; those of its kind that failed before it may be at fault.
    pub fn got_through(&self, binding: BindingId, event: EventName) {
        let mut unanswered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for unanswered in unanswered.iter_mut().filter(|((of, _), _)| *of == binding).map(|(_, of)| of) {
            for (run, _) in
                std::mem::take(&mut unanswered.in_a_row).into_iter().filter(|(_, of)| *of == event)
            {
                if unanswered.suspects.len() >= SUSPECTS {
                    // Ids are sorted by time.
                    unanswered.suspects.pop_first();
                }
                unanswered.suspects.insert(run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::run::EventName::{InvoiceCreated, ProductUpserted};
    use uuid::Uuid;

    use super::*;

    const fn run(id: u128) -> (RunId, EventName) {
        (RunId(Uuid::from_u128(id)), InvoiceCreated)
    }

    #[test]
    fn one_document_is_no_outage_and_three_are_until_one_gets_through() {
        let unanswered = UnansweredDocuments::default();
        let (shop, other) = (BindingId(Uuid::from_u128(1)), BindingId(Uuid::from_u128(2)));
        for _ in 0..50 {
            assert!(!unanswered.is_outage(shop, Side::Sage, run(1)), "it may be the document");
        }
        assert!(!unanswered.is_outage(shop, Side::Sage, run(2)));
        assert!(!unanswered.is_outage(other, Side::Sage, run(9)));
        assert!(!unanswered.is_outage(shop, Side::Magento, run(3)), "each side for itself");
        assert!(unanswered.is_outage(shop, Side::Sage, run(3)));
        assert!(unanswered.is_outage(shop, Side::Sage, run(1)));
        unanswered.got_through(shop, InvoiceCreated);
        assert!(!unanswered.is_outage(shop, Side::Sage, run(1)));
    }

    #[test]
    fn what_failed_before_another_of_its_kind_got_through_makes_no_outage_any_more() {
        let (unanswered, shop) = (UnansweredDocuments::default(), BindingId(Uuid::from_u128(1)));
        let fail = |ids: std::ops::Range<u128>| {
            ids.map(|id| unanswered.is_outage(shop, Side::Sage, run(id))).collect::<Vec<_>>()
        };
        assert_eq!(fail(1..4), [false, false, true]);
        unanswered.got_through(shop, ProductUpserted);
        assert_eq!(fail(1..4), [false, false, true], "a product proves nothing of invoices");
        unanswered.got_through(shop, InvoiceCreated);
        assert_eq!(fail(1..4), [false; 3]);
        assert_eq!(fail(4..7), [false, false, true], "others may be an outage all the same");
    }
}
