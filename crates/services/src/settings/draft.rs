//! What was sent by a plain form without being done: kept sealed for some minutes, and shown again by the page that the answer leads to.

use chrono::TimeDelta;
use domain::settings::{differences, form::Form, merge};
use secrecy::{ExposeSecret, SecretString};
use store::Draft;
use url::form_urlencoded;
use views::{
    error::{AppError, ErrorCode},
    settings::{Crossed, Pairs, SettingsNotice},
};

use super::{
    form::{MORE_ROWS, SettingsForm},
    save,
};
use crate::{Member, Services, bindings};

/// From a form to the page that shows it again, and back from a reload.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What is said of a draft, besides what the rules say.
const TOLD: &str = "told";

/// Why a form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has more rows now.
    Rows,
    /// The lists were fetched again.
    Refreshed,
    /// Something is not right.
    Wrong,
    /// Somebody else saved in the meantime.
    Crossed,
    /// A file has filled it in.
    Imported,
    /// The settings were not given out.
    NotExported(ErrorCode),
    /// This version could not be restored as it is.
    Restored(i64),
    /// Something went wrong on the way.
    Problem(ErrorCode),
}

impl Told {
    fn word(self) -> String {
        match self {
            Self::Rows => "rows".to_owned(),
            Self::Refreshed => "refreshed".to_owned(),
            Self::Wrong => "wrong".to_owned(),
            Self::Crossed => "crossed".to_owned(),
            Self::Imported => "imported".to_owned(),
            Self::NotExported(code) => format!("not_exported {}", code.as_str()),
            Self::Restored(version) => format!("restored {version}"),
            Self::Problem(code) => format!("problem {}", code.as_str()),
        }
    }

    fn of(word: &str) -> Option<Self> {
        Some(match word.split_once(' ').unwrap_or((word, "")) {
            ("rows", _) => Self::Rows,
            ("refreshed", _) => Self::Refreshed,
            ("wrong", _) => Self::Wrong,
            ("crossed", _) => Self::Crossed,
            ("imported", _) => Self::Imported,
            ("not_exported", code) => Self::NotExported(code.parse().ok()?),
            ("restored", version) => Self::Restored(version.parse().ok()?),
            ("problem", code) => Self::Problem(code.parse().ok()?),
            _ => return None,
        })
    }
}

/// Keeps what was sent.
pub async fn keep(
    services: &Services,
    member: &Member,
    id: &str,
    form: &Form,
    told: Told,
) -> Result<(), AppError> {
    let binding = bindings::own(services, member, id).await?;
    let now = services.environment.now();
    let text = SecretString::from(text_of(form, told));
    let sealed = services.sealing.seal(&text, &associated(member, &binding.id.to_string()))?;
    let draft = Draft { member: member.id(), binding: binding.id, sealed, expires_at: now + LIFETIME };
    Ok(services.store.keep_draft(&draft, now).await?)
}

fn text_of(form: &Form, told: Told) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form.pairs().iter().filter(|(name, _)| name != TOLD && name != "password") {
        text.append_pair(name, value);
    }
    text.append_pair(TOLD, &told.word());
    text.finish()
}

fn associated(member: &Member, binding: &str) -> String {
    format!("{}/{binding}/settings_draft", member.id())
}

/// What was kept, and why.
pub(super) async fn kept(settings_form: &SettingsForm<'_>) -> Result<Option<(Form, Told)>, AppError> {
    let SettingsForm { services, member, binding, .. } = settings_form;
    let now = services.environment.now();
    let Some(sealed) = services.store.draft(member.id(), binding.id, now).await? else { return Ok(None) };
    // One that was sealed with a key that is gone is none.
    let Ok(text) = services.sealing.open(&sealed, &associated(member, &binding.id.to_string())) else {
        return Ok(None);
    };
    let pairs: Pairs = form_urlencoded::parse(text.expose_secret().as_bytes()).into_owned().collect();
    let form = Form::from(pairs);
    let told = form.get(TOLD).and_then(Told::of).unwrap_or(Told::Wrong);
    Ok(Some((form, told)))
}

impl SettingsForm<'_> {
    /// Forgets what was kept.
    pub(super) async fn forget_draft(&self) -> Result<(), AppError> {
        Ok(self.services.store.forget_draft(self.member.id(), self.binding.id).await?)
    }

    /// The form that a draft shows, and what is said above it.
    pub(super) async fn shown_again(&self, form: Form, told: Told) -> Result<Again, AppError> {
        Ok(match told {
            Told::Rows => Again::of(with_more_rows(&form), SettingsNotice::Nothing),
            Told::Refreshed => Again::of(form, SettingsNotice::Refreshed),
            Told::Wrong => Again::of(form, SettingsNotice::Wrong),
            Told::Crossed => self.crossing(form).await?,
            Told::Imported => {
                let (settings, _) = form.read(&self.settings(), &*self.lists);
                let changes = differences(&self.settings(), &settings, &self.lists);
                Again::of(form, SettingsNotice::Imported(changes))
            }
            Told::NotExported(code) => Again::of(form, SettingsNotice::NotExported(code)),
            Told::Restored(version) => {
                let former = save::former(self, version).await?;
                let is_crossed = form.get("replaces") != Some(self.version().to_string().as_str());
                match former {
                    Some(former) if is_crossed => {
                        let replaces = form.get("replaces").unwrap_or_default();
                        self.crossing(with(&former, "replaces", replaces)).await?
                    }
                    former => Again::of(former.unwrap_or(form), SettingsNotice::Wrong),
                }
            }
            Told::Problem(code) => Again::of(form, SettingsNotice::Problem(code)),
        })
    }

    /// Both people's changes. The form stands upon the other one's from now on: saving once more is meant.
    async fn crossing(&self, form: Form) -> Result<Again, AppError> {
        let replaces = form.get("replaces").and_then(|version| version.parse().ok());
        let base = self.settings_of(replaces).await?;
        let (mine, _) = form.read(&base, &*self.lists);
        let crossed = self.crossed(merge(&base, &self.settings(), &mine, &self.lists)).await?;
        let reason = form.get("reason").unwrap_or_default();
        let both = Form::from(crossed.pairs.clone());
        let both = with(&with(&both, "replaces", &crossed.version.to_string()), "reason", reason);
        Ok(Again { form: both, notice: SettingsNotice::Crossed, crossed: Some(crossed) })
    }
}

/// A form that is shown again.
pub(super) struct Again {
    pub form: Form,
    pub notice: SettingsNotice,
    pub crossed: Option<Crossed>,
}

impl Again {
    pub(super) const fn of(form: Form, notice: SettingsNotice) -> Self {
        Self { form, notice, crossed: None }
    }
}

fn with(form: &Form, name: &str, value: &str) -> Form {
    let mut pairs = form.pairs().to_vec();
    pairs.push((name.to_owned(), value.to_owned()));
    Form::from(pairs)
}

fn with_more_rows(form: &Form) -> Form {
    let rows = form.get("rows").and_then(|rows| rows.parse::<usize>().ok()).unwrap_or_default();
    with(form, "rows", &rows.saturating_add(MORE_ROWS).to_string())
}
