//! The settings of a business: single documents, no lists.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    handler::Reply,
    reference,
    tables::{Business, Record, Row, stamp},
};

/// The first day that a document may bear.
pub(super) const ACCOUNTS_START: &str = "2024-01-01";

/// Puts the settings of a fresh business.
pub(super) fn seed(business: &mut Business, taxed: bool, now: DateTime<Utc>) {
    let documents = [
        ("financial_settings", financial(business, taxed, now)),
        ("business_settings", business_settings(business, now)),
        ("invoice_settings", invoice_settings(now)),
    ];
    for (name, document) in documents {
        let mut body = Record::new();
        body.insert("id".to_owned(), name.into());
        let mut row = Row::new(body, Record::new(), now).with(document);
        row.body.insert("$path".to_owned(), format!("/{name}").into());
        business.table_mut("settings").insert(row);
    }
}

/// `GET /financial_settings`, `/business_settings`, `/invoice_settings`.
pub(super) fn show(business: &Business, document: &str) -> Result<Reply, Refusal> {
    let mut body = business.row("settings", document)?.body.clone();
    // They have no id and no time of creation (swagger).
    body.retain(|key, _| key != "id" && key != "created_at");
    if document == "invoice_settings" {
        body.insert("next_invoice_number".to_owned(), business.next_invoice.into());
        body.insert("next_credit_note_number".to_owned(), business.next_credit_note.into());
    }
    Ok(Reply::ok(Value::Object(body)))
}

fn financial(business: &Business, taxed: bool, now: DateTime<Utc>) -> Value {
    let multi_currency = business.plan == super::tables::Plan::Plus;
    let (scheme, scheme_name) = match (taxed, business.country) {
        (false, _) => ("NOT_REGISTERED", "Not Registered"),
        (true, "CA") => ("REGISTERED", "Registered"),
        (true, _) => ("STANDARD", "Standard"),
    };
    json!({
        "year_end_date": "2026-12-31",
        "year_end_lockdown_date": null,
        "accounting_type": "accrual",
        "accounts_start_date": ACCOUNTS_START,
        "base_currency": reference::currency(business.base_currency),
        "multi_currency_enabled": multi_currency,
        "use_live_exchange_rates": true,
        "mtd_activation_status": null,
        "mtd_connected": false,
        "mtd_authenticated_date": null,
        "tax_scheme": {"id": scheme, "displayed_as": scheme_name, "$path": format!("/tax_schemes/{scheme}")},
        "tax_return_frequency": null,
        "tax_number": if taxed { Value::from("123456789") } else { Value::Null },
        "general_tax_number": null,
        "sales_tax_calculation": "invoice",
        "purchase_tax_calculation": "invoice",
        "postponed_accounting": false,
        "destination_vat": false,
        "updated_at": stamp(now),
    })
}

fn business_settings(business: &Business, now: DateTime<Utc>) -> Value {
    let account = |code: u32| {
        let row = business.table("ledger_accounts").living().find(|row| row.body["nominal_code"] == code);
        row.map_or(Value::Null, Row::base)
    };
    json!({
        "default_ledger_accounts": {
            "sales_ledger_account": account(4000),
            "product_sales_ledger_account": account(4000),
            "service_sales_ledger_account": account(4010),
            "sales_discount_ledger_account": account(4009),
            "carriage_ledger_account": account(4910),
            "other_receipt_ledger_account": account(4900),
            "purchase_ledger_account": account(5000),
            "product_purchase_ledger_account": account(5000),
            "service_purchase_ledger_account": account(5000),
            "stock_purchase_ledger_account": account(5000),
            "purchase_discount_ledger_account": account(5009),
            "other_payment_ledger_account": account(8200),
            "bank_charges_ledger_account": account(7900),
            "bank_interest_received_ledger_account": account(4900),
            "bank_interest_charges_paid_ledger_account": account(7900),
            "exchange_rate_gains_ledger_account": account(7906),
            "exchange_rate_losses_ledger_account": account(7906),
            "customer_receipt_discount_ledger_account": account(4009),
            "vendor_payment_discount_ledger_account": account(5009),
        },
        "country_of_registration": reference::country(business.country),
        "business_created_at": stamp(business.created),
        "wizard_complete": true,
        "updated_at": stamp(now),
    })
}

/// The default prefix of credit notes is not documented; `SCN-` is the simulator's own, so clients must read it.
fn invoice_settings(now: DateTime<Utc>) -> Value {
    json!({
        "separate_invoice_credit_note_numbering": true,
        "sales_invoice_number_prefix": "SI-",
        "sales_credit_note_number_prefix": "SCN-",
        "invoice_terms_and_conditions": "",
        "default_note_on_invoice": "",
        "default_note_on_credit_note": "",
        "customer_credit_days": 30,
        "vendor_credit_days": 30,
        "customer_credit_terms": "date_from_invoice",
        "vendor_credit_terms": "date_from_payment",
        "updated_at": stamp(now),
    })
}
