//! The table of the cards: every field with its name, what it is for, and where it is kept.

use super::{Card, Field, Kind};
use crate::policy::{List, MixedGoodsServices, NamePriority, SafeMode, UnshownTax};

/// What the goods/services type may be.
pub const GOODS_OR_SERVICES: &[(&str, &str)] = &[("GOODS", "Goods"), ("SERVICES", "Services")];

const SAFE_MODES: &[(&str, &str)] = &[
    ("first_documents", "The first 20, after connecting and after every change here"),
    ("always", "Every document"),
    ("never", "None"),
];

const UNSHOWN_TAXES: &[(&str, &str)] =
    &[("hold", "Let it wait for a person"), ("infer", "Infer the tax that makes a round sum, and say so")];

const NAMES: &[(&str, &str)] = &[("company", "The company\u{2019}s"), ("person", "The person\u{2019}s")];

const MIXES: &[(&str, &str)] = &[("default", "Take the default type"), ("hold", "Wait for a person")];

/// The cards, in the order of the page.
pub const CARDS: &[Card] = &[
    Card {
        id: "behaviour",
        title: "Sync behaviour",
        about: "Which documents of the shop are posted.",
        fields: BEHAVIOUR,
    },
    Card {
        id: "mappings",
        title: "Default mappings",
        about: "Where sums go that nothing below says more about.",
        fields: MAPPINGS,
    },
    Card {
        id: "payments",
        title: "Payment methods",
        about: "Into which bank account the money of each payment method goes.",
        fields: PAYMENTS,
    },
    Card {
        id: "taxes",
        title: "Tax rates",
        about: "Which of Sage\u{2019}s rates stands for each percentage that Magento charges.",
        fields: TAXES,
    },
    Card {
        id: "knobs",
        title: "References, names and dates",
        about: "What the documents look like in Sage.",
        fields: KNOBS,
    },
    Card {
        id: "currencies",
        title: "Sales abroad",
        about: "What Sage reports about sales across a border: goods or services.",
        fields: ABROAD,
    },
    Card {
        id: "consolidation",
        title: "Consumers\u{2019} sales",
        about: "One contact for all consumers, in place of one for each.",
        fields: CONSUMERS,
    },
];

