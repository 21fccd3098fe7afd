//! The one error that crosses the wire, with a stable code, a sentence for a person and what to do.

use serde::{Deserialize, Serialize};
#[cfg(feature = "server-fn")]
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

macro_rules! error_codes {
    ($($variant:ident = $word:literal, $status:literal, $sentence:literal, $action:literal;)+) => {
        /// What went wrong, as a stable code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum ErrorCode {
            $(#[doc = $sentence] #[serde(rename = $word)] $variant),+
        }

        impl ErrorCode {
            /// The whole catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it is sent and documented.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The code of a word in an address.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }

            /// The HTTP status of an answer that carries it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What happened.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }

            /// What to do about it.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => $action),+ }
            }
        }
    };
}

error_codes! {
    NotSignedIn = "not_signed_in", 401, "You are not signed in.", "Sign in, then try again.";
    WrongCredentials = "wrong_credentials", 401, "No account matches this e-mail address and password.", "Check both and try again.";
    Forbidden = "forbidden", 403, "Your role does not allow this.", "Ask an owner of your organisation for the right.";
    NotFound = "not_found", 404, "This does not exist, or it is not yours to see.", "Go back to the list and look for it there.";
    Invalid = "invalid", 422, "Something in the request cannot be understood.", "Correct what is marked, or start from the whole list.";
    Malformed = "malformed", 400, "Ledger cannot read this request.", "Reload the page and try again.";
    Busy = "busy", 503, "Too many people are signing in at this moment.", "Try again in a few seconds.";
    PairingRefused = "pairing_refused", 422, "Magento does not accept this pairing code: it is wrong, was used already, or is older than 30 minutes.", "Generate a new code in Magento and enter it here.";
    ShopNotHttps = "shop_not_https", 422, "The shop\u{2019}s address must begin with https://.", "Enter the address under which customers reach the shop by https.";
    ShopPrivate = "shop_private", 422, "The shop\u{2019}s address leads into a private network.", "Enter the address under which customers reach the shop.";
    ShopRedirects = "shop_redirects", 422, "The shop\u{2019}s address leads on to another one.", "Open the shop in a browser and enter the address that it ends at.";
    ModuleMissing = "module_missing", 422, "Magento answers, but the Ledger module does not.", "Install byte8/magento-sage-accounting in this shop, run setup:upgrade, then try again.";
    ShopUnreachable = "shop_unreachable", 422, "The shop cannot be reached at this address.", "Check the address, and that its firewall lets Ledger in.";
    ShopTimedOut = "shop_timed_out", 422, "The shop took too long to answer. It may have used the code up.", "Generate a new code in Magento and try again.";
    ShopTrouble = "shop_trouble", 422, "Magento, or something in front of it, did not answer as the module does.", "Look into Magento\u{2019}s log, or at the proxy in front of it, then try again.";
    ConsentDenied = "consent_denied", 422, "Sage was not allowed to share the books: the consent was cancelled.", "Begin again and approve when Sage asks.";
    ConsentUsedUp = "consent_used_up", 422, "This consent has run out or was used already.", "Begin again; from Sage\u{2019}s question to the answer there is half an hour.";
    ConsentWrongCountry = "consent_wrong_country", 422, "Sage says that the account belongs to another country.", "Choose the country in which the business is registered with Sage, then try again.";
    PairingUnderWay = "pairing_under_way", 409, "Somebody is pairing this shop at this moment.", "Wait a minute, then look at the list of shops.";
    BusinessTakenBySameShop = "business_taken_by_same_shop", 409, "This shop posts into this Sage business already, under another entry of the list.", "Use that entry, or disconnect it first to start over here.";
    BusinessTaken = "business_taken", 409, "Another shop posts into this Sage business already.", "Disconnect it there first, or choose another business.";
    NoBusiness = "no_business", 422, "This Sage user reaches no such business.", "Sign in to Sage as a user of the business, or choose another one.";
    SageTrouble = "sage_trouble", 422, "Sage does not answer as it should. Nothing was connected.", "Try again in some minutes.";
    SageApp = "sage_app", 422, "Sage does not accept Ledger\u{2019}s own registration.", "Tell who runs Ledger: client_id, client_secret or the return address are not those registered with Sage.";
    SettingsWrong = "settings_wrong", 422, "Something in the settings is not right; nothing was saved.", "Correct what is marked, then save again.";
    SettingsChanged = "settings_changed", 409, "Somebody else saved these settings in the meantime.", "Look at what differs, then save again to put yours in their place.";
    SettingsFile = "settings_file", 422, "This file holds no settings of Ledger\u{2019}s.", "Choose a file that was exported from a settings page.";
    NoLists = "no_lists", 409, "There is nothing to choose from yet: the lists come from Sage.", "Connect Sage first.";
    SettingsExist = "settings_exist", 409, "This shop has settings already.", "Reload the page to see them.";
    WrongPassword = "wrong_password", 422, "This is not your password.", "Enter the password you sign in with.";
    TooManyTries = "too_many_tries", 429, "There were too many tries.", "Wait a minute, then try again.";
    WrongCode = "wrong_code", 422, "This code is not right, or it was used already.", "Enter the code that the authenticator app shows now, or a recovery code.";
    SignInEnded = "sign_in_ended", 401, "This sign-in has ended: it took more than five minutes, or too many codes.", "Begin again with your password.";
    InvitationGone = "invitation_gone", 404, "This invitation is not good: it was used, withdrawn, or is older than seven days.", "Ask for a new one, or sign in if you have accepted it already.";
    AddressTaken = "address_taken", 409, "There is an account with this e-mail address already.", "Sign in with it, then open the invitation again or ask an owner for a new one.";
    OtherOrganisation = "other_organisation", 409, "You work in another organisation than when this page was opened.", "Go back, reload the page, and see which organisation it names before you try again.";
    AlreadyMember = "already_member", 409, "This person is a member already.", "Look for them in the list.";
    LastOwner = "last_owner", 409, "An organisation keeps one owner at least, and this is the last one.", "Make somebody else an owner first.";
    MailNotSetUp = "mail_not_set_up", 409, "This server sends no e-mail: nobody has set it up.", "Tell who runs Ledger that LEDGER_SMTP__URL and LEDGER_SMTP__FROM are missing, or add a webhook.";
    HookNotHttps = "hook_not_https", 422, "A webhook\u{2019}s address must begin with https://.", "Enter the address under which the receiver is reached by https.";
    HookPrivate = "hook_private", 422, "The webhook\u{2019}s address leads into a private network.", "Enter an address that is reached from the internet.";
    TooManyChannels = "too_many_channels", 409, "You have as many ways to be told as there may be.", "Remove one first.";
    QuotaReached = "quota_reached", 409, "There are as many of these as this server allows.", "Remove one or wait until one has ended, or ask whoever runs Ledger to raise the limit (quotas).";
    WrongAddressCode = "wrong_address_code", 422, "This code is not right, is older than 15 minutes, or was tried too often.", "Enter the code of the newest message, or have a new one sent.";
    CodeNotSent = "code_not_sent", 422, "The code could not be sent to this address.", "Check the address, then try again in a minute.";
    WrongProof = "wrong_proof", 422, "This code is not right, or it is older than an hour.", "Enter the code of the newest message, or remove the address and add it again.";
    MessageRefused = "message_refused", 422, "The message did not arrive.", "Beside the address it says why: mend it, then try again.";
    Unavailable = "unavailable", 503, "Ledger cannot use its database at the moment. Nothing is lost.", "Try again in a minute.";
    Unreachable = "unreachable", 503, "Ledger does not answer.", "Check your connection; this page goes on by itself when it is back.";
    Internal = "internal", 500, "Something went wrong in Ledger.", "Try again; if it stays, tell who runs Ledger when it happened.";
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldError {
    /// Nothing was entered.
    Required,
    /// It is not of the form that is needed.
    InvalidFormat,
    /// It is not one of the values there are.
    Unknown,
    /// It has more characters than there is room for.
    TooLong,
    /// It is a password that is too easy to guess.
    TooShort,
    /// It is a password that is guessed soon, because many people choose it or it follows a pattern.
    TooCommon,
    /// It is well-formed and not accepted; the error's code says why.
    Refused,
}

impl FieldError {
    /// What is shown under the field.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Required => "This is needed.",
            Self::InvalidFormat => "This does not look right: check it for a typing mistake.",
            Self::Unknown => "There is no such value.",
            Self::TooLong => "This is too long.",
            Self::TooCommon => {
                "This password is easy to guess. Use several words that do not belong together."
            }
            Self::TooShort => "Take at least 12 characters.",
            Self::Refused => "This is not accepted; above it says why.",
        }
    }
}

