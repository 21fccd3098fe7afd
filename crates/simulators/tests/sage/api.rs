//! A simulator with a client that has been let in.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta};
use reqwest::{Method, StatusCode, redirect};
use serde_json::{Value, json};
use simulators::sage::{self, Options, Running};

/// Where consent returns to.
pub const CALLBACK: &str = "http://127.0.0.1:9999/oauth/sage/callback";

/// A simulator, a clock that can be moved, and a client that has been let in.
pub struct Api {
    pub running: Running,
    pub seconds: Arc<AtomicI64>,
    pub http: reqwest::Client,
    pub token: String,
    pub refresh: String,
    pub business: Option<String>,
}

/// Status, headers and body of an answer.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Api {
    pub async fn new() -> Self {
        let seconds = Arc::new(AtomicI64::new(0));
        let moved = Arc::clone(&seconds);
        let start = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let clock = Arc::new(move || start + TimeDelta::seconds(moved.load(Ordering::SeqCst)));
        let running = sage::start(Options { clock, ..Options::default() }).await.unwrap();
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let mut api =
            Self { running, seconds, http, token: String::new(), refresh: String::new(), business: None };
        let code = api.authorize(&[]).await;
        let tokens = api.redeem(&code, &[]).await;
        tokens.body["access_token"].as_str().unwrap().clone_into(&mut api.token);
        tokens.body["refresh_token"].as_str().unwrap().clone_into(&mut api.refresh);
        api
    }

    pub fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Approves and returns the code.
    pub async fn authorize(&self, more: &[(&str, &str)]) -> String {
        let base = [
            ("filter", "apiv3.1"),
            ("response_type", "code"),
            ("client_id", "ledger"),
            ("redirect_uri", CALLBACK),
            ("scope", "full_access"),
            ("state", "st"),
            ("approve", "1"),
        ];
        let query: Vec<_> = base.iter().chain(more).collect();
        let url = format!("{}/oauth2/auth/central", self.running.url());
        let answer = self.http.get(url).query(&query).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND);
        let location = answer.headers()["location"].to_str().unwrap();
        let url = url::Url::parse(location).unwrap();
        assert!(location.contains("code=GB%2F"), "{location}");
        assert!(url.query_pairs().any(|(key, value)| key == "state" && value == "st"));
        assert!(url.query_pairs().any(|(key, value)| key == "country" && value == "GB"));
        url.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned()
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.running.url());
        let client = [("client_id", "ledger"), ("client_secret", "ledger-secret")];
        let fields: Vec<_> = client.iter().chain(fields).collect();
        Answer::of(self.http.post(url).form(&fields).send().await.unwrap()).await
    }

    pub async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let base = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.form("/token", &[&base[..], more].concat()).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.form("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v3.1{path}", self.running.url());
        let request = self.http.request(method, url).bearer_auth(&self.token);
        match &self.business {
            Some(business) => request.header("X-Business", business),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(method, path).json(body).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Answer {
        let url = format!("{}/_sim{path}", self.running.url());
        Answer::of(self.http.request(method, url).json(body).send().await.unwrap()).await
    }

    /// The business of this place in the list.
    pub async fn choose(&mut self, place: usize) {
        let list = self.get("/businesses").await;
        assert!(list.body["$items_per_page"].is_number());
        self.business = Some(list.body["$items"][place]["id"].as_str().unwrap().to_owned());
    }

    pub async fn contact(&self, reference: &str, country: &str, currency: Option<&str>) -> String {
        let contact = json!({"contact": {
            "name": "Ada Byron",
            "contact_type_ids": ["CUSTOMER"],
            "reference": reference,
            "currency_id": currency,
            "main_address": {"address_line_1": "1 Square", "city": "Town", "country_id": country},
        }});
        self.post("/contacts", contact).await.created()
    }

    pub async fn ledger(&self) -> String {
        let list = self.get("/ledger_accounts?visible_in=sales&search=4000").await;
        list.body["$items"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn bank(&self) -> String {
        self.get("/bank_accounts").await.body["$items"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn invoice(&self, contact: &str, price: &str) -> String {
        let ledger = self.ledger().await;
        let body = invoice(contact, &json!([line(&ledger, price)]));
        self.post("/sales_invoices", body).await.created()
    }

    pub async fn credit_note(&self, contact: &str, price: &str) -> String {
        let ledger = self.ledger().await;
        let body = json!({"sales_credit_note": {
            "contact_id": contact, "date": "2026-11-24", "credit_note_lines": [line(&ledger, price)],
        }});
        self.post("/sales_credit_notes", body).await.created()
    }

    pub async fn pay(&self, kind: &str, contact: &str, total: &str, artefacts: Value) -> Answer {
        let bank = self.bank().await;
        let body = json!({"contact_payment": {
            "transaction_type_id": kind, "contact_id": contact, "bank_account_id": bank,
            "date": "2026-11-24", "total_amount": total, "allocated_artefacts": artefacts,
        }});
        self.post("/contact_payments", body).await
    }

    pub async fn standing(&self, path: &str) -> (String, String) {
        let body = self.get(path).await.body;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&body["status"]["id"]), text(&body["outstanding_amount"]))
    }
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or_default() }
    }

    pub fn created(&self) -> String {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.body);
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// Message and source of the first error.
    pub fn refused(&self) -> (String, String) {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", self.body);
        assert_eq!(self.body[0]["$severity"], "error");
        let text = |key: &str| self.body[0][key].as_str().unwrap().to_owned();
        (text("$message"), text("$source"))
    }
}

pub fn line(ledger: &str, price: &str) -> Value {
    json!({
        "description": "Tea", "ledger_account_id": ledger, "unit_price": price, "quantity": 1,
        "tax_rate_id": "GB_ZERO", "tax_amount": 0,
    })
}

pub fn invoice(contact: &str, lines: &Value) -> Value {
    json!({"sales_invoice": {"contact_id": contact, "date": "2026-11-24", "invoice_lines": lines}})
}
