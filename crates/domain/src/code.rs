//! The catalogue of codes: why a run was skipped, waits or failed, what that means for a person, and what to do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::run::{UnknownWord, words};

words!(
    /// The coarse class that Magento is told (`error_code` of the wire, 64 characters).
    ErrorClass {
        /// Magento or Sage refuses our credentials.
        Auth = "auth",
        /// The document or a mapped record does not exist.
        NotFound = "not_found",
        /// A rule of Ledger's or Sage's refuses the document.
        Validation = "validation",
        /// Too many calls.
        RateLimited = "rate_limited",
        /// Sage or Magento failed.
        Provider = "provider",
        /// No answer, or a cut line.
        Http = "http",
        /// Ledger's own store failed.
        Database = "database",
        /// An answer could not be read.
        Serde = "serde",
        /// A fault of Ledger's.
        Internal = "internal",
    }
);

/// What a code means for the run that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The policy says not to sync: terminal.
    Skips,
    /// The run waits and goes on by itself, or when a person has mended what is missing.
    Holds,
    /// The run failed; tried again where a repeat can mend it.
    Fails(ErrorClass),
}

macro_rules! codes {
    ($($variant:ident = $word:literal, $effect:expr, $sentence:literal, $action:literal;)+) => {
        /// Why a run is where it is. Each code is stable: it is stored, sent, searched for and documented.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $sentence] #[serde(rename = $word)] $variant),+
        }

        impl Code {
            /// The whole catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What it means for the run.
            pub const fn effect(self) -> Effect {
                match self { $(Self::$variant => $effect),+ }
            }

            /// What happened, in a sentence for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }

            /// What to do about it, in a sentence for a person.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => $action),+ }
            }
        }

        impl FromStr for Code {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), allowed: "a code of the catalogue" }),
                }
            }
        }
    };
}

use Effect::{Fails, Holds, Skips};
use ErrorClass::{Auth, Database, Http, Internal, NotFound, Provider, RateLimited, Serde, Validation};

