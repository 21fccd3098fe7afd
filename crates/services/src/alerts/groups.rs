//! Alerts of one shop, cause and hour, told once with how many documents they are about.

use std::collections::HashSet;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::{
    alert::AlertKind,
    code::Code,
    ids::BindingId,
    run::{EntityKind, EventName},
};
use messages::message;
use store::Alert;
use views::{alerts::AlertView, links::HISTORY, overview::many};

use crate::purse::{AllBooks, Purse};

/// What is told once.
type Key = (BindingId, AlertKind, Option<Code>, DateTime<Utc>);

fn key(alert: &Alert) -> Key {
    let hour = alert.at.duration_trunc(TimeDelta::hours(1)).unwrap_or(alert.at);
    (alert.binding_id, alert.kind, alert.facts.code, hour)
}

/// Newest first, each group where its newest alert is.
pub(super) fn grouped(alerts: &[Alert], books: &AllBooks, most: usize) -> Vec<AlertView> {
    let mut groups: Vec<(Key, Vec<&Alert>)> = Vec::new();
    for alert in alerts {
        match groups.iter_mut().find(|(own, _)| *own == key(alert)) {
            Some((_, group)) => group.push(alert),
            None => groups.push((key(alert), vec![alert])),
        }
    }
    groups.iter().filter_map(|(_, group)| view(group, books)).take(most).collect()
}

fn view(group: &[&Alert], books: &AllBooks) -> Option<AlertView> {
    let newest = *group.first()?;
    let (kind, facts) = (newest.kind, &newest.facts);
    let one = AlertView {
        at: newest.at.into(),
        shop: newest.shop.clone(),
        documents: None,
        told: kind.told(facts),
        action: kind.to_do(facts).to_owned(),
        href: kind.path(newest.binding_id, newest.run_id),
    };
    let Some(code) = facts.code.filter(|_| group.len() > 1) else { return Some(one) };
    Some(AlertView {
        documents: documents(group, books),
        told: code.sentence().to_owned(),
        href: format!("{HISTORY}?shop={}&code={code}", newest.binding_id),
        ..one
    })
}

/// `7 invoices, £461.00`: a document that was told of twice is one.
fn documents(group: &[&Alert], books: &AllBooks) -> Option<String> {
    let (mut runs, mut purse, mut count) = (HashSet::new(), Purse::default(), 0);
    for alert in group.iter().filter(|alert| alert.run_id.is_some_and(|run| runs.insert(run))) {
        count += 1;
        let facts = &alert.facts;
        purse.add(books, alert.binding_id, facts.currency.as_deref(), facts.amount_minor.unwrap_or_default());
    }
    let kinds: HashSet<_> =
        group.iter().filter_map(|alert| alert.facts.event.map(EventName::entity)).collect();
    let (one, more) = match kinds.iter().next().filter(|_| kinds.len() == 1) {
        Some(EntityKind::Invoice) => ("invoice", "invoices"),
        Some(EntityKind::Creditmemo) => ("credit memo", "credit memos"),
        Some(EntityKind::Customer) => ("customer", "customers"),
        Some(EntityKind::Product) => ("product", "products"),
        None => ("document", "documents"),
    };
    let number = many(count, one, more);
    (count > 0).then(|| match purse.words() {
        Some(sum) => message!(alert_groups.with_sum, documents = number, sum = sum),
        None => number,
    })
}

#[cfg(test)]
mod tests {
    use domain::{alert::AlertFacts, business::Books, ids::RunId};
    use store::alert_id;
    use uuid::Uuid;

    use super::*;

    fn shop() -> BindingId {
        BindingId(Uuid::from_u128(1))
    }

    fn alert(run: u128, minutes: i64, code: Code, minor: i64) -> Alert {
        let at = DateTime::from_timestamp(1_767_607_200 + minutes * 60, 0).unwrap();
        Alert {
            id: alert_id(Uuid::from_u128(run), AlertKind::DocumentFailed, at),
            binding_id: shop(),
            shop: "Blue Mug".to_owned(),
            kind: AlertKind::DocumentFailed,
            run_id: Some(RunId(Uuid::from_u128(run))),
            facts: AlertFacts {
                code: Some(code),
                event: Some(EventName::InvoiceCreated),
                currency: Some("GBP".to_owned()),
                amount_minor: Some(minor),
                ..AlertFacts::default()
            },
            at,
        }
    }

    fn told(alerts: &[Alert]) -> Vec<(Option<String>, String)> {
        let books = Books {
            country: "GB".to_owned(),
            base_currency: "GBP".parse().unwrap(),
            exchange_rates: std::iter::empty().collect(),
        };
        let books = AllBooks::from([(shop(), books)]);
        grouped(alerts, &books, 9).into_iter().map(|view| (view.documents, view.href)).collect()
    }

    #[test]
    fn alerts_of_one_cause_and_hour_are_told_once_with_their_number_and_sum() {
        let alerts = [
            alert(5, 70, Code::SageValidation, 100),
            alert(4, 40, Code::TotalsMismatch, 100),
            alert(3, 30, Code::SageValidation, 40_000),
            alert(2, 20, Code::SageValidation, 6_000),
            alert(2, 10, Code::SageValidation, 6_000),
            alert(1, 0, Code::SageValidation, 100),
        ];
        let run = |run: u128| format!("/dashboard/sync/{}", RunId(Uuid::from_u128(run)));
        assert_eq!(
            told(&alerts),
            [
                (None, run(5)),
                (None, run(4)),
                (
                    Some("3 invoices, \u{a3}461.00".to_owned()),
                    format!("/dashboard/sync?shop={}&code=sage_validation", shop())
                ),
            ]
        );
    }
}
