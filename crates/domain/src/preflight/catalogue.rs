//! The catalogue of what a look before the first invoice can find.

use messages::message;
use serde::{Deserialize, Serialize};

use crate::words;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No document will arrive before it is fixed.
    Blocks,
    /// Some documents will not arrive, or not as expected.
    Warns,
    /// As it should be.
    Fine,
}

macro_rules! findings {
    ($($variant:ident = $word:ident, $severity:ident;)+) => {
        words! {
            /// What was found, as a stable code; in the order in which findings of one severity are shown.
            pub enum FindingCode {
                $(#[doc = message!(findings.$word.sentence)] $variant),+
            }
        }

        impl FindingCode {
            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// What was found.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => message!(findings.$word.sentence)),+ }
            }

            /// What to do about it; empty where nothing is.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => message!(findings.$word.action)),+ }
            }
        }
    };
}

findings! {
    NotConnected = not_connected, Blocks;
    NoSettings = no_settings, Blocks;
    SettingsIncomplete = settings_incomplete, Blocks;
    SettingsGone = settings_gone, Blocks;
    StartsLater = starts_later, Blocks;
    Locked = locked, Blocks;
    ShopRefuses = shop_refuses, Blocks;
    ShopModuleMissing = shop_module_missing, Blocks;
    ShopRedirects = shop_redirects, Blocks;
    ShopUnreachable = shop_unreachable, Blocks;
    ShopTrouble = shop_trouble, Blocks;
    ShopClockWrong = shop_clock_wrong, Blocks;
    SageRefuses = sage_refuses, Blocks;
    SubscriptionEnded = subscription_ended, Blocks;
    PlanTooSmall = plan_too_small, Blocks;
    RightsMissing = rights_missing, Blocks;
    SageClockWrong = sage_clock_wrong, Blocks;

    StartsLately = starts_lately, Warns;
    LockedLately = locked_lately, Warns;
    NotRegistered = not_registered, Warns;
    CurrenciesOff = currencies_off, Warns;
    ZeroRateMissing = zero_rate_missing, Warns;
    MethodsUnmapped = methods_unmapped, Warns;
    PlanWithoutCreditNotes = plan_without_credit_notes, Warns;
    PlanWithoutCatalogue = plan_without_catalogue, Warns;
    ShopClockOff = shop_clock_off, Warns;
    SageClockOff = sage_clock_off, Warns;
    NotAnswered = not_answered, Warns;

    ShopAnswers = shop_answers, Fine;
    SageAnswers = sage_answers, Fine;
    SettingsFit = settings_fit, Fine;
    MethodsMapped = methods_mapped, Fine;
    ClocksAgree = clocks_agree, Fine;
}
