//! The chart of accounts and the bank accounts of a fresh business.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    money, reference,
    tables::{Business, Ids, Row},
};

/// Where an account may be chosen, one letter each: sales, expenses, banking, other payments, other receipts,
/// journals, reporting.
const SCOPES: [(char, &str, &str); 7] = [
    ('s', "sales", "visible_in_sales"),
    ('e', "purchasing", "visible_in_expenses"),
    ('b', "bank", "visible_in_banking"),
    ('p', "other_payment", "visible_in_other_payments"),
    ('r', "other_receipt", "visible_in_other_receipts"),
    ('j', "journals", "visible_in_journals"),
    ('t', "reporting", "visible_in_reporting"),
];

/// Code, name, type, scopes, control name. Codes and names of 4000 and 5000 are Sage's own; the others are in its manner.
const ACCOUNTS: [(u32, &str, &str, &str, &str); 28] = [
    (30, "Office equipment and IT", "FIXED_ASSETS", "epjt", ""),
    (1000, "Stock", "CURRENT_ASSETS", "jt", ""),
    (1100, "Trade Debtors", "CURRENT_ASSETS", "t", "TRADE_DEBTORS"),
    (1200, "Current", "BANK", "bjt", "BANK"),
    (1210, "Cash in Hand", "BANK", "bjt", "BANK"),
    (1220, "Foreign Currency Current", "BANK", "bjt", "BANK"),
    (1250, "Stripe", "BANK", "bjt", "BANK"),
    (1260, "PayPal", "BANK", "bjt", "BANK"),
    (1299, "Old Savings", "BANK", "bjt", "BANK"),
    (2100, "Trade Creditors", "CURRENT_LIABILITIES", "t", "TRADE_CREDITORS"),
    (2200, "VAT on Sales", "CURRENT_LIABILITIES", "t", "SALES_TAX"),
    (2201, "VAT on Purchases", "CURRENT_LIABILITIES", "t", "PURCHASE_TAX"),
    (2310, "Gift Vouchers and Customer Credit", "CURRENT_LIABILITIES", "sprjt", ""),
    (3000, "Retained Earnings", "EQUITY", "jt", "RETAINED_EARNINGS"),
    (4000, "Sales - Products", "SALES", "srjt", ""),
    (4009, "Discounts on Sales", "SALES", "srjt", ""),
    (4010, "Sales - Services", "SALES", "srjt", ""),
    (4900, "Other income", "OTHER_INCOME", "srjt", ""),
    (4910, "Carriage on Sales", "OTHER_INCOME", "srjt", ""),
    (5000, "Cost of sales - Goods", "DIRECT_EXPENSES", "epjt", ""),
    (5009, "Discounts on Purchases", "DIRECT_EXPENSES", "epjt", ""),
    (5010, "Cost of sales - Delivery", "DIRECT_EXPENSES", "epjt", ""),
    (7500, "Postage", "OVERHEADS", "epjt", ""),
    (7900, "Bank charges and interest", "OVERHEADS", "epjt", ""),
    (7906, "Exchange gains and losses", "OVERHEADS", "jt", "EXCHANGE_RATES"),
    (8200, "General expenses", "OVERHEADS", "epjt", ""),
    (9998, "Suspense", "CURRENT_ASSETS", "jt", "SUSPENSE"),
    (9999, "Rounding differences", "OVERHEADS", "sepjt", ""),
];

/// Puts the accounts.
pub(super) fn seed(business: &mut Business, ids: &Ids, now: DateTime<Utc>) {
    for (code, name, kind, scopes, control) in ACCOUNTS {
        let id = ids.named(&format!("{} ledger {code}", business.id));
        let shown = format!("{name} ({code})");
        let row =
            Row::fixed("ledger_accounts", &id, &shown, now).with(account(code, name, kind, scopes, control));
        business.table_mut("ledger_accounts").insert(row);
    }
    seed_banks(business, ids, now);
}

fn account(code: u32, name: &str, kind: &str, scopes: &str, control: &str) -> Value {
    let visible = |letter: char| scopes.contains(letter);
    let mut account = json!({
        "name": name,
        "display_name": name,
        "display_formatted": format!("{name} ({code})"),
        "nominal_code": code,
        "included_in_chart": true,
        "ledger_account_type": reference::word("ledger_account_types", kind),
        "tax_rate": null,
        "fixed_tax_rate": false,
        "is_control_account": !control.is_empty(),
        "control_name": if control.is_empty() { Value::Null } else { control.into() },
        "visible_scopes": SCOPES.iter().filter(|scope| visible(scope.0)).map(|scope| scope.1).collect::<Vec<_>>(),
    });
    for (letter, _, field) in SCOPES {
        account[field] = visible(letter).into();
    }
    account
}

fn seed_banks(business: &mut Business, ids: &Ids, now: DateTime<Utc>) {
    let base = business.base_currency;
    let foreign = match base {
        "EUR" => "GBP",
        "CAD" => "USD",
        _ => "EUR",
    };
    let banks = [
        (1200, "Current", "CHECKING", base, "ELECTRONIC", true),
        (1210, "Cash in Hand", "CASH_IN_HAND", base, "CASH", true),
        (1220, "Foreign Currency Current", "CHECKING", foreign, "ELECTRONIC", true),
        (1250, "Stripe", "OTHER", base, "CREDIT_DEBIT", true),
        (1260, "PayPal", "OTHER", base, "ELECTRONIC", true),
        (1299, "Old Savings", "SAVINGS", base, "ELECTRONIC", false),
    ];
    for (code, name, kind, currency, method, active) in banks {
        let id = ids.named(&format!("{} bank {code}", business.id));
        let name = if code == 1220 { format!("{foreign} Current") } else { name.to_owned() };
        let ledger = business.table("ledger_accounts").living().find(|row| row.body["nominal_code"] == code);
        let ledger = ledger.map_or(Value::Null, Row::base);
        let row = Row::fixed("bank_accounts", &id, &format!("{name} ({code})"), now).with(json!({
            "bank_account_details": {"account_name": name, "account_number": "", "sort_code": "", "bic": "", "iban": ""},
            "ledger_account": ledger,
            "bank_account_type": reference::word("bank_account_types", kind),
            "balance": money::text(rust_decimal::Decimal::ZERO),
            "nominal_code": code,
            "editable": true,
            "deletable": false,
            "default_payment_method": reference::word("payment_methods", method),
            "is_active": active,
            "currency": reference::currency(currency),
        }));
        business.table_mut("bank_accounts").insert(row);
    }
}
