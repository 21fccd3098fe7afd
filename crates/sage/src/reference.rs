//! Fetches the reference set of a business: what translation and settings choose from.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    Decimal,
    business::{BankAccount, LedgerAccount, ReferenceList, ReferenceSet, TaxRate},
    money::{self, Currency},
    province::canadian_region,
};
use messages::message;
use serde_json::Value;

use crate::{
    Connection, Error,
    businesses::{named, text},
    connection::unreadable,
};

/// Canada's provinces and territories (ISO 3166-2): its rates hang on them.
const CANADIAN_REGIONS: &[&str] = &[
    "CA-AB", "CA-BC", "CA-MB", "CA-NB", "CA-NL", "CA-NS", "CA-NT", "CA-NU", "CA-ON", "CA-PE", "CA-QC",
    "CA-SK", "CA-YT",
];

/// Is told which list is about to be fetched.
pub type Progress<'a> = &'a (dyn Fn(ReferenceList) + Send + Sync);

/// Fetches all lists of the connection's business, one after the other.
pub async fn fetch_reference_set(
    connection: &Connection<'_>,
    progress: Progress<'_>,
) -> Result<ReferenceSet, Error> {
    progress(ReferenceList::Business);
    let business = connection.business(connection.business_id().unwrap_or("lead")).await?;
    let country = business.country.unwrap_or_default();
    let (region, postcode) = (business.region.as_deref(), business.postal_code.as_deref());
    let region = if country == "CA" { canadian_region(region, postcode) } else { None };
    progress(ReferenceList::FinancialSettings);
    let settings = FinancialSettings::fetch(connection).await?;
    progress(ReferenceList::TaxRates);
    let tax_rates = tax_rates(connection, &country).await?;
    progress(ReferenceList::LedgerAccounts);
    let ledger_accounts = ledger_accounts(connection).await?;
    progress(ReferenceList::BankAccounts);
    let bank_accounts = bank_accounts(connection).await?;
    progress(ReferenceList::PaymentMethods);
    let payment_methods = named(&connection.list_all("/payment_methods", &[]).await?);
    progress(ReferenceList::Currencies);
    let currencies = named(&connection.list_all("/currencies", &[]).await?);
    progress(ReferenceList::GoodsServicesTypes);
    let eu_goods_services_types =
        named(&optional(connection.list_all("/eu_goods_services_types", &[]).await)?);
    progress(ReferenceList::DefaultAccounts);
    let carriage_ledger_account_id = carriage_account(connection).await?;
    progress(ReferenceList::ExchangeRates);
    let exchange_rates =
        if settings.multi_currency_enabled { exchange_rates(connection).await? } else { BTreeMap::new() };
    Ok(ReferenceSet {
        country,
        base_currency: settings.base_currency,
        multi_currency_enabled: settings.multi_currency_enabled,
        registered_for_tax: settings.registered_for_tax,
        accounts_start_date: settings.accounts_start_date,
        tax_rates,
        ledger_accounts,
        bank_accounts,
        payment_methods,
        currencies,
        eu_goods_services_types,
        carriage_ledger_account_id,
        exchange_rates,
        region,
    })
}

/// Sage's own rates. That `rate` is base units for one foreign unit is not said by Sage; where it is not, every foreign document
/// stops at the comparison with Magento's rate, before anything is posted.
async fn exchange_rates(connection: &Connection<'_>) -> Result<BTreeMap<Currency, Decimal>, Error> {
    let items = optional(connection.list_all("/exchange_rates", &[("attributes", "rate,currency")]).await)?;
    let of = |item: &Value| {
        let currency: Currency = text(item.get("currency")?, "id")?.parse().ok()?;
        let rate = match item.get("rate")? {
            Value::Number(number) => money::parse_exact(number.as_str()).ok()?,
            Value::String(text) => money::parse_exact(text).ok()?,
            _ => return None,
        };
        Some((currency, rate))
    };
    Ok(items.iter().filter_map(of).collect())
}

/// What is needed of `/financial_settings`.
struct FinancialSettings {
    base_currency: Currency,
    multi_currency_enabled: bool,
    registered_for_tax: bool,
    accounts_start_date: Option<NaiveDate>,
}

impl FinancialSettings {
    async fn fetch(connection: &Connection<'_>) -> Result<Self, Error> {
        let answer = connection.get("/financial_settings", &[]).await?;
        let settings = &answer.body;
        let id = |name: &str| settings.get(name).and_then(|value| text(value, "id"));
        let Some(base_currency) = id("base_currency").and_then(|code| code.parse().ok()) else {
            return Err(unreadable(answer, message!(sage_answers.no_base_currency)));
        };
        Ok(Self {
            base_currency,
            multi_currency_enabled: settings.get("multi_currency_enabled").and_then(Value::as_bool)
                == Some(true),
            // Only Sage's own word takes tax off documents: without one it is sent, and Sage refuses what it cannot record.
            registered_for_tax: id("tax_scheme").as_deref() != Some("NOT_REGISTERED"),
            accounts_start_date: text(settings, "accounts_start_date").and_then(|date| date.parse().ok()),
        })
    }
}

