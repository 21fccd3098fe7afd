//! Contacts by currency: Sage locks a contact to one currency and wants references to be unique, so the contacts of one customer
//! differ at the end of their reference. The end shows the currency, whichever other currencies the customer buys in: nothing
//! depends on which came first.

use domain::money::Currency;

/// The characters of a contact's reference at Sage (sage-api.md, section 7).
pub(crate) const REFERENCE: usize = 10;

/// The currencies that have their initial to themselves: of those that share one (SEK, SGD and SAR) the one that shops take most.
const OWNERS: [&str; 26] = [
    "AUD", "BRL", "CAD", "DKK", "EUR", "FJD", "GBP", "HKD", "INR", "JPY", "KRW", "LKR", "MXN", "NOK", "OMR",
    "PLN", "QAR", "RON", "SEK", "TRY", "USD", "VND", "WST", "XOF", "YER", "ZAR",
];

/// The end of a reference: nothing for the base currency, the initial of a currency that has it to itself, the whole code of the
/// others. No two currencies have the same.
pub(crate) fn ending(currency: Currency, base: Currency) -> String {
    if currency == base {
        String::new()
    } else if OWNERS.contains(&currency.as_str()) {
        currency.as_str().chars().take(1).collect()
    } else {
        currency.to_string()
    }
}

/// The references of one customer in one currency, the first and those to step to. `form` makes the one of a number for an
/// ending: what stands in front of it may be digits of a hash, so that two endings can make the same reference
/// (`..ab` + `D` and `..` + `ABD`; `..e` and `..` + `E`). Such a one is left to the currency with the shorter ending. Capitals do not
/// tell references apart, as far as is known.
pub(crate) fn references(
    currency: Currency,
    base: Currency,
    count: usize,
    form: impl Fn(usize, &str) -> String,
) -> Vec<String> {
    let own = ending(currency, base);
    // Endings are one letter, the whole code, or nothing.
    let shorter = [own.len().saturating_sub(1), own.len()].map(|cut| &own[cut..]);
    let rivals: Vec<String> =
        shorter.into_iter().filter(|ending| *ending != own).map(|ending| form(0, ending)).collect();
    let is_free = |reference: &String| !rivals.iter().any(|rival| rival.eq_ignore_ascii_case(reference));
    (0..).map(|at| form(at, &own)).filter(is_free).take(count).collect()
}

/// A chosen reference with its ending, within Sage's ten characters: the ending is kept whole and the rest gives way.
pub(crate) fn chosen(stem: &str, currency: Currency, base: Currency) -> String {
    let shorter = |at: usize, ending: &str| {
        let room = (REFERENCE - ending.len()).saturating_sub(at);
        format!("{}{ending}", stem.chars().take(room).collect::<String>())
    };
    references(currency, base, 1, shorter).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The active currencies of ISO 4217, funds and metals included.
    const ISO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN \
        BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
        GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP \
        LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK \
        PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP \
        TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF \
        XPT XSU XTS XUA YER ZAR ZMW ZWG ZWL";

    fn currencies() -> Vec<Currency> {
        ISO.split_whitespace().map(|code| code.parse().unwrap()).collect()
    }

    /// Asserts that no two currencies of one customer share a reference, capital or not.
    fn all_differ(base: Currency, reference: impl Fn(Currency) -> String) {
        let mut all: Vec<String> =
            currencies().into_iter().map(|currency| reference(currency).to_lowercase()).collect();
        assert!(all.iter().all(|reference| reference.len() <= REFERENCE && !reference.is_empty()), "{all:?}");
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before, "{base}");
    }

    #[test]
    fn no_two_currencies_end_alike() {
        assert_eq!(OWNERS.iter().map(|code| &code[..1]).collect::<std::collections::BTreeSet<_>>().len(), 26);
        for base in currencies() {
            all_differ(base, |currency| format!("M5{}", ending(currency, base)));
        }
    }

    #[test]
    fn hashes_that_look_like_endings_make_no_two_contacts_one() {
        // The worst of hashes: full of letters that begin or are within a currency's code.
        for hash in [
            "abababababababababababababababab0123456789012345678901234567890123",
            "eeeeeeeee0123",
            "12345678e",
        ] {
            let hash = format!("{hash}{}", "0123456789abcdef".repeat(6));
            let form = |at: usize, ending: &str| {
                let room = REFERENCE - 1 - ending.len();
                format!("G{}{ending}", &hash[at * room..(at + 1) * room])
            };
            for base in [Currency::GBP, Currency::EUR, "CAD".parse().unwrap()] {
                all_differ(base, |currency| references(currency, base, 1, form).remove(0));
            }
        }
    }

    #[test]
    fn the_shared_contacts_of_all_currencies_differ_whatever_the_stem() {
        for stem in ["WEBSALES", "WEBSALESG", "WEB", "ABCDEFGHIEUR", "WEBSALESE"] {
            for base in [Currency::GBP, Currency::EUR] {
                all_differ(base, |currency| chosen(stem, currency, base));
            }
        }
        let sgd = "SGD".parse().unwrap();
        assert_eq!(chosen("WEBSALES", sgd, Currency::GBP), "WEBSALESGD");
        assert_eq!(chosen("WEBSALES", Currency::EUR, Currency::GBP), "WEBSALESE");
        assert_eq!(chosen("WEBSALES", Currency::GBP, Currency::GBP), "WEBSALES");
    }
}
