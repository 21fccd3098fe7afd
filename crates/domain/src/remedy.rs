//! What a person can do about a run, as things that a page has a button for: one table over every code and every status.

use crate::{
    code::Code,
    run::{BindingStatus, RunStatus},
};
use messages::message;

/// Something that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Put the run in the queue again.
    Retry,
    /// Open the settings at a field or a card, by its id on the page.
    OpenSettings(&'static str),
    /// Give Sage's consent again.
    ConnectSage,
    /// Pair the shop again.
    PairMagento,
    /// Resume the shop.
    Resume,
    /// Ask the shop and Sage what is wrong, on the shop's page.
    CheckShop,
    /// Take an exclusion back.
    TakeBack,
    /// Look at the document in Sage.
    OpenInSage,
    /// Look at the run of the invoice that this one depends on.
    OpenInvoiceRun,
    /// It resumes automatically.
    Wait,
    /// It is as it should be.
    NothingToDo,
    /// Something outside Ledger, as the code's own action says.
    ByHand,
    /// Tell who runs Ledger, with the run's id.
    Report,
}

use Remedy::{
    ByHand, CheckShop, ConnectSage, NothingToDo, OpenInSage, OpenInvoiceRun, OpenSettings, PairMagento,
    Report, Resume, Retry, TakeBack, Wait,
};

impl Code {
    /// What can be done, the most helpful first; never nothing.
    pub const fn remedies(self) -> &'static [Remedy] {
        match self {
            Self::UnpaidInvoice => &[OpenSettings("sync_unpaid_invoices"), Retry],
            Self::ZeroValueInvoice => &[OpenSettings("sync_zero_value_invoices"), Retry],
            Self::OutsideSyncSince | Self::BeforeAccountsStart => &[OpenSettings("sync_since"), Retry],
            Self::OutsideWebsiteFilter => &[OpenSettings("website_filter"), Retry],
            Self::OutsideStoreFilter => &[OpenSettings("store_filter"), Retry],
            Self::ProductsDisabled => &[OpenSettings("sync_products"), Retry],
            Self::PaymentMethodNotMapped => &[OpenSettings("payment_method_map"), Retry],
            Self::CustomerConsolidated => &[OpenSettings("consolidation.enabled"), Retry],
            Self::InvoiceNotSynced => &[OpenInvoiceRun, Retry],
            Self::Excluded => &[TakeBack],
            Self::ProductTypeNotSupported | Self::InvoiceCancelled | Self::NothingToPay => &[NothingToDo],
            Self::WaitingForInvoice => &[OpenInvoiceRun, Wait],
            Self::WaitingForWriter | Self::CircuitOpen => &[Wait],
            Self::BindingPending | Self::BusinessShared | Self::SageAuth => &[ConnectSage],
            Self::BindingPaused => &[Resume],
            Self::BindingNeedsReauth => &[ConnectSage, CheckShop],
            Self::BindingRevoked => &[PairMagento, ConnectSage, Retry],
            Self::NeedsMapping => &[OpenSettings("mappings")],
            Self::CrossBorderNotSupported => &[ByHand],
            Self::TaxUndetermined => &[OpenSettings("tax_undetermined"), ByHand, Retry],
            Self::MixedGoodsServices => &[OpenSettings("mixed_goods_services"), ByHand, Retry],
            Self::TotalsMismatch | Self::TaxNotAllowed => &[OpenSettings("taxes"), Retry],
            Self::TotalsMismatchAfterPost | Self::SageConflict => &[OpenInSage, Retry],
            Self::PlanTooSlow => &[Report, ByHand],
            Self::SaleNotInSage
            | Self::InconsistentDocument
            | Self::UnreadableDocument
            | Self::MultiCurrencyDisabled
            | Self::ExchangeRateMissing
            | Self::ExchangeRateDoubtful
            | Self::TaxRegionUnknown
            | Self::ItemCodeTooLong
            | Self::SageValidation
            | Self::SagePlan
            | Self::SageRecordGone => &[ByHand, Retry],
            Self::MagentoAuth => &[PairMagento, CheckShop],
            Self::SageForbidden => &[ByHand, ConnectSage, Retry],
            Self::MagentoNotFound => &[NothingToDo, Retry],
            Self::MagentoModuleMissing
            | Self::MagentoUnavailable
            | Self::MagentoUnreachable
            | Self::MagentoInvalidResponse => &[CheckShop, Retry],
            Self::SageNotFound => &[OpenSettings("mappings"), Retry],
            Self::SageRateLimited
            | Self::SageInProgress
            | Self::SageUnavailable
            | Self::SageUnreachable
            | Self::LeaseLost => &[Wait, Retry],
            Self::UnreadableRecord => &[Report],
            Self::SageInvalidResponse | Self::StoreFailed | Self::Internal => &[Report, Retry],
        }
    }
}

/// What a run without a code stands for, and what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened.
    pub sentence: &'static str,
    /// What to do.
    pub action: &'static str,
    /// The things to do it with, the most helpful first.
    pub remedies: &'static [Remedy],
}

