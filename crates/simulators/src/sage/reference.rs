//! The fixed lists: tax rates, currencies, countries and the small ones made of words.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    lists::Query,
    money,
    tables::{Business, Row, base},
};

/// Countries of the European Union: customers there are under EC rules, all others abroad are "outside the EU".
pub(super) const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Lists whose ids are words. What sage-api.md has as met is there; the rest is in the same manner.
const WORDS: [(&str, &[(&str, &str)]); 16] = [
    ("contact_types", &[("CUSTOMER", "Customer"), ("VENDOR", "Vendor")]),
    ("contact_person_types", &[("ACCOUNTS", "Accounts"), ("SALES", "Sales")]),
    (
        "address_types",
        &[
            ("ACCOUNTS", "Accounts"),
            ("SALES", "Sales"),
            ("DELIVERY", "Delivery"),
            ("PURCHASING", "Purchasing"),
        ],
    ),
    (
        "payment_methods",
        &[
            ("CASH", "Cash"),
            ("CHECK", "Cheque"),
            ("CREDIT_DEBIT", "Credit/Debit Card"),
            ("ELECTRONIC", "Electronic"),
        ],
    ),
    ("eu_goods_services_types", &[("GOODS", "Goods"), ("SERVICES", "Services")]),
    ("eu_sales_descriptions", &[("STANDARD", "Standard")]),
    (
        "artefact_statuses",
        &[
            ("DRAFT", "Draft"),
            ("PRO_FORMA", "Pro Forma"),
            ("UNPAID", "Unpaid"),
            ("PART_PAID", "Part Paid"),
            ("PAID", "Paid"),
            ("VOID", "Void"),
            ("DISPUTED", "Disputed"),
            ("DECLINED", "Declined"),
        ],
    ),
    (
        "transaction_types",
        &[
            ("SALES_INVOICE", "Sales Invoice"),
            ("SALES_CREDIT_NOTE", "Sales Credit Note"),
            ("CUSTOMER_RECEIPT", "Customer Receipt"),
            ("CUSTOMER_REFUND", "Customer Refund"),
            ("VENDOR_PAYMENT", "Vendor Payment"),
            ("VENDOR_REFUND", "Vendor Refund"),
            ("CUSTOMER_ALLOCATION", "Customer Allocation"),
            ("VENDOR_ALLOCATION", "Vendor Allocation"),
        ],
    ),
    (
        "bank_account_types",
        &[
            ("CHECKING", "Current"),
            ("SAVINGS", "Savings"),
            ("CASH_IN_HAND", "Cash in Hand"),
            ("OTHER", "Other"),
        ],
    ),
    (
        "ledger_account_types",
        &[
            ("SALES", "Sales"),
            ("OTHER_INCOME", "Other Income"),
            ("DIRECT_EXPENSES", "Direct Expenses"),
            ("OVERHEADS", "Overheads"),
            ("FIXED_ASSETS", "Fixed Assets"),
            ("CURRENT_ASSETS", "Current Assets"),
            ("BANK", "Bank"),
            ("CURRENT_LIABILITIES", "Current Liabilities"),
            ("EQUITY", "Equity"),
        ],
    ),
    ("catalog_item_types", &[("PRODUCT", "Product"), ("SERVICE", "Service"), ("STOCK_ITEM", "Stock Item")]),
    ("product_sales_price_types", &[("SALES_PRICE", "Sales Price"), ("TRADE_PRICE", "Trade Price")]),
    ("service_rate_types", &[("RATE", "Rate")]),
    ("country_groups", &[("EU", "European Union"), ("ROW", "Rest of World")]),
    (
        "tax_schemes",
        &[("STANDARD", "Standard"), ("REGISTERED", "Registered"), ("NOT_REGISTERED", "Not Registered")],
    ),
    ("quick_entry_types", &[("INVOICE", "Invoice"), ("CREDIT_NOTE", "Credit Note")]),
];

/// Currencies with their worth in pence and parts of a penny: one hundred-thousandth of a pound.
const CURRENCIES: [(&str, &str, i64); 10] = [
    ("GBP", "Pound Sterling", 100_000),
    ("EUR", "Euro", 85_222),
    ("USD", "US Dollar", 74_850),
    ("CAD", "Canadian Dollar", 53_910),
    ("AUD", "Australian Dollar", 48_770),
    ("CHF", "Swiss Franc", 91_230),
    ("JPY", "Japanese Yen", 492),
    ("SEK", "Swedish Krona", 7_790),
    ("NOK", "Norwegian Krone", 7_310),
    ("PLN", "Polish Zloty", 20_080),
];

