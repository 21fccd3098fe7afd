//! Sage's names of fields in a merchant's words: `sales_invoice.invoice_lines[0].tax_rate_id` is the tax rate of line 1.

/// What is between the names of two fields that Sage complains of.
const BETWEEN: &str = " \u{b7} ";

/// What Sage's part of a message begins with.
const SAGE_SAYS: &str = "Sage says: ";

/// Wrappers of bodies: they say nothing that the run does not say.
const WRAPPERS: &[&str] = &[
    "contact",
    "contact_allocation",
    "contact_payment",
    "product",
    "sales_credit_note",
    "sales_invoice",
    "service",
    "stock_item",
    "stock_movement",
];

/// Where a field is.
const PLACES: &[(&str, &str)] = &[
    ("allocated_artefacts", "What is paid"),
    ("credit_note_lines", "Line"),
    ("delivery_address", "Delivery address"),
    ("invoice_lines", "Line"),
    ("line_items", "Line"),
    ("lines", "Line"),
    ("main_address", "Billing address"),
    ("main_contact_person", "Contact person"),
    ("sales_prices", "Price"),
    ("sales_rates", "Price"),
    ("tax_treatment", "Tax treatment"),
];

/// What a field is.
const NAMES: &[(&str, &str)] = &[
    ("address_line_1", "first line"),
    ("address_line_2", "second line"),
    ("amount", "amount"),
    ("artefact_id", "document"),
    ("bank_account_id", "bank account"),
    ("base", "the document"),
    ("city", "town"),
    ("contact_id", "customer"),
    ("contact_name", "customer's name"),
    ("contact_person_type_ids", "kind of contact person"),
    ("contact_reference", "customer's reference"),
    ("contact_type_ids", "kind of contact"),
    ("cost_price", "cost price"),
    ("country_id", "country"),
    ("currency_id", "currency"),
    ("date", "date"),
    ("description", "description"),
    ("details", "details"),
    ("discount_amount", "discount"),
    ("due_date", "due date"),
    ("email", "e-mail address"),
    ("eu_goods_services_type_id", "goods or services"),
    ("eu_not_tax_registered", "as a consumer in the European Union"),
    ("eu_tax_registered", "as a business in the European Union"),
    ("exchange_rate", "exchange rate"),
    ("home_tax", "as at home"),
    ("idempotency_id", "id of the call"),
    ("inverse_exchange_rate", "exchange rate"),
    ("is_main_contact", "main contact"),
    ("item_code", "article number"),
    ("ledger_account_id", "ledger account"),
    ("mobile", "mobile number"),
    ("name", "name"),
    ("net_amount", "net amount"),
    ("notes", "notes"),
    ("original_invoice_date", "date of the invoice"),
    ("payment_method_id", "payment method"),
    ("postal_code", "postcode"),
    ("price", "price"),
    ("price_name", "name of the price"),
    ("purchase_ledger_account_id", "purchase account"),
    ("quantity", "quantity"),
    ("rate", "price"),
    ("rate_name", "name of the price"),
    ("reference", "reference"),
    ("region", "county, state or province"),
    ("rest_of_world_tax", "as in the rest of the world"),
    ("sales_ledger_account_id", "sales account"),
    ("sales_tax_rate_id", "tax rate"),
    ("shipping_net_amount", "shipping"),
    ("shipping_tax_rate_id", "tax rate of shipping"),
    ("status_id", "status"),
    ("stock_item_id", "article"),
    ("tax_address_region_id", "province whose tax it is"),
    ("tax_amount", "tax"),
    ("tax_number", "tax number"),
    ("tax_rate_id", "tax rate"),
    ("telephone", "telephone number"),
    ("total_amount", "total"),
    ("transaction_type_id", "kind of payment"),
    ("unit_price", "unit price"),
    ("void_reason", "reason"),
];

