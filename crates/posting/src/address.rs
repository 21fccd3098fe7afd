//! Postal addresses in Sage's shape and limits, and where a customer lives for tax.

use domain::{documents::Address, province, territory};
use messages::message;
use serde_json::{Map, Value};

use crate::{
    findings::Findings,
    text::{cut, stated},
};

/// The characters of a street's line at Sage.
const STREET: usize = 50;

/// An address for a contact or a document; `None` where nothing is known of it. `what` names it for the notes.
pub(crate) fn address(address: &Address, what: &str, findings: &mut Findings) -> Option<Value> {
    let mut fields = Map::new();
    let mut put = |field: &str, value: Option<String>, limit: usize, findings: &mut Findings| {
        if let Some(value) = value {
            let value = cut(&value, limit, &name_of(field, what), findings);
            fields.insert(field.to_owned(), Value::String(value));
        }
    };
    let (first, second) = street(address, what, findings);
    put("address_line_1", first, STREET, findings);
    put("address_line_2", second, STREET, findings);
    put("city", part(address.city.as_deref(), "city", what, findings), 50, findings);
    put("region", region(address, what, findings), region_limit(address), findings);
    put("postal_code", part(address.postcode.as_deref(), "postal_code", what, findings), 10, findings);
    put("country_id", country(address, what, findings), 2, findings);
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// What a part of an address is called in a note.
fn name_of(part: &str, what: &str) -> String {
    message!(field_names.address_part, part = part.replace('_', " "), address = what)
}

/// A part of an address, none where it says nothing.
fn part(text: Option<&str>, field: &str, what: &str, findings: &mut Findings) -> Option<String> {
    stated(text, &name_of(field, what), findings)
}

/// The street in Sage's two lines: as Magento has it where that fits, else all of it in a row, divided between two words. What two lines
/// cannot hold is in a note.
fn street(address: &Address, what: &str, findings: &mut Findings) -> (Option<String>, Option<String>) {
    let lines = address.street.iter().flatten();
    let mut lines: Vec<String> =
        lines.filter_map(|line| part(Some(line), "street", what, findings)).collect();
    if lines.is_empty() {
        return (None, None);
    }
    let fits = |text: &str| text.chars().count() <= STREET;
    let (first, rest) = (lines[0].clone(), lines[1..].join(", "));
    if fits(&first) && fits(&rest) {
        return (Some(first), (!rest.is_empty()).then_some(rest));
    }
    let (first, rest) = if fits(&first) { (first, rest) } else { divided(&lines.join(", ")) };
    if fits(&rest) {
        return (Some(first), Some(rest));
    }
    lines = vec![first, rest];
    let (first, rest) = divided(&lines.join(", "));
    let (second, lost) = divided(&rest);
    if !lost.is_empty() {
        findings.note(message!(plan_notes.street_cut, address = what, count = lost.chars().count()));
    }
    (Some(first), Some(second))
}

/// As many whole words as a line holds, and what is left; a word that no line holds is divided.
fn divided(text: &str) -> (String, String) {
    let Some((most, _)) = text.char_indices().nth(STREET) else { return (text.to_owned(), String::new()) };
    let is_gap = text[most..].starts_with(' ');
    let at = if is_gap { Some(most) } else { text[..most].rfind(' ') };
    let (line, rest) = text.split_at(at.filter(|at| *at > 0).unwrap_or(most));
    (line.trim_end_matches([' ', ',']).to_owned(), rest.trim_start().to_owned())
}

/// The region's characters: 45 where Sage takes free text of counties (United Kingdom, Ireland), else 50.
fn region_limit(address: &Address) -> usize {
    match country_of(address) {
        Some("GB" | "IE") => 45,
        _ => 50,
    }
}

fn region(address: &Address, what: &str, findings: &mut Findings) -> Option<String> {
    let region = part(address.region.as_deref(), "region", what, findings)?;
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
pub(crate) fn country_of(address: &Address) -> Option<&'static str> {
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
    fn a_street_fills_both_lines_before_any_of_it_is_lost() {
        let street = |lines: &[&str]| {
            let street = Some(lines.iter().map(|line| (*line).to_owned()).collect());
            let mut findings = Findings::default();
            let sage = address(&Address { street, ..Address::default() }, "address", &mut findings).unwrap();
            let line = |field: &str| sage.get(field).map(|line| line.as_str().unwrap().to_owned());
            let lines = (line("address_line_1").unwrap(), line("address_line_2").unwrap_or_default());
            (lines.0, lines.1, findings.notes)
        };
        let (thirty, fifty) =
            ("Old Mill Works, 14 Orchard Row", "The Old Mill Works and Weighing House, 14 Orchard");
        let line =
            "The Old Mill Works, Weighing House, 1423 North Quay Road, Rear Courtyard Entrance, Block C";
        let (first, second, notes) = street(&[line]);
        assert_eq!(first, "The Old Mill Works, Weighing House, 1423 North");
        assert_eq!(second, "Quay Road, Rear Courtyard Entrance, Block C");
        assert!(notes.is_empty());
        for (lines, first, second, count) in [
            (&[thirty, "-", fifty][..], thirty, fifty, 1),
            (
                &["Flat 2", thirty, thirty],
                "Flat 2, Old Mill Works, 14 Orchard Row, Old Mill",
                "Works, 14 Orchard Row",
                0,
            ),
            (&[&"x".repeat(60)], &"x".repeat(50), "xxxxxxxxxx", 0),
            (&["\u{65e5}\u{672c}"], "\u{65e5}\u{672c}", "", 0),
        ] {
            let (one, two, notes) = street(lines);
            assert_eq!((&*one, &*two, notes.len()), (first, second, count), "{notes:?}");
        }
        let (one, two, notes) = street(&[fifty, fifty, "Leave it with the miller"]);
        assert_eq!(notes.len(), 1, "{one} | {two}");
        assert!(notes[0].contains("24 characters"), "{notes:?}");
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
