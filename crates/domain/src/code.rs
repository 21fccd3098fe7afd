//! The catalogue of codes: why a run was skipped, waits or failed, what that means for a person, and what to do.

use messages::message;

use crate::words;

words! {
    /// The coarse class that Magento is told (`error_code` of the wire, 64 characters).
    pub enum ErrorClass {
        /// Magento or Sage refuses our credentials.
        Auth,
        /// The document or a mapped record does not exist.
        NotFound,
        /// A rule of Ledger's or Sage's refuses the document.
        Validation,
        /// Too many calls.
        RateLimited,
        /// Sage or Magento failed.
        Provider,
        /// No answer, or a cut line.
        Http,
        /// Ledger's own store failed.
        Database,
        /// An answer could not be read.
        Serde,
        /// An error occurred in Ledger.
        Internal,
    }
}

/// What a code means for the run that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The settings say not to sync: terminal.
    Skips,
    /// The run waits and resumes automatically, or once what is missing is fixed.
    Holds,
    /// The run failed; tried again where a repeat can fix it.
    Fails(ErrorClass),
}

macro_rules! codes {
    ($($variant:ident = $word:ident, $effect:expr;)+) => {
        words! {
            /// Why a run is where it is. Each code is stable: it is stored, sent, searched for and documented.
            pub enum Code {
                $(#[doc = message!(codes.$word.sentence)] $variant),+
            }
        }

        impl Code {
            /// What it means for the run.
            pub const fn effect(self) -> Effect {
                match self { $(Self::$variant => $effect),+ }
            }

            /// What happened, in a sentence for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => message!(codes.$word.sentence)),+ }
            }

            /// What to do about it, in a sentence for a person.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => message!(codes.$word.action)),+ }
            }
        }
    };
}

use Effect::{Fails, Holds, Skips};
use ErrorClass::{Auth, Database, Http, Internal, NotFound, Provider, RateLimited, Serde, Validation};

codes! {
    UnpaidInvoice = unpaid_invoice, Skips;
    ZeroValueInvoice = zero_value_invoice, Skips;
    OutsideSyncSince = outside_sync_since, Skips;
    OutsideWebsiteFilter = outside_website_filter, Skips;
    OutsideStoreFilter = outside_store_filter, Skips;
    ProductsDisabled = products_disabled, Skips;
    ProductTypeNotSupported = product_type_not_supported, Skips;
    PaymentMethodNotMapped = payment_method_not_mapped, Skips;
    InvoiceNotSynced = invoice_not_synced, Skips;
    InvoiceCancelled = invoice_cancelled, Skips;
    CustomerConsolidated = customer_consolidated, Skips;
    Excluded = excluded, Skips;
    NothingToPay = nothing_to_pay, Skips;

    WaitingForInvoice = waiting_for_invoice, Holds;
    SaleNotInSage = sale_not_in_sage, Holds;
    WaitingForWriter = waiting_for_writer, Holds;
    BindingPending = binding_pending, Holds;
    BindingPaused = binding_paused, Holds;
    BindingNeedsReauth = binding_needs_reauth, Holds;
    BindingRevoked = binding_revoked, Holds;
    BusinessShared = business_shared, Holds;
    NeedsMapping = needs_mapping, Holds;
    CrossBorderNotSupported = cross_border_not_supported, Holds;
    TaxUndetermined = tax_undetermined, Holds;
    MixedGoodsServices = mixed_goods_services, Holds;
    CircuitOpen = circuit_open, Holds;

    TotalsMismatch = totals_mismatch, Fails(Validation);
    TotalsMismatchAfterPost = totals_mismatch_after_post, Fails(Validation);
    InconsistentDocument = inconsistent_document, Fails(Validation);
    UnreadableDocument = unreadable_document, Fails(Validation);
    PlanTooSlow = plan_too_slow, Fails(Validation);
    MultiCurrencyDisabled = multi_currency_disabled, Fails(Validation);
    ExchangeRateMissing = exchange_rate_missing, Fails(Validation);
    ExchangeRateDoubtful = exchange_rate_doubtful, Fails(Validation);
    TaxRegionUnknown = tax_region_unknown, Fails(Validation);
    ItemCodeTooLong = item_code_too_long, Fails(Validation);
    BeforeAccountsStart = before_accounts_start, Fails(Validation);
    TaxNotAllowed = tax_not_allowed, Fails(Validation);
    SageValidation = sage_validation, Fails(Validation);
    SageConflict = sage_conflict, Fails(Validation);

    MagentoAuth = magento_auth, Fails(Auth);
    SageAuth = sage_auth, Fails(Auth);
    SageForbidden = sage_forbidden, Fails(Auth);
    SagePlan = sage_plan, Fails(Auth);
    MagentoNotFound = magento_not_found, Fails(NotFound);
    MagentoModuleMissing = magento_module_missing, Fails(NotFound);
    SageNotFound = sage_not_found, Fails(NotFound);
    SageRecordGone = sage_record_gone, Fails(NotFound);
    SageRateLimited = sage_rate_limited, Fails(RateLimited);
    SageInProgress = sage_in_progress, Fails(Provider);
    SageUnavailable = sage_unavailable, Fails(Provider);
    SageUnreachable = sage_unreachable, Fails(Http);
    SageInvalidResponse = sage_invalid_response, Fails(Serde);
    MagentoUnavailable = magento_unavailable, Fails(Provider);
    MagentoUnreachable = magento_unreachable, Fails(Http);
    MagentoInvalidResponse = magento_invalid_response, Fails(Serde);
    LeaseLost = lease_lost, Fails(Database);
    UnreadableRecord = unreadable_record, Fails(Validation);
    StoreFailed = store_failed, Fails(Database);
    Internal = internal, Fails(Internal);
}

impl Code {
    /// Skips of a whole kind that the settings switch off: not documents that somebody may miss in the books.
    pub const SWITCHED_OFF: [Self; 2] = [Self::ProductsDisabled, Self::CustomerConsolidated];

    /// The class that Magento is told for a failure; `None` for what skips or holds.
    pub const fn class(self) -> Option<ErrorClass> {
        match self.effect() {
            Fails(class) => Some(class),
            Skips | Holds => None,
        }
    }

    /// Those that a change of the settings fixes: saving the settings lets the runs that wait with them go on.
    pub const FIXED_BY_SETTINGS: [Self; 3] =
        [Self::NeedsMapping, Self::MixedGoodsServices, Self::TaxUndetermined];

    /// Whether a failure of this kind may fix itself, so that it is tried again.
    pub const fn is_retryable(self) -> bool {
        matches!(self.effect(), Fails(RateLimited | Provider | Http | Serde | Database | Internal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_short_and_says_what_to_do() {
        for code in Code::ALL {
            assert!(code.as_str().len() <= 64, "{code}: Magento cuts at 64 characters");
            assert!(code.sentence().ends_with('.') && code.action().ends_with('.'), "{code}");
            assert_eq!(code.as_str().parse::<Code>().unwrap(), *code);
        }
    }
}
