//! What a field of the settings can be: looked up in the cached lists while somebody types.

use domain::settings::{
    List, Settings,
    cards::{self, Kind},
    form::LEAVE_UNPAID,
    time_zones,
};
use views::{
    error::{AppError, ErrorCode},
    settings::Entry,
};

use super::{
    countries::COUNTRIES,
    form::{METHOD_ACCOUNTS, SettingsForm, ZONES, word},
};
use crate::{Member, Services};

/// How many entries are shown at once.
const MOST: usize = 20;

/// The list of countries.
const COUNTRY_LIST: &str = "countries";

/// The first entries of a list that a text is found in.
pub async fn search(
    services: &Services,
    member: &Member,
    id: &str,
    list: &str,
    text: &str,
) -> Result<Vec<Entry>, AppError> {
    let settings_form = SettingsForm::of(services, member, id).await?;
    let (name, with_unpaid) = match list {
        METHOD_ACCOUNTS => (List::BankAccounts.as_str(), true),
        _ => (list, false),
    };
    let found = match (name, List::named(name)) {
        (_, Some(list)) => {
            let settings = settings_form.settings();
            let found = settings_form.lists.search(list, text, MOST).into_iter();
            let entry = |choice: &domain::settings::Choice| Entry {
                list: list.as_str().to_owned(),
                id: choice.id.clone(),
                text: choice.text.clone(),
                number: choice.number,
                note: used_for(&settings, list, &choice.id),
            };
            let unpaid = with_unpaid && LEAVE_UNPAID.to_lowercase().contains(&text.trim().to_lowercase());
            let unpaid = unpaid.then(|| Entry { text: LEAVE_UNPAID.to_owned(), ..Entry::default() });
            unpaid.into_iter().chain(found.map(entry)).collect()
        }
        (ZONES, _) => zones(text),
        (COUNTRY_LIST, _) => countries(text),
        _ => return Err(ErrorCode::NotFound.into()),
    };
    Ok(found)
}

fn zones(text: &str) -> Vec<Entry> {
    let text = text.trim().to_lowercase().replace(' ', "_");
    let found = time_zones().filter(|zone| zone.to_lowercase().contains(&text));
    found.take(MOST).map(|zone| word(ZONES, zone)).collect()
}

fn countries(text: &str) -> Vec<Entry> {
    let text = text.trim().to_lowercase();
    let is_code = |code: &str| code.eq_ignore_ascii_case(&text);
    let by_code = COUNTRIES.iter().filter(|(code, _)| is_code(code));
    let is_start = |name: &str| name.to_lowercase().starts_with(&text);
    let by_start = COUNTRIES.iter().filter(|(code, name)| !is_code(code) && is_start(name));
    let by_part = COUNTRIES
        .iter()
        .filter(|(code, name)| !is_code(code) && !is_start(name) && name.to_lowercase().contains(&text));
    let entry = |(code, name): &(&str, &str)| Entry { note: (*name).to_owned(), ..word(COUNTRY_LIST, code) };
    by_code.chain(by_start).chain(by_part).take(MOST).map(entry).collect()
}

/// What else an entry is chosen for, in the settings in force.
fn used_for(settings: &Settings, list: List, id: &str) -> String {
    let mut settings = settings.clone();
    let mut uses: Vec<&str> = Vec::new();
    for field in cards::fields() {
        let is_used = match field.kind {
            Kind::Pick(own, of) => own == list && of(&mut settings).as_deref() == Some(id),
            Kind::TaxRates => list == List::TaxRates && settings.tax_rate_map.values().any(|own| own == id),
            Kind::PaymentMethods => {
                let mut banks = settings.payment_method_map.values();
                list == List::BankAccounts && banks.any(|bank| bank.as_deref() == Some(id))
            }
            _ => false,
        };
        if is_used {
            uses.push(field.label);
        }
    }
    if uses.is_empty() { String::new() } else { format!("Used for {}", uses.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_code_and_by_name() {
        let found = |text| countries(text).into_iter().map(|entry| entry.text).collect::<Vec<_>>();
        for typed in ["ire", "ie", "Ireland"] {
            assert_eq!(found(typed).first().map(String::as_str), Some("IE"), "{typed}");
        }
        assert_eq!(found("").len(), MOST);
    }

    #[test]
    fn time_zones_are_found_by_any_part() {
        assert_eq!(zones("new york").first().map(|zone| zone.text.as_str()), Some("America/New_York"));
    }
}
