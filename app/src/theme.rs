//! Light, dark, or as the system says: a choice that the browser keeps in a cookie, so that the server renders it at once.

use std::str::FromStr;

/// The cookie's name; the server's answer to the form sets it.
pub const COOKIE: &str = "ledger_theme";

/// The colours to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in the cookie and in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The value of `data-theme` on the document; none leaves it to the system.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light | Self::Dark => Some(self.as_str()),
        }
    }
}

impl FromStr for Theme {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word).ok_or(())
    }
}

/// The cookie that keeps a choice for a year.
pub fn cookie(theme: Theme) -> String {
    format!("{COOKIE}={}; SameSite=Lax; Path=/; Max-Age=31536000", theme.as_str())
}

/// The theme of this page, from the request's cookie.
#[cfg(feature = "ssr")]
pub fn current() -> Theme {
    word().and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[cfg(feature = "ssr")]
fn word() -> Option<String> {
    let parts = leptos::prelude::use_context::<http::request::Parts>()?;
    services::cookies::cookie_value(&parts.headers, COOKIE).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_is_read_as_it_is_written() {
        for theme in Theme::ALL {
            assert_eq!(theme.as_str().parse(), Ok(theme));
        }
        assert_eq!("purple".parse::<Theme>(), Err(()));
    }
}
