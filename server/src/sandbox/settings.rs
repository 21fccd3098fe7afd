//! The settings that a merchant of the demo's shop would choose.

use domain::{
    Decimal,
    business::ReferenceSet,
    settings::{SafeMode, Settings},
};

/// What the business's lists suggest, and Ireland's rate for Irish customers.
pub fn settings(reference: &ReferenceSet, safe_mode: SafeMode) -> Settings {
    let mut settings = Settings { safe_mode, ..Settings::suggested(reference) };
    let irish =
        |rate: &&domain::business::TaxRate| rate.percentage == Decimal::from(23) && rate.id.ends_with("OSS");
    if let Some(rate) = reference.tax_rates.iter().find(irish) {
        settings.tax_rate_map.insert("23.00//IE".to_owned(), rate.id.clone());
    }
    settings
}
