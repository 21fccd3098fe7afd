//! The accounts and the tax rate of a product.

use domain::{
    business::ReferenceSet,
    documents::Product,
    settings::{Settings, TaxKey, TaxMap},
};
use messages::message;

use crate::{
    amounts::{accounts, document_row::RowKind},
    findings::{Findings, MissingSetting, label_of},
};

/// The account of its sales.
pub(crate) fn sales_account(settings: &Settings, reference: &ReferenceSet) -> Result<String, MissingSetting> {
    accounts::account(RowKind::Goods, settings, reference).map(|(id, _)| id)
}

/// The purchase account, which Sage wants of every product, also of one that is only sold.
pub(crate) fn purchase_account(
    settings: &Settings,
    reference: &ReferenceSet,
) -> Result<String, MissingSetting> {
    let setting = "default_purchase_ledger_account_id";
    let missing = |sentence: String| MissingSetting { setting: setting.to_owned(), sentence };
    let id = settings
        .default_purchase_ledger_account_id
        .as_ref()
        .ok_or_else(|| missing(message!(missing_settings.no_purchase_account).to_owned()))?;
    if reference.ledger_accounts.iter().any(|account| account.id == *id && account.visible_in_expenses) {
        Ok(id.clone())
    } else {
        Err(missing(message!(missing_settings.not_a_purchase_account, id = id)))
    }
}

/// The tax rate of sales: the only one that the map has for the tax class, else the default. None for a business that is not
/// registered for tax. (A product shows its class, not its percentage.)
pub(crate) fn tax_rate(
    product: &Product,
    settings: &Settings,
    reference: &ReferenceSet,
    findings: &mut Findings,
) -> Option<Result<String, MissingSetting>> {
    if !reference.registered_for_tax {
        return None;
    }
    let class = product.tax_class.as_deref().map(str::trim).filter(|class| !class.is_empty());
    let map = TaxMap::read(&settings.tax_rate_map);
    let of_class = class.and_then(|class| {
        let is_of_class = |key: &TaxKey| *key == TaxKey::of(key.percentage(), Some(class), None);
        let entries = map.entries().filter(|(key, _)| is_of_class(key));
        let mut ids: Vec<&str> = entries.map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        if let [id] = ids[..] { Some((id, format!("tax class {class}"))) } else { None }
    });
    let (id, setting, input) = match of_class {
        Some((id, input)) => (Some(id), "tax_rate_map", input),
        None => (settings.default_tax_rate_id.as_deref(), "default_tax_rate_id", String::new()),
    };
    let known = id.filter(|id| reference.tax_rates.iter().any(|rate| rate.id == *id));
    Some(match known {
        Some(id) => {
            findings.rule("sales tax rate", id, setting, input);
            Ok(id.to_owned())
        }
        None => Err(MissingSetting {
            setting: setting.to_owned(),
            sentence: message!(missing_settings.no_product_rate, setting = label_of(setting)),
        }),
    })
}
