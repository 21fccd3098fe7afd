//! Contacts: one type each, unique references, one currency.

use serde_json::{Map, Value, json};

use super::{
    errors::Refusal,
    handler::{Ctx, Reply},
    lists::Query,
    money, reference,
    tables::{Business, Plan, Record, Row, base, id_in, records, text},
};

/// The tables whose rows tie a contact down.
const DEALINGS: [&str; 3] = ["sales_invoices", "sales_credit_notes", "contact_payments"];

/// `POST /contacts`.
pub(super) fn create(ctx: &mut Ctx<'_>, request: Record) -> Result<Reply, Refusal> {
    let id = ctx.ids.next();
    let body = build(ctx, &id, &request)?;
    let mut row = Row::new(body, request, ctx.now);
    row.haystack = haystack(&row.body);
    let body = row.body.clone();
    ctx.business.table_mut("contacts").insert(row);
    Ok(Reply::created(body))
}

/// `PUT /contacts/{id}`: what is sent replaces what was; inner objects are merged.
pub(super) fn update(ctx: &mut Ctx<'_>, id: &str, request: Record) -> Result<Reply, Refusal> {
    let row = ctx.business.row("contacts", id)?;
    let currency = id_in(&row.body, "currency").unwrap_or_default().to_owned();
    let merged = merge(row.request.clone(), request);
    let body = build(ctx, id, &merged)?;
    // A contact's currency is fixed after its first transaction.
    if id_in(&body, "currency") != Some(currency.as_str()) && has_dealings(ctx.business, id) {
        return Err(Refusal::invalid("currency_id", "cannot be changed: the contact has transactions"));
    }
    let now = ctx.now;
    let row = ctx.business.row_mut("contacts", id).ok_or_else(Refusal::not_found)?;
    row.body.extend(body);
    row.haystack = haystack(&row.body);
    row.request = merged;
    row.touch(now);
    Ok(Reply::ok(Value::Object(row.body.clone())))
}

/// `DELETE /contacts/{id}`: soft, and its reference stays reserved.
pub(super) fn delete(ctx: &mut Ctx<'_>, id: &str) -> Result<Reply, Refusal> {
    ctx.business.row("contacts", id)?;
    if has_dealings(ctx.business, id) {
        return Err(Refusal::invalid("base", "The contact cannot be deleted as it has transactions."));
    }
    let now = ctx.now;
    if let Some(row) = ctx.business.row_mut("contacts", id) {
        row.delete(now);
    }
    Ok(Reply::empty())
}

/// The filters of the list (swagger).
pub(super) fn matches(row: &Row, query: &Query) -> bool {
    let person = row.body.get("main_contact_person");
    let email = person.and_then(|person| person["email"].as_str()).unwrap_or_default();
    let has_type = |wanted: &str| {
        records(&row.body, "contact_types").any(|contact_type| text(contact_type, "id") == Some(wanted))
    };
    query.searched(row)
        && query.get("email").is_none_or(|wanted| email.eq_ignore_ascii_case(wanted))
        && query.get("contact_type_id").is_none_or(has_type)
}

/// The living contact of this id, when it is a customer.
pub(super) fn customer<'a>(business: &'a Business, id: &str) -> Result<&'a Row, Refusal> {
    let row = business.row("contacts", id)?;
    if records(&row.body, "contact_types").any(|kind| text(kind, "id") == Some("CUSTOMER")) {
        Ok(row)
    } else {
        Err(Refusal::no_customer())
    }
}

/// Merges an update into the request a record was built from; null clears.
pub(super) fn merge(mut old: Record, new: Record) -> Record {
    for (key, value) in new {
        match (old.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(change)) => {
                let merged = merge(std::mem::take(inner), change);
                *inner = merged;
            }
            (_, Value::Null) => {
                old.remove(&key);
            }
            (_, value) => {
                old.insert(key, value);
            }
        }
    }
    old
}

