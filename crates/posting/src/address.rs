//! Postal addresses in Sage's shape and limits, and where a customer lives for tax.

use domain::{
    documents::Address,
    province, territory,
    text::{clean, clean_optional},
};
use messages::message;
use serde_json::{Map, Value};

use crate::{findings::Findings, text::cut};

/// An address for a contact or a document; `None` where nothing is known of it. `what` names it for the notes.
pub(crate) fn address(address: &Address, what: &str, findings: &mut Findings) -> Option<Value> {
    let mut fields = Map::new();
    let mut put = |field: &str, value: Option<String>, limit: usize, findings: &mut Findings| {
        if let Some(value) = value {
            let value = cut(
                &value,
                limit,
                &message!(field_names.address_part, part = field.replace('_', " "), address = what),
                findings,
            );
            fields.insert(field.to_owned(), Value::String(value));
        }
    };
    let street: Vec<String> =
        address.street.iter().flatten().map(|line| clean(line)).filter(|line| !line.is_empty()).collect();
    // Sage has two lines; what Magento has beyond the first goes into the second.
    put("address_line_1", street.first().cloned(), 50, findings);
    put("address_line_2", (street.len() > 1).then(|| street[1..].join(", ")), 50, findings);
    put("city", clean_optional(address.city.as_deref()), 50, findings);
    put("region", region(address, what, findings), region_limit(address), findings);
    put("postal_code", clean_optional(address.postcode.as_deref()), 10, findings);
    put("country_id", country(address, what, findings), 2, findings);
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// The region's characters: 45 where Sage takes free text of counties (United Kingdom, Ireland), else 50.
fn region_limit(address: &Address) -> usize {
    match country_of(address) {
        Some("GB" | "IE") => 45,
        _ => 50,
    }
}

fn region(address: &Address, what: &str, findings: &mut Findings) -> Option<String> {
    let region = clean_optional(address.region.as_deref())?;
    if country_of(address) != Some("CA") {
        return Some(region);
    }
    let code = province::code(&region).map(str::to_owned);
    if code.is_none() {
        findings.note(message!(plan_notes.unknown_province, region = region, address = what));
    }
    code
}

/// The country as Sage lists it; left out, with a note, where Sage lists none or the text names none.
fn country(address: &Address, what: &str, findings: &mut Findings) -> Option<String> {
    let (name, listed) = match territory::of_address(address) {
        Ok(None) => return None,
        // An area keeps the country that its address names.
        Ok(Some(territory)) => (territory.name.to_owned(), territory.country),
        Err(unknown) => (unknown.0, None),
    };
    if listed.is_none() {
        findings.note(message!(plan_notes.country_not_in_sage, country = name, address = what));
    }
    listed.map(str::to_owned)
}

/// The country that an address names; none where it names none.
fn country_of(address: &Address) -> Option<&'static str> {
    territory::of_address(address).ok().flatten().map(|territory| territory.postal_country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_to_sages_limits_and_long_streets_share_the_second_line() {
        let magento = Address {
            street: Some(vec!["Flat 2".to_owned(), "9 Station Road".to_owned(), "Old Town".to_owned()]),
            region: Some("x".repeat(60)),
            postcode: Some("LE1 5AA 12345".to_owned()),
            country_id: Some("gb".to_owned()),
            ..Address::default()
        };
        let mut findings = Findings::default();
        let sage = address(&magento, "billing address", &mut findings).unwrap();
        assert_eq!(sage["address_line_2"], "9 Station Road, Old Town");
        assert_eq!(sage["region"].as_str().unwrap().len(), 45);
        assert_eq!(sage["postal_code"], "LE1 5AA 12");
        assert_eq!(sage["country_id"], "GB");
        assert_eq!(findings.notes.len(), 2);
    }

    #[test]
    fn canadian_provinces_become_two_letters() {
        let magento = Address {
            region: Some("Québec".to_owned()),
            country_id: Some("CA".to_owned()),
            ..Address::default()
        };
        assert_eq!(address(&magento, "address", &mut Findings::default()).unwrap()["region"], "QC");
    }
}
