//! The table of the cards: every field with its name, what it is for, and where it is kept.

use messages::message;

use super::{Card, Field, Kind};
use crate::settings::{List, MixedGoodsServices, NamePriority, SafeMode, UndeterminedTax};

/// What the goods/services type may be.
pub const GOODS_OR_SERVICES: &[(&str, &str)] = &[
    ("GOODS", message!(fields.default_eu_goods_services_type.choices.GOODS)),
    ("SERVICES", message!(fields.default_eu_goods_services_type.choices.SERVICES)),
];

const SAFE_MODES: &[(&str, &str)] = &[
    ("first_documents", message!(fields.safe_mode.choices.first_documents)),
    ("always", message!(fields.safe_mode.choices.always)),
    ("never", message!(fields.safe_mode.choices.never)),
];

const UNSHOWN_TAXES: &[(&str, &str)] = &[
    ("hold", message!(fields.tax_undetermined.choices.hold)),
    ("infer", message!(fields.tax_undetermined.choices.infer)),
];

const NAMES: &[(&str, &str)] = &[
    ("company", message!(fields.customer_name_priority.choices.company)),
    ("person", message!(fields.customer_name_priority.choices.person)),
];

const MIXES: &[(&str, &str)] = &[
    ("default", message!(fields.mixed_goods_services.choices.default)),
    ("hold", message!(fields.mixed_goods_services.choices.hold)),
];

/// The cards, in the order of the page.
pub const CARDS: &[Card] = &[
    Card {
        id: "behaviour",
        title: message!(cards.behaviour.title),
        about: message!(cards.behaviour.about),
        fields: BEHAVIOUR,
    },
    Card {
        id: "mappings",
        title: message!(cards.mappings.title),
        about: message!(cards.mappings.about),
        fields: MAPPINGS,
    },
    Card {
        id: "payments",
        title: message!(cards.payments.title),
        about: message!(cards.payments.about),
        fields: PAYMENTS,
    },
    Card {
        id: "taxes",
        title: message!(cards.taxes.title),
        about: message!(cards.taxes.about),
        fields: TAXES,
    },
    Card {
        id: "document_details",
        title: message!(cards.document_details.title),
        about: message!(cards.document_details.about),
        fields: DOCUMENT_DETAILS,
    },
    Card {
        id: "currencies",
        title: message!(cards.currencies.title),
        about: message!(cards.currencies.about),
        fields: ABROAD,
    },
    Card {
        id: "consolidation",
        title: message!(cards.consolidation.title),
        about: message!(cards.consolidation.about),
        fields: CONSUMERS,
    },
];

const BEHAVIOUR: &[Field] = &[
    Field {
        path: "sync_unpaid_invoices",
        label: message!(fields.sync_unpaid_invoices.label),
        hint: message!(fields.sync_unpaid_invoices.hint),
        kind: Kind::Switch(|settings| &mut settings.sync_unpaid_invoices),
    },
    Field {
        path: "sync_zero_value_invoices",
        label: message!(fields.sync_zero_value_invoices.label),
        hint: message!(fields.sync_zero_value_invoices.hint),
        kind: Kind::Switch(|settings| &mut settings.sync_zero_value_invoices),
    },
    Field {
        path: "sync_since",
        label: message!(fields.sync_since.label),
        hint: message!(fields.sync_since.hint),
        kind: Kind::Moment(|settings| &mut settings.sync_since),
    },
    Field {
        path: "website_filter",
        label: message!(fields.website_filter.label),
        hint: message!(fields.website_filter.hint),
        kind: Kind::Ids(|settings| &mut settings.website_filter),
    },
    Field {
        path: "store_filter",
        label: message!(fields.store_filter.label),
        hint: message!(fields.store_filter.hint),
        kind: Kind::Ids(|settings| &mut settings.store_filter),
    },
    Field {
        path: "sync_products",
        label: message!(fields.sync_products.label),
        hint: message!(fields.sync_products.hint),
        kind: Kind::Switch(|settings| &mut settings.sync_products),
    },
    Field {
        path: "sync_stock",
        label: message!(fields.sync_stock.label),
        hint: message!(fields.sync_stock.hint),
        kind: Kind::Switch(|settings| &mut settings.sync_stock),
    },
    Field {
        path: "safe_mode",
        label: message!(fields.safe_mode.label),
        hint: message!(fields.safe_mode.hint),
        kind: Kind::OneOf {
            options: SAFE_MODES,
            get: |settings| match settings.safe_mode {
                SafeMode::FirstDocuments => "first_documents",
                SafeMode::Always => "always",
                SafeMode::Never => "never",
            },
            set: |settings, word| {
                settings.safe_mode = match word {
                    "first_documents" => SafeMode::FirstDocuments,
                    "always" => SafeMode::Always,
                    "never" => SafeMode::Never,
                    _ => return false,
                };
                true
            },
        },
    },
];

