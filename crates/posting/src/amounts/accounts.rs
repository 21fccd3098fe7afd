//! The ledger account of each kind of row.

use domain::{business::ReferenceSet, settings::Settings};
use messages::message;

use crate::{
    amounts::document_row::RowKind,
    findings::{MissingSetting, label_of},
};

/// The account of a row; shipping on a line of its own keeps to the account that Sage's panel would use, where Sage shows it.
pub(crate) fn account_of(
    kind: RowKind,
    settings: &Settings,
    reference: &ReferenceSet,
) -> Result<(String, &'static str), MissingSetting> {
    let carriage = reference.carriage_ledger_account_id.as_ref().filter(|id| {
        reference.ledger_accounts.iter().any(|account| account.id == **id && account.visible_in_sales)
    });
    match carriage {
        Some(id) if kind == RowKind::Shipping && settings.shipping_ledger_account_id.is_none() => {
            Ok((id.clone(), message!(reasons.sage_shipping_account)))
        }
        _ => account(kind, settings, reference),
    }
}

/// The ledger account of a kind of row, and the setting that chose it.
pub(crate) fn account(
    kind: RowKind,
    settings: &Settings,
    reference: &ReferenceSet,
) -> Result<(String, &'static str), MissingSetting> {
    let (own, setting) = match kind {
        RowKind::Goods | RowKind::ProductTax => (None, ""),
        RowKind::Shipping => (settings.shipping_ledger_account_id.as_ref(), "shipping_ledger_account_id"),
        RowKind::Discount => (settings.discount_ledger_account_id.as_ref(), "discount_ledger_account_id"),
        RowKind::GiftCard => (settings.gift_card_ledger_account_id.as_ref(), "gift_card_ledger_account_id"),
        RowKind::ForeignTax => {
            (settings.foreign_tax_ledger_account_id.as_ref(), "foreign_tax_ledger_account_id")
        }
        RowKind::Fee => (settings.fee_ledger_account_id.as_ref(), "fee_ledger_account_id"),
        RowKind::Adjustment | RowKind::CashRounding => {
            (settings.adjustment_ledger_account_id.as_ref(), "adjustment_ledger_account_id")
        }
    };
    let (id, setting) = match own {
        Some(id) => (Some(id), setting),
        None => (settings.default_ledger_account_id.as_ref(), "default_ledger_account_id"),
    };
    let missing = |sentence: String| MissingSetting { setting: setting.to_owned(), sentence };
    let id = id.ok_or_else(|| missing(message!(missing_settings.no_sales_account).to_owned()))?;
    if reference.ledger_accounts.iter().any(|account| account.id == *id && account.visible_in_sales) {
        Ok((id.clone(), setting))
    } else {
        Err(missing(message!(missing_settings.not_a_sales_account, id = id, setting = label_of(setting))))
    }
}
