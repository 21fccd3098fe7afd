//! `GET /oauth/sage/callback`: a merchant comes back from Sage's consent page.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Redirect,
};
use domain::run::ActionKind;
use serde::Deserialize;
use services::{
    Services, connecting::for_a_person, history::operator_actions::action, member_of, permission::Permission,
};
use views::{
    bindings::{connect_href, connecting_href},
    error::ErrorCode,
    links::sign_in_href,
};

use crate::state::EndpointState;

/// What Sage says (its guide on authentication). The code is decoded once and sent on whole, with its country prefix.
#[derive(Deserialize)]
pub struct Returned {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    reason: Option<String>,
}

/// Buys the tokens and connects, or leads to the choice of a business; in any case back to a page.
pub async fn returned(
    State(endpoints): State<Arc<EndpointState>>,
    State(services): State<Services>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Redirect {
    let binding = returned.state.as_deref().and_then(sync::binding_of_state);
    let back = binding.map_or_else(|| "/dashboard/bindings".to_owned(), |id| connect_href(&id.to_string()));
    let Ok(member) = member_of(&services, &headers).await else {
        return Redirect::to(&sign_in_href(&back));
    };
    let went_wrong = |code: ErrorCode| {
        let sign = if back.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{back}{sign}problem={}", code.as_str()))
    };
    // Whoever began may have become somebody else in the meantime.
    if !member.may(Permission::ConnectShops) {
        return went_wrong(ErrorCode::Forbidden);
    }
    if let Some(error) = &returned.error {
        return went_wrong(refusal(error, returned.reason.as_deref()));
    }
    let (Some(state), Some(code)) = (&returned.state, &returned.code) else {
        return went_wrong(ErrorCode::ConsentUsedUp);
    };
    let given = action(&services, &member, ActionKind::ConsentGiven, (binding, None), "");
    let (binding, businesses) = match endpoints.engine.take_code(state, code, member.id(), Some(&given)).await
    {
        Ok(taken) => taken,
        Err(error) => return went_wrong(for_a_person(&error).code),
    };
    let [only] = businesses.as_slice() else {
        return if businesses.is_empty() { went_wrong(ErrorCode::NoBusiness) } else { Redirect::to(&back) };
    };
    // Nothing to choose from: it is this one.
    let found = match endpoints.store.binding(binding).await {
        Ok(found) => found.filter(|binding| binding.organisation_id == member.organisation()),
        Err(error) => return went_wrong(for_a_person(&error.into()).code),
    };
    let Some(found) = found else { return went_wrong(ErrorCode::NotFound) };
    // Another one than before is for the person to choose.
    if found.business.as_ref().is_some_and(|before| before.id != only.id) {
        return Redirect::to(&back);
    }
    let chosen = action(&services, &member, ActionKind::BusinessChosen, (Some(binding), None), &only.name);
    services.connecting.choose_business(&found, member.id(), &only.id, &chosen);
    Redirect::to(&connecting_href(&binding.to_string()))
}

/// Sage names the wrong country only by what follows from it.
fn refusal(error: &str, reason: Option<&str>) -> ErrorCode {
    match (error, reason) {
        ("access_denied", _) => ErrorCode::ConsentDenied,
        (_, Some(reason)) if reason.eq_ignore_ascii_case("email already in use") => {
            ErrorCode::ConsentWrongCountry
        }
        ("unauthorized_client" | "invalid_request" | "invalid_scope" | "unsupported_response_type", _) => {
            ErrorCode::SageApp
        }
        _ => ErrorCode::SageTrouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sage_says_of_a_failed_consent_becomes_what_a_person_can_do() {
        for (error, reason, code) in [
            ("access_denied", None, ErrorCode::ConsentDenied),
            ("Invalid request", Some("Email already in use"), ErrorCode::ConsentWrongCountry),
            ("temporarily_unavailable", None, ErrorCode::SageTrouble),
            ("server_error", None, ErrorCode::SageTrouble),
            ("unauthorized_client", None, ErrorCode::SageApp),
        ] {
            assert_eq!(refusal(error, reason), code, "{error}");
        }
    }
}
