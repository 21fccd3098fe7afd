//! What an attempt gathers while it goes on: its calls, what was learnt of the document, what was made in Sage.

use domain::{plan::Plan, redact::Redactor};
use posting::KnownRecord;
use store::{NewXref, RunFacts, Step};

/// What an attempt has log so far.
#[derive(Default)]
pub struct AttemptLog {
    /// Its calls that are not recorded yet.
    pub steps: Vec<Step>,
    /// What was learnt of the document.
    pub facts: RunFacts,
    /// What was made or found in Sage.
    pub xrefs: Vec<NewXref>,
    /// The invoice's own record in Sage: an `invoice.paid` speaks about the invoice's row in Magento.
    pub invoice_record: Option<KnownRecord>,
    /// Knows what belongs to people, from the document on.
    pub redactor: Redactor,
    /// What was to be done, redacted.
    pub plan: Option<Plan>,
}
