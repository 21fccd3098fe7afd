//! What is already in Sage: found by its reference, compared exactly, and taken only if it is the same.

use domain::{
    code::Code,
    money::{self, Currency},
    plan::{Adopt, Call},
};
use messages::message;
use serde_json::{Map, Value};
use store::{Answer, Intent, IntentKey, Request};

use crate::{
    attempt::{
        audit_trail::{LARGEST_ANSWER, recorded, step},
        disposition::{AttemptError, Disposition},
        log::AttemptLog,
        sage_answers::answer_of,
    },
    posting::{
        create_rules::{LOOKS_AGAIN_AFTER, REPEATABLE_FOR},
        execution::PlanExecution,
    },
};

/// What a search brought.
pub enum Found {
    /// The record is there.
    Same(Answer),
    /// The reference belongs to somebody or something else.
    Another,
    /// Nothing bears the reference.
    Nothing,
}

/// Looks for the record of a call's request in Sage, by the reference and the contact that the request names. What another key holds
/// is another's record, however alike it is; products are alone with their code.
pub async fn find(
    execution: &PlanExecution<'_>,
    log: &mut AttemptLog,
    how: &Adopt,
    (key, call): (&IntentKey, &Call),
    request: &Request,
) -> Result<Found, AttemptError> {
    let reference = request.reference.as_deref().unwrap_or_default();
    let contact = request.contact_id.as_deref().unwrap_or_default();
    match how {
        Adopt::Contact { .. } => {
            let attributes = "name,reference,email,main_contact_person,currency";
            let query = [("search", reference), ("attributes", attributes)];
            let items = list(execution, log, "/contacts", &query).await?;
            let Some(contact) = items.iter().find(|item| item["reference"].as_str() == Some(reference))
            else {
                return Ok(Found::Nothing);
            };
            let is_others = without_those_of_others(execution, key, vec![contact.clone()]).await?.is_empty();
            let is_same = !is_others && is_same_contact(contact, how, call);
            Ok(if is_same { answer_of(contact).map_or(Found::Nothing, Found::Same) } else { Found::Another })
        }
        Adopt::Item { path, item_code } => {
            let query = [("search", item_code.as_str()), ("attributes", "item_code")];
            let items = list(execution, log, path, &query).await?;
            let same = items.iter().find(|item| item["item_code"].as_str() == Some(item_code));
            Ok(same.and_then(answer_of).map_or(Found::Nothing, Found::Same))
        }
        Adopt::Document { path, .. } => {
            let attributes = "reference,contact,total_amount,tax_amount,status";
            let items =
                list(execution, log, path, &[("search", reference), ("attributes", attributes)]).await?;
            let items = without_those_of_others(execution, key, items).await?;
            leave_to_the_other(execution, key, request, same_document(&items, reference, contact, call)).await
        }
        Adopt::Payment { .. } => {
            let query = [("contact_id", contact), ("attributes", "reference,total_amount")];
            let items = list(execution, log, "/contact_payments", &query).await?;
            let items = without_those_of_others(execution, key, items).await?;
            leave_to_the_other(execution, key, request, same_document(&items, reference, "", call)).await
        }
    }
}

async fn list(
    execution: &PlanExecution<'_>,
    log: &mut AttemptLog,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Vec<Value>, AttemptError> {
    let begun = execution.work.engine.environment.now();
    let mut search = step("search", "GET", path, begun);
    let asked: Map<String, Value> =
        query.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    search.request = log.redactor.kept(&Value::Object(asked));
    match execution.sage.list_all(path, query).await {
        Ok(items) => {
            search.status = Some(200);
            search.summary = message!(run_detail.found, count = items.len());
            search.answer = log.redactor.kept_within(&Value::Array(items.clone()), LARGEST_ANSWER);
            log.steps.push(search);
            Ok(items)
        }
        Err(error) => Err(recorded(log, search, Err(error))
            .map_or_else(Into::into, |_| AttemptError::plain(Code::Internal))),
    }
}

/// Those that no other key holds.
async fn without_those_of_others(
    execution: &PlanExecution<'_>,
    key: &IntentKey,
    items: Vec<Value>,
) -> Result<Vec<Value>, AttemptError> {
    let id = |item: &Value| item["id"].as_str().unwrap_or_default().to_owned();
    let ids: Vec<String> = items.iter().map(id).collect();
    let held = execution.work.engine.store.held_by_others(key, &ids).await?;
    Ok(items.into_iter().filter(|item| !held.contains(&id(item))).collect())
}

/// What was found, unless it may be another document's of the same number and customer, whose answer was lost and whose request is
/// still repeated: that one comes first, and then it is known which record is its own.
async fn leave_to_the_other(
    execution: &PlanExecution<'_>,
    key: &IntentKey,
    request: &Request,
    found: Found,
) -> Result<Found, AttemptError> {
    if !matches!(found, Found::Same(_)) {
        return Ok(found);
    }
    let (store, now) = (&execution.work.engine.store, execution.work.engine.environment.now());
    let (binding, business) = (key.binding_id, &key.business_id);
    let mut open = store.unanswered_intents(binding, business, key.xref.kind, "").await?;
    open.retain(|other| *other != key.xref);
    let open = store.intents(binding, business, &open).await?;
    let comes_first = |other: &&Intent| {
        is_found_alike(&other.request, request) && now - other.first_sent_at < REPEATABLE_FOR
    };
    match open.values().find(comes_first) {
        None => Ok(found),
        Some(_) => Err(AttemptError {
            disposition: Disposition::RestUntil(now + LOOKS_AGAIN_AFTER),
            ..AttemptError::new(Code::SageInProgress, message!(run_detail.other_document_first))
        }),
    }
}

/// Whether two requests are found by the same reference for the same contact.
pub fn is_found_alike(one: &Request, other: &Request) -> bool {
    (&one.reference, &one.contact_id) == (&other.reference, &other.contact_id)
}

/// `search` is a loose match, so the reference was compared exactly; another e-mail address means another person, and so does another
/// name where there is none. A contact of another currency cannot take the document. A contact that collects sales has no other
/// references to step to: it is the merchant's choice, whatever its name.
fn is_same_contact(contact: &Value, how: &Adopt, call: &Call) -> bool {
    let Adopt::Contact { email, alternatives, currency, .. } = how else { return false };
    let locked_to = contact["currency"]["id"].as_str().and_then(|code| code.parse::<Currency>().ok());
    if currency.is_some() && locked_to.is_some() && *currency != locked_to {
        return false;
    }
    let theirs = [&contact["email"], &contact["main_contact_person"]["email"]].into_iter().find_map(plain);
    match (theirs, email.as_deref().and_then(|email| plain(&Value::from(email)))) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ if alternatives.is_empty() => true,
        _ => {
            let (theirs, ours) = (names(contact), names(&call.body["contact"]));
            theirs.is_empty() || ours.is_empty() || theirs.iter().any(|name| ours.contains(name))
        }
    }
}

