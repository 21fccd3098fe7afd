//! The settings page: what is wrong is said at its field, whoever sends it; what is typed is not lost; who crosses whom is told.

mod lists_and_files;

use domain::{environment::Environment, ids::MemberId, run::Role, settings::Settings};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, multipart, redirect};
use serde_json::Value;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{CachedReference, SettingsVersion};

use crate::browser::{self, member, sign_in};

/// Somebody at the settings of the stage's shop.
struct SettingsPage {
    sandbox: Sandbox,
    browser: Client,
    cookie: String,
    url: String,
}

impl SettingsPage {
    async fn new() -> Self {
        let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
        let cookie = sign_in(&sandbox, EMAIL, PASSWORD).await;
        let url = format!("{}/dashboard/bindings/{}/settings", sandbox.url(), sandbox.binding.id);
        let browser = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { sandbox, browser, cookie, url }
    }

    async fn get(&self, below: &str) -> String {
        let request = self.browser.get(format!("{}{below}", self.url)).header(header::COOKIE, &self.cookie);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// A call, as an island makes it.
    async fn call(&self, function: &str, form: &[(&str, &str)]) -> Response {
        self.request(function, form).send().await.unwrap()
    }

    fn request(&self, function: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}/api/settings/{function}", self.sandbox.url());
        let binding = self.sandbox.binding.id.to_string();
        let request = self.browser.post(url).header(header::COOKIE, &self.cookie);
        request.form(&[form, &[("binding", binding.as_str())]].concat())
    }

    async fn save(&self, replaces: i64, form: &[(&str, &str)]) -> Response {
        let replaces = replaces.to_string();
        self.call("save", &[form, &[("replaces", &replaces)]].concat()).await
    }

    /// The page that a browser without JavaScript is led to.
    async fn plain(&self, function: &str, form: &[(&str, &str)]) -> String {
        self.led(self.request(function, form).header(header::ACCEPT, "text/html").send().await.unwrap()).await
    }

    async fn led(&self, answer: Response) -> String {
        assert!(answer.status().is_redirection(), "{}", answer.status());
        let location = answer.headers()[header::LOCATION].to_str().unwrap();
        let path = location.strip_prefix(&self.sandbox.url()).unwrap_or(location);
        let request = self.browser.get(format!("{}{path}", self.sandbox.url()));
        request.header(header::COOKIE, &self.cookie).send().await.unwrap().text().await.unwrap()
    }

    async fn restore(&self, version: &str, replaces: &str) -> Response {
        self.call("restore", &[("version", version), ("replaces", replaces)]).await
    }

    /// The texts that a search finds.
    async fn search(&self, list: &str, text: &str) -> Vec<String> {
        let found: Value =
            self.call("search-reference", &[("list", list), ("text", text)]).await.json().await.unwrap();
        let rows = found.as_array().unwrap().iter();
        rows.map(|row| row[3].as_str().unwrap().to_owned()).collect()
    }

    fn file(&self) -> RequestBuilder {
        self.browser.post(format!("{}/file", self.url)).header(header::COOKIE, &self.cookie)
    }

    /// The page that a file fills in.
    async fn import(&self, file: &str) -> String {
        let form = multipart::Form::new().text("do", "import").text("file", file.to_owned());
        self.led(self.file().multipart(form).send().await.unwrap()).await
    }

    async fn current(&self) -> SettingsVersion {
        let store = &self.sandbox.process.engine.store;
        store.current_settings(self.sandbox.binding.id).await.unwrap().unwrap()
    }
}

/// What the page says at the place of an id: code and sentence.
fn said_at(page: &str, id: &str) -> Option<String> {
    let place = page.split_once(&format!("id=\"{id}-error\""))?.1;
    let (tag, rest) = place.split_once('>')?;
    let code = tag.split_once("data-code=\"")?.1.split_once('"')?.0;
    let sentence = rest.split_once('<')?.0;
    assert!(!sentence.trim().is_empty(), "{id} has a code and no sentence");
    Some(code.to_owned())
}

/// What an answer says of a path.
async fn problem(answer: Response, path: &str) -> Option<String> {
    let answer: Value = answer.json().await.unwrap();
    let mut rows = answer.as_array().unwrap().iter();
    rows.find(|row| row[0] == "problem" && row[1] == path)?[2].as_str().map(str::to_owned)
}

