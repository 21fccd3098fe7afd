//! Amounts as people type them.

use domain::money::Currency;
use store::Find;

/// An amount as it is typed: `100` or `81.52`.
pub(super) fn plain(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let absolute = minor.unsigned_abs();
    match absolute % 100 {
        0 => format!("{sign}{}", absolute / 100),
        pennies => format!("{sign}{}.{pennies:02}", absolute / 100),
    }
}

/// Minor units of an amount as it is typed: with a decimal point, or with a comma and two digits; thousands may be grouped.
pub fn minor(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches(['£', '€', '$']);
    let (whole, decimals) = match text.rsplit_once(['.', ',']) {
        Some((whole, decimals)) if decimals.len() <= 2 => (whole, decimals),
        _ => (text, ""),
    };
    let whole: String = whole.chars().filter(|character| *character != ',').collect();
    let digits = whole.strip_prefix('-').unwrap_or(&whole);
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits.len() > 15 || !is_number(digits) || !is_number(decimals) {
        return None;
    }
    let minor: i64 = format!("{digits}{decimals:0<2}").parse().ok()?;
    Some(if whole.starts_with('-') { -minor } else { minor })
}

/// The least and the most, in minor units, that an amount as it is typed may mean: without its pennies it is any of that pound.
pub(super) fn within(text: &str) -> Option<(i64, i64)> {
    const PENNIES: i64 = 99;
    let minor = minor(text)?;
    let has_pennies =
        text.trim().rsplit_once(['.', ',']).is_some_and(|(_, decimals)| matches!(decimals.len(), 1 | 2));
    Some(match (has_pennies, minor < 0) {
        (true, _) => (minor, minor),
        (false, false) => (minor, minor.saturating_add(PENNIES)),
        (false, true) => (minor.saturating_sub(PENNIES), minor),
    })
}

/// What a total that lies within these is looked for as.
pub(super) fn sought((least, most): (i64, i64)) -> Find {
    if least == most {
        return Find { amount_minor: Some(least), ..Find::default() };
    }
    Find { amount_within: Some((least, most)), ..Find::default() }
}

/// A currency alone, as its sign or its code in capitals (ISO 4217): three small letters may begin a name.
pub(super) fn currency(text: &str) -> Option<Currency> {
    const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
        CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL \
        HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
        MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
        SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND \
        VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";
    match text {
        "£" => Some(Currency::GBP),
        "€" => Some(Currency::EUR),
        code => CODES.split_whitespace().find(|known| *known == code)?.parse().ok(),
    }
}

/// An amount with its currency, before or behind it: `£30`, `GBP 30`, `1,250.00 EUR`; what it may mean is as [`within`] says.
pub(super) fn money(text: &str) -> Option<(Currency, (i64, i64))> {
    let text = text.trim();
    for (symbol, currency) in [('£', Currency::GBP), ('€', Currency::EUR)] {
        if let Some(rest) = text.strip_prefix(symbol).or_else(|| text.strip_suffix(symbol)) {
            return Some((currency, within(rest)?));
        }
    }
    let (one, other) = text.split_once(' ')?;
    let of = |currency: &str, amount: &str| Some((currency.parse().ok()?, within(amount)?));
    of(one, other).or_else(|| of(other, one))
}
