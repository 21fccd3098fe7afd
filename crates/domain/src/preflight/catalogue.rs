//! The catalogue of what a look before the first invoice can find.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No document will arrive before it is mended.
    Blocks,
    /// Some documents will not arrive, or not as expected.
    Warns,
    /// As it should be.
    Fine,
}

macro_rules! findings {
    ($($variant:ident = $word:literal, $severity:ident, $sentence:literal, $action:literal;)+) => {
        /// What was found, as a stable code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FindingCode {
            $(#[doc = $sentence] #[serde(rename = $word)] $variant),+
        }

        impl FindingCode {
            /// The whole catalogue, in the order in which findings of one severity are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it is shown and documented.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The code of a word in an address.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// What was found.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }

            /// What to do about it; empty where nothing is.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => $action),+ }
            }
        }
    };
}

findings! {
    NotConnected = "not_connected", Blocks, "Sage is not connected.", "Connect Sage; what the shop sends is kept until then.";
    NoSettings = "no_settings", Blocks, "There are no settings yet, so nothing is posted.", "Confirm the suggested settings, or make your own.";
    SettingsIncomplete = "settings_incomplete", Blocks, "Settings are missing or contradict each other.", "Choose them in the settings.";
    SettingsGone = "settings_gone", Blocks, "The settings name records that Sage does not have any more.", "Choose others in the settings; if they are in Sage, fetch its lists anew.";
    StartsLater = "starts_later", Blocks, "The books of the Sage business begin after today, so Sage takes no document yet.", "Set an earlier start of accounts in Sage, then fetch its lists anew.";
    Locked = "locked", Blocks, "The books in Sage are locked beyond today.", "Take back the year-end lock in Sage.";
    ShopRefuses = "shop_refuses", Blocks, "Magento refuses Ledger.", "If the shop was disconnected in Magento, pair it again. If it was not, the proxy in front of the shop must send \u{201c}X-Forwarded-Proto: https\u{201d}: let it do so.";
    ShopModuleMissing = "shop_module_missing", Blocks, "The shop answers, but the Ledger module does not.", "Install the module in Magento again.";
    ShopRedirects = "shop_redirects", Blocks, "The shop\u{2019}s address leads on to another one.", "Pair the shop under the address that a browser ends at.";
    ShopUnreachable = "shop_unreachable", Blocks, "The shop cannot be reached.", "Check that the shop is up and that its firewall lets Ledger in.";
    ShopTrouble = "shop_trouble", Blocks, "The shop does not answer as the module does.", "Look for a maintenance page or a password in front of the shop, and into Magento\u{2019}s log.";
    ShopClockWrong = "shop_clock_wrong", Blocks, "The clocks of the shop and of Ledger are so far apart that each takes the other\u{2019}s calls for out of date.", "Let the shop\u{2019}s server set its clock by network time.";
    SageRefuses = "sage_refuses", Blocks, "Sage does not accept the connection any more.", "Connect Sage again.";
    SubscriptionEnded = "subscription_ended", Blocks, "The Sage subscription of the business has ended.", "Renew it in Sage.";
    PlanTooSmall = "plan_too_small", Blocks, "The Sage subscription of the business lacks what every invoice needs.", "Change the subscription in Sage.";
    RightsMissing = "rights_missing", Blocks, "The Sage user who connected has no access to what Ledger works with.", "Give the user full access to it in Sage, or connect as another user.";
    SageClockWrong = "sage_clock_wrong", Blocks, "Ledger\u{2019}s clock is minutes away from Sage\u{2019}s, so no time of Ledger\u{2019}s can be trusted.", "Tell who runs Ledger to let its server set its clock by network time.";

    StartsLately = "starts_lately", Warns, "The books of the Sage business begin only lately, and older documents are refused.", "Sync only documents from that day on, or set an earlier start in Sage.";
    LockedLately = "locked_lately", Warns, "The books in Sage are locked until lately, and documents of that time are refused.", "Expect documents of that time to fail, or take back the lock in Sage.";
    NotRegistered = "not_registered", Warns, "The Sage business is not registered for tax: documents are posted with their whole amount and without tax.", "Nothing, if that is so. Otherwise set the tax scheme in Sage, then fetch its lists anew.";
    CurrenciesOff = "currencies_off", Warns, "The shop sells in other currencies, and the Sage business does not use them.", "Turn on foreign currencies in Sage (its largest subscription has them), then fetch its lists anew.";
    ZeroRateMissing = "zero_rate_missing", Warns, "No rate is chosen for 0 %, so documents with untaxed lines will wait.", "Choose in the settings which of Sage\u{2019}s zero rates is right for what you sell.";
    MethodsUnmapped = "methods_unmapped", Warns, "Some of the shop\u{2019}s payment methods have no bank account, so their invoices stay unpaid in Sage.", "Map them to a bank account in the settings, or choose a default one.";
    PlanWithoutCreditNotes = "plan_without_credit_notes", Warns, "The Sage subscription takes no credit notes, or does not let them be set against their invoices.", "Expect credit memos to need a hand, or change the subscription in Sage.";
    PlanWithoutCatalogue = "plan_without_catalogue", Warns, "The Sage subscription lacks products or stock, which the settings ask for.", "Turn them off in the settings, or change the subscription in Sage.";
    ShopClockOff = "shop_clock_off", Warns, "The clocks of the shop and of Ledger differ.", "Let the shop\u{2019}s server set its clock by network time, before its calls are refused.";
    SageClockOff = "sage_clock_off", Warns, "The clocks of Sage and of Ledger differ.", "Tell who runs Ledger to let its server set its clock by network time.";
    NotAnswered = "not_answered", Warns, "Something could not be asked in time.", "Check again in a minute.";

    ShopAnswers = "shop_answers", Fine, "The shop answers and accepts Ledger.", "";
    SageAnswers = "sage_answers", Fine, "Sage answers, and the user who connected sees what Ledger works with.", "";
    SettingsFit = "settings_fit", Fine, "The settings fit Sage\u{2019}s lists.", "";
    MethodsMapped = "methods_mapped", Fine, "Every payment method of the shop has its bank account.", "";
    ClocksAgree = "clocks_agree", Fine, "The clocks agree.", "";
}