/// Id, name, percentage in thousandths, and for Canada the provinces it serves.
type Rate = (&'static str, &'static str, i64, &'static str);

const GB: [Rate; 5] = [
    ("GB_STANDARD", "Standard 20.00%", 20_000, ""),
    ("GB_LOWER", "Lower 5.00%", 5_000, ""),
    ("GB_ZERO", "Zero Rated 0.00%", 0, ""),
    ("GB_EXEMPT", "Exempt 0.00%", 0, ""),
    ("GB_NO_TAX", "No Tax 0.00%", 0, ""),
];

/// Only the standard and the zero rate's ids are known for Ireland; the others are the simulator's guesses.
const IE: [Rate; 6] = [
    ("IE_STANDARD", "Standard 23.00%", 23_000, ""),
    ("IE_LOWER", "Lower 13.50%", 13_500, ""),
    ("IE_SECOND_LOWER", "Second Lower 9.00%", 9_000, ""),
    ("IE_ZERO", "Zero Rated 0.00%", 0, ""),
    ("IE_EXEMPT", "Exempt 0.00%", 0, ""),
    ("IE_NO_TAX", "No Tax 0.00%", 0, ""),
];

/// Known are CA_GST, CA_PST_BC, CA_GST_PST_BC and CA_GST_PST_BC_1; the others are the simulator's guesses.
const CA: [Rate; 10] = [
    ("CA_GST", "GST 5.00%", 5_000, "AB BC MB NT NU QC SK YT"),
    ("CA_PST_BC", "PST BC 7.00%", 7_000, "BC"),
    ("CA_GST_PST_BC", "GST + PST BC 12.00%", 12_000, "BC"),
    ("CA_GST_PST_BC_1", "GST + PST BC liquor 15.00%", 15_000, "BC"),
    ("CA_GST_QST", "GST + QST 14.975%", 14_975, "QC"),
    ("CA_HST_ON", "HST ON 13.00%", 13_000, "ON"),
    ("CA_HST_15", "HST 15.00%", 15_000, "NB NL NS PE"),
    ("CA_ZERO", "Zero Rated 0.00%", 0, ""),
    ("CA_EXEMPT", "Exempt 0.00%", 0, ""),
    ("CA_NO_TAX", "No Tax 0.00%", 0, ""),
];

/// The provinces and territories of Canada.
pub(super) const PROVINCES: [(&str, &str); 13] = [
    ("AB", "Alberta"),
    ("BC", "British Columbia"),
    ("MB", "Manitoba"),
    ("NB", "New Brunswick"),
    ("NL", "Newfoundland and Labrador"),
    ("NS", "Nova Scotia"),
    ("NT", "Northwest Territories"),
    ("NU", "Nunavut"),
    ("ON", "Ontario"),
    ("PE", "Prince Edward Island"),
    ("QC", "Quebec"),
    ("SK", "Saskatchewan"),
    ("YT", "Yukon"),
];

/// `{id, displayed_as, $path}` of a word of a fixed list.
pub(super) fn word(list: &str, id: &str) -> Value {
    let words = WORDS.iter().find(|(name, _)| *name == list).map_or(&[][..], |(_, words)| *words);
    let name = words.iter().find(|(word, _)| *word == id).map_or(id, |(_, name)| *name);
    Value::Object(base(list, id, name))
}

/// `{id, displayed_as, $path}` of a currency.
pub(super) fn currency(id: &str) -> Value {
    let name = CURRENCIES.iter().find(|currency| currency.0 == id).map_or(id, |currency| currency.1);
    Value::Object(base("currencies", id, &format!("{name} ({id})")))
}

/// `{id, displayed_as, $path}` of a country.
pub(super) fn country(id: &str) -> Value {
    let name = countries().find(|(code, _)| *code == id).map_or(id, |(_, name)| name);
    Value::Object(base("countries", id, &format!("{name} ({id})")))
}

fn countries() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("countries.txt").lines().filter_map(|line| line.split_once(' '))
}