/// What is said of a run, whatever its state; a code says more than a status.
pub const fn advice(status: RunStatus, code: Option<Code>) -> Advice {
    if let Some(code) = code {
        return Advice {
            sentence: code.sentence(),
            action: match (status, code.is_retryable()) {
                (RunStatus::Failed, true) => message!(runs.next.no_more_attempts),
                _ => code.action(),
            },
            remedies: code.remedies(),
        };
    }
    let (sentence, action, remedies): (_, _, &'static [Remedy]) = match status {
        RunStatus::Queued => (message!(runs.state.queued), message!(runs.next.queued), &[Wait]),
        RunStatus::Running => (message!(runs.state.running), message!(runs.next.running), &[Wait]),
        RunStatus::Waiting => (message!(runs.state.waiting), message!(runs.next.waiting), &[Wait, Retry]),
        RunStatus::Retrying => (message!(runs.state.retrying), message!(runs.next.retrying), &[Wait, Retry]),
        RunStatus::Succeeded => {
            (message!(runs.state.succeeded), message!(runs.next.succeeded), &[OpenInSage])
        }
        RunStatus::SkippedByPolicy => {
            (message!(runs.state.skipped), message!(runs.next.skipped), &[OpenSettings("behaviour"), Retry])
        }
        RunStatus::Failed => (message!(runs.state.failed), message!(runs.next.failed), &[Retry, Report]),
    };
    Advice { sentence, action, remedies }
}

/// What comes of a person's retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryNow {
    /// It goes at once.
    Goes,
    /// It is taken, and waits.
    Waits(&'static str),
    /// It cannot be, and this says why.
    Cannot(&'static str),
}

/// What would come of a retry, as the run and its shop stand.
pub const fn retry_now(status: RunStatus, binding: BindingStatus) -> RetryNow {
    match (status, binding) {
        (RunStatus::Running, _) => RetryNow::Cannot(message!(runs.retry.running)),
        (RunStatus::Queued, _) => RetryNow::Cannot(message!(runs.retry.queued)),
        (_, BindingStatus::Active) => RetryNow::Goes,
        (_, BindingStatus::Pending) => RetryNow::Waits(message!(runs.retry.pending)),
        (_, BindingStatus::Paused) => RetryNow::Waits(message!(runs.retry.paused)),
        (_, BindingStatus::NeedsReauth) => RetryNow::Waits(message!(runs.retry.needs_reauth)),
        (_, BindingStatus::Revoked) => RetryNow::Waits(message!(runs.retry.revoked)),
    }
}

/// Whether a list offers a retry beside the run: not where the document is in Sage, nor where nobody's retry would change that it is
/// skipped. The run's own page may offer it all the same.
pub const fn offers_retry(status: RunStatus, code: Option<Code>) -> bool {
    match (status, code) {
        (RunStatus::Succeeded, _) => false,
        (RunStatus::SkippedByPolicy, Some(code)) => !matches!(code.remedies(), [TakeBack | NothingToDo]),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_offers_a_retry_where_it_can_help() {
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::RETRYABLE.contains(status), status.is_retryable(), "{status}");
            assert_eq!(offers_retry(*status, None), *status != RunStatus::Succeeded, "{status}");
        }
        let skipped = |code| offers_retry(RunStatus::SkippedByPolicy, Some(code));
        assert!(skipped(Code::ProductsDisabled) && skipped(Code::UnpaidInvoice));
        assert!(!skipped(Code::Excluded) && !skipped(Code::InvoiceCancelled));
        assert!(offers_retry(RunStatus::Failed, Some(Code::CrossBorderNotSupported)), "never forbidden");
    }
    use crate::settings::cards::{CARDS, fields};

    #[test]
    fn every_code_and_every_status_has_something_to_do() {
        for status in RunStatus::ALL {
            for code in Code::ALL.iter().map(|code| Some(*code)).chain([None]) {
                let Advice { sentence, action, remedies } = advice(*status, code);
                assert!(sentence.ends_with('.') && action.ends_with('.'), "{status} {code:?}");
                assert!(!remedies.is_empty(), "{status} {code:?}");
            }
        }
    }

    #[test]
    fn every_setting_that_is_opened_is_on_the_page() {
        for code in Code::ALL {
            for remedy in code.remedies() {
                let OpenSettings(id) = remedy else { continue };
                let is_there =
                    CARDS.iter().any(|card| card.id == *id) || fields().any(|field| field.path == *id);
                assert!(is_there, "{code} opens {id}, which is not there");
            }
        }
    }

    #[test]
    fn what_is_to_be_retried_has_its_button() {
        for code in Code::ALL.iter().filter(|code| code.action().contains("then retry")) {
            assert!(code.remedies().contains(&Retry), "{code}");
        }
    }

    #[test]
    fn a_retry_that_cannot_be_says_why() {
        for status in RunStatus::ALL {
            for binding in BindingStatus::ALL {
                match retry_now(*status, *binding) {
                    RetryNow::Goes => assert_eq!(*binding, BindingStatus::Active),
                    RetryNow::Waits(why) | RetryNow::Cannot(why) => assert!(why.ends_with('.')),
                }
            }
        }
    }
}