/// A rule that is broken: by the form's names and values, where its code stands then, and which it is.
type Broken = (&'static [(&'static str, &'static str)], &'static str, &'static str);

const BROKEN: &[Broken] = &[
    (&[("sync_unpaid_invoices", "perhaps")], "sync_unpaid_invoices", "invalid_format"),
    (&[("sync_zero_value_invoices", "2")], "sync_zero_value_invoices", "invalid_format"),
    (&[("sync_since", "yesterday")], "sync_since", "invalid_format"),
    (&[("sync_since", "2026-02-30T10:00")], "sync_since", "out_of_range"),
    (&[("website_filter", "1, two")], "website_filter", "invalid_format"),
    (&[("website_filter", "-1")], "website_filter", "out_of_range"),
    (&[("store_filter", "-1")], "store_filter", "out_of_range"),
    (&[("sync_stock", "true")], "sync_stock", "conflict"),
    (&[("safe_mode", "sometimes")], "safe_mode", "invalid_format"),
    (&[("default_tax_rate_id", "")], "default_tax_rate_id", "required"),
    (&[("default_tax_rate_id", "GONE")], "default_tax_rate_id", "not_in_reference"),
    (&[("default_ledger_account_id", "")], "default_ledger_account_id", "required"),
    (&[("default_ledger_account_id", "gone")], "default_ledger_account_id", "not_in_reference"),
    (&[("default_bank_account_id", "gone")], "default_bank_account_id", "not_in_reference"),
    (&[("sync_products", "true")], "default_purchase_ledger_account_id", "required"),
    (
        &[("default_purchase_ledger_account_id", "gone")],
        "default_purchase_ledger_account_id",
        "not_in_reference",
    ),
    (&[("shipping_ledger_account_id", "gone")], "shipping_ledger_account_id", "not_in_reference"),
    (&[("discount_ledger_account_id", "gone")], "discount_ledger_account_id", "not_in_reference"),
    (&[("gift_card_ledger_account_id", "gone")], "gift_card_ledger_account_id", "not_in_reference"),
    (&[("fee_ledger_account_id", "gone")], "fee_ledger_account_id", "not_in_reference"),
    (&[("adjustment_ledger_account_id", "gone")], "adjustment_ledger_account_id", "not_in_reference"),
    (&[("foreign_tax_ledger_account_id", "gone")], "foreign_tax_ledger_account_id", "not_in_reference"),
    (
        &[("payment_method_map.key", "odd"), ("payment_method_map.value", "gone")],
        "payment_method_map.odd",
        "not_in_reference",
    ),
    (&[("record_refunds", "maybe")], "record_refunds", "invalid_format"),
    (&[("tax_rate_map.key", "x"), ("tax_rate_map.value", "GB_ZERO")], "tax_rate_map.x", "invalid_format"),
    (&[("tax_rate_map.key", "200"), ("tax_rate_map.value", "GB_ZERO")], "tax_rate_map.200", "out_of_range"),
    (&[("tax_rate_map.key", "20"), ("tax_rate_map.value", "GONE")], "tax_rate_map.20", "not_in_reference"),
    (&[("tax_rate_map.key", "20"), ("tax_rate_map.value", "")], "tax_rate_map.20", "required"),
    (&[("tax_undetermined", "guess")], "tax_undetermined", "invalid_format"),
    (&[("invoice_number_prefix", "MAGENTO-SHOP-")], "invoice_number_prefix", "too_long"),
    (&[("customer_name_priority", "pet")], "customer_name_priority", "invalid_format"),
    (&[("document_time_zone", "Europe/Nowhere")], "document_time_zone", "invalid_format"),
    (&[("default_eu_goods_services_type", "AIR")], "default_eu_goods_services_type", "invalid_format"),
    (
        &[("product_type_eu_goods_map.key", "simple"), ("product_type_eu_goods_map.value", "AIR")],
        "product_type_eu_goods_map.simple",
        "invalid_format",
    ),
    (&[("mixed_goods_services", "stir")], "mixed_goods_services", "invalid_format"),
    (&[("consolidation.enabled", "yes")], "consolidation.enabled", "invalid_format"),
    (
        &[("consolidation.enabled", "true"), ("consolidation.fallback_contact_name", " ")],
        "consolidation.fallback_contact_name",
        "required",
    ),
    (
        &[("consolidation.enabled", "true"), ("consolidation.fallback_contact_email", "web@shop")],
        "consolidation.fallback_contact_email",
        "invalid_format",
    ),
    (
        &[("consolidation.enabled", "true"), ("consolidation.fallback_contact_reference", "TENLETTERS")],
        "consolidation.fallback_contact_reference",
        "too_long",
    ),
    (
        &[("consolidation.min_total_for_individual", "-1")],
        "consolidation.min_total_for_individual",
        "out_of_range",
    ),
    (
        &[("consolidation.min_total_for_individual", "1.234")],
        "consolidation.min_total_for_individual",
        "invalid_format",
    ),
    (
        &[("consolidation.always_individual_for_b2b", "x")],
        "consolidation.always_individual_for_b2b",
        "invalid_format",
    ),
];

#[tokio::test]
async fn every_rule_is_said_at_its_field_to_a_hand_made_request_and_nothing_is_saved() {
    let page_of_settings = SettingsPage::new().await;
    for (form, path, code) in BROKEN {
        let answer = page_of_settings.save(1, form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert_eq!(problem(answer, path).await.as_deref(), Some(*code), "{form:?}");
        let checked = page_of_settings.call("check", form).await;
        assert_eq!(problem(checked, path).await.as_deref(), Some(*code), "{form:?}");
    }
    // A browser without JavaScript is led to the page, where what was typed stands with what is wrong.
    let page = page_of_settings
        .plain("save", &[("replaces", "1"), ("invoice_number_prefix", "MAGENTO-SHOP-")])
        .await;
    assert_eq!(said_at(&page, "invoice_number_prefix").as_deref(), Some("too_long"));
    assert!(page.contains("value=\"MAGENTO-SHOP-\"") && page.contains("Error: Settings"));
    // Reloaded, it is there again; opened without the draft, it is not.
    assert!(page_of_settings.get("?draft=1").await.contains("value=\"MAGENTO-SHOP-\""));
    assert!(!page_of_settings.get("").await.contains("MAGENTO-SHOP-"));
    assert_eq!(page_of_settings.current().await.version, 1);
}

type Breaks = fn(&mut Settings);

/// A file may hold what no form sends; it fills in the form, and what is wrong with it stands there.
#[tokio::test]
async fn what_is_wrong_in_a_file_is_said_at_its_field() {
    let page_of_settings = SettingsPage::new().await;
    let good = page_of_settings.current().await.settings;
    let file = |settings: &serde_json::Value| {
        serde_json::json!({ "kind": "ledger settings 1", "settings": settings }).to_string()
    };
    let breaks: &[(Breaks, &str, &str)] = &[
        (|settings| settings.website_filter = vec![-1], "website_filter", "out_of_range"),
        (
            |settings| settings.default_tax_rate_id = Some("GONE".to_owned()),
            "default_tax_rate_id",
            "not_in_reference",
        ),
        (|settings| settings.default_ledger_account_id = None, "default_ledger_account_id", "required"),
        (
            |settings| settings.document_time_zone = Some("Mars".to_owned()),
            "document_time_zone",
            "invalid_format",
        ),
        (
            |settings| settings.default_eu_goods_services_type = "goods".to_owned(),
            "default_eu_goods_services_type",
            "invalid_format",
        ),
        (
            |settings| settings.invoice_number_prefix = Some("MAGENTO-SHOP-".to_owned()),
            "invoice_number_prefix",
            "too_long",
        ),
        (|settings| settings.sync_stock = true, "sync_stock", "conflict"),
    ];
    for (breaks, id, code) in breaks {
        let mut settings = good.clone();
        breaks(&mut settings);
        let page = page_of_settings.import(&file(&serde_json::to_value(&settings).unwrap())).await;
        assert_eq!(said_at(&page, id).as_deref(), Some(*code), "{id}");
    }
    for other in
        ["", "{}", "\u{0}\u{1}", "{\"kind\":\"ledger settings 1\",\"settings\":{\"website_filter\":\"x\"}}"]
    {
        assert!(page_of_settings.import(other).await.contains("settings_file"), "{other}");
    }
    assert_eq!(page_of_settings.current().await.version, 1);
}

#[tokio::test]
async fn a_save_makes_a_version_that_says_who_and_why_and_what_differs() {
    let page_of_settings = SettingsPage::new().await;
    let answer = page_of_settings
        .save(
            1,
            &[
                ("invoice_number_prefix", "WEB-"),
                ("fee_ledger_account_id", "4010"),
                ("reason", "Two shops now"),
            ],
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let saved = page_of_settings.current().await;
    assert_eq!(saved.version, 2);
    assert_eq!(saved.settings.invoice_number_prefix.as_deref(), Some("WEB-"));
    assert_eq!(saved.settings.fee_ledger_account_id.as_deref(), Some("e09df6330e6f4fe12bde8ea26f5dd5be"));
    assert_eq!(saved.reason.as_deref(), Some("Two shops now"));
    let versions = page_of_settings.get("/versions").await;
    for said in
        ["Version 2", "Current", "Two shops now", "WEB-", "Sales - Services (4010)", "Restore version 1"]
    {
        assert!(versions.contains(said), "{said}");
    }
    // Saving the same again makes none.
    assert_eq!(page_of_settings.save(2, &[]).await.status(), StatusCode::OK);
    assert_eq!(page_of_settings.current().await.version, 2);

    assert_eq!(page_of_settings.restore("1", "2").await.status(), StatusCode::OK);
    let restored = page_of_settings.current().await;
    assert_eq!((restored.version, restored.settings.invoice_number_prefix), (3, None));
    let one = page_of_settings.get("/versions/3").await;
    assert!(one.contains("Version 1 again") && one.contains("No runs with this version"));
}

#[tokio::test]
async fn of_two_who_save_at_once_both_are_kept_and_only_what_both_changed_is_asked_for() {
    let page_of_settings = SettingsPage::new().await;
    let first = page_of_settings.save(1, &[("invoice_number_prefix", "ONE-"), ("safe_mode", "never")]).await;
    assert_eq!(first.status(), StatusCode::OK);
    // Another field: both are saved, and nothing is asked.
    assert_eq!(page_of_settings.save(1, &[("record_refunds", "false")]).await.status(), StatusCode::OK);
    let SettingsVersion { version, settings: both, .. } = page_of_settings.current().await;
    assert_eq!(version, 3);
    assert_eq!((both.invoice_number_prefix.as_deref(), both.record_refunds), (Some("ONE-"), false));
    // The same field.
    let mine = [("invoice_number_prefix", "TWO-"), ("sync_zero_value_invoices", "false")];
    let answer = page_of_settings.save(1, &mine).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let answer: Value = answer.json().await.unwrap();
    let asked: Vec<_> = answer.as_array().unwrap().iter().filter(|row| row[0] == "asked").collect();
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0][3], &asked[0][5]), (&"ONE-".into(), &"TWO-".into()));
    // Without JavaScript the page shows it, with both people's other changes.
    let page = page_of_settings.plain("save", &[&mine[..], &[("replaces", "1")]].concat()).await;
    for said in
        ["settings_changed", "saved version 3", "ONE-", "value=\"TWO-\"", "name=\"replaces\" value=\"3\""]
    {
        assert!(page.contains(said), "{said}");
    }
    // Having seen it, they mean it; what the other one changed besides stays.
    assert_eq!(page_of_settings.save(3, &mine).await.status(), StatusCode::OK);
    let saved = page_of_settings.current().await;
    assert_eq!((saved.version, saved.settings.record_refunds), (4, false));
    assert_eq!(saved.settings.invoice_number_prefix.as_deref(), Some("TWO-"));
}

