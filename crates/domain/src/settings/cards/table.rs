//! The table of the cards: every field with its name, what it is for, and where it is kept.

use messages::message;

use super::{Card, Field, Kind};
use crate::settings::List;

/// A card, with what the catalogue of messages says of it.
macro_rules! card {
    ($id:ident, $fields:expr) => {
        Card {
            id: stringify!($id),
            title: message!(cards.$id.title),
            about: message!(cards.$id.about),
            fields: $fields,
        }
    };
}

/// A field, with what the catalogue of messages says of it.
macro_rules! field {
    ($group:ident.$name:ident, $kind:expr) => {
        Field {
            path: concat!(stringify!($group), ".", stringify!($name)),
            label: message!(fields.$group.$name.label),
            hint: message!(fields.$group.$name.hint),
            kind: $kind,
        }
    };
    ($name:ident, $kind:expr) => {
        Field {
            path: stringify!($name),
            label: message!(fields.$name.label),
            hint: message!(fields.$name.hint),
            kind: $kind,
        }
    };
}

/// The words of a field with what people read.
macro_rules! choices {
    ($field:ident: $($word:ident),+) => {
        &[$((stringify!($word), message!(fields.$field.choices.$word))),+]
    };
}

/// What the goods/services type may be.
pub const GOODS_OR_SERVICES: &[(&str, &str)] = choices!(default_eu_goods_services_type: GOODS, SERVICES);

const SAFE_MODES: &[(&str, &str)] = choices!(safe_mode: first_documents, always, never);

const UNSHOWN_TAXES: &[(&str, &str)] = choices!(tax_undetermined: hold, infer);

const NAMES: &[(&str, &str)] = choices!(customer_name_priority: company, person);

const MIXES: &[(&str, &str)] = choices!(mixed_goods_services: default, hold);

/// The cards, in the order of the page.
pub const CARDS: &[Card] = &[
    card!(behaviour, BEHAVIOUR),
    card!(mappings, MAPPINGS),
    card!(payments, PAYMENTS),
    card!(taxes, TAXES),
    card!(document_details, DOCUMENT_DETAILS),
    card!(currencies, ABROAD),
    card!(consolidation, CONSUMERS),
];

const BEHAVIOUR: &[Field] = &[
    field!(sync_unpaid_invoices, Kind::Switch(|settings| &mut settings.sync_unpaid_invoices)),
    field!(sync_zero_value_invoices, Kind::Switch(|settings| &mut settings.sync_zero_value_invoices)),
    field!(sync_since, Kind::Moment(|settings| &mut settings.sync_since)),
    field!(website_filter, Kind::Ids(|settings| &mut settings.website_filter)),
    field!(store_filter, Kind::Ids(|settings| &mut settings.store_filter)),
    field!(sync_products, Kind::Switch(|settings| &mut settings.sync_products)),
    field!(sync_stock, Kind::Switch(|settings| &mut settings.sync_stock)),
    field!(
        safe_mode,
        Kind::OneOf {
            options: SAFE_MODES,
            get: |settings| settings.safe_mode.as_str(),
            set: |settings, word| word.parse().map(|word| settings.safe_mode = word).is_ok(),
        }
    ),
];

const MAPPINGS: &[Field] = &[
    field!(default_tax_rate_id, Kind::Pick(List::TaxRates, |settings| &mut settings.default_tax_rate_id)),
    field!(
        default_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.default_ledger_account_id)
    ),
    field!(
        default_bank_account_id,
        Kind::Pick(List::BankAccounts, |settings| &mut settings.default_bank_account_id)
    ),
    field!(
        default_purchase_ledger_account_id,
        Kind::Pick(List::ExpenseAccounts, |settings| &mut settings.default_purchase_ledger_account_id)
    ),
    field!(
        shipping_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.shipping_ledger_account_id)
    ),
    field!(
        discount_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.discount_ledger_account_id)
    ),
    field!(
        gift_card_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.gift_card_ledger_account_id)
    ),
    field!(
        fee_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.fee_ledger_account_id)
    ),
    field!(
        adjustment_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.adjustment_ledger_account_id)
    ),
    field!(
        foreign_tax_ledger_account_id,
        Kind::Pick(List::SalesAccounts, |settings| &mut settings.foreign_tax_ledger_account_id)
    ),
];

const PAYMENTS: &[Field] = &[
    field!(payment_method_map, Kind::PaymentMethods),
    field!(record_refunds, Kind::Switch(|settings| &mut settings.record_refunds)),
];

const TAXES: &[Field] = &[
    field!(tax_rate_map, Kind::TaxRates),
    field!(
        tax_undetermined,
        Kind::OneOf {
            options: UNSHOWN_TAXES,
            get: |settings| settings.tax_undetermined.as_str(),
            set: |settings, word| word.parse().map(|word| settings.tax_undetermined = word).is_ok(),
        }
    ),
];

const DOCUMENT_DETAILS: &[Field] = &[
    field!(invoice_number_prefix, Kind::Text(|settings| &mut settings.invoice_number_prefix)),
    field!(
        customer_name_priority,
        Kind::OneOf {
            options: NAMES,
            get: |settings| settings.customer_name_priority.as_str(),
            set: |settings, word| word.parse().map(|word| settings.customer_name_priority = word).is_ok(),
        }
    ),
    field!(document_time_zone, Kind::Zone(|settings| &mut settings.document_time_zone)),
];

const ABROAD: &[Field] = &[
    field!(confirmed_exchange_rates, Kind::Text(|settings| &mut settings.confirmed_exchange_rates)),
    field!(
        default_eu_goods_services_type,
        Kind::OneOf {
            options: GOODS_OR_SERVICES,
            get: |settings| &settings.default_eu_goods_services_type,
            set: |settings, word| {
                let known = GOODS_OR_SERVICES.iter().any(|(known, _)| *known == word);
                if known {
                    word.clone_into(&mut settings.default_eu_goods_services_type);
                }
                known
            },
        }
    ),
    field!(product_type_eu_goods_map, Kind::ProductTypes),
    field!(
        mixed_goods_services,
        Kind::OneOf {
            options: MIXES,
            get: |settings| settings.mixed_goods_services.as_str(),
            set: |settings, word| word.parse().map(|word| settings.mixed_goods_services = word).is_ok(),
        }
    ),
];

const CONSUMERS: &[Field] = &[
    field!(consolidation.enabled, Kind::Switch(|settings| &mut settings.consolidation.enabled)),
    field!(
        consolidation.fallback_contact_name,
        Kind::Words(|settings| &mut settings.consolidation.fallback_contact_name)
    ),
    field!(
        consolidation.fallback_contact_email,
        Kind::Email(|settings| &mut settings.consolidation.fallback_contact_email)
    ),
    field!(
        consolidation.fallback_contact_reference,
        Kind::Words(|settings| &mut settings.consolidation.fallback_contact_reference)
    ),
    field!(
        consolidation.min_total_for_individual,
        Kind::Amount(|settings| &mut settings.consolidation.min_total_for_individual)
    ),
    field!(
        consolidation.always_individual_for_b2b,
        Kind::Switch(|settings| &mut settings.consolidation.always_individual_for_b2b)
    ),
];
