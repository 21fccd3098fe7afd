//! The compact table of request fields agrees with Sage's published swagger.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;

use serde_json::Value;

const DEFINITIONS: [(&str, &str); 9] = [
    ("contact", "Contacts"),
    ("sales_invoice", "SalesInvoices"),
    ("sales_credit_note", "SalesCreditNotes"),
    ("contact_payment", "ContactPayments"),
    ("contact_allocation", "ContactAllocations"),
    ("product", "Products"),
    ("service", "Services"),
    ("stock_item", "StockItems"),
    ("stock_movement", "StockMovements"),
];

/// Path of a field to its type and whether it is required.
type Flat = BTreeMap<String, (String, bool)>;

fn of_swagger(path: &str, schema: &Value, flat: &mut Flat) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let required = schema["required"].as_array();
    for (name, property) in properties {
        let full = format!("{path}.{name}");
        let kind = match (property["type"].as_str(), property["format"].as_str()) {
            (_, Some("date")) => "date",
            (Some(kind), _) => kind,
            (None, _) => "object",
        };
        let needed = required.is_some_and(|required| required.iter().any(|one| one == name));
        let kind = match property["items"]["type"].as_str() {
            Some(items) => format!("{kind} of {items}"),
            None => kind.to_owned(),
        };
        flat.insert(full.clone(), (kind, needed));
        of_swagger(&full, property, flat);
        of_swagger(&full, &property["items"], flat);
    }
}

fn of_table(path: &str, table: &Value, flat: &mut Flat) {
    for (key, field) in table.as_object().unwrap() {
        let name = key.trim_end_matches('!');
        let full = format!("{path}.{name}");
        let kind = match field {
            Value::Object(_) => "object".to_owned(),
            Value::Array(items) if items[0].is_object() => "array of object".to_owned(),
            Value::Array(items) => format!("array of {}", bare(&items[0])),
            leaf => bare(leaf),
        };
        flat.insert(full.clone(), (kind, name != key));
        match field {
            Value::Object(_) => of_table(&full, field, flat),
            Value::Array(items) if items[0].is_object() => of_table(&full, &items[0], flat),
            _ => {}
        }
    }
}

fn bare(leaf: &Value) -> String {
    leaf.as_str().unwrap().split(['<', ':']).next().unwrap().to_owned()
}

#[test]
fn the_table_has_every_field_of_the_swagger_with_its_type() {
    let Some(file) = std::env::var_os("SAGE_SWAGGER") else {
        println!("skipped: SAGE_SWAGGER names no file with the swagger");
        return;
    };
    let swagger: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let table: Value = serde_json::from_str(include_str!("../src/sage/fields.json")).unwrap();
    for (wrapper, definition) in DEFINITIONS {
        let mut ours = Flat::new();
        of_table(wrapper, &table[wrapper], &mut ours);
        assert!(!ours.is_empty());
        let mut created = Flat::new();
        let definitions = &swagger["definitions"];
        of_swagger(wrapper, &definitions[format!("post{definition}")]["properties"][wrapper], &mut created);
        assert_eq!(ours, created, "POST {wrapper}");
        // PUT takes the same fields and requires none.
        let mut updated = Flat::new();
        of_swagger(wrapper, &definitions[format!("put{definition}")]["properties"][wrapper], &mut updated);
        let fields =
            |flat: &Flat| flat.iter().map(|(path, (kind, _))| (path.clone(), kind.clone())).collect();
        let (ours, updated): (Vec<_>, Vec<_>) = (fields(&ours), fields(&updated));
        assert_eq!(ours, updated, "PUT {wrapper}");
    }
}