/// What went wrong, as the browser is told.
///
/// It may travel in a URL (a form without JavaScript is answered by a redirect), so it stays small and holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// Which kind.
    pub code: ErrorCode,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, FieldError)>,
    /// What was typed into fields that are no secret, so that it need not be typed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub echo: Vec<(String, String)>,
    /// After how many seconds it is worth trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

impl AppError {
    /// An error without more to say than its code says.
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, fields: Vec::new(), echo: Vec::new(), wait: None }
    }

    /// Says what is wrong with a field.
    pub fn field(mut self, name: &str, error: FieldError) -> Self {
        self.fields.push((name.to_owned(), error));
        self
    }

    /// Keeps what was typed into a field that is no secret.
    pub fn echo(mut self, name: &str, typed: &str) -> Self {
        // A browser's address bar and proxies in between have limits; no real value comes near.
        if !typed.is_empty() && typed.len() <= 254 {
            self.echo.push((name.to_owned(), typed.to_owned()));
        }
        self
    }

    /// Says when it is worth trying again.
    pub fn wait(mut self, wait: chrono::TimeDelta) -> Self {
        // Rounded up: a second early would be refused again.
        self.wait = u32::try_from((wait.num_milliseconds() + 999) / 1_000).ok().map(|seconds| seconds.max(1));
        self
    }

    /// What is wrong with a field.
    pub fn of_field(&self, name: &str) -> Option<FieldError> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, error)| *error)
    }

    /// What was typed into a field.
    pub fn typed(&self, name: &str) -> Option<&str> {
        self.echo.iter().find(|(field, _)| field == name).map(|(_, typed)| typed.as_str())
    }

    /// Whether signing in would help.
    pub fn is_not_signed_in(&self) -> bool {
        self.code == ErrorCode::NotSignedIn
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code.sentence())
    }
}

