//! The settings that a merchant of the demo's shop would choose.

use std::collections::BTreeMap;

use domain::{
    Decimal,
    business::ReferenceSet,
    policy::{Policy, SafeMode},
};

/// Settings from the reference set: tax rates by percentage, the product sales account, the first bank account.
pub fn policy(reference: &ReferenceSet, safe_mode: SafeMode) -> Policy {
    let rate = |percent: i64, word: &str| {
        let of_percent = reference.tax_rates.iter().filter(|rate| rate.percentage == Decimal::from(percent));
        of_percent.clone().find(|rate| rate.id.ends_with(word)).or_else(|| of_percent.clone().next())
    };
    let mut tax_rate_map = BTreeMap::new();
    for (percent, word) in [(20, "STANDARD"), (5, "LOWER"), (0, "ZERO")] {
        if let Some(rate) = rate(percent, word) {
            tax_rate_map.insert(format!("{percent}.00"), rate.id.clone());
        }
    }
    if let Some(rate) = rate(23, "OSS") {
        tax_rate_map.insert("23.00//IE".to_owned(), rate.id.clone());
    }
    let sales = reference
        .ledger_accounts
        .iter()
        .filter(|account| account.visible_in_sales)
        .min_by_key(|account| (account.nominal_code != Some(4000), account.nominal_code));
    let bank = reference.bank_accounts.iter().find(|bank| {
        bank.is_active && bank.currency.is_none_or(|currency| currency == reference.base_currency)
    });
    Policy {
        safe_mode,
        default_tax_rate_id: rate(20, "STANDARD").map(|rate| rate.id.clone()),
        default_ledger_account_id: sales.map(|account| account.id.clone()),
        default_bank_account_id: bank.map(|bank| bank.id.clone()),
        tax_rate_map,
        ..Policy::default()
    }
}
