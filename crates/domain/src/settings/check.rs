//! The rules of the settings, one for each row of the table of cards. The browser runs them while somebody types, the server at every
//! save; only the latter has the reference set at hand in any case.

use super::{Choices, Consolidation, List, Lists, Settings, TaxKeyError, canonical_tax_map, confirmed_rates};
use crate::business::ReferenceSet;

/// Sage takes 25 characters of a reference (`sales_invoice.reference`); Magento's numbers need about half of them.
const PREFIX: usize = 12;
/// Sage takes 100 characters of a contact's name.
const CONTACT_NAME: usize = 100;
/// Sage takes ten characters of a contact's reference, of which one is kept for the currency.
const CONTACT_REFERENCE: usize = 9;
/// An address of an e-mail is no longer (RFC 5321, 4.5.3.1.3).
const EMAIL: usize = 254;
/// Magento's payment method codes (`sales_order_payment.method`).
const METHOD: usize = 128;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldProblem {
    /// Nothing was chosen.
    Required,
    /// Sage has no such record, or it cannot be used there.
    NotInReference,
    /// It is not of the form that is needed.
    InvalidFormat,
    /// It is too small or too great.
    OutOfRange,
    /// It has more characters than there is room for.
    TooLong,
    /// It contradicts another setting.
    Conflict,
}

impl FieldProblem {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Required,
        Self::NotInReference,
        Self::InvalidFormat,
        Self::OutOfRange,
        Self::TooLong,
        Self::Conflict,
    ];

    /// The problem of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == code)
    }

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::NotInReference => "not_in_reference",
            Self::InvalidFormat => "invalid_format",
            Self::OutOfRange => "out_of_range",
            Self::TooLong => "too_long",
            Self::Conflict => "conflict",
        }
    }
}

impl From<&TaxKeyError> for FieldProblem {
    fn from(error: &TaxKeyError) -> Self {
        match error {
            TaxKeyError::NotAPercentage(_) | TaxKeyError::NotACountry(_) | TaxKeyError::TooManyParts(_) => {
                Self::InvalidFormat
            }
            TaxKeyError::OutOfRange(_) => Self::OutOfRange,
            TaxKeyError::ClassTooLong => Self::TooLong,
            TaxKeyError::Twice(_) => Self::Conflict,
        }
    }
}

/// The fields that are wrong, by their paths (`tax_rate_map.20.00`, `consolidation.fallback_contact_email`), in the order of the cards.
pub type Problems = Vec<(String, FieldProblem)>;

impl Settings {
    /// Checks the settings against a reference set.
    pub fn check(&self, reference: &ReferenceSet) -> Problems {
        self.check_against(&Lists::of(reference))
    }

    /// Checks the settings against the business's lists.
    pub fn check_against(&self, choices: &dyn Choices) -> Problems {
        let mut check = Check { choices, problems: Vec::new() };
        self.behaviour(&mut check);
        self.mappings(&mut check);
        self.methods(&mut check);
        self.rates(&mut check);
        self.document_details(&mut check);
        self.goods(&mut check);
        self.consolidation.contact(&mut check);
        check.problems
    }

    fn behaviour(&self, check: &mut Check<'_>) {
        for (field, ids) in [("website_filter", &self.website_filter), ("store_filter", &self.store_filter)] {
            if ids.iter().any(|id| *id < 0) {
                check.wrong(field, FieldProblem::OutOfRange);
            }
        }
        if self.sync_stock && !self.sync_products {
            check.wrong("sync_stock", FieldProblem::Conflict);
        }
    }

