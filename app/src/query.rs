//! State in the URL: the list's filters and place, flashes, and the paths that a sign-in may lead back to.

use domain::{
    ids::RunId,
    run::{EventName, RunStatus},
};
use serde::{Deserialize, Serialize};

use crate::{
    HOME,
    error::{AppError, ErrorCode, FieldError},
};

/// Which runs are shown: filters and place, as the URL says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsQuery {
    /// In this status only.
    pub status: Option<RunStatus>,
    /// Of this event only.
    pub event: Option<EventName>,
    /// Older than this run.
    pub before: Option<RunId>,
    /// Newer than this run.
    pub after: Option<RunId>,
}

impl RunsQuery {
    /// Reads the query of a URL, given a way to look up a parameter. An empty parameter is none, as a form sends it.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, AppError> {
        let mut error = AppError::new(ErrorCode::Invalid);
        let query = Self {
            status: parameter(&get, "status", &mut error),
            event: parameter(&get, "event", &mut error),
            before: parameter(&get, "before", &mut error),
            after: parameter(&get, "after", &mut error),
        };
        if error.fields.is_empty() { Ok(query) } else { Err(error) }
    }

    /// The address of this view of the list.
    pub fn href(&self) -> String {
        let mut href = HOME.to_owned();
        let parts = [
            ("status", self.status.map(|status| status.to_string())),
            ("event", self.event.map(|event| event.to_string())),
            ("before", self.before.map(|run| run.to_string())),
            ("after", self.after.map(|run| run.to_string())),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                // Statuses, events and ids consist of letters, digits, `_`, `.` and `-`: nothing to escape.
                push(&mut href, name, &value);
            }
        }
        href
    }

    /// The same list from its newest run on, in another status.
    pub const fn with_status(self, status: Option<RunStatus>) -> Self {
        Self { status, event: self.event, before: None, after: None }
    }

    /// The same filters, going on with the runs older than one.
    pub const fn older_than(self, run: RunId) -> Self {
        Self { before: Some(run), after: None, ..self }
    }

    /// The same filters, going back to the runs newer than one.
    pub const fn newer_than(self, run: RunId) -> Self {
        Self { before: None, after: Some(run), ..self }
    }

    /// The same filters from the newest run on.
    pub const fn newest(self) -> Self {
        Self { before: None, after: None, ..self }
    }

    /// Whether this is the list's live end.
    pub const fn is_newest(&self) -> bool {
        self.before.is_none() && self.after.is_none()
    }

    /// Whether only some of the runs are asked for.
    pub const fn is_filtered(&self) -> bool {
        self.status.is_some() || self.event.is_some()
    }
}

fn parameter<'a, T: std::str::FromStr>(
    get: impl Fn(&str) -> Option<&'a str>,
    name: &str,
    error: &mut AppError,
) -> Option<T> {
    let word = get(name).filter(|word| !word.is_empty())?;
    let value = word.parse().ok();
    if value.is_none() {
        error.fields.push((name.to_owned(), FieldError::Unknown));
    }
    value
}

/// What a page says once after something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flash {
    /// A run was put in the queue again.
    Retried,
    /// A run could not be retried because it is running.
    StillRunning,
    /// The person signed out.
    SignedOut,
    /// The shop is paired; Sage is next.
    Paired,
    /// Sage is connected.
    Connected,
    /// The binding is paused.
    Paused,
    /// The binding works again.
    Resumed,
    /// The binding is disconnected.
    Disconnected,
    /// The business's lists were fetched.
    Refreshed,
    /// The suggested settings are in force.
    SettingsTaken,
}

impl Flash {
    const ALL: [Self; 10] = [
        Self::Retried,
        Self::StillRunning,
        Self::SignedOut,
        Self::Paired,
        Self::Connected,
        Self::Paused,
        Self::Resumed,
        Self::Disconnected,
        Self::Refreshed,
        Self::SettingsTaken,
    ];

