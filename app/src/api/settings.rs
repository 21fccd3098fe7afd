//! Settings: `/api/settings/...`. Each takes the form as a browser sends it, from an island as from a browser without JavaScript; the
//! latter is led to the page, which shows what was typed again.

use leptos::{
    prelude::*,
    server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post},
};
use serde::{Deserialize, Serialize};

use views::settings::{Found, Pairs, SettingsChecked, SettingsError, SettingsSaved};

/// What the form of the settings sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(validator::Validate))]
pub struct Sent {
    /// The binding.
    #[cfg_attr(feature = "ssr", validate(length(min = 1, max = 64)))]
    pub binding: String,
    /// Names and values. No page has so many fields and rows; each is looked at against all others.
    #[cfg_attr(feature = "ssr", validate(length(max = 4_000)))]
    pub pairs: Pairs,
}

/// A form as browsers send it: names and values in order, names more than once.
pub struct FormPairs;

impl ContentType for FormPairs {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";
}

impl FormatType for FormPairs {
    const FORMAT_TYPE: Format = Format::Text;
}

/// A call that is made of a form.
pub trait Carrying {
    /// The form.
    fn sent(&self) -> &Sent;

    /// The call of a form.
    fn of(sent: Sent) -> Self;
}

impl<T: Carrying> Encodes<T> for FormPairs {
    type Error = std::convert::Infallible;

    fn encode(call: &T) -> Result<Bytes, Self::Error> {
        let Sent { binding, pairs } = call.sent();
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.append_pair("binding", binding).extend_pairs(pairs);
        Ok(text.finish().into())
    }
}

impl<T: Carrying> Decodes<T> for FormPairs {
    type Error = std::convert::Infallible;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let (mut binding, mut pairs) = (String::new(), Pairs::new());
        for (name, value) in form_urlencoded::parse(&bytes).into_owned() {
            if name == "binding" {
                binding = value;
            } else {
                pairs.push((name, value));
            }
        }
        Ok(T::of(Sent { binding, pairs }))
    }
}

macro_rules! carrying {
    ($($call:ident),+) => {
        $(impl Carrying for $call {
            fn sent(&self) -> &Sent {
                &self.sent
            }

            fn of(sent: Sent) -> Self {
                Self { sent }
            }
        })+
    };
}

carrying!(SaveSettings, CheckSettings, RefreshLists, RestoreSettings, SearchReference);

/// Saves settings.
#[server(endpoint = "settings/save", input = Post<FormPairs>)]
pub async fn save_settings(
    /// The form.
    sent: Sent,
) -> Result<SettingsSaved, SettingsError> {
    use services::settings::{self, Told};
    use views::{error::ErrorCode, flash::Flash, settings::href};
    let (form, result) = plain::with_form(&sent, async |services, member, form| {
        settings::save(services, member, &sent.binding, form).await
    })
    .await;
    match &result {
        Ok(saved)
            if saved.undo.is_none() && Some(saved.version.to_string().as_str()) == form.get("replaces") =>
        {
            plain::lead_to(&Flash::SettingsUnchanged.on(&href(&sent.binding)));
        }
        Ok(_) => plain::lead_to(&plain::saved_href(&sent.binding, &form)),
        Err(error) => {
            let told = match error.code {
                ErrorCode::SettingsChanged => Told::Crossed,
                ErrorCode::SettingsWrong => Told::Wrong,
                code => Told::Problem(code),
            };
            plain::show_again(&sent.binding, &form, told, "").await;
        }
    }
    result
}

/// What the rules and the lists say of a form. Sent by itself, the page shows it again, with more rows.
#[server(endpoint = "settings/check", input = Post<FormPairs>)]
pub async fn check_settings(
    /// The form.
    sent: Sent,
) -> Result<SettingsChecked, SettingsError> {
    use services::settings::{self, Told};
    let (form, result) = plain::with_form(&sent, async |services, member, form| {
        settings::check(services, member, &sent.binding, form).await
    })
    .await;
    if result.is_ok() {
        let place = form.get("more").unwrap_or_default().to_owned();
        plain::show_again(&sent.binding, &form, Told::Rows, &place).await;
    }
    result
}

/// Fetches Sage's lists again; what is typed stays.
#[server(endpoint = "settings/refresh-lists", input = Post<FormPairs>)]
pub async fn refresh_lists(
    /// The form.
    sent: Sent,
) -> Result<SettingsChecked, SettingsError> {
    use services::settings::{self, Told};
    let (form, result) = plain::with_form(&sent, async |services, member, form| {
        settings::refresh(services, member, &sent.binding, form).await
    })
    .await;
    let told = result.as_ref().map_or_else(|error| Told::Problem(error.code), |_| Told::Refreshed);
    plain::show_again(&sent.binding, &form, told, "").await;
    result
}

