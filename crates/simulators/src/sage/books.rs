//! Everything the simulator holds, for tests to count.

use serde_json::{Map, Value, json};

use super::{
    api,
    tables::{Business, Row},
    world::World,
};

/// The tables that hold what clients made.
const DOCUMENTS: [&str; 11] = [
    "contacts",
    "sales_invoices",
    "sales_credit_notes",
    "contact_payments",
    "payments_on_account",
    "contact_allocations",
    "products",
    "services",
    "stock_items",
    "stock_movements",
    "transactions",
];

/// `{"businesses": {id: {name, country, contacts: [...], ..., deleted: {...}}}}`.
pub(super) fn show(world: &World) -> Value {
    let businesses: Map<String, Value> =
        world.businesses.iter().map(|business| (business.id.clone(), books(business))).collect();
    json!({"businesses": businesses})
}

fn books(business: &Business) -> Value {
    let mut books = json!({
        "id": business.id,
        "name": business.name,
        "country": business.country,
        "plan": business.plan.subscription(),
    });
    let mut deleted = Map::new();
    for resource in DOCUMENTS {
        let table = business.table(resource);
        books[resource] = table.living().map(|row| entry(business, resource, row)).collect();
        let gone: Vec<Value> = table
            .all()
            .filter(|row| row.deleted.is_some())
            .map(|row| Value::Object(row.body.clone()))
            .collect();
        deleted.insert(resource.to_owned(), gone.into());
    }
    books["deleted"] = deleted.into();
    books
}

fn entry(business: &Business, resource: &str, row: &Row) -> Value {
    let mut body = row.body.clone();
    if resource == "contacts" {
        body.insert("balance".to_owned(), api::balance(business, row.id()));
    }
    Value::Object(body)
}