    fn mappings(&self, check: &mut Check<'_>) {
        let rate = self.default_tax_rate_id.as_deref();
        match rate {
            // Who is not registered posts no tax.
            None if check.choices.is_registered_for_tax() => {
                check.wrong("default_tax_rate_id", FieldProblem::Required);
            }
            None => {}
            Some(id) => check.entry("default_tax_rate_id", List::TaxRates, id),
        }
        match &self.default_ledger_account_id {
            None => check.wrong("default_ledger_account_id", FieldProblem::Required),
            Some(id) => check.entry("default_ledger_account_id", List::SalesAccounts, id),
        }
        if let Some(id) = &self.default_bank_account_id {
            check.entry("default_bank_account_id", List::BankAccounts, id);
        }
        let purchases = &self.default_purchase_ledger_account_id;
        if self.sync_products && purchases.is_none() {
            check.wrong("default_purchase_ledger_account_id", FieldProblem::Required);
        }
        if let Some(id) = purchases {
            check.entry("default_purchase_ledger_account_id", List::ExpenseAccounts, id);
        }
        for (field, id) in [
            ("shipping_ledger_account_id", &self.shipping_ledger_account_id),
            ("discount_ledger_account_id", &self.discount_ledger_account_id),
            ("gift_card_ledger_account_id", &self.gift_card_ledger_account_id),
            ("fee_ledger_account_id", &self.fee_ledger_account_id),
            ("adjustment_ledger_account_id", &self.adjustment_ledger_account_id),
            ("foreign_tax_ledger_account_id", &self.foreign_tax_ledger_account_id),
        ] {
            if let Some(id) = id {
                check.entry(field, List::SalesAccounts, id);
            }
        }
    }

    fn methods(&self, check: &mut Check<'_>) {
        for (method, bank) in &self.payment_method_map {
            let field = format!("payment_method_map.{method}");
            if method.trim().is_empty() {
                check.wrong(&field, FieldProblem::Required);
            } else if method.len() > METHOD {
                check.wrong(&field, FieldProblem::TooLong);
            }
            if let Some(bank) = bank {
                check.entry(&field, List::BankAccounts, bank);
            }
        }
    }

    fn rates(&self, check: &mut Check<'_>) {
        if let Err(errors) = canonical_tax_map(&self.tax_rate_map) {
            for (key, error) in &errors {
                check.wrong(&format!("tax_rate_map.{key}"), error.into());
            }
        }
        for (key, id) in &self.tax_rate_map {
            check.entry(&format!("tax_rate_map.{key}"), List::TaxRates, id);
        }
    }

    fn document_details(&self, check: &mut Check<'_>) {
        if self.invoice_number_prefix.as_ref().is_some_and(|prefix| prefix.chars().count() > PREFIX) {
            check.wrong("invoice_number_prefix", FieldProblem::TooLong);
        }
        if self.document_time_zone.as_ref().is_some_and(|zone| !check.choices.is_time_zone(zone)) {
            check.wrong("document_time_zone", FieldProblem::InvalidFormat);
        }
    }

    fn goods(&self, check: &mut Check<'_>) {
        if self.confirmed_exchange_rates.as_deref().is_some_and(|text| !confirmed_rates::is_well_formed(text))
        {
            check.wrong("confirmed_exchange_rates", FieldProblem::InvalidFormat);
        }
        let is_type = |word: &str| matches!(word, "GOODS" | "SERVICES");
        if !is_type(&self.default_eu_goods_services_type) {
            check.wrong("default_eu_goods_services_type", FieldProblem::InvalidFormat);
        }
        for (product, word) in &self.product_type_eu_goods_map {
            if !is_type(word) {
                check.wrong(&format!("product_type_eu_goods_map.{product}"), FieldProblem::InvalidFormat);
            }
        }
    }
}

impl Consolidation {
    fn contact(&self, check: &mut Check<'_>) {
        if self.min_total_for_individual.is_sign_negative() {
            check.wrong("consolidation.min_total_for_individual", FieldProblem::OutOfRange);
        }
        // What is switched off may be half filled in.
        if !self.enabled {
            return;
        }
        check.text("consolidation.fallback_contact_name", &self.fallback_contact_name, CONTACT_NAME);
        check.text(
            "consolidation.fallback_contact_reference",
            &self.fallback_contact_reference,
            CONTACT_REFERENCE,
        );
        if let Some(email) = &self.fallback_contact_email {
            let field = "consolidation.fallback_contact_email";
            if email.len() > EMAIL {
                check.wrong(field, FieldProblem::TooLong);
            } else if !is_address(email) {
                check.wrong(field, FieldProblem::InvalidFormat);
            }
        }
    }
}