    /// The word in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::StillRunning => "still-running",
            Self::SignedOut => "signed-out",
            Self::Paired => "paired",
            Self::Connected => "connected",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Disconnected => "disconnected",
            Self::Refreshed => "refreshed",
            Self::SettingsTaken => "settings-taken",
        }
    }

    /// What is shown.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Retried => "The run is queued again.",
            Self::StillRunning => "This run is at work right now. Wait until it has ended, then retry it.",
            Self::SignedOut => "You are signed out.",
            Self::Paired => "The shop is paired. Now connect Sage.",
            Self::Connected => "Sage is connected, and its lists are fetched.",
            Self::Paused => "Paused. What the shop sends is kept and waits.",
            Self::Resumed => "Resumed. What waited is on its way.",
            Self::Disconnected => {
                "Disconnected. The history stays; connecting the same business again goes on from it."
            }
            Self::SettingsTaken => "The settings are in force. What waited for them is on its way.",
            Self::Refreshed => "Sage\u{2019}s lists are fetched anew.",
        }
    }

    /// Whether what was asked for was done.
    pub const fn is_good(self) -> bool {
        !matches!(self, Self::StillRunning)
    }

    /// The flash that a URL carries.
    pub fn read(word: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|flash| Some(flash.as_str()) == word)
    }

    /// A path that shows this flash.
    pub fn on(self, path: &str) -> String {
        let mut href = path.to_owned();
        push(&mut href, "flash", self.as_str());
        href
    }
}

/// A path of this site, as a form or a URL may name it to lead back to: anything else would let a link on another site
/// send people who sign in wherever it likes.
pub fn safe_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    // `//host` and `/\host` leave the site; control characters, spaces and what is not ASCII have no place in a header.
    let stays = !rest.starts_with(['/', '\\']);
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_page = !path.starts_with("/api/") && !path.starts_with("/sign-in");
    (stays && printable && is_page && path.len() <= 1024).then_some(path)
}

/// The sign-in page that leads back to a path.
pub fn sign_in_href(back: &str) -> String {
    match safe_path(back) {
        Some(path) if path != HOME => format!("/sign-in?next={}", escape(path)),
        _ => "/sign-in".to_owned(),
    }
}

/// Escapes a text for a query's value.
pub fn escape(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push(char::from(HEX[usize::from(byte >> 4)]));
            escaped.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    escaped
}

fn push(href: &mut String, name: &str, value: &str) {
    href.push(if href.contains('?') { '&' } else { '?' });
    href.push_str(name);
    href.push('=');
    href.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0190b5a4-7c3e-7000-8000-000000000001";

    fn read(pairs: &[(&str, &'static str)]) -> Result<RunsQuery, AppError> {
        RunsQuery::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
    }

    #[test]
    fn a_view_of_the_list_is_read_as_its_address_is_written() {
        let query = read(&[("status", "failed"), ("event", "invoice.paid"), ("before", RUN)]).unwrap();
        assert_eq!(query.status, Some(RunStatus::Failed));
        assert_eq!(query.href(), format!("/dashboard/sync?status=failed&event=invoice.paid&before={RUN}"));
        assert_eq!(query.newest().href(), "/dashboard/sync?status=failed&event=invoice.paid");
        assert_eq!(query.with_status(None).href(), "/dashboard/sync?event=invoice.paid");
        assert_eq!(RunsQuery::default().href(), "/dashboard/sync");
    }

    #[test]
    fn empty_parameters_are_none_and_unknown_ones_are_named() {
        assert_eq!(read(&[("status", ""), ("event", "")]), Ok(RunsQuery::default()));
        let error = read(&[("status", "borked"), ("before", "x")]).unwrap_err();
        assert_eq!(
            error.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["status", "before"]
        );
    }

    #[test]
    fn only_pages_of_this_site_are_led_back_to() {
        for good in ["/", "/dashboard/sync", "/dashboard/sync?status=failed&event=invoice.paid"] {
            assert_eq!(safe_path(good), Some(good));
        }
        for bad in [
            "",
            "dashboard",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/api/session/sign-out",
            "/sign-in",
            "/é",
            "javascript:alert(1)",
        ] {
            assert_eq!(safe_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_way_back_survives_in_the_sign_in_address() {
        assert_eq!(sign_in_href("/dashboard/sync"), "/sign-in");
        assert_eq!(sign_in_href("//evil.example"), "/sign-in");
        assert_eq!(
            sign_in_href("/dashboard/sync?status=failed&event=invoice.paid"),
            "/sign-in?next=/dashboard/sync%3Fstatus%3Dfailed%26event%3Dinvoice.paid"
        );
    }

    #[test]
    fn a_flash_joins_the_query_that_is_there() {
        assert_eq!(Flash::Retried.on("/dashboard/sync"), "/dashboard/sync?flash=retried");
        assert_eq!(
            Flash::StillRunning.on("/dashboard/sync?status=failed"),
            "/dashboard/sync?status=failed&flash=still-running"
        );
        assert_eq!(Flash::read(Some("retried")), Some(Flash::Retried));
        assert_eq!(Flash::read(Some("<b>")), None);
    }
}
