//! VAT numbers as their countries write them: the form only, never whether the number is anybody's.
//!
//! Source of the forms: the European Commission's VIES, "What is the structure of VAT identification numbers?"; for Britain and Northern
//! Ireland HMRC's VAT Notice 725 and VATREG; Sage wants the prefix of the country (sage-api.md, section 7).

/// Forms by prefix: `9` is a digit, `A` a letter, `X` either; any other sign is itself.
const FORMS: &[(&str, &[&str])] = &[
    ("AT", &["U99999999"]),
    ("BE", &["9999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("EL", &["999999999"]),
    ("ES", &["A9999999X", "99999999A"]),
    ("FI", &["99999999"]),
    ("FR", &["XX999999999"]),
    ("GB", &["999999999", "999999999999", "GD999", "HA999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9999999A", "9999999AA", "9A99999A", "9+99999A", "9*99999A"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["999999999B99"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    ("RO", &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
    ("XI", &["999999999", "999999999999", "GD999", "HA999"]),
];

/// Forms of countries outside that area, which Sage takes without a prefix.
const FORMS_ELSEWHERE: &[(&str, &[&str])] = &[
    ("AU", &["99999999999"]),
    ("CA", &["999999999", "999999999AA9999"]),
    ("CH", &["CHE999999999", "CHE999999999MWST", "CHE999999999TVA", "CHE999999999IVA"]),
    ("NO", &["999999999", "999999999MVA", "NO999999999MVA"]),
    ("NZ", &["99999999", "999999999"]),
    ("US", &["999999999"]),
];

/// The shortest and the longest number of a country whose form is not known here, in characters.
const ANY_LENGTH: std::ops::RangeInclusive<usize> = 5..=20;

/// A customer's VAT number as Sage takes it: in capitals, without signs between its parts, with the prefix of the country (ISO 3166 or
/// VIES) that the customer's address is in. `None` where it has not the form of one of that country.
pub fn of(number: &str, country: Option<&str>) -> Option<String> {
    let is_sign =
        |letter: char| letter.is_whitespace() || matches!(letter, '-' | '.' | '/' | '_' | ':' | '\u{2013}');
    let number: String = number.chars().filter(|letter| !is_sign(*letter)).collect::<String>().to_uppercase();
    let Some(country) = country else {
        let (prefix, rest) = number.split_at_checked(2)?;
        return fits(rest, forms(FORMS, prefix)?).then_some(number);
    };
    for prefix in prefixes(country) {
        let Some(forms) = forms(FORMS, prefix) else { continue };
        // Greeks write GR as well.
        let stripped = number.strip_prefix(*prefix).or_else(|| number.strip_prefix(country));
        if stripped.is_some_and(|rest| fits(rest, forms)) {
            return Some(format!("{prefix}{}", stripped.unwrap_or_default()));
        }
    }
    let first = prefixes(country).first().and_then(|prefix| Some((*prefix, forms(FORMS, prefix)?)));
    if let Some((prefix, forms)) = first {
        // French numbers may begin with two letters: those of a German one are not meant.
        let is_foreign = of(&number, None).is_some();
        return (fits(&number, forms) && !is_foreign).then(|| format!("{prefix}{number}"));
    }
    let is_likely = || {
        ANY_LENGTH.contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && number.bytes().filter(u8::is_ascii_digit).count() >= 4
    };
    forms(FORMS_ELSEWHERE, country).map_or_else(is_likely, |forms| fits(&number, forms)).then_some(number)
}

/// The prefixes of a country's numbers, the usual one first; the country itself where it has none of its own.
fn prefixes(country: &str) -> &'static [&'static str] {
    const OWN: &[&[&str]] = &[
        &["AT"],
        &["BE"],
        &["BG"],
        &["CY"],
        &["CZ"],
        &["DE"],
        &["DK"],
        &["EE"],
        &["ES"],
        &["FI"],
        &["HR"],
        &["HU"],
        &["IE"],
        &["IT"],
        &["LT"],
        &["LU"],
        &["LV"],
        &["MT"],
        &["NL"],
        &["PL"],
        &["PT"],
        &["RO"],
        &["SE"],
        &["SI"],
        &["SK"],
    ];
    match country {
        "GB" | "UK" | "IM" => &["GB", "XI"],
        "XI" => &["XI", "GB"],
        "GR" | "EL" => &["EL"],
        "FR" | "MC" => &["FR"],
        _ => OWN.iter().find(|own| own[0] == country).copied().unwrap_or_default(),
    }
}

fn forms(table: &[(&str, &'static [&'static str])], prefix: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(own, _)| *own == prefix).map(|(_, forms)| *forms)
}

fn fits(number: &str, forms: &[&str]) -> bool {
    let is = |form: &&str| {
        number.len() == form.len()
            && number.bytes().zip(form.bytes()).all(|(letter, sign)| match sign {
                b'9' => letter.is_ascii_digit(),
                b'A' => letter.is_ascii_uppercase(),
                b'X' => letter.is_ascii_uppercase() || letter.is_ascii_digit(),
                sign => letter == sign,
            })
    };
    forms.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_sage_takes_it() {
        for (number, country, expected) in [
            ("FR40303265045", "FR", "FR40303265045"),
            ("fr 40 303 265 045", "FR", "FR40303265045"),
            ("40303265045", "FR", "FR40303265045"),
            ("DE 136.695.976", "DE", "DE136695976"),
            ("ATU12345678", "AT", "ATU12345678"),
            ("GR094259216", "GR", "EL094259216"),
            ("EL094259216", "EL", "EL094259216"),
            ("NL123456789B01", "NL", "NL123456789B01"),
            ("IE6388047V", "IE", "IE6388047V"),
            ("XI123456789", "GB", "XI123456789"),
            ("123 4567 89", "GB", "GB123456789"),
            ("GBGD001", "GB", "GBGD001"),
            ("ESB12345678", "ES", "ESB12345678"),
            ("CHE-123.456.789 MWST", "CH", "CHE123456789MWST"),
            ("123456789 RT0001", "CA", "123456789RT0001"),
            ("JP1234567890123", "JP", "JP1234567890123"),
        ] {
            assert_eq!(of(number, Some(country)).as_deref(), Some(expected), "{number}");
        }
        assert_eq!(of("FR40303265045", None).as_deref(), Some("FR40303265045"));
    }

    #[test]
    fn what_has_not_the_form_is_none() {
        for (number, country) in [
            ("n/a", "FR"),
            ("FR1", "FR"),
            ("FR403032650451", "FR"),
            ("DE12345678", "DE"),
            ("DE136695976", "FR"),
            ("NL123456789C01", "NL"),
            ("", "GB"),
            ("12345", "GB"),
            ("pending", "JP"),
            ("FR4030326504\u{b2}", "FR"),
            ("12-34567", "US"),
        ] {
            assert_eq!(of(number, Some(country)), None, "{number}");
        }
        assert_eq!(of("40303265045", None), None);
        assert_eq!(of("\u{e9}", None), None);
    }
}