/// A field's path in words; a name that is not known is told as words of its own.
pub fn in_words(path: &str) -> String {
    let mut place = None;
    let mut name = None;
    let segments: Vec<&str> = path.split('.').collect();
    for (at, segment) in segments.iter().enumerate() {
        let (bare, index) = indexed(segment);
        let is_last = at + 1 == segments.len();
        if let Some(known) = known(PLACES, bare) {
            place = Some(index.map_or_else(|| several(known), |index| format!("{known} {}", index + 1)));
        } else if is_last || !(at == 0 && WRAPPERS.contains(&bare)) {
            name = Some(known(NAMES, bare).map_or_else(|| plain(bare), str::to_owned));
        }
    }
    match (place, name) {
        (Some(place), Some(name)) => format!("{place}: {name}"),
        (Some(one), None) | (None, Some(one)) => capital(&one),
        (None, None) => path.to_owned(),
    }
}

/// A run's message with the fields that Sage names in words. Sage's own words stay as they are.
pub fn message_in_words(message: &str) -> String {
    let Some((before, told)) = message.split_once(SAGE_SAYS) else { return message.to_owned() };
    let told: Vec<String> = told.split(BETWEEN).map(complaint).collect();
    format!("{before}{SAGE_SAYS}{}", told.join(BETWEEN))
}

/// `tax_rate_id: is missing` with its field in words.
fn complaint(text: &str) -> String {
    match text.split_once(": ") {
        Some((field, words)) if is_path(field) => format!("{}: {words}", in_words(field)),
        _ => text.to_owned(),
    }
}

fn is_path(text: &str) -> bool {
    let letters = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.[]".contains(&byte));
    letters && text.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// `invoice_lines[3]` is the name and the place in the list.
fn indexed(segment: &str) -> (&str, Option<usize>) {
    match segment.split_once('[') {
        Some((bare, rest)) => (bare, rest.trim_end_matches(']').parse().ok()),
        None => (segment, None),
    }
}

fn known(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(own, _)| *own == name).map(|(_, words)| *words)
}

/// Sage does not always say which line.
fn several(place: &str) -> String {
    if place == "Line" { "A line".to_owned() } else { place.to_owned() }
}

fn plain(name: &str) -> String {
    name.trim_end_matches("_id").replace('_', " ")
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::Value;

    use super::*;

    #[test]
    fn fields_are_told_in_words() {
        for (path, words) in [
            ("sales_invoice.invoice_lines[0].tax_rate_id", "Line 1: tax rate"),
            ("invoice_lines.tax_amount", "A line: tax"),
            ("line_items", "A line"),
            ("main_contact_person.email", "Contact person: e-mail address"),
            ("contact.main_address.postal_code", "Billing address: postcode"),
            ("currency_id", "Currency"),
            ("base", "The document"),
            ("something_new_id", "Something new"),
        ] {
            assert_eq!(in_words(path), words, "{path}");
        }
    }

    #[test]
    fn a_message_keeps_the_words_of_sage() {
        let message = "Sage says: invoice_lines.tax_rate_id: This field is required. \u{b7} Contact: see there. \u{b7} is wrong";
        let words =
            "Sage says: A line: tax rate: This field is required. \u{b7} Contact: see there. \u{b7} is wrong";
        assert_eq!(message_in_words(message), words);
        assert_eq!(
            message_in_words("112.09 in Magento, 112.08 in Sage"),
            "112.09 in Magento, 112.08 in Sage"
        );
    }

    /// Each path of a body.
    fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    paths(member, &path, found);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    paths(item, &format!("{path}[{at}]"), found);
                }
            }
            _ => found.push(path.to_owned()),
        }
    }

    #[test]
    fn every_field_that_is_sent_has_words() {
        let mut checked = 0;
        for case in
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../posting/tests/golden")).unwrap()
        {
            let Ok(text) = fs::read_to_string(case.unwrap().path().join("plan.json")) else { continue };
            let plan: Value = serde_json::from_str(&text).unwrap();
            for call in plan["calls"].as_array().unwrap() {
                let mut found = Vec::new();
                paths(&call["body"], "", &mut found);
                for path in found {
                    let last = indexed(path.rsplit('.').next().unwrap()).0;
                    assert!(known(NAMES, last).is_some(), "{path} has no words");
                    assert!(!in_words(&path).contains('_'), "{path}: {}", in_words(&path));
                    checked += 1;
                }
            }
        }
        assert!(checked > 300, "only {checked} fields were checked");
    }
}