const BEHAVIOUR: &[Field] = &[
    Field {
        path: "sync_unpaid_invoices",
        label: "Post open invoices",
        hint: "Off: an invoice is posted once it is paid.",
        kind: Kind::Switch(|policy| &mut policy.sync_unpaid_invoices),
    },
    Field {
        path: "sync_zero_value_invoices",
        label: "Post invoices of nothing",
        hint: "Invoices whose total is 0.00, such as free samples.",
        kind: Kind::Switch(|policy| &mut policy.sync_zero_value_invoices),
    },
    Field {
        path: "sync_since",
        label: "Only documents made since (UTC)",
        hint: "Older ones are skipped. Empty: all.",
        kind: Kind::Moment(|policy| &mut policy.sync_since),
    },
    Field {
        path: "website_filter",
        label: "Only these websites",
        hint: "Magento\u{2019}s website ids, such as 1, 3. Empty: all.",
        kind: Kind::Ids(|policy| &mut policy.website_filter),
    },
    Field {
        path: "store_filter",
        label: "Only these store views",
        hint: "Magento\u{2019}s store ids. Empty: all.",
        kind: Kind::Ids(|policy| &mut policy.store_filter),
    },
    Field {
        path: "sync_products",
        label: "Keep products in Sage",
        hint: "Needs the account for purchases below.",
        kind: Kind::Switch(|policy| &mut policy.sync_products),
    },
    Field {
        path: "sync_stock",
        label: "Keep stock levels in Sage",
        hint: "Needs products to be kept.",
        kind: Kind::Switch(|policy| &mut policy.sync_stock),
    },
    Field {
        path: "safe_mode",
        label: "Compare as a draft first",
        hint: "The document is made as a draft in Sage, its sums are compared with Magento\u{2019}s, and only then it is released.",
        kind: Kind::OneOf {
            options: SAFE_MODES,
            get: |policy| match policy.safe_mode {
                SafeMode::FirstDocuments => "first_documents",
                SafeMode::Always => "always",
                SafeMode::Never => "never",
            },
            set: |policy, word| {
                policy.safe_mode = match word {
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
        label: "Tax rate",
        hint: "For percentages that the card of tax rates does not name.",
        kind: Kind::Pick(List::TaxRates, |policy| &mut policy.default_tax_rate_id),
    },
    Field {
        path: "default_ledger_account_id",
        label: "Sales account",
        hint: "The account of what is sold.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.default_ledger_account_id),
    },
    Field {
        path: "default_bank_account_id",
        label: "Bank account",
        hint: "For payments whose method has no account of its own. Empty: their invoices stay unpaid in Sage.",
        kind: Kind::Pick(List::BankAccounts, |policy| &mut policy.default_bank_account_id),
    },
    Field {
        path: "default_purchase_ledger_account_id",
        label: "Account for purchases",
        hint: "Needed only where products are kept in Sage.",
        kind: Kind::Pick(List::ExpenseAccounts, |policy| &mut policy.default_purchase_ledger_account_id),
    },
    Field {
        path: "shipping_ledger_account_id",
        label: "Shipping",
        hint: "Empty: Sage\u{2019}s own carriage account, or the sales account.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.shipping_ledger_account_id),
    },
    Field {
        path: "discount_ledger_account_id",
        label: "Discounts",
        hint: "Empty: the sales account.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.discount_ledger_account_id),
    },
    Field {
        path: "gift_card_ledger_account_id",
        label: "Gift cards and store credit",
        hint: "Empty: the sales account.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.gift_card_ledger_account_id),
    },
    Field {
        path: "fee_ledger_account_id",
        label: "Fees",
        hint: "Empty: the sales account.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.fee_ledger_account_id),
    },
    Field {
        path: "adjustment_ledger_account_id",
        label: "Adjustments of refunds",
        hint: "Empty: the sales account.",
        kind: Kind::Pick(List::SalesAccounts, |policy| &mut policy.adjustment_ledger_account_id),
    },
];

const PAYMENTS: &[Field] = &[
    Field {
        path: "payment_method_map",
        label: "Payment methods",
        hint: "The methods come from the shop as it is now.",
        kind: Kind::PaymentMethods,
    },
    Field {
        path: "record_refunds",
        label: "Record refunds",
        hint: "A refund leaves the bank account that the payment went to. Off: the credit stays on the customer\u{2019}s account.",
        kind: Kind::Switch(|policy| &mut policy.record_refunds),
    },
];

const TAXES: &[Field] = &[
    Field {
        path: "tax_rate_map",
        label: "Tax rates",
        hint: "A percentage such as 20. For one tax class only 20/Reduced, for one country only 0//US, for both 20/Reduced/IE; the most exact one wins.",
        kind: Kind::TaxRates,
    },
    Field {
        path: "unshown_tax",
        label: "A credit memo whose tax Magento does not show",
        hint: "Memos without an invoice can hold fees or product taxes that may be taxed or not.",
        kind: Kind::OneOf {
            options: UNSHOWN_TAXES,
            get: |policy| match policy.unshown_tax {
                UnshownTax::Hold => "hold",
                UnshownTax::Infer => "infer",
            },
            set: |policy, word| {
                policy.unshown_tax = match word {
                    "hold" => UnshownTax::Hold,
                    "infer" => UnshownTax::Infer,
                    _ => return false,
                };
                true
            },
        },
    },
];

const KNOBS: &[Field] = &[
    Field {
        path: "invoice_number_prefix",
        label: "In front of Magento\u{2019}s numbers",
        hint: "Such as WEB-, twelve characters at most. It stands in Sage\u{2019}s reference of invoices and credit notes.",
        kind: Kind::Text(|policy| &mut policy.invoice_number_prefix),
    },
    Field {
        path: "customer_name_priority",
        label: "A contact bears the name",
        hint: "Where both a company and a person are known.",
        kind: Kind::OneOf {
            options: NAMES,
            get: |policy| match policy.customer_name_priority {
                NamePriority::Company => "company",
                NamePriority::Person => "person",
            },
            set: |policy, word| {
                policy.customer_name_priority = match word {
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
        label: "Time zone of a document\u{2019}s day",
        hint: "Such as Europe/London. Empty: that of the business\u{2019}s country. Around midnight it decides in which VAT period a document falls.",
        kind: Kind::Zone(|policy| &mut policy.document_time_zone),
    },
];

const ABROAD: &[Field] = &[
    Field {
        path: "default_eu_goods_services_type",
        label: "What is sold, mostly",
        hint: "Where a line\u{2019}s product type is not known.",
        kind: Kind::OneOf {
            options: GOODS_OR_SERVICES,
            get: |policy| &policy.default_eu_goods_services_type,
            set: |policy, word| {
                let known = GOODS_OR_SERVICES.iter().any(|(known, _)| *known == word);
                if known {
                    word.clone_into(&mut policy.default_eu_goods_services_type);
                }
                known
            },
        },
    },
    Field {
        path: "product_type_eu_goods_map",
        label: "Product types",
        hint: "What each of Magento\u{2019}s product types is.",
        kind: Kind::ProductTypes,
    },
    Field {
        path: "mixed_goods_services",
        label: "An invoice of goods and services",
        hint: "In Sage all lines of an invoice share one type.",
        kind: Kind::OneOf {
            options: MIXES,
            get: |policy| match policy.mixed_goods_services {
                MixedGoodsServices::Default => "default",
                MixedGoodsServices::Hold => "hold",
            },
            set: |policy, word| {
                policy.mixed_goods_services = match word {
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
        label: "Use one contact for consumers",
        hint: "Sage keeps one for each currency.",
        kind: Kind::Switch(|policy| &mut policy.consolidation.enabled),
    },
    Field {
        path: "consolidation.fallback_contact_name",
        label: "Its name",
        hint: "",
        kind: Kind::Words(|policy| &mut policy.consolidation.fallback_contact_name),
    },
    Field {
        path: "consolidation.fallback_contact_email",
        label: "Its e-mail address",
        hint: "Empty: none.",
        kind: Kind::Email(|policy| &mut policy.consolidation.fallback_contact_email),
    },
    Field {
        path: "consolidation.fallback_contact_reference",
        label: "Its reference",
        hint: "Nine characters at most.",
        kind: Kind::Words(|policy| &mut policy.consolidation.fallback_contact_reference),
    },
    Field {
        path: "consolidation.min_total_for_individual",
        label: "A contact of their own from this total on",
        hint: "Grand total of the invoice. 0: never for that reason.",
        kind: Kind::Amount(|policy| &mut policy.consolidation.min_total_for_individual),
    },
    Field {
        path: "consolidation.always_individual_for_b2b",
        label: "Companies always have a contact of their own",
        hint: "",
        kind: Kind::Switch(|policy| &mut policy.consolidation.always_individual_for_b2b),
    },
];
