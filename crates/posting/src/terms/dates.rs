//! The day of a document: the shop's local day, because Magento's times are UTC and a UTC day is wrong around midnight, which
//! would move tax between periods.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::{business::ReferenceSet, code::Code, plan::Rule, settings::Settings};
use messages::message;

use crate::findings::{Findings, NotPosted};

/// The time zone that a business's days are counted in: its province's where that is known, else its country's.
fn own_zone(reference: &ReferenceSet) -> Tz {
    let province = reference.own_region().and_then(|region| region.strip_prefix("CA-"));
    province
        .filter(|_| reference.country == "CA")
        .and_then(zone_of_province)
        .unwrap_or_else(|| zone_of(&reference.country))
}

/// The time zone of most of a Canadian province (tz database, zone1970.tab).
fn zone_of_province(code: &str) -> Option<Tz> {
    Some(match code {
        "AB" => Tz::America__Edmonton,
        "BC" => Tz::America__Vancouver,
        "MB" => Tz::America__Winnipeg,
        "NB" => Tz::America__Moncton,
        "NL" => Tz::America__St_Johns,
        "NS" | "PE" => Tz::America__Halifax,
        "NT" => Tz::America__Yellowknife,
        "NU" => Tz::America__Iqaluit,
        "ON" | "QC" => Tz::America__Toronto,
        "SK" => Tz::America__Regina,
        "YT" => Tz::America__Whitehorse,
        _ => return None,
    })
}

/// The time zone of a business's country; UTC where the country is none of Sage's.
fn zone_of(country: &str) -> Tz {
    match country {
        "GB" => Tz::Europe__London,
        "IE" => Tz::Europe__Dublin,
        "CA" => Tz::America__Toronto,
        "US" => Tz::America__New_York,
        "FR" => Tz::Europe__Paris,
        "ES" => Tz::Europe__Madrid,
        "DE" => Tz::Europe__Berlin,
        _ => Tz::UTC,
    }
}

/// The shop's local day of an instant, for days that Sage takes whatever its books say, such as that of an earlier document.
pub fn local_day(instant: DateTime<Utc>, settings: &Settings, reference: &ReferenceSet) -> NaiveDate {
    let named = settings.document_time_zone.as_deref().and_then(|name| name.parse::<Tz>().ok());
    instant.with_timezone(&named.unwrap_or_else(|| own_zone(reference))).date_naive()
}

/// The day of a document, and how it was found.
#[derive(Debug)]
pub(crate) struct DocumentDay {
    /// The day.
    pub day: NaiveDate,
    /// The zone that days are counted in.
    pub zone: Tz,
    /// Why it is this day.
    pub rule: Rule,
}

/// The day of an instant for these settings and business, its rule among the plan's; refused when it lies before the day from which Sage
/// keeps its books.
pub(crate) fn document_day(
    instant: DateTime<Utc>,
    what: &str,
    settings: &Settings,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<NaiveDate, NotPosted> {
    let DocumentDay { day, rule, .. } = unnoted_day(instant, what, settings, reference, findings)?;
    findings.add(rule);
    Ok(day)
}

/// The same for a document that notes the rule later.
pub(crate) fn unnoted_day(
    instant: DateTime<Utc>,
    what: &str,
    settings: &Settings,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Result<DocumentDay, NotPosted> {
    let zone = match settings.document_time_zone.as_deref() {
        None => own_zone(reference),
        Some(name) => name.parse().unwrap_or_else(|_| {
            findings.note(message!(plan_notes.unknown_time_zone, name = name));
            own_zone(reference)
        }),
    };
    let day = instant.with_timezone(&zone).date_naive();
    let rule = if settings.document_time_zone.is_some() {
        "document_time_zone"
    } else if zone == zone_of(&reference.country) {
        message!(reasons.country_time_zone)
    } else {
        message!(reasons.province_time_zone)
    };
    let rule = Rule {
        subject: format!("{what} date"),
        chosen: day.to_string(),
        rule: rule.to_owned(),
        input: format!("{} in {zone}", instant.to_rfc3339()),
    };
    match reference.accounts_start_date {
        Some(start) if day < start => {
            findings.add(rule);
            Err(findings.fail(
                Code::BeforeAccountsStart,
                message!(plan.before_start, document = what, day = day, start = start),
            ))
        }
        _ => Ok(DocumentDay { day, zone, rule }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_british_order_of_half_past_midnight_in_july_keeps_its_day() {
        let (settings, reference) = (fixtures::settings(), fixtures::reference());
        let instant = "2026-07-01T23:30:00Z".parse().unwrap();
        let day = document_day(instant, "invoice", &settings, &reference, &mut Findings::default()).unwrap();
        assert_eq!(day.to_string(), "2026-07-02");
        let settings = Settings { document_time_zone: Some("America/Vancouver".to_owned()), ..settings };
        let day = document_day(instant, "invoice", &settings, &reference, &mut Findings::default()).unwrap();
        assert_eq!(day.to_string(), "2026-07-01");
    }

    #[test]
    fn a_sale_of_new_year_s_eve_in_vancouver_belongs_to_the_old_year() {
        let (settings, reference) = (fixtures::settings(), fixtures::reference());
        let instant = "2027-01-01T06:30:00Z".parse().unwrap();
        let day = |country: &str, region: Option<&str>| {
            let region = region.map(str::to_owned);
            local_day(
                instant,
                &settings,
                &ReferenceSet { country: country.to_owned(), region, ..reference.clone() },
            )
        };
        for (region, expected) in [
            (Some("CA-BC"), "2026-12-31"),
            (Some("CA-NL"), "2027-01-01"),
            (None, "2027-01-01"),
            (Some("CA-XX"), "2027-01-01"),
        ] {
            assert_eq!(day("CA", region).to_string(), expected, "{region:?}");
        }
        assert_eq!(day("GB", Some("CA-BC")).to_string(), "2027-01-01");
    }

    #[test]
    fn a_day_before_the_books_begin_is_refused() {
        let reference =
            ReferenceSet { accounts_start_date: "2026-07-02".parse().ok(), ..fixtures::reference() };
        let instant = "2026-07-01T12:00:00Z".parse().unwrap();
        let ended =
            document_day(instant, "invoice", &fixtures::settings(), &reference, &mut Findings::default())
                .unwrap_err();
        assert_eq!(ended.code, Some(Code::BeforeAccountsStart));
    }
}
