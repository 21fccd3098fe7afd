//! The one error that crosses the wire, with a stable code, a sentence for a person and what to do.

use domain::words;
use messages::message;
use serde::{Deserialize, Serialize};
#[cfg(feature = "server-fn")]
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

macro_rules! error_codes {
    ($($variant:ident = $word:ident, $status:literal;)+) => {
        words! {
            /// What went wrong, as a stable code.
            pub enum ErrorCode {
                $(#[doc = message!(errors.$word.sentence)] $variant),+
            }
        }

        impl ErrorCode {
            /// The HTTP status of an answer that carries it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What happened.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => message!(errors.$word.sentence)),+ }
            }

            /// What to do about it.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => message!(errors.$word.action)),+ }
            }
        }
    };
}

error_codes! {
    NotSignedIn = not_signed_in, 401;
    WrongCredentials = wrong_credentials, 401;
    Forbidden = forbidden, 403;
    NotFound = not_found, 404;
    Invalid = invalid, 422;
    Malformed = malformed, 400;
    Busy = busy, 503;
    PairingRefused = pairing_refused, 422;
    ShopNotHttps = shop_not_https, 422;
    ShopPrivate = shop_private, 422;
    ShopRedirects = shop_redirects, 422;
    ModuleMissing = module_missing, 422;
    ShopUnreachable = shop_unreachable, 422;
    ShopTimedOut = shop_timed_out, 422;
    ShopTrouble = shop_trouble, 422;
    ConsentDenied = consent_denied, 422;
    ConsentUsedUp = consent_used_up, 422;
    ConsentWrongCountry = consent_wrong_country, 422;
    PairingUnderWay = pairing_under_way, 409;
    BusinessTakenBySameShop = business_taken_by_same_shop, 409;
    BusinessTaken = business_taken, 409;
    NoBusiness = no_business, 422;
    SageTrouble = sage_trouble, 422;
    SageApp = sage_app, 422;
    SettingsWrong = settings_wrong, 422;
    SettingsChanged = settings_changed, 409;
    SettingsFile = settings_file, 422;
    NoLists = no_lists, 409;
    SettingsExist = settings_exist, 409;
    WrongPassword = wrong_password, 422;
    TooManyTries = too_many_tries, 429;
    WrongCode = wrong_code, 422;
    SignInEnded = sign_in_ended, 401;
    InvitationGone = invitation_gone, 404;
    AddressTaken = address_taken, 409;
    OtherOrganisation = other_organisation, 409;
    AlreadyMember = already_member, 409;
    LastOwner = last_owner, 409;
    MailNotSetUp = mail_not_set_up, 409;
    HookNotHttps = hook_not_https, 422;
    HookPrivate = hook_private, 422;
    TooManyChannels = too_many_channels, 409;
    QuotaReached = quota_reached, 409;
    WrongAddressCode = wrong_address_code, 422;
    CodeNotSent = code_not_sent, 422;
    WrongProof = wrong_proof, 422;
    MessageRefused = message_refused, 422;
    Unavailable = unavailable, 503;
    Unreachable = unreachable, 503;
    Internal = internal, 500;
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
            Self::Required => message!(entry_problems.required),
            Self::InvalidFormat => message!(entry_problems.invalid_format),
            Self::Unknown => message!(entry_problems.unknown),
            Self::TooLong => message!(entry_problems.too_long),
            Self::TooCommon => message!(entry_problems.too_common),
            Self::TooShort => message!(entry_problems.too_short),
            Self::Refused => message!(entry_problems.refused),
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
    type Encoder = crate::codec::TextJson;

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
