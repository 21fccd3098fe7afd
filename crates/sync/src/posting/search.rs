//! What is already in Sage: found by its reference, compared exactly, and taken only if it is the same.

use domain::{
    money::{self, Currency},
    plan::{Adopt, Call},
};
use serde_json::{Map, Value};
use store::{Answer, Request};

use crate::{
    attempt::{
        audit_trail::{LARGEST_ANSWER, recorded, step},
        disposition::AttemptError,
        log::AttemptLog,
        sage_answers::answer_of,
    },
    posting::performance::Performance,
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

/// Looks for the record of a call's request in Sage, by the reference and the contact that the request names.
pub async fn find(
    performance: &Performance<'_>,
    log: &mut AttemptLog,
    how: &Adopt,
    call: &Call,
    request: &Request,
) -> Result<Found, AttemptError> {
    let reference = request.reference.as_deref().unwrap_or_default();
    let contact = request.contact_id.as_deref().unwrap_or_default();
    match how {
        Adopt::Contact { email, currency, .. } => {
            let query =
                [("search", reference), ("attributes", "reference,email,main_contact_person,currency")];
            let items = list(performance, log, "/contacts", &query).await?;
            Ok(same_contact(&items, reference, email.as_deref(), *currency))
        }
        Adopt::Item { path, item_code } => {
            let query = [("search", item_code.as_str()), ("attributes", "item_code")];
            let items = list(performance, log, path, &query).await?;
            let same = items.iter().find(|item| item["item_code"].as_str() == Some(item_code));
            Ok(same.and_then(answer_of).map_or(Found::Nothing, Found::Same))
        }
        Adopt::Document { path, .. } => {
            let attributes = "reference,contact,total_amount,tax_amount,status";
            let items =
                list(performance, log, path, &[("search", reference), ("attributes", attributes)]).await?;
            Ok(same_document(&items, reference, contact, call))
        }
        Adopt::Payment { .. } => {
            let query = [("contact_id", contact), ("attributes", "reference,total_amount")];
            let items = list(performance, log, "/contact_payments", &query).await?;
            Ok(same_document(&items, reference, "", call))
        }
    }
}

async fn list(
    performance: &Performance<'_>,
    log: &mut AttemptLog,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Vec<Value>, AttemptError> {
    let begun = performance.work.engine.outside.now();
    let mut search = step("search", "GET", path, begun);
    let asked: Map<String, Value> =
        query.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    search.request = log.redactor.kept(&Value::Object(asked));
    match performance.sage.list_all(path, query).await {
        Ok(items) => {
            search.status = Some(200);
            search.summary = format!("{} found", items.len());
            search.answer = log.redactor.kept_within(&Value::Array(items.clone()), LARGEST_ANSWER);
            log.steps.push(search);
            Ok(items)
        }
        Err(error) => Err(recorded(log, search, Err(error))
            .map_or_else(Into::into, |_| AttemptError::plain(domain::code::Code::Internal))),
    }
}

/// `search` is a loose match, so the reference is compared exactly; another e-mail address means another person, and a contact of
/// another currency cannot take the document.
fn same_contact(items: &[Value], reference: &str, email: Option<&str>, currency: Option<Currency>) -> Found {
    let Some(contact) = items.iter().find(|item| item["reference"].as_str() == Some(reference)) else {
        return Found::Nothing;
    };
    let theirs = [&contact["email"], &contact["main_contact_person"]["email"]]
        .into_iter()
        .find_map(Value::as_str)
        .map(str::to_lowercase)
        .filter(|email| !email.is_empty());
    let locked_to = contact["currency"]["id"].as_str().and_then(|code| code.parse::<Currency>().ok());
    if currency.is_some() && locked_to.is_some() && currency != locked_to {
        return Found::Another;
    }
    match (theirs, email.map(str::to_lowercase)) {
        (Some(theirs), Some(ours)) if theirs != ours => Found::Another,
        _ => answer_of(contact).map_or(Found::Nothing, Found::Same),
    }
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