#[tokio::test]
async fn what_a_form_stands_upon_does_not_move_on_by_itself() {
    let page_of_settings = SettingsPage::new().await;
    let first = page_of_settings.save(1, &[("invoice_number_prefix", "ONE-")]).await;
    assert_eq!(first.status(), StatusCode::OK);
    // Whatever the second sends that only comes back is still theirs, made upon version 1.
    for (function, form) in [
        ("save", &[("replaces", "1"), ("safe_mode", "sometimes")][..]),
        ("check", &[("replaces", "1"), ("more", "tax_rate_map")]),
        ("refresh-lists", &[("replaces", "1")]),
    ] {
        let page = page_of_settings.plain(function, form).await;
        let field = page.split("<input").find(|tag| tag.contains("name=\"replaces\"")).unwrap();
        assert!(field.contains("value=\"1\""), "{form:?}: {}", &field[..80]);
    }
    // A restore is made upon what its page showed, too.
    let crossed = page_of_settings.save(1, &[("invoice_number_prefix", "TWO-")]).await;
    assert_eq!(crossed.status(), StatusCode::CONFLICT);
    assert_eq!(page_of_settings.current().await.version, 2);
}

#[tokio::test]
async fn more_rows_are_given_and_what_is_typed_stays() {
    let page_of_settings = SettingsPage::new().await;
    let page = page_of_settings.get("").await;
    let rows = |page: &str| page.matches("name=\"tax_rate_map.percentage\"").count();
    let sent = [("replaces", "1"), ("invoice_number_prefix", "KEPT-"), ("more", "tax_rate_map")];
    let more = page_of_settings.plain("check", &sent).await;
    // The form that was sent has no rows: the three that a page begins with, and three more.
    assert!(rows(&page) >= 3);
    assert_eq!(rows(&more), 3 + 3);
    assert!(more.contains("value=\"KEPT-\""));
}