const MAPPINGS: &[Field] = &[
    Field {
        path: "default_tax_rate_id",
        label: message!(fields.default_tax_rate_id.label),
        hint: message!(fields.default_tax_rate_id.hint),
        kind: Kind::Pick(List::TaxRates, |settings| &mut settings.default_tax_rate_id),
    },
    Field {
        path: "default_ledger_account_id",
        label: message!(fields.default_ledger_account_id.label),
        hint: message!(fields.default_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.default_ledger_account_id),
    },
    Field {
        path: "default_bank_account_id",
        label: message!(fields.default_bank_account_id.label),
        hint: message!(fields.default_bank_account_id.hint),
        kind: Kind::Pick(List::BankAccounts, |settings| &mut settings.default_bank_account_id),
    },
    Field {
        path: "default_purchase_ledger_account_id",
        label: message!(fields.default_purchase_ledger_account_id.label),
        hint: message!(fields.default_purchase_ledger_account_id.hint),
        kind: Kind::Pick(List::ExpenseAccounts, |settings| &mut settings.default_purchase_ledger_account_id),
    },
    Field {
        path: "shipping_ledger_account_id",
        label: message!(fields.shipping_ledger_account_id.label),
        hint: message!(fields.shipping_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.shipping_ledger_account_id),
    },
    Field {
        path: "discount_ledger_account_id",
        label: message!(fields.discount_ledger_account_id.label),
        hint: message!(fields.discount_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.discount_ledger_account_id),
    },
    Field {
        path: "gift_card_ledger_account_id",
        label: message!(fields.gift_card_ledger_account_id.label),
        hint: message!(fields.gift_card_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.gift_card_ledger_account_id),
    },
    Field {
        path: "fee_ledger_account_id",
        label: message!(fields.fee_ledger_account_id.label),
        hint: message!(fields.fee_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.fee_ledger_account_id),
    },
    Field {
        path: "adjustment_ledger_account_id",
        label: message!(fields.adjustment_ledger_account_id.label),
        hint: message!(fields.adjustment_ledger_account_id.hint),
        kind: Kind::Pick(List::SalesAccounts, |settings| &mut settings.adjustment_ledger_account_id),
    },
];

const PAYMENTS: &[Field] = &[
    Field {
        path: "payment_method_map",
        label: message!(fields.payment_method_map.label),
        hint: message!(fields.payment_method_map.hint),
        kind: Kind::PaymentMethods,
    },
    Field {
        path: "record_refunds",
        label: message!(fields.record_refunds.label),
        hint: message!(fields.record_refunds.hint),
        kind: Kind::Switch(|settings| &mut settings.record_refunds),
    },
];

const TAXES: &[Field] = &[
    Field {
        path: "tax_rate_map",
        label: message!(fields.tax_rate_map.label),
        hint: message!(fields.tax_rate_map.hint),
        kind: Kind::TaxRates,
    },
    Field {
        path: "tax_undetermined",
        label: message!(fields.tax_undetermined.label),
        hint: message!(fields.tax_undetermined.hint),
        kind: Kind::OneOf {
            options: UNSHOWN_TAXES,
            get: |settings| match settings.tax_undetermined {
                UndeterminedTax::Hold => "hold",
                UndeterminedTax::Infer => "infer",
            },
            set: |settings, word| {
                settings.tax_undetermined = match word {
                    "hold" => UndeterminedTax::Hold,
                    "infer" => UndeterminedTax::Infer,
                    _ => return false,
                };
                true
            },
        },
    },
];

