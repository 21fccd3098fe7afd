//! What a run lacks, so that people are led to it: a setting that the plan looked for, or the record that Sage does not know.

use domain::{
    business::ReferenceSet,
    code::Code,
    plan::Plan,
    remedy::Remedy::{self, ByHand, OpenSettings, Retry},
    settings::cards::field_of,
};
use messages::message;
use serde_json::Value;
use store::Step;

/// The setting that a plan looked for and did not find.
pub(crate) fn setting(plan: &Plan) -> Option<&'static str> {
    let rule = plan.rules.iter().find(|rule| rule.rule == Code::NeedsMapping.as_str())?;
    field_of(&rule.input).map(|field| field.path)
}

/// A record that Sage does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownRecord {
    /// What happened.
    pub(super) sentence: String,
    /// What to do.
    pub(super) action: &'static str,
    /// The things to do it with.
    pub(super) remedies: &'static [Remedy],
}

/// Which record it was, by the call that Sage answered with 404. Sage does not say: an id that its lists lack is the one, and where
/// all are in them it is the country, of which Ledger has no list.
pub(super) fn unknown_record(step: &Step, reference: &ReferenceSet) -> Option<UnknownRecord> {
    let request: Value = serde_json::from_str(step.request.as_deref()?).ok()?;
    let mut ids = Vec::new();
    collect(&request, &mut ids);
    let is_listed = |name: &str, id: &str| match name {
        "ledger_account_id" => reference.ledger_accounts.iter().any(|account| account.id == id),
        "tax_rate_id" => reference.tax_rates.iter().any(|rate| rate.id == id),
        "bank_account_id" => reference.bank_accounts.iter().any(|bank| bank.id == id),
        "currency_id" => reference.currencies.iter().any(|currency| currency.id == id),
        _ => true,
    };
    let known = ids.iter().find(|(name, id)| !is_listed(name, id));
    let (name, id) = known.or_else(|| ids.iter().find(|(name, _)| *name == "country_id"))?;
    let by_hand: &'static [Remedy] = &[ByHand, Retry];
    let (sentence, action, remedies) = match *name {
        "country_id" => (message!(sage_unknown.country, id = id), message!(sage_unknown.address), by_hand),
        "currency_id" => {
            (message!(sage_unknown.currency, id = id), message!(sage_unknown.add_currency), by_hand)
        }
        "tax_rate_id" => {
            let remedies: &'static [Remedy] = &[OpenSettings("taxes"), Retry];
            (message!(sage_unknown.tax_rate, id = id), message!(sage_unknown.choose), remedies)
        }
        "bank_account_id" => {
            let remedies: &'static [Remedy] = &[OpenSettings("default_bank_account_id"), Retry];
            (message!(sage_unknown.bank_account, id = id), message!(sage_unknown.choose), remedies)
        }
        _ => {
            let remedies: &'static [Remedy] = &[OpenSettings("mappings"), Retry];
            (message!(sage_unknown.account, id = id), message!(sage_unknown.choose), remedies)
        }
    };
    Some(UnknownRecord { sentence, action, remedies })
}

/// Every reference of a body, by its name.
fn collect<'a>(value: &'a Value, ids: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(id) if name.ends_with("_id") => ids.push((name, id)),
                    _ => collect(value, ids),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, ids)),
        _ => {}
    }
}
