//! The businesses of the one user, and `/businesses` and `/user`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    chart,
    errors::Refusal,
    handler::Reply,
    lists::{Envelope, Query, page},
    reference, settings,
    tables::{Business, Ids, Plan, Row, stamp},
    world::World,
};

/// The five businesses, of which the first is the lead business, and so many more like it.
pub(super) fn all(ids: &Ids, more: usize, now: DateTime<Utc>) -> Vec<Business> {
    let mut businesses = vec![
        Business::new(ids.named("business uk"), "Harbour Tea Ltd", "GB", "GBP", Plan::Plus, now),
        Business::new(ids.named("business ie"), "Liffey Tea Ltd", "IE", "EUR", Plan::Plus, now),
        Business::new(ids.named("business ca"), "Maple Tea Inc", "CA", "CAD", Plan::Plus, now),
        Business::new(ids.named("business untaxed"), "Cottage Crafts", "GB", "GBP", Plan::Plus, now),
        Business::new(ids.named("business start"), "Corner Stall", "GB", "GBP", Plan::Start, now),
    ];
    businesses.extend((0..more).map(|number| {
        let id = ids.named(&format!("business {number}"));
        Business::new(id, "Branch of Harbour Tea", "GB", "GBP", Plan::Plus, now)
    }));
    let is_taxed = [true, true, true, false].into_iter().chain(std::iter::repeat(true));
    for (business, taxed) in businesses.iter_mut().zip(is_taxed) {
        reference::seed(business, taxed, now);
        chart::seed(business, ids, now);
        settings::seed(business, taxed, now);
    }
    businesses
}

/// `GET /businesses`, `/businesses/lead`, `/businesses/{id}` and `/user`.
pub(super) fn serve(world: &World, segments: &[&str], query: &Query) -> Result<Reply, Refusal> {
    match segments {
        ["businesses"] => {
            let rows: Vec<Row> = world.businesses.iter().map(row).collect();
            let rows: Vec<&Row> = rows.iter().collect();
            Ok(Reply::ok(page("businesses", &rows, query, &Envelope::Businesses)))
        }
        ["businesses", "lead"] => world.businesses.first().map(show).ok_or_else(Refusal::not_found),
        ["businesses", id] => {
            let business = world.businesses.iter().find(|business| business.id == *id);
            business.map(show).ok_or_else(Refusal::not_found)
        }
        ["user"] => Ok(Reply::ok(user(&world.ids))),
        _ => Err(Refusal::not_found()),
    }
}

fn show(business: &Business) -> Reply {
    Reply::ok(Value::Object(row(business).body))
}

fn row(business: &Business) -> Row {
    let (address, city, postal_code, region) = match business.country {
        "IE" => ("1 Ormond Quay", "Dublin", "D07 A021", "Dublin"),
        "CA" => ("12 Front Street", "Toronto", "M5J 2M2", "ON"),
        _ => ("3 Quay Street", "Bristol", "BS1 4DJ", ""),
    };
    Row::fixed("businesses", &business.id, business.name, business.created).with(json!({
        "name": business.name,
        "address_line_1": address,
        "address_line_2": "",
        "city": city,
        "postal_code": postal_code,
        "region": region,
        "country": reference::country(business.country),
        "telephone": "",
        "mobile": "",
        "website": "",
        "is_demo": true,
        "ni_based": false,
        "subscriptions": [{
            "id": business.plan.subscription(),
            "displayed_as": business.plan.subscription(),
            "active": business.active,
            "status": if business.active { "ACTIVE" } else { "EXPIRED" },
            "created_at": stamp(business.created),
            "updated_at": stamp(business.created),
        }],
    }))
}

fn user(ids: &Ids) -> Value {
    json!({
        "id": ids.named("user"),
        "displayed_as": "Robin Merchant",
        "first_name": "Robin",
        "last_name": "Merchant",
        "initials": "RM",
        "email": "robin@example.com",
        "locale": "en-GB",
    })
}
