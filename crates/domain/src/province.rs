//! Canada's provinces and territories: Magento has them as names, English or French, or as codes; Sage takes the two letters in an
//! address and ISO 3166-2 (`CA-ON`) for the tax.

use crate::{documents::Address, text::clean_optional};

/// Names without accents, points, hyphens and the like (see [`plain`]), and their two letters.
const NAMES: [(&str, &str); 38] = [
    ("alberta", "AB"),
    ("british columbia", "BC"),
    ("colombie britannique", "BC"),
    ("manitoba", "MB"),
    ("new brunswick", "NB"),
    ("nouveau brunswick", "NB"),
    ("newfoundland and labrador", "NL"),
    ("newfoundland labrador", "NL"),
    ("newfoundland", "NL"),
    ("labrador", "NL"),
    ("terre neuve et labrador", "NL"),
    ("terre neuve", "NL"),
    ("nf", "NL"),
    ("nova scotia", "NS"),
    ("nouvelle ecosse", "NS"),
    ("northwest territories", "NT"),
    ("northwest territory", "NT"),
    ("territoires du nord ouest", "NT"),
    ("nwt", "NT"),
    ("nunavut", "NU"),
    ("ontario", "ON"),
    ("prince edward island", "PE"),
    ("ile du prince edouard", "PE"),
    ("pei", "PE"),
    ("ipe", "PE"),
    ("quebec", "QC"),
    ("pq", "QC"),
    ("saskatchewan", "SK"),
    ("yukon", "YT"),
    ("yukon territory", "YT"),
    ("territoire du yukon", "YT"),
    ("yk", "YT"),
    ("ont", "ON"),
    ("que", "QC"),
    ("alta", "AB"),
    ("sask", "SK"),
    ("man", "MB"),
    ("province of quebec", "QC"),
];

const CODES: [&str; 13] = ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];

/// A name in small letters without accents, its words one space apart; points vanish (`P.E.I.`).
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let letters = name.chars().filter(|c| !matches!(c, '.' | '\u{300}'..='\u{36f}')).map(|c| match c {
        'à' | 'â' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' => 'o',
        'û' | 'ù' => 'u',
        'ç' => 'c',
        c if c.is_alphanumeric() => c,
        _ => ' ',
    });
    letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The two letters of a province by its name or code; `None` for what is none.
pub fn code(name: &str) -> Option<&'static str> {
    let name = plain(name);
    // `CA-ON` has become "ca on".
    let short = name.strip_prefix("ca ").unwrap_or(&name);
    let by_code = CODES.iter().find(|code| code.eq_ignore_ascii_case(short)).copied();
    by_code.or_else(|| NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code))
}

/// The province of a postcode by its first letter (Canada Post); the north shares one letter between two territories.
fn of_postcode(postcode: &str) -> Option<&'static str> {
    let postcode: String =
        postcode.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase();
    // Six characters, letters and digits in turn: anything else is no postcode to rely on.
    let is_letter = |(at, c): (usize, char)| c.is_ascii_alphabetic() == (at % 2 == 0);
    if postcode.len() != 6 || !postcode.chars().enumerate().all(is_letter) {
        return None;
    }
    Some(match postcode.as_bytes().first()? {
        b'A' => "NL",
        b'B' => "NS",
        b'C' => "PE",
        b'E' => "NB",
        b'G' | b'H' | b'J' => "QC",
        b'K' | b'L' | b'M' | b'N' | b'P' => "ON",
        b'R' => "MB",
        b'S' => "SK",
        b'T' => "AB",
        b'V' => "BC",
        b'X' if ["X0A", "X0B", "X0C"].iter().any(|area| postcode.starts_with(area)) => "NU",
        b'X' => "NT",
        b'Y' => "YT",
        _ => return None,
    })
}

/// The province of an address, and what told it: the region, else the postcode.
pub fn of_address(address: &Address) -> Option<(&'static str, String)> {
    let region = clean_optional(address.region.as_deref());
    let by_region = region.and_then(|region| Some((code(&region)?, region)));
    by_region.or_else(|| {
        let postcode = clean_optional(address.postcode.as_deref())?;
        Some((of_postcode(&postcode)?, postcode))
    })
}

/// Sage's tax region (`CA-ON`) of a Canadian address: of its region, a name or a code, else of its postcode.
pub fn canadian_region(region: Option<&str>, postcode: Option<&str>) -> Option<String> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let address = Address { region: owned(region), postcode: owned(postcode), ..Address::default() };
    of_address(&address).map(|(code, _)| format!("CA-{code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_province_is_known_by_its_english_and_french_name_and_its_code() {
        for (names, expected) in [
            (["Alberta", "alberta", "AB"], "AB"),
            (["British Columbia", "Colombie-Britannique", "bc"], "BC"),
            (["Manitoba", "MANITOBA", "CA-MB"], "MB"),
            (["New Brunswick", "Nouveau-Brunswick", "NB"], "NB"),
            (["Newfoundland and Labrador", "Terre-Neuve-et-Labrador", "NL"], "NL"),
            (["Nova Scotia", "Nouvelle-Écosse", "NS"], "NS"),
            (["Northwest Territories", "Territoires du Nord-Ouest", "NT"], "NT"),
            (["Nunavut", "nunavut", "NU"], "NU"),
            (["Ontario", "Ont.", "ON"], "ON"),
            (["Prince Edward Island", "Île-du-Prince-Édouard", "P.E.I."], "PE"),
            (["Quebec", "Québec", "Que\u{301}bec"], "QC"),
            (["Saskatchewan", "saskatchewan", "SK"], "SK"),
            (["Yukon Territory", "Territoire du Yukon", "YT"], "YT"),
        ] {
            for name in names {
                assert_eq!(code(name), Some(expected), "{name}");
            }
        }
        assert_eq!((code("Cornwall"), code(""), code("CA")), (None, None, None));
    }

    #[test]
    fn a_postcode_tells_the_province_where_the_region_does_not() {
        let address = |region: &str, postcode: &str| Address {
            region: Some(region.to_owned()),
            postcode: Some(postcode.to_owned()),
            ..Address::default()
        };
        let province = |region, postcode| of_address(&address(region, postcode)).map(|(code, _)| code);
        assert_eq!(province("", "v6b 1a1"), Some("BC"));
        assert_eq!(province("Somewhere", "X0A 0H0"), Some("NU"));
        assert_eq!(province("", "X1A 2B3"), Some("NT"));
        assert_eq!(province("Ontario", "V6B 1A1"), Some("ON"), "the region goes first");
        assert_eq!(province("", "90210"), None);
    }

    #[test]
    fn a_business_s_own_address_names_its_tax_region() {
        assert_eq!(canadian_region(Some("ON"), None).as_deref(), Some("CA-ON"));
        assert_eq!(canadian_region(Some(""), Some("V6B 1A1")).as_deref(), Some("CA-BC"));
        assert_eq!(canadian_region(Some("Bristol"), Some("BS1 4DJ")), None);
    }
}