impl std::error::Error for AppError {}

impl From<ErrorCode> for AppError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

#[cfg(feature = "server-fn")]
impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let code = match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => ErrorCode::Unreachable,
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => ErrorCode::Malformed,
            _ => ErrorCode::Internal,
        };
        Self::new(code)
    }
}

#[cfg(feature = "server")]
impl From<store::Error> for AppError {
    fn from(error: store::Error) -> Self {
        let code = match &error {
            store::Error::Unavailable(_) => ErrorCode::Unavailable,
            store::Error::NotFound(_) => ErrorCode::NotFound,
            store::Error::LastOwner => ErrorCode::LastOwner,
            _ => ErrorCode::Internal,
        };
        if !matches!(code, ErrorCode::NotFound | ErrorCode::LastOwner) {
            // The one place where it is handled, so the one place where it is logged.
            tracing::error!(error = %error, code = code.as_str(), "the store failed a page");
        }
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_happened_and_what_to_do() {
        for code in ErrorCode::ALL {
            assert!(code.sentence().ends_with('.') && code.action().ends_with('.'), "{code:?}");
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn an_error_crosses_the_wire_unchanged_and_stays_small() {
        let error = AppError::new(ErrorCode::WrongCredentials)
            .field("email", FieldError::InvalidFormat)
            .echo("email", "ada@shop.example");
        let text = serde_json::to_string(&error).unwrap();
        assert!(text.len() < 300, "{}", text.len());
        assert_eq!(serde_json::from_str::<AppError>(&text).unwrap(), error);
        assert_eq!(
            serde_json::to_string(&AppError::new(ErrorCode::NotFound)).unwrap(),
            r#"{"code":"not_found"}"#
        );
    }

    #[test]
    fn what_is_too_long_is_not_echoed() {
        assert!(AppError::new(ErrorCode::Invalid).echo("email", &"x".repeat(255)).echo.is_empty());
    }
}