fn build(ctx: &Ctx<'_>, id: &str, request: &Record) -> Result<Record, Refusal> {
    let business = &*ctx.business;
    let name = text(request, "name").ok_or_else(|| Refusal::required("name"))?;
    let reference = text(request, "reference");
    check_reference(business, id, reference)?;
    check_tax_number(request)?;
    check_treatment(request)?;
    let shown = reference.map_or_else(|| name.to_owned(), |reference| format!("{name} ({reference})"));
    let main_address = address(ctx, id, request, "main_address")?;
    let home = Home::of(&main_address);
    let mut body = base("contacts", id, &shown);
    let fields = json!({
        "name": name,
        "reference": reference,
        "contact_types": [contact_type(request)?],
        "currency": currency(business, request)?,
        "main_contact_person": person(request, id)?,
        "email": request.get("main_contact_person").map_or(&Value::Null, |person| &person["email"]),
        "delivery_address": address(ctx, id, request, "delivery_address")?,
        "default_sales_ledger_account": business.link(request, "default_sales_ledger_account_id", "ledger_accounts")?,
        "default_purchase_ledger_account":
            business.link(request, "default_purchase_ledger_account_id", "ledger_accounts")?,
        "default_sales_tax_rate": business.link(request, "default_sales_tax_rate_id", "tax_rates")?,
        "product_sales_price_type":
            business.link(request, "product_sales_price_type_id", "product_sales_price_types")?,
        "credit_limit": money::field(request, "credit_limit").map(money::round).map(money::wire),
        "tax_treatment": request.get("tax_treatment"),
        "bank_account_details": request.get("bank_account_details"),
        "main_address": main_address,
        "is_active": true,
        "system": false,
        "deletable": true,
        "gdpr_obfuscated": false,
        "ni_based": home == Home::NorthernIreland,
        "gb_based": home == Home::GreatBritain,
        "links": ctx.links("contacts", id),
    });
    extend(&mut body, fields);
    for key in [
        "tax_number",
        "notes",
        "locale",
        "credit_days",
        "credit_terms",
        "credit_terms_and_conditions",
        "source_guid",
    ] {
        body.insert(key.to_owned(), request.get(key).cloned().unwrap_or_default());
    }
    Ok(body)
}

/// Puts the fields of a JSON object into a record.
pub(super) fn extend(record: &mut Record, fields: Value) {
    if let Value::Object(fields) = fields {
        record.extend(fields);
    }
}

/// References are unique, those of deleted contacts included. Sage's own words for this are not known.
fn check_reference(business: &Business, id: &str, reference: Option<&str>) -> Result<(), Refusal> {
    let Some(reference) = reference else { return Ok(()) };
    let taken = |row: &Row| {
        row.id() != id
            && text(&row.body, "reference").is_some_and(|taken| taken.eq_ignore_ascii_case(reference))
    };
    if business.table("contacts").all().any(taken) {
        return Err(Refusal::invalid("reference", "has already been taken"));
    }
    Ok(())
}

/// The format of numbers from the United Kingdom and the European Union: the country's prefix, then 5 to 13 letters or digits.
fn check_tax_number(request: &Record) -> Result<(), Refusal> {
    let Some(number) = text(request, "tax_number") else { return Ok(()) };
    let country = request.get("main_address").and_then(|address| address["country_id"].as_str());
    let Some(country) = country.filter(|country| *country == "GB" || reference::EU.contains(country)) else {
        return Ok(());
    };
    let bare: String = number.chars().filter(|letter| *letter != ' ').collect();
    let prefixes: &[&str] = match country {
        "GB" => &["GB", "XI"],
        "GR" => &["EL", "GR"],
        _ => std::slice::from_ref(&country),
    };
    let rest = prefixes.iter().find_map(|prefix| bare.strip_prefix(*prefix));
    let fits =
        |rest: &str| (5..=13).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if rest.is_some_and(fits) { Ok(()) } else { Err(Refusal::invalid("tax_number", "is invalid")) }
}

/// The treatment that Sage's screen lets choose: one of four. Sage's words for another are not known.
fn check_treatment(request: &Record) -> Result<(), Refusal> {
    let Some(Value::Object(treatment)) = request.get("tax_treatment") else { return Ok(()) };
    let chosen = ["home_tax", "eu_tax_registered", "eu_not_tax_registered", "rest_of_world_tax"];
    let chosen = chosen.iter().filter(|key| treatment.get(**key) == Some(&Value::Bool(true))).count();
    if chosen == 1 { Ok(()) } else { Err(Refusal::invalid("tax_treatment", "must be one treatment")) }
}

/// Whether a text has the form of an e-mail address. Sage's own rule is not known; it refuses what has a space, no host or no dot in it.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    let has_dot = host.split('.').count() > 1 && host.split('.').all(|label| !label.is_empty());
    is_plain(local) && is_plain(host) && has_dot && !local.starts_with('.') && !local.ends_with('.')
}

/// Exactly one type, a customer or a vendor.
fn contact_type(request: &Record) -> Result<Value, Refusal> {
    let ids = request.get("contact_type_ids").and_then(Value::as_array);
    match ids.map(Vec::as_slice) {
        Some([id]) if id == "CUSTOMER" || id == "VENDOR" => {
            Ok(reference::word("contact_types", id.as_str().unwrap_or_default()))
        }
        _ => Err(Refusal::invalid("contact_type_ids", "has to be either CUSTOMER or VENDOR")),
    }
}