codes! {
    UnpaidInvoice = "unpaid_invoice", Skips, "The invoice is open, and open invoices are not synced.", "Turn on “Sync unpaid invoices” if it should be, then retry.";
    ZeroValueInvoice = "zero_value_invoice", Skips, "The invoice totals nothing, and such invoices are not synced.", "Turn on “Sync zero-value invoices” if it should be, then retry.";
    OutsideSyncSince = "outside_sync_since", Skips, "The document is older than the day from which documents are synced.", "Set an earlier day in the settings if it should be synced, then retry.";
    OutsideWebsiteFilter = "outside_website_filter", Skips, "The document belongs to a website that is not synced.", "Add the website in the settings if it should be synced, then retry.";
    OutsideStoreFilter = "outside_store_filter", Skips, "The document belongs to a store view that is not synced.", "Add the store view in the settings if it should be synced, then retry.";
    ProductsDisabled = "products_disabled", Skips, "Products are not synced.", "Turn on “Sync products” if they should be, then retry.";
    ProductTypeNotSupported = "product_type_not_supported", Skips, "Sage has no counterpart for a product of this type; its parts are synced by themselves.", "Nothing to do.";
    PaymentMethodNotMapped = "payment_method_not_mapped", Skips, "The payment method has no bank account, so the invoice stays unpaid in Sage.", "Map the payment method to a bank account, then retry.";
    InvoiceNotSynced = "invoice_not_synced", Skips, "The invoice was skipped, so its payment or credit memo is skipped as well.", "Sync the invoice first, then retry this.";
    InvoiceCancelled = "invoice_cancelled", Skips, "The invoice was cancelled in Magento.", "Nothing to do.";
    CustomerConsolidated = "customer_consolidated", Skips, "The customer's sales are collected in the shared contact, so there is no contact of their own to keep up to date.", "Turn off the consolidation of consumers in the settings if every customer should have a contact, then retry.";
    ExcludedByPerson = "excluded_by_person", Skips, "A person has excluded this document.", "Take the exclusion back if it should be synced after all.";
    NothingToPay = "nothing_to_pay", Skips, "The invoice totals nothing, so there is no payment to record.", "Nothing to do.";

    WaitingForInvoice = "waiting_for_invoice", Holds, "The invoice must be in Sage first; this goes on by itself when it is.", "If the invoice has failed, mend and retry the invoice.";
    SaleNotInSage = "sale_not_in_sage", Holds, "The credit memo names no invoice, and Ledger has posted no sale to this customer that covers it.", "Sync the customer's invoice, then retry. If the sale was entered in Sage by hand, enter the refund there as well and exclude this credit memo.";
    WaitingForWriter = "waiting_for_writer", Holds, "Another document is being written to this Sage business; this goes on by itself.", "Nothing to do.";
    BindingPending = "binding_pending", Holds, "The shop is not connected to a Sage business yet.", "Connect Sage; the documents that wait go on by themselves.";
    BindingPaused = "binding_paused", Holds, "Syncing of this shop is paused.", "Resume it; the documents that wait go on by themselves.";
    BindingNeedsReauth = "binding_needs_reauth", Holds, "Sage or Magento no longer accepts our credentials.", "Connect it again; the documents that wait go on by themselves.";
    BindingRevoked = "binding_revoked", Holds, "The shop is disconnected.", "Connect it again; the documents that wait resume automatically.";
    BusinessShared = "business_shared", Holds, "Another shop posts to the same Sage business.", "Connect this shop to a business of its own, or disconnect the other shop first.";
    NeedsMapping = "needs_mapping", Holds, "A setting is missing that this document needs.", "Choose it in the settings; the documents that wait go on by themselves.";
    CrossBorderNotSupported = "cross_border_not_supported", Holds, "Sales to another tax area are not translated by this version.", "Wait for the version that does; the document is kept.";
    UnshownTax = "unshown_tax", Holds, "The total includes an amount that is on no line, and its tax cannot be determined.", "Make the memo from its invoice in Magento, let such tax be inferred in the settings, or record this one in Sage by hand.";
    MixedGoodsServices = "mixed_goods_services", Holds, "The invoice mixes goods and services across a border, where Sage takes only one of the two.", "Let such invoices take the default type in the settings, or record this one in Sage by hand.";
    CircuitOpen = "circuit_open", Holds, "Sage has failed several times in a row; calls to it rest for a moment.", "Nothing to do: this goes on by itself.";

    TotalsMismatch = "totals_mismatch", Fails(Validation), "No faithful posting exists: the sums in Sage would differ from Magento's. Nothing was posted.", "Compare the two sums shown, correct the document or the settings, then retry.";
    TotalsMismatchAfterPost = "totals_mismatch_after_post", Fails(Validation), "Sage shows other sums than Magento for the posted document. It is not posted again.", "Open the document in Sage and correct or void it there, then retry: Ledger looks at it again.";
    DocumentMakesNoSense = "document_makes_no_sense", Fails(Validation), "The document contradicts itself and cannot be posted.", "Check the document in Magento.";
    UnreadableDocument = "unreadable_document", Fails(Validation), "A value in Magento's document cannot be read, or is beyond what Ledger accepts.", "Correct the field that is named in Magento, then retry.";
    PlanTooSlow = "plan_too_slow", Fails(Validation), "Working out how to post the document took too long, so it was stopped. Nothing was posted.", "Report it with the run's id, or record the document in Sage by hand.";
    MultiCurrencyDisabled = "multi_currency_disabled", Fails(Validation), "The document is in another currency, and the Sage business does not use several currencies.", "Turn on foreign currencies in Sage, then retry.";
    ExchangeRateMissing = "exchange_rate_missing", Fails(Validation), "The document is in another currency, and Magento tells no exchange rate.", "Check the currency rates of the shop, then retry.";
    ExchangeRateDoubtful = "exchange_rate_doubtful", Fails(Validation), "Magento's exchange rate is far from the one that Sage has.", "Compare the shop's base currency and rates with Sage's, correct what is wrong, then retry.";
    TaxRegionUnknown = "tax_region_unknown", Fails(Validation), "The customer's province is not known, and the tax depends on it.", "Correct the province in the document's address in Magento, then retry.";
    ItemCodeTooLong = "item_code_too_long", Fails(Validation), "The article number is longer than Sage takes.", "Shorten the SKU in Magento, then retry.";
    BeforeAccountsStart = "before_accounts_start", Fails(Validation), "The document is dated before the day on which the books of the Sage business begin.", "Set an earlier start in Sage, or sync only documents from that day on, then retry.";
    TaxNotAllowed = "tax_not_allowed", Fails(Validation), "Magento charged tax that this Sage business cannot record.", "Check the tax settings of the shop and of the business, then retry.";
    SageValidation = "sage_validation", Fails(Validation), "Sage refused the document.", "Mend what Sage says, then retry.";
    SageConflict = "sage_conflict", Fails(Validation), "Sage already holds another document under this reference.", "Look at both in Sage; if that one is wrong, correct it there, then retry.";

    MagentoAuth = "magento_auth", Fails(Auth), "Magento refuses our token.", "Pair the shop again.";
    SageAuth = "sage_auth", Fails(Auth), "Sage refuses our token.", "Connect Sage again.";
    SageForbidden = "sage_forbidden", Fails(Auth), "The Sage user who connected lacks a right that this needs.", "Give the user the right in Sage, or connect as another user, then retry.";
    SagePlan = "sage_plan", Fails(Auth), "The Sage subscription has ended or does not include this feature.", "Change the subscription in Sage, then retry.";
    MagentoNotFound = "magento_not_found", Fails(NotFound), "Magento no longer has this document.", "If it was deleted there is nothing to do.";
    MagentoModuleMissing = "magento_module_missing", Fails(NotFound), "The Ledger module is missing from the shop.", "Install the module again, then retry.";
    SageNotFound = "sage_not_found", Fails(NotFound), "Sage does not know a record that the settings name.", "Choose it anew in the settings, then retry.";
    SageRecordGone = "sage_record_gone", Fails(NotFound), "A record that this document is set against is no longer in Sage.", "Put it back in Sage and retry, or exclude this document and enter it in Sage by hand.";
    SageRateLimited = "sage_rate_limited", Fails(RateLimited), "Sage asks us to call less often.", "Nothing to do: this is tried again.";
    SageInProgress = "sage_in_progress", Fails(Provider), "Sage is still working on an earlier request for this document.", "No action needed: Ledger tries again.";
    SageUnavailable = "sage_unavailable", Fails(Provider), "Sage failed to answer properly.", "Nothing to do: this is tried again.";
    SageUnreachable = "sage_unreachable", Fails(Http), "Sage could not be reached, or the line was cut.", "Nothing to do: this is tried again.";
    SageGarbage = "sage_garbage", Fails(Serde), "Sage's answer could not be read.", "This is tried again; if it stays, report it with the request's id.";
    MagentoUnavailable = "magento_unavailable", Fails(Provider), "Magento failed to answer properly.", "Nothing to do: this is tried again.";
    MagentoUnreachable = "magento_unreachable", Fails(Http), "Magento could not be reached, or the line was cut.", "Check that the shop is up; this is tried again.";
    MagentoGarbage = "magento_garbage", Fails(Serde), "Magento's answer could not be read.", "Check for a maintenance page in front of the shop; this is tried again.";
    LeaseLost = "lease_lost", Fails(Database), "Ledger was interrupted for so long that another worker may have taken this document over, so it sent nothing more.", "Nothing to do: this is tried again.";
    UnreadableRecord = "unreadable_record", Fails(Validation), "Ledger's own record of this run cannot be read in full.", "Run `ledger doctor` on the server: it names the record and what to do.";
    StoreFailed = "store_failed", Fails(Database), "Ledger's own database failed.", "Check its disk and its logs; this is tried again.";
    Internal = "internal", Fails(Internal), "A fault of Ledger's.", "Report it with the run's id; this is tried again.";
}

impl Code {
    /// The class that Magento is told for a failure; `None` for what skips or holds.
    pub const fn class(self) -> Option<ErrorClass> {
        match self.effect() {
            Fails(class) => Some(class),
            Skips | Holds => None,
        }
    }

    /// Those that a change of the settings mends: saving the settings lets the runs that wait with them go on.
    pub const FIXED_BY_SETTINGS: [Self; 3] = [Self::NeedsMapping, Self::MixedGoodsServices, Self::UnshownTax];

    /// Whether a failure of this kind may mend itself, so that it is tried again.
    pub const fn is_retryable(self) -> bool {
        matches!(self.effect(), Fails(RateLimited | Provider | Http | Serde | Database | Internal))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
