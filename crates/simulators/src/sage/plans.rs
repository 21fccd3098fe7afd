//! What each plan has not got. Source: the swagger's "Endpoint Availability".

use super::{
    errors::Refusal,
    tables::{Business, Plan},
};

/// Refuses what the plan of the business has not got: a 401, though the token is good.
pub(super) fn check(business: &Business, method: &str, path: &[&str]) -> Result<(), Refusal> {
    let allowed = business.active
        && match business.plan {
            Plan::Start => start_has(method, path),
            Plan::Standard => standard_has(method, path),
            Plan::Plus => true,
        };
    if allowed { Ok(()) } else { Err(Refusal::no_subscription()) }
}

fn start_has(method: &str, path: &[&str]) -> bool {
    match path {
        ["products" | "services", ..] => method == "GET",
        ["contact_allocations" | "stock_items" | "stock_movements", ..]
        | ["sales_credit_notes", _, "release"] => false,
        ["sales_credit_notes", ..] => method != "PUT",
        _ => true,
    }
}

/// Credit notes are only to be read on Standard, says the swagger (perhaps a slip of its own).
fn standard_has(method: &str, path: &[&str]) -> bool {
    match path {
        ["stock_items" | "stock_movements", ..] => false,
        ["sales_credit_notes", ..] => method == "GET",
        _ => true,
    }
}
