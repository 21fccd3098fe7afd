//! Ids and inner names of a Plan in a merchant's words.

use std::collections::BTreeMap;

use domain::{business::ReferenceSet, plan::Rule, settings::cards::field_of};
use messages::message;

use views::run::RuleView;

/// The names that the business's lists have for ids.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Of these lists; without them ids stay ids.
    pub(super) fn of(reference: Option<&ReferenceSet>) -> Self {
        let Some(reference) = reference else { return Self(BTreeMap::new()) };
        let rates = reference.tax_rates.iter().map(|rate| (&rate.id, &rate.name));
        let accounts = reference.ledger_accounts.iter().map(|account| (&account.id, &account.name));
        let banks = reference.bank_accounts.iter().map(|bank| (&bank.id, &bank.name));
        let types = reference.eu_goods_services_types.iter().map(|kind| (&kind.id, &kind.name));
        let methods = reference.payment_methods.iter().map(|method| (&method.id, &method.name));
        let all = rates.chain(accounts).chain(banks).chain(types).chain(methods);
        Self(all.map(|(id, name)| (id.clone(), name.clone())).collect())
    }

    /// The name of an id, or the text as it is.
    pub(super) fn name<'a>(&'a self, text: &'a str) -> &'a str {
        self.0.get(text).map_or(text, String::as_str)
    }

    /// A choice in words.
    pub(super) fn rule(&self, rule: &Rule) -> RuleView {
        RuleView {
            subject: capital(&rule.subject),
            chosen: self.name(&rule.chosen).to_owned(),
            because: because(&rule.rule),
            from: self.name(&rule.input).to_owned(),
        }
    }
}

/// A rule is a sentence already, or the name of a setting.
fn because(rule: &str) -> String {
    match field_of(rule) {
        Some(field) => message!(run_plan.setting, label = field.label),
        None => rule.to_owned(),
    }
}

/// With a capital at its beginning.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