fn currency(business: &Business, request: &Record) -> Result<Value, Refusal> {
    let id = text(request, "currency_id").unwrap_or(business.base_currency);
    business.row("currencies", id)?;
    check_currency(business, id)?;
    Ok(reference::currency(id))
}

/// Foreign currencies need the Plus plan and the setting.
pub(super) fn check_currency(business: &Business, id: &str) -> Result<(), Refusal> {
    let enabled = business.setting("financial_settings", "multi_currency_enabled") == &Value::Bool(true);
    if id != business.base_currency && !(enabled && business.plan == Plan::Plus) {
        return Err(Refusal::invalid("currency_id", "multi-currency is not enabled for this business"));
    }
    Ok(())
}

fn person(request: &Record, contact: &str) -> Result<Value, Refusal> {
    let Some(Value::Object(person)) = request.get("main_contact_person") else { return Ok(Value::Null) };
    if let Some(email) = text(person, "email").filter(|email| !is_email(email)) {
        return Err(Refusal::invalid("main_contact_person.email", format!("'{email}' is invalid")));
    }
    let mut shown =
        base("contact_persons", &format!("{contact}-p"), text(person, "name").unwrap_or_default());
    let types = person.get("contact_person_type_ids").and_then(Value::as_array).into_iter().flatten();
    let types: Vec<Value> =
        types.filter_map(Value::as_str).map(|id| reference::word("contact_person_types", id)).collect();
    for (key, value) in person {
        if key != "contact_person_type_ids" && key != "address_id" {
            shown.insert(key.clone(), value.clone());
        }
    }
    shown.insert("contact_person_types".to_owned(), types.into());
    shown.insert("is_main_contact".to_owned(), true.into());
    Ok(Value::Object(shown))
}

fn address(ctx: &Ctx<'_>, contact: &str, request: &Record, key: &str) -> Result<Value, Refusal> {
    let Some(Value::Object(address)) = request.get(key) else { return Ok(Value::Null) };
    check_address(ctx.business, address, key)?;
    let id = format!("{contact}-{}", &key[..1]);
    let name = text(address, "name").unwrap_or(if key == "main_address" {
        "Main Address"
    } else {
        "Delivery Address"
    });
    let mut shown = base("addresses", &id, name);
    shown.extend(show_address(ctx.business, address)?);
    shown.insert("name".to_owned(), name.into());
    shown.insert("is_main_address".to_owned(), (key == "main_address").into());
    Ok(Value::Object(shown))
}

/// The fields of an address as replies have them: `country_id` becomes `country`.
pub(super) fn show_address(business: &Business, address: &Record) -> Result<Map<String, Value>, Refusal> {
    let mut shown = Record::new();
    for key in ["address_line_1", "address_line_2", "city", "postal_code", "region"] {
        shown.insert(key.to_owned(), address.get(key).cloned().unwrap_or_default());
    }
    shown.insert("country".to_owned(), business.link(address, "country_id", "countries")?);
    shown.insert("address_type".to_owned(), business.link(address, "address_type_id", "address_types")?);
    Ok(shown)
}

/// Regions: 45 characters of free text in the UK and Ireland; in Canada a province, checked.
pub(super) fn check_address(business: &Business, address: &Record, key: &str) -> Result<(), Refusal> {
    let Some(region) = text(address, "region") else { return Ok(()) };
    let source = format!("{key}.region");
    if business.country != "CA" {
        if region.chars().count() > 45 {
            return Err(Refusal::invalid(&source, "is too long (maximum is 45 characters)"));
        }
        return Ok(());
    }
    let canadian = text(address, "country_id").is_none_or(|country| country == "CA");
    if canadian && !reference::PROVINCES.iter().any(|(code, _)| *code == region) {
        return Err(Refusal::invalid(&source, "is not a valid province"));
    }
    Ok(())
}

pub(super) fn haystack(body: &Record) -> String {
    let part = |key: &str| text(body, key).unwrap_or_default();
    format!("{}\n{}", part("name"), part("reference")).to_lowercase()
}

fn has_dealings(business: &Business, contact: &str) -> bool {
    DEALINGS.iter().any(|resource| {
        business.table(resource).living().any(|row| id_in(&row.body, "contact") == Some(contact))
    })
}

#[derive(PartialEq, Eq)]
enum Home {
    GreatBritain,
    NorthernIreland,
    Elsewhere,
}

impl Home {
    /// Northern Ireland is told by the postcode of the main address.
    fn of(address: &Value) -> Self {
        let postcode = address["postal_code"].as_str().unwrap_or_default().trim_start().to_uppercase();
        match address["country"]["id"].as_str() {
            Some("GB") if postcode.starts_with("BT") => Self::NorthernIreland,
            Some("GB") => Self::GreatBritain,
            _ => Self::Elsewhere,
        }
    }
}