/// Puts the fixed lists of a fresh business.
pub(super) fn seed(business: &mut Business, taxed: bool, now: DateTime<Utc>) {
    for (list, words) in WORDS {
        for (id, name) in words {
            business.table_mut(list).insert(Row::fixed(list, id, name, now));
        }
    }
    for (id, name) in countries() {
        business.table_mut("countries").insert(Row::fixed("countries", id, &format!("{name} ({id})"), now));
    }
    for (code, name) in PROVINCES {
        let row = Row::fixed("address_regions", &format!("CA-{code}"), name, now);
        business.table_mut("address_regions").insert(row.with(json!({"code": code, "name": name})));
    }
    seed_currencies(business, now);
    seed_tax(business, taxed, now);
}

fn seed_currencies(business: &mut Business, now: DateTime<Utc>) {
    let own = CURRENCIES.iter().find(|currency| currency.0 == business.base_currency).map_or(1, |own| own.2);
    for (id, name, worth) in CURRENCIES {
        business.table_mut("currencies").insert(Row::fixed("currencies", id, &format!("{name} ({id})"), now));
        if id == business.base_currency {
            continue;
        }
        let (worth, own) = (Decimal::from(worth), Decimal::from(own));
        let row = Row::fixed("exchange_rates", id, id, now).with(json!({
            "rate": money::text((worth / own).round_dp(6)),
            "inverse_rate": money::text((own / worth).round_dp(6)),
            "currency": currency(id),
            "base_currency": currency(business.base_currency),
        }));
        business.table_mut("exchange_rates").insert(row);
    }
}

fn seed_tax(business: &mut Business, taxed: bool, now: DateTime<Utc>) {
    let rates: &[Rate] = match business.country {
        "IE" => &IE,
        "CA" => &CA,
        _ => &GB,
    };
    // A business that is not registered has nothing but "no tax".
    for (id, name, thousandths, regions) in rates.iter().filter(|rate| taxed || rate.0 == "GB_NO_TAX") {
        let percentage = money::text(Decimal::new(*thousandths, 3));
        let row = Row::fixed("tax_rates", id, name, now).with(json!({
            "name": name,
            "percentage": percentage,
            "percentages": [{"percentage": percentage, "from_date": "2011-01-04", "to_date": null}],
            "is_visible": true,
            "retailer": false,
            "editable": false,
            "deletable": false,
            "is_combined_rate": id.contains("GST_"),
            "component_tax_rates": [],
        }));
        // Not on the wire: the provinces, where the filter looks for them.
        let row = Row { haystack: (*regions).to_owned(), ..row };
        business.table_mut("tax_rates").insert(row);
    }
    if business.country == "CA" {
        for id in ["CA_GST_HST", "CA_PST_BC", "CA_PST_MB", "CA_PST_SK", "CA_QST"] {
            let row = Row::fixed("tax_types", id, id, now).with(json!({"federal_tax": id == "CA_GST_HST"}));
            business.table_mut("tax_types").insert(row);
        }
    }
}

/// Whether a rate serves a province (`CA-BC`); rates that name none serve all.
pub(super) fn serves(rate: &Row, region: &str) -> bool {
    let code = region.strip_prefix("CA-").unwrap_or(region);
    rate.haystack.is_empty() || rate.haystack.split(' ').any(|served| served == code)
}

/// The filters of the reference lists.
pub(super) fn matches(resource: &str, row: &Row, query: &Query) -> bool {
    let visible = |name: &str| row.body.get(&format!("visible_in_{name}")) == Some(&Value::Bool(true));
    match resource {
        "tax_rates" => query.get("address_region_id").is_none_or(|region| serves(row, region)),
        "ledger_accounts" => {
            // Control accounts are hidden unless asked for; those of banks are in no way chosen as a ledger account.
            let hidden = row.body["is_control_account"] == true && !query.is_true("show_control_accounts");
            query.get("visible_in").is_none_or(visible)
                && query.get("not_visible_in").is_none_or(|scope| !visible(scope))
                && query.same_id("ledger_account_type_id", row, "ledger_account_type")
                && query.get("search").is_none_or(|wanted| found(row, wanted))
                && !hidden
        }
        "bank_accounts" => {
            let stripe = row.body["nominal_code"] == 1250 && query.is_true("exclude_stripe");
            let inactive = row.body["is_active"] == false && query.is_true("filter_inactive_bank_accounts");
            !stripe && !inactive
        }
        "address_regions" => query.get("country_id").is_none_or(|country| country == "CA"),
        _ => true,
    }
}

fn found(row: &Row, wanted: &str) -> bool {
    let shown = row.body["displayed_as"].as_str().unwrap_or_default().to_lowercase();
    shown.contains(&wanted.to_lowercase())
}
