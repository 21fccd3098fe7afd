//! The reference set of a British business, and what other businesses lack.

use rust_decimal::Decimal;
use secrecy::SecretString;

use super::*;
use crate::{
    FixedToken,
    stub::{Sage, Scripted, answer},
};

fn list(items: &str) -> Scripted {
    answer(200, format!(r#"{{"$total":1,"$next":null,"$items":[{items}]}}"#))
}

/// What a British business answers.
fn british(target: &str) -> Scripted {
    match target.trim_start_matches("/v3.1") {
        "/businesses/b1" => answer(200, r#"{"id":"b1","name":"Teashop","country":{"id":"GB"}}"#),
        "/financial_settings" => answer(
            200,
            r#"{"base_currency":{"id":"GBP"},"multi_currency_enabled":true,"accounts_start_date":"2024-04-01","tax_scheme":{"id":"STANDARD"}}"#,
        ),
        "/business_settings" => {
            answer(200, r#"{"default_ledger_accounts":{"carriage_ledger_account":{"id":"l-carriage"}}}"#)
        }
        path if path.starts_with("/tax_rates?usage=sales&") => list(
            r#"{"id":"GB_STANDARD","displayed_as":"Standard 20.00%","name":"Standard","percentage":"20.0","is_visible":true},
               {"id":"GB_ZERO","displayed_as":"Zero","percentage":0},
               {"id":"GB_OLD","displayed_as":"Old","percentage":17.5,"is_visible":false},
               {"id":"GB_LOWER","displayed_as":"Lower","percentage":null,"percentages":[
                   {"percentage":"12.5","to_date":"2022-03-31"},{"percentage":5.0,"from_date":"2022-04-01","to_date":null}]},
               {"id":"GB_NOTHING","displayed_as":"No percentage"}"#,
        ),
        path if path.starts_with("/ledger_accounts?visible_in=sales&") => list(
            r#"{"id":"l1","displayed_as":"Sales - Products (4000)","nominal_code":4000},{"id":"l2","displayed_as":"Both (7000)"}"#,
        ),
        path if path.starts_with("/ledger_accounts?visible_in=expenses&") => {
            list(r#"{"id":"l2","displayed_as":"Both (7000)"},{"id":"l3","displayed_as":"Rent (7100)"}"#)
        }
        path if path.starts_with("/bank_accounts?") => list(
            r#"{"id":"k1","displayed_as":"Current","currency":{"id":"GBP"},"is_active":true},{"id":"k2","displayed_as":"Old","is_active":false}"#,
        ),
        path if path.starts_with("/payment_methods?") => list(r#"{"id":"CASH","displayed_as":"Cash"}"#),
        path if path.starts_with("/currencies?") => list(r#"{"id":"EUR","displayed_as":"Euro"}"#),
        path if path.starts_with("/eu_goods_services_types?") => {
            list(r#"{"id":"GOODS","displayed_as":"Goods"}"#)
        }
        other => answer(404, format!(r#"[{{"$message":"no {other}"}}]"#)),
    }
}

async fn fetch(
    answers: impl FnMut(&str) -> Scripted + Send + 'static,
) -> (Result<ReferenceSet, Error>, Sage) {
    let sage = Sage::answering(answers).await;
    let client = sage.client();
    let tokens = FixedToken(SecretString::from("t"));
    (fetch_reference_set(&Connection::new(&client, "b1", &tokens), &|_| ()).await, sage)
}

#[tokio::test]
async fn the_lists_of_a_british_business_are_fetched() {
    let (set, sage) = fetch(british).await;
    let set = set.unwrap();
    assert_eq!((set.country.as_str(), set.base_currency), ("GB", Currency::GBP));
    assert!(set.multi_currency_enabled && set.registered_for_tax);
    assert_eq!(set.accounts_start_date, NaiveDate::from_ymd_opt(2024, 4, 1));
    let rates: Vec<(&str, Decimal)> =
        set.tax_rates.iter().map(|rate| (rate.id.as_str(), rate.percentage)).collect();
    assert_eq!(
        rates,
        [("GB_STANDARD", Decimal::from(20)), ("GB_ZERO", Decimal::ZERO), ("GB_LOWER", Decimal::from(5))]
    );
    let accounts: Vec<(&str, bool, bool)> = set
        .ledger_accounts
        .iter()
        .map(|account| (account.id.as_str(), account.visible_in_sales, account.visible_in_expenses))
        .collect();
    assert_eq!(accounts, [("l1", true, false), ("l2", true, true), ("l3", false, true)]);
    assert_eq!(set.ledger_accounts[0].nominal_code, Some(4000));
    assert_eq!(set.bank_accounts[0].currency, Some(Currency::GBP));
    assert!(set.bank_accounts[0].is_active && !set.bank_accounts[1].is_active);
    assert_eq!(set.payment_methods[0].id, "CASH");
    assert_eq!(set.currencies[0].name, "Euro");
    assert_eq!(set.eu_goods_services_types[0].id, "GOODS");
    assert_eq!(set.carriage_ledger_account_id.as_deref(), Some("l-carriage"));
    assert!(sage.seen().iter().all(|seen| seen.header("x-business") == Some("b1")));
}

#[tokio::test]
async fn what_a_business_lacks_is_left_empty_and_what_it_must_have_is_an_error() {
    let (set, _) = fetch(|target| match target.trim_start_matches("/v3.1") {
        "/business_settings" => answer(403, r#"[{"$dataCode":"MultiUserAccessDenied","$message":"no"}]"#),
        path if path.starts_with("/eu_goods") => {
            answer(404, r#"[{"$dataCode":"RecordNotFound","$message":"no"}]"#)
        }
        "/financial_settings" => {
            answer(200, r#"{"base_currency":{"id":"GBP"},"tax_scheme":{"id":"NOT_REGISTERED"}}"#)
        }
        _ => british(target),
    })
    .await;
    let set = set.unwrap();
    assert!(!set.registered_for_tax && !set.multi_currency_enabled);
    assert_eq!(set.carriage_ledger_account_id, None);
    assert!(set.eu_goods_services_types.is_empty());
    let (set, _) =
        fetch(
            |target| {
                if target.ends_with("/financial_settings") { answer(200, "{}") } else { british(target) }
            },
        )
        .await;
    assert!(matches!(set.unwrap_err(), Error::InvalidResponse { .. }));
}

#[tokio::test]
async fn a_canadian_business_brings_the_rates_of_every_province_and_its_own() {
    let (set, sage) = fetch(|target| match target.trim_start_matches("/v3.1") {
        "/businesses/b1" => answer(200, r#"{"id":"b1","name":"Maple","region":"ON","country":{"id":"CA"}}"#),
        path if path.contains("address_region_id=CA-BC") => {
            list(r#"{"id":"CA_GST_PST_BC","displayed_as":"GST/PST BC","percentage":"12.0"}"#)
        }
        path if path.contains("address_region_id=CA-YT") => {
            answer(422, r#"[{"$dataCode":"Validation","$message":"no"}]"#)
        }
        path if path.starts_with("/tax_rates") => {
            list(r#"{"id":"CA_GST","displayed_as":"GST","percentage":"5.0"}"#)
        }
        _ => british(target),
    })
    .await;
    let set = set.unwrap();
    let ids: Vec<String> = set.tax_rates.into_iter().map(|rate| rate.id).collect();
    assert_eq!(ids, ["CA_GST", "CA_GST_PST_BC"]);
    assert_eq!(set.region.as_deref(), Some("CA-ON"), "exports are taxed in the business's own province");
    assert_eq!(sage.targets().iter().filter(|target| target.contains("/tax_rates")).count(), 14);
}