/// The names that a contact goes by.
fn names(contact: &Value) -> Vec<String> {
    [&contact["name"], &contact["main_contact_person"]["name"]].into_iter().filter_map(plain).collect()
}

/// A text in small letters with single blanks; none where it is empty.
fn plain(text: &Value) -> Option<String> {
    let words: Vec<&str> = text.as_str()?.split_whitespace().collect();
    Some(words.join(" ").to_lowercase()).filter(|text| !text.is_empty())
}

fn same_document(items: &[Value], reference: &str, contact: &str, call: &Call) -> Found {
    let mut others = false;
    for item in items.iter().filter(|item| item["reference"].as_str() == Some(reference)) {
        // Numbers are unique per store only: another contact's document is none of this run's.
        let same_contact = contact.is_empty() || item["contact"]["id"].as_str() == Some(contact);
        if !same_contact || item["status"]["id"].as_str() == Some("VOID") {
            continue;
        }
        let answer = answer_of(item);
        let total = call.expect.as_ref().and_then(|expect| money::to_minor(expect.total));
        let same_total = total.is_none() || answer.as_ref().is_some_and(|answer| answer.total_minor == total);
        match answer {
            Some(answer) if same_total => return Found::Same(answer),
            _ => others = true,
        }
    }
    if others { Found::Another } else { Found::Nothing }
}

#[cfg(test)]
mod tests {
    use domain::plan::Method;
    use serde_json::json;

    use super::*;

    /// Whether a contact of Sage's is taken for Priya Shah of Teapots Ltd.
    fn is_hers(contact: &Value, email: Option<&str>, alternatives: &[&str]) -> bool {
        let adopt = Adopt::Contact {
            reference: "M1".to_owned(),
            email: email.map(str::to_owned),
            alternatives: alternatives.iter().map(|text| (*text).to_owned()).collect(),
            currency: None,
        };
        let call = Call {
            name: "contact".to_owned(),
            method: Method::Post,
            path: "/contacts".to_owned(),
            body: json!({ "contact": { "name": "Teapots Ltd", "main_contact_person": { "name": "Priya Shah" } } }),
            xref: None,
            adopt: None,
            expect: None,
            releases_draft: false,
        };
        is_same_contact(contact, &adopt, &call)
    }

    #[test]
    fn another_name_is_another_person_where_no_email_address_says_more() {
        let email = Some("priya@example.com");
        for (contact, expected) in [
            (json!({ "name": "Tom O'Brien" }), false),
            (json!({ "name": "Tom O'Brien", "email": "" }), false),
            (json!({ "name": "Tom O'Brien", "email": "Priya@example.com" }), true),
            (json!({ "name": "Teapots Ltd", "email": "tom@example.com" }), false),
            (json!({ "name": " teapots  LTD " }), true),
            (json!({ "name": "Shah & Co", "main_contact_person": { "name": "Priya Shah" } }), true),
            (json!({}), true),
        ] {
            assert_eq!(is_hers(&contact, email, &["M1-2"]), expected, "{contact}");
        }
        assert!(!is_hers(&json!({ "name": "Tom O'Brien", "email": "tom@example.com" }), None, &["M1-2"]));
        assert!(is_hers(&json!({ "name": "Web sales" }), None, &[]), "the merchant has chosen it");
    }
}
