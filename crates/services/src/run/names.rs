//! Ids and inner names of a Plan in a merchant's words.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{business::ReferenceSet, plan::Rule, settings::cards::field_of};
use messages::message;

use views::{format, run::RuleView};

/// The names that the business's lists have for ids.
pub(super) struct Names {
    by_id: BTreeMap<String, String>,
    /// Whom the document is for: Sage's contacts are not in the lists.
    customer: Option<String>,
}

impl Names {
    /// Of these lists; without them ids stay ids.
    pub(super) fn of(reference: Option<&ReferenceSet>, customer: Option<&str>) -> Self {
        let customer = customer.filter(|name| !name.is_empty()).map(str::to_owned);
        let Some(reference) = reference else { return Self { by_id: BTreeMap::new(), customer } };
        let rates = reference.tax_rates.iter().map(|rate| (&rate.id, &rate.name));
        let accounts = reference.ledger_accounts.iter().map(|account| (&account.id, &account.name));
        let banks = reference.bank_accounts.iter().map(|bank| (&bank.id, &bank.name));
        let types = reference.eu_goods_services_types.iter().map(|kind| (&kind.id, &kind.name));
        let methods = reference.payment_methods.iter().map(|method| (&method.id, &method.name));
        let all = rates.chain(accounts).chain(banks).chain(types).chain(methods);
        Self { by_id: all.map(|(id, name)| (id.clone(), name.clone())).collect(), customer }
    }

    /// The name of an id, or the text as it is.
    pub(super) fn name<'a>(&'a self, text: &'a str) -> &'a str {
        self.by_id.get(text).map_or(text, String::as_str)
    }

    /// A choice in words.
    pub(super) fn rule(&self, rule: &Rule) -> RuleView {
        let chosen = match &self.customer {
            Some(name) if rule.subject == "contact" && is_id(&rule.chosen) => name.clone(),
            _ => in_words(self.name(&rule.chosen)),
        };
        RuleView {
            subject: capital(&rule.subject),
            chosen,
            because: because(&rule.rule),
            from: in_words(self.name(&rule.input)),
        }
    }
}

/// Sage's ids are 32 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Days and instants as people write them: `2026-05-12`, and `2026-05-12T10:15:00+00:00 in Europe/London`.
fn in_words(text: &str) -> String {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return format::day(day);
    }
    let Some((instant, zone)) = text.split_once(" in ") else { return text.to_owned() };
    let Ok(at) = instant.parse::<DateTime<Utc>>() else { return text.to_owned() };
    message!(run_plan.instant, day = format::day(at.date_naive()), time = at.format("%H:%M"), zone = zone)
}

/// A rule is a sentence already, or the name of a setting.
fn because(rule: &str) -> String {
    if rule == "1 / base_to_order_rate" {
        return message!(run_plan.turned_rate).to_owned();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_told_in_names_and_days() {
        let names = Names::of(None, Some("Nora Quill"));
        let told = |subject: &str, chosen: &str, rule: &str, input: &str| {
            names.rule(&Rule {
                subject: subject.to_owned(),
                chosen: chosen.to_owned(),
                rule: rule.to_owned(),
                input: input.to_owned(),
            })
        };
        let contact = told("contact", "bca8b4960f5a11f1a1b20242ac110002", "known", "");
        assert_eq!((contact.subject.as_str(), contact.chosen.as_str()), ("Contact", "Nora Quill"));
        let day = told("invoice date", "2026-05-12", "x", "2026-05-12T10:15:00+00:00 in Europe/London");
        assert_eq!(day.chosen, "12 May 2026");
        assert_eq!(day.from, "12 May 2026, 10:15 UTC, in Europe/London");
        assert!(!told("exchange rate", "1", "1 / base_to_order_rate", "1.2").because.contains('_'));
        assert_eq!(told("line 1 tax rate", "GB_STANDARD", "x", "20.00").chosen, "GB_STANDARD");
    }
}