/// Whether this can be an address of an e-mail: something, an @, and a host with a dot in it. Whether it exists only a letter tells.
fn is_address(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let is_visible =
        |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let parts: Vec<&str> = host.split('.').collect();
    is_visible(local) && !local.contains('@') && parts.len() > 1 && parts.into_iter().all(is_visible)
}

struct Check<'a> {
    choices: &'a dyn Choices,
    problems: Problems,
}

impl Check<'_> {
    fn wrong(&mut self, field: &str, problem: FieldProblem) {
        self.problems.push((field.to_owned(), problem));
    }

    fn text(&mut self, field: &str, text: &str, longest: usize) {
        if text.trim().is_empty() {
            self.wrong(field, FieldProblem::Required);
        } else if text.chars().count() > longest {
            self.wrong(field, FieldProblem::TooLong);
        }
    }

    fn entry(&mut self, field: &str, list: List, id: &str) {
        if !self.choices.has(list, id) {
            self.wrong(field, FieldProblem::NotInReference);
        }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use FieldProblem::{Conflict, InvalidFormat, NotInReference, OutOfRange, Required, TooLong};

    fn reference() -> ReferenceSet {
        serde_json::from_str(include_str!("../../../../fixtures/demo/reference.json")).unwrap()
    }

    fn good() -> Settings {
        serde_json::from_str(include_str!("../../../../fixtures/demo/settings.json")).unwrap()
    }

    #[test]
    fn the_suggested_settings_keep_every_rule() {
        assert_eq!(Settings::suggested(&reference()).check(&reference()), []);
        assert_eq!(good().check(&reference()), []);
    }

    #[test]
    fn nothing_is_set_but_what_has_to_be() {
        let problems = Settings::default().check(&reference());
        let fields: Vec<_> = problems.iter().map(|(field, problem)| (field.as_str(), *problem)).collect();
        assert_eq!(fields, [("default_tax_rate_id", Required), ("default_ledger_account_id", Required)]);
        let unregistered = ReferenceSet { registered_for_tax: false, ..reference() };
        assert_eq!(Settings::default().check(&unregistered).len(), 1);
    }

    type Breaks = fn(&mut Settings);

    fn each_names_its_field(rules: &[(&str, FieldProblem, Breaks)]) {
        for (field, problem, breaks) in rules {
            let mut settings = good();
            breaks(&mut settings);
            assert_eq!(settings.check(&reference()), [((*field).to_owned(), *problem)], "{field}");
        }
    }

    #[test]
    fn every_rule_of_behaviour_and_accounts_names_its_field() {
        each_names_its_field(&[
            ("website_filter", OutOfRange, |settings| settings.website_filter = vec![-1]),
            ("store_filter", OutOfRange, |settings| settings.store_filter = vec![2, -2]),
            ("sync_stock", Conflict, |settings| settings.sync_stock = true),
            ("default_tax_rate_id", NotInReference, |settings| {
                settings.default_tax_rate_id = Some("GONE".to_owned());
            }),
            ("default_ledger_account_id", NotInReference, |settings| {
                settings.default_ledger_account_id = Some("gone".to_owned());
            }),
            ("default_bank_account_id", NotInReference, |settings| {
                settings.default_bank_account_id = Some("gone".to_owned());
            }),
            ("default_purchase_ledger_account_id", Required, |settings| settings.sync_products = true),
            ("default_purchase_ledger_account_id", NotInReference, |settings| {
                settings.default_purchase_ledger_account_id = Some("gone".to_owned());
            }),
            ("shipping_ledger_account_id", NotInReference, |settings| {
                settings.shipping_ledger_account_id = Some("gone".to_owned());
            }),
            ("discount_ledger_account_id", NotInReference, |settings| {
                settings.discount_ledger_account_id = Some("gone".to_owned());
            }),
            ("gift_card_ledger_account_id", NotInReference, |settings| {
                settings.gift_card_ledger_account_id = Some("gone".to_owned());
            }),
            ("fee_ledger_account_id", NotInReference, |settings| {
                settings.fee_ledger_account_id = Some("gone".to_owned());
            }),
            ("foreign_tax_ledger_account_id", NotInReference, |settings| {
                settings.foreign_tax_ledger_account_id = Some("gone".to_owned());
            }),
            ("adjustment_ledger_account_id", NotInReference, |settings| {
                settings.adjustment_ledger_account_id = Some("gone".to_owned());
            }),
        ]);
    }

    #[test]
    fn every_rule_of_maps_details_and_contacts_names_its_field() {
        each_names_its_field(&[
            ("payment_method_map.checkmo", NotInReference, |settings| {
                settings.payment_method_map.insert("checkmo".to_owned(), Some("gone".to_owned()));
            }),
            ("payment_method_map. ", Required, |settings| {
                settings.payment_method_map.insert(" ".to_owned(), None);
            }),
            ("tax_rate_map.17.50", NotInReference, |settings| {
                settings.tax_rate_map.insert("17.50".to_owned(), "GONE".to_owned());
            }),
            ("tax_rate_map.x", InvalidFormat, |settings| {
                settings.tax_rate_map.insert("x".to_owned(), "GB_ZERO".to_owned());
            }),
            ("tax_rate_map.200", OutOfRange, |settings| {
                settings.tax_rate_map.insert("200".to_owned(), "GB_ZERO".to_owned());
            }),
            ("tax_rate_map.20.00", Conflict, |settings| {
                settings.tax_rate_map.insert("20".to_owned(), "GB_STANDARD".to_owned());
            }),
            ("invoice_number_prefix", TooLong, |settings| {
                settings.invoice_number_prefix = Some("MAGENTO-SHOP-".to_owned());
            }),
            ("document_time_zone", InvalidFormat, |settings| {
                settings.document_time_zone = Some("Europe/Nowhere".to_owned());
            }),
            ("default_eu_goods_services_type", InvalidFormat, |settings| {
                settings.default_eu_goods_services_type = "goods".to_owned();
            }),
            ("product_type_eu_goods_map.virtual", InvalidFormat, |settings| {
                settings.product_type_eu_goods_map.insert("virtual".to_owned(), "AIR".to_owned());
            }),
            ("consolidation.min_total_for_individual", OutOfRange, |settings| {
                settings.consolidation.min_total_for_individual = Decimal::NEGATIVE_ONE;
            }),
            ("consolidation.fallback_contact_name", Required, |settings| {
                settings.consolidation.enabled = true;
                settings.consolidation.fallback_contact_name = " ".to_owned();
            }),
            ("consolidation.fallback_contact_reference", TooLong, |settings| {
                settings.consolidation.enabled = true;
                settings.consolidation.fallback_contact_reference = "TENLETTERS".to_owned();
            }),
            ("consolidation.fallback_contact_email", InvalidFormat, |settings| {
                settings.consolidation.enabled = true;
                settings.consolidation.fallback_contact_email = Some("web@shop".to_owned());
            }),
        ]);
    }

    #[test]
    fn an_account_that_cannot_be_used_on_sales_is_none() {
        let reference = reference();
        let bought = reference.ledger_accounts.iter().find(|account| !account.visible_in_sales).unwrap();
        let settings = Settings { fee_ledger_account_id: Some(bought.id.clone()), ..good() };
        assert_eq!(settings.check(&reference), [("fee_ledger_account_id".to_owned(), NotInReference)]);
    }

    #[test]
    fn what_is_switched_off_may_be_half_filled_in() {
        let consolidation =
            Consolidation { fallback_contact_reference: String::new(), ..Consolidation::default() };
        assert_eq!(Settings { consolidation, ..good() }.check(&reference()), []);
    }
}