async fn tax_rates(connection: &Connection<'_>, country: &str) -> Result<Vec<TaxRate>, Error> {
    let query = [("usage", "sales"), ("attributes", "name,percentage,percentages,is_visible")];
    let today = connection.client().limits.now().date_naive();
    let items = connection.list_all("/tax_rates", &query).await?;
    let mut rates: Vec<TaxRate> = items.iter().filter_map(|item| tax_rate(item, today)).collect();
    if country == "CA" {
        for region in CANADIAN_REGIONS {
            let query = [query[0], query[1], ("address_region_id", *region)];
            for item in optional(connection.list_all("/tax_rates", &query).await)? {
                if let Some(rate) = tax_rate(&item, today) {
                    serve(&mut rates, rate, region);
                }
            }
        }
        // What every province has (zero, exempt) belongs to none.
        for rate in rates.iter_mut().filter(|rate| rate.regions.len() == CANADIAN_REGIONS.len()) {
            rate.regions.clear();
        }
    }
    Ok(rates)
}

/// Notes that a rate serves a region.
fn serve(rates: &mut Vec<TaxRate>, rate: TaxRate, region: &str) {
    let region = region.to_owned();
    match rates.iter_mut().find(|known| known.id == rate.id) {
        Some(known) => known.regions.push(region),
        None => rates.push(TaxRate { regions: vec![region], ..rate }),
    }
}

/// A rate that may be chosen; none where it is hidden or has no percentage.
fn tax_rate(item: &Value, today: NaiveDate) -> Option<TaxRate> {
    if item.get("is_visible").and_then(Value::as_bool) == Some(false) {
        return None;
    }
    let percentage = amount(item.get("percentage")).or_else(|| percentage_on(item, today))?;
    let id = text(item, "id")?;
    let name = text(item, "name").or_else(|| text(item, "displayed_as")).unwrap_or_else(|| id.clone());
    Some(TaxRate { id, name, percentage, regions: Vec::new() })
}

/// The percentage in force on a day, of `percentages[{percentage, from_date, to_date}]`.
fn percentage_on(item: &Value, day: NaiveDate) -> Option<Decimal> {
    let date = |entry: &Value, name: &str| text(entry, name).and_then(|date| date.parse::<NaiveDate>().ok());
    let in_force = |entry: &&Value| {
        date(entry, "from_date").is_none_or(|from| from <= day)
            && date(entry, "to_date").is_none_or(|to| day <= to)
    };
    let entry = item.get("percentages")?.as_array()?.iter().find(in_force)?;
    amount(entry.get("percentage"))
}

fn amount(value: Option<&Value>) -> Option<Decimal> {
    match value? {
        Value::Number(number) => money::parse(number.as_str()).ok(),
        Value::String(text) => money::parse(text).ok(),
        _ => None,
    }
}

/// The accounts that may be used in sales or in expenses; Sage filters, so that its own idea of visible counts.
async fn ledger_accounts(connection: &Connection<'_>) -> Result<Vec<LedgerAccount>, Error> {
    let mut accounts: Vec<LedgerAccount> = Vec::new();
    for scope in ["sales", "expenses"] {
        let query = [("visible_in", scope), ("attributes", "display_name,nominal_code")];
        for item in connection.list_all("/ledger_accounts", &query).await? {
            let Some(id) = text(&item, "id") else { continue };
            if let Some(known) = accounts.iter_mut().find(|known| known.id == id) {
                known.visible_in_expenses = true;
                continue;
            }
            let name = text(&item, "displayed_as").or_else(|| text(&item, "display_name"));
            accounts.push(LedgerAccount {
                name: name.unwrap_or_else(|| id.clone()),
                id,
                nominal_code: item.get("nominal_code").and_then(Value::as_i64),
                visible_in_sales: scope == "sales",
                visible_in_expenses: scope == "expenses",
            });
        }
    }
    Ok(accounts)
}

async fn bank_accounts(connection: &Connection<'_>) -> Result<Vec<BankAccount>, Error> {
    let items = connection.list_all("/bank_accounts", &[("attributes", "currency,is_active")]).await?;
    let of = |item: &Value| {
        let id = text(item, "id")?;
        Some(BankAccount {
            name: text(item, "displayed_as").unwrap_or_else(|| id.clone()),
            id,
            currency: item.get("currency").and_then(|currency| text(currency, "id")?.parse().ok()),
            is_active: item.get("is_active").and_then(Value::as_bool).unwrap_or(true),
        })
    };
    Ok(items.iter().filter_map(of).collect())
}

/// The account that the shipping panel posts to; a user without the right to see settings simply has none to show.
async fn carriage_account(connection: &Connection<'_>) -> Result<Option<String>, Error> {
    match connection.get("/business_settings", &[]).await {
        Ok(answer) => Ok(answer
            .body
            .pointer("/default_ledger_accounts/carriage_ledger_account")
            .and_then(|account| text(account, "id"))),
        Err(Error::Forbidden(_) | Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A list that some countries lack.
fn optional(list: Result<Vec<Value>, Error>) -> Result<Vec<Value>, Error> {
    match list {
        Err(Error::NotFound(_) | Error::Rejected(_)) => Ok(Vec::new()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
