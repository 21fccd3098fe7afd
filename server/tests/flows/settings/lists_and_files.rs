//! What Sage's lists hold, who may send the form, and settings as a file.

use domain::business::ReferenceSet;

use super::*;

/// Keeps other lists of Sage's.
async fn keep_lists(page: &SettingsPage, set: ReferenceSet) {
    let lists = CachedReference { set, fetched_at: Machine.now() };
    page.sandbox.process.engine.store.put_reference(page.sandbox.binding.id, &lists, None).await.unwrap();
}

#[tokio::test]
async fn what_sage_no_longer_has_is_shown_as_missing_and_holds_the_save_and_a_restore() {
    let page_of_settings = SettingsPage::new().await;
    let store = &page_of_settings.sandbox.process.engine.store;
    let mut set = page_of_settings.sandbox.reference.clone();
    set.tax_rates.retain(|rate| rate.id != "GB_STANDARD");
    store
        .put_reference(
            page_of_settings.sandbox.binding.id,
            &CachedReference { set, fetched_at: Machine.now() },
            None,
        )
        .await
        .unwrap();
    let page = page_of_settings.get("").await;
    assert!(page.contains("value=\"(missing) GB_STANDARD\""));
    assert_eq!(said_at(&page, "default_tax_rate_id").as_deref(), Some("not_in_reference"));
    let held = page_of_settings.plain("save", &[("replaces", "1"), ("invoice_number_prefix", "WEB-")]).await;
    assert!(held.contains("value=\"WEB-\""), "what was typed is still there");
    assert_eq!(page_of_settings.restore("1", "1").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    // Fetching the lists again keeps what was typed, and finds the rate again.
    let page = page_of_settings.plain("refresh-lists", &[("invoice_number_prefix", "WEB-")]).await;
    assert!(page.contains("value=\"WEB-\"") && page.contains("lists are up to date"));
    assert_eq!(said_at(&page, "default_tax_rate_id"), None);
}

#[tokio::test]
async fn an_export_asks_for_the_password_and_can_be_brought_in_again() {
    let page_of_settings = SettingsPage::new().await;
    let export = async |password: &str| {
        page_of_settings.file().form(&[("do", "export"), ("password", password)]).send().await.unwrap()
    };
    let refused = page_of_settings.led(export("not-the-password").await).await;
    assert!(refused.contains("wrong_password") && !refused.contains("not-the-password"));
    let file = export(PASSWORD).await;
    assert!(file.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().contains("ledger-settings.json"));
    let file = file.text().await.unwrap();
    page_of_settings.save(1, &[("invoice_number_prefix", "WEB-")]).await;
    let page = page_of_settings.import(&file).await;
    assert!(page.contains("not saved yet") && !page.contains("value=\"WEB-\""));
    assert_eq!(page_of_settings.current().await.version, 2, "a file saves nothing by itself");
}

#[tokio::test]
async fn who_may_only_look_sees_the_settings_and_cannot_send_them() {
    let mut page_of_settings = SettingsPage::new().await;
    let organisation = page_of_settings.sandbox.organisation;
    for (role, status) in [(Role::Viewer, 403), (Role::Operator, 403), (Role::Accountant, 200)] {
        let email = format!("{role}@ledger.example");
        let _: MemberId = member(&page_of_settings.sandbox, organisation, &email, role).await;
        page_of_settings.cookie = sign_in(&page_of_settings.sandbox, &email, browser::PASSWORD).await;
        let page = page_of_settings.get("").await;
        let form = page.split("id=\"settings\"").nth(1).unwrap();
        let cards = form.split("<fieldset").nth(1).and_then(|rest| rest.split('>').next()).unwrap();
        assert_eq!(cards.contains("disabled"), status == 403, "{role}");
        let answer = page_of_settings.save(1, &[("invoice_number_prefix", "WEB-")]).await;
        assert_eq!(answer.status().as_u16(), status, "{role}");
    }
}

/// The size that the largest charts of accounts have.
#[tokio::test]
async fn five_thousand_accounts_are_all_there_to_choose_from() {
    let page_of_settings = SettingsPage::new().await;
    let mut set = page_of_settings.sandbox.reference.clone();
    let (account, rate) = (set.ledger_accounts[1].clone(), set.tax_rates[0].clone());
    for number in 0..5_000 {
        let mut account = account.clone();
        account.id = format!("account-{number}");
        account.name = format!("Sales of {number} ({})", 10_000 + number);
        account.nominal_code = Some(10_000 + number);
        set.ledger_accounts.push(account);
    }
    for number in 0..500 {
        let mut rate = rate.clone();
        rate.id = format!("RATE_{number}");
        rate.name = format!("Rate {number} 20.00%");
        set.tax_rates.push(rate);
    }
    keep_lists(&page_of_settings, set).await;
    let page = page_of_settings.get("").await;
    assert!(page.len() < 200_000, "the lists do not travel with the page: {} bytes", page.len());
    assert_eq!(page_of_settings.search("sales-accounts", "of 4999").await, ["Sales of 4999 (14999)"]);
    assert_eq!(page_of_settings.search("sales-accounts", "").await.len(), 20);
    assert_eq!(page_of_settings.search("time-zones", "new york").await[0], "America/New_York");
    let saved = page_of_settings
        .save(1, &[("fee_ledger_account_id", "14999"), ("default_tax_rate_id", "Rate 499 20.00%")])
        .await;
    assert_eq!(saved.status(), StatusCode::OK);
    assert_eq!(
        page_of_settings.current().await.settings.fee_ledger_account_id.as_deref(),
        Some("account-4999")
    );
}