/// Takes a former version again, as a new one: `version` says which.
#[server(endpoint = "settings/restore", input = Post<FormPairs>)]
pub async fn restore_settings(
    /// What is wanted.
    sent: Sent,
) -> Result<SettingsSaved, SettingsError> {
    use services::settings::{self, Told};
    use views::{error::ErrorCode, flash::Flash, settings::href};
    let number = |form: &domain::settings::form::Form, name| {
        form.get(name).and_then(|number| number.parse::<i64>().ok())
    };
    let (form, result) = plain::with_form(&sent, async |services, member, form| {
        let version = number(form, "version").unwrap_or_default();
        settings::restore(services, member, &sent.binding, version, number(form, "replaces")).await
    })
    .await;
    match &result {
        Ok(saved) if saved.undo.is_none() => {
            plain::lead_to(&Flash::SettingsUnchanged.on(&href(&sent.binding)));
        }
        Ok(_) => plain::lead_to(&Flash::SettingsRestored.on(&href(&sent.binding))),
        Err(error) => {
            let is_shown = matches!(error.code, ErrorCode::SettingsChanged | ErrorCode::SettingsWrong);
            let told = if is_shown {
                Told::Restored(number(&form, "version").unwrap_or_default())
            } else {
                Told::Problem(error.code)
            };
            plain::show_again(&sent.binding, &form, told, "").await;
        }
    }
    result
}

/// The first entries of one of the cached lists that a text is found in: `list` and `text` say which.
#[server(endpoint = "settings/search-reference", input = Post<FormPairs>)]
pub async fn search_reference(
    /// What is looked up.
    sent: Sent,
) -> Result<Found, SettingsError> {
    use services::settings;
    let (_, result) = plain::with_form(&sent, async |services, member, form| {
        let text = |name| form.get(name).unwrap_or_default();
        settings::search(services, member, &sent.binding, text("list"), text("text")).await
    })
    .await;
    result.map(Found)
}

/// What the server does with a form, and how it answers one that a browser has sent by itself.
#[cfg(feature = "ssr")]
mod plain {
    use domain::settings::form::Form;
    use services::{
        Member, Services,
        settings::{self, Told},
    };
    use validator::Validate as _;
    use views::{
        error::{AppError, ErrorCode},
        flash::Flash,
        settings::{SettingsError, draft_href, href},
    };

    use super::Sent;
    use crate::context;

    /// Works on a form for whoever sent it. The answer has the status of its error, unless a browser wants to be led on.
    pub async fn with_form<T, E: Into<SettingsError>>(
        sent: &Sent,
        work: impl AsyncFnOnce(&Services, &Member, &Form) -> Result<T, E>,
    ) -> (Form, Result<T, SettingsError>) {
        let form = Form::from(sent.pairs.clone());
        let result = async {
            let (services, member) = (context::services()?, context::member().await?);
            sent.validate().map_err(|_| AppError::new(ErrorCode::Invalid))?;
            work(&services, &member, &form).await.map_err(Into::into)
        };
        let result = result.await;
        if let Err(error) = &result
            && !context::is_plain_form()
        {
            context::set_status(error.code);
        }
        (form, result)
    }

    /// Leads a browser on.
    pub fn lead_to(path: &str) {
        if context::is_plain_form() {
            leptos_axum::redirect(path);
        }
    }

    /// The page after a save; what somebody came from is still said there.
    pub fn saved_href(binding: &str, form: &Form) -> String {
        let path = href(binding);
        let cause = form.get("cause").filter(|cause| cause.bytes().all(|byte| byte.is_ascii_hexdigit()));
        Flash::SettingsSaved.on(&match cause {
            Some(cause) if !cause.is_empty() => format!("{path}?cause={cause}"),
            _ => path,
        })
    }

    /// Leads a browser to the page that shows what was sent again. Whoever may not send it is led nowhere.
    pub async fn show_again(binding: &str, form: &Form, told: Told, place: &str) {
        if !context::is_plain_form() {
            return;
        }
        let kept = async {
            let (services, member) = (context::services()?, context::member().await?);
            settings::keep_draft(&services, &member, binding, form, told).await
        };
        if kept.await.is_ok() {
            let is_name = place.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            leptos_axum::redirect(&draft_href(binding, if is_name { place } else { "" }));
        }
    }
}