const DOCUMENT_DETAILS: &[Field] = &[
    Field {
        path: "invoice_number_prefix",
        label: message!(fields.invoice_number_prefix.label),
        hint: message!(fields.invoice_number_prefix.hint),
        kind: Kind::Text(|settings| &mut settings.invoice_number_prefix),
    },
    Field {
        path: "customer_name_priority",
        label: message!(fields.customer_name_priority.label),
        hint: message!(fields.customer_name_priority.hint),
        kind: Kind::OneOf {
            options: NAMES,
            get: |settings| match settings.customer_name_priority {
                NamePriority::Company => "company",
                NamePriority::Person => "person",
            },
            set: |settings, word| {
                settings.customer_name_priority = match word {
                    "company" => NamePriority::Company,
                    "person" => NamePriority::Person,
                    _ => return false,
                };
                true
            },
        },
    },
    Field {
        path: "document_time_zone",
        label: message!(fields.document_time_zone.label),
        hint: message!(fields.document_time_zone.hint),
        kind: Kind::Zone(|settings| &mut settings.document_time_zone),
    },
];

const ABROAD: &[Field] = &[
    Field {
        path: "default_eu_goods_services_type",
        label: message!(fields.default_eu_goods_services_type.label),
        hint: message!(fields.default_eu_goods_services_type.hint),
        kind: Kind::OneOf {
            options: GOODS_OR_SERVICES,
            get: |settings| &settings.default_eu_goods_services_type,
            set: |settings, word| {
                let known = GOODS_OR_SERVICES.iter().any(|(known, _)| *known == word);
                if known {
                    word.clone_into(&mut settings.default_eu_goods_services_type);
                }
                known
            },
        },
    },
    Field {
        path: "product_type_eu_goods_map",
        label: message!(fields.product_type_eu_goods_map.label),
        hint: message!(fields.product_type_eu_goods_map.hint),
        kind: Kind::ProductTypes,
    },
    Field {
        path: "mixed_goods_services",
        label: message!(fields.mixed_goods_services.label),
        hint: message!(fields.mixed_goods_services.hint),
        kind: Kind::OneOf {
            options: MIXES,
            get: |settings| match settings.mixed_goods_services {
                MixedGoodsServices::Default => "default",
                MixedGoodsServices::Hold => "hold",
            },
            set: |settings, word| {
                settings.mixed_goods_services = match word {
                    "default" => MixedGoodsServices::Default,
                    "hold" => MixedGoodsServices::Hold,
                    _ => return false,
                };
                true
            },
        },
    },
];

const CONSUMERS: &[Field] = &[
    Field {
        path: "consolidation.enabled",
        label: message!(fields.consolidation.enabled.label),
        hint: message!(fields.consolidation.enabled.hint),
        kind: Kind::Switch(|settings| &mut settings.consolidation.enabled),
    },
    Field {
        path: "consolidation.fallback_contact_name",
        label: message!(fields.consolidation.fallback_contact_name.label),
        hint: "",
        kind: Kind::Words(|settings| &mut settings.consolidation.fallback_contact_name),
    },
    Field {
        path: "consolidation.fallback_contact_email",
        label: message!(fields.consolidation.fallback_contact_email.label),
        hint: message!(fields.consolidation.fallback_contact_email.hint),
        kind: Kind::Email(|settings| &mut settings.consolidation.fallback_contact_email),
    },
    Field {
        path: "consolidation.fallback_contact_reference",
        label: message!(fields.consolidation.fallback_contact_reference.label),
        hint: message!(fields.consolidation.fallback_contact_reference.hint),
        kind: Kind::Words(|settings| &mut settings.consolidation.fallback_contact_reference),
    },
    Field {
        path: "consolidation.min_total_for_individual",
        label: message!(fields.consolidation.min_total_for_individual.label),
        hint: message!(fields.consolidation.min_total_for_individual.hint),
        kind: Kind::Amount(|settings| &mut settings.consolidation.min_total_for_individual),
    },
    Field {
        path: "consolidation.always_individual_for_b2b",
        label: message!(fields.consolidation.always_individual_for_b2b.label),
        hint: "",
        kind: Kind::Switch(|settings| &mut settings.consolidation.always_individual_for_b2b),
    },
];
