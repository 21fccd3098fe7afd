//! What has to be done until a shop posts its documents: five steps, from the pairing to the first document in Sage.

use messages::message;
use serde::{Deserialize, Serialize};

use crate::run::BindingStatus;

/// A step, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Pair the shop.
    Pair,
    /// Give Sage's consent.
    Consent,
    /// Choose the Sage business.
    Business,
    /// Save the first settings.
    Settings,
    /// See the first document in Sage.
    FirstDocument,
}

impl SetupStep {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pair, Self::Consent, Self::Business, Self::Settings, Self::FirstDocument];

    /// What people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pair => message!(setup.step.pair),
            Self::Consent => message!(setup.step.consent),
            Self::Business => message!(setup.step.business),
            Self::Settings => message!(setup.step.settings),
            Self::FirstDocument => message!(setup.step.first_document),
        }
    }

    /// What to do, in a sentence.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Pair => message!(setup.hint.pair),
            Self::Consent => message!(setup.hint.consent),
            Self::Business => message!(setup.hint.business),
            Self::Settings => message!(setup.hint.settings),
            Self::FirstDocument => message!(setup.hint.first_document),
        }
    }
}

/// How far a shop has come.
#[expect(clippy::struct_excessive_bools, reason = "each is a step of its own, and they come in any order")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether Sage's consent is there, though perhaps no business yet.
    pub has_consent: bool,
    /// Whether a Sage business is connected.
    pub has_business: bool,
    /// Whether settings have been saved.
    pub has_settings: bool,
    /// Whether an invoice or a credit memo of the shop is in that business.
    pub has_posted: bool,
}

impl Setup {
    /// The step that comes next; none once a document is in Sage, since nothing proves a set-up better.
    pub const fn next(self) -> Option<SetupStep> {
        match self {
            Self { has_posted: true, .. } => None,
            Self { has_business: false, has_consent: false, .. } => Some(SetupStep::Consent),
            Self { has_business: false, .. } => Some(SetupStep::Business),
            Self { has_settings: false, .. } => Some(SetupStep::Settings),
            _ => Some(SetupStep::FirstDocument),
        }
    }
}

/// How a shop stands, as people are shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopState {
    /// Nothing of it has reached Sage yet.
    NotSetUp,
    /// It works.
    Working,
    /// It works no more until Sage is connected again.
    Pending,
    /// Somebody, or Ledger, paused it.
    Paused,
    /// Sage or Magento refuses Ledger.
    NeedsReauth,
    /// It is disconnected.
    Revoked,
}

impl ShopState {
    /// Of a shop in this status: one that has never posted is not called working.
    pub const fn of(status: BindingStatus, setup: Setup) -> Self {
        match (status, setup.next()) {
            (BindingStatus::Active | BindingStatus::Pending, Some(_)) => Self::NotSetUp,
            (BindingStatus::Active, None) => Self::Working,
            (BindingStatus::Pending, None) => Self::Pending,
            (BindingStatus::Paused, _) => Self::Paused,
            (BindingStatus::NeedsReauth, _) => Self::NeedsReauth,
            (BindingStatus::Revoked, _) => Self::Revoked,
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotSetUp => message!(shop_status.label.not_set_up),
            Self::Working => message!(shop_status.label.active),
            Self::Pending => message!(shop_status.label.pending),
            Self::Paused => message!(shop_status.label.paused),
            Self::NeedsReauth => message!(shop_status.label.needs_reauth),
            Self::Revoked => message!(shop_status.label.revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: Setup =
        Setup { has_consent: true, has_business: true, has_settings: false, has_posted: false };
    const POSTING: Setup = Setup { has_settings: true, has_posted: true, ..CONNECTED };

    #[test]
    fn a_shop_that_has_never_posted_is_not_called_working() {
        for setup in [Setup::default(), CONNECTED, Setup { has_settings: true, ..CONNECTED }] {
            for status in [BindingStatus::Active, BindingStatus::Pending] {
                assert_eq!(ShopState::of(status, setup), ShopState::NotSetUp, "{status} {setup:?}");
            }
        }
        assert_eq!(ShopState::of(BindingStatus::Active, POSTING), ShopState::Working);
        assert_eq!(ShopState::of(BindingStatus::Paused, CONNECTED), ShopState::Paused);
    }

    #[test]
    fn the_steps_follow_one_another_until_a_document_is_in_sage() {
        let mut setup = Setup::default();
        let mut steps = vec![SetupStep::Pair];
        while let Some(step) = setup.next() {
            steps.push(step);
            match step {
                SetupStep::Pair => unreachable!("what is asked about is paired"),
                SetupStep::Consent => setup.has_consent = true,
                SetupStep::Business => setup.has_business = true,
                SetupStep::Settings => setup.has_settings = true,
                SetupStep::FirstDocument => setup.has_posted = true,
            }
        }
        assert_eq!(steps, SetupStep::ALL);
    }

    #[test]
    fn a_shop_that_has_posted_is_set_up_although_sage_was_disconnected_since() {
        assert_eq!(Setup { has_consent: false, ..POSTING }.next(), None);
        assert_eq!(ShopState::of(BindingStatus::Pending, POSTING), ShopState::Pending);
    }
}
