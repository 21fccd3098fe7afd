//! A shop's history, as it is shown within Magento's admin.

use domain::{
    run::{BindingStatus, RunStatus},
    setup::ShopState,
};

use super::runs::RunRow;
use crate::error::AppError;

/// What is asked for in an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbedQuery {
    /// In this status only.
    pub status: Option<RunStatus>,
    /// Older than this run.
    pub before: Option<domain::ids::RunId>,
    /// Newer than this run.
    pub after: Option<domain::ids::RunId>,
    /// Somebody has just signed in.
    pub signed_in: bool,
    /// Somebody wants to begin the sign-in again.
    pub again: bool,
}

impl EmbedQuery {
    /// Reads the query of an address; what it does not understand is not asked for.
    pub fn read(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "status" => read.status = value.parse().ok(),
                "before" => read.before = value.parse().ok(),
                "after" => read.after = value.parse().ok(),
                "in" => read.signed_in = true,
                "again" => read.again = true,
                _ => {}
            }
        }
        read
    }
}

/// What the frame shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedView {
    /// The address of the frame's page.
    pub path: String,
    /// What stands in it.
    pub part: EmbedPart,
}

/// What stands in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedPart {
    /// The question for e-mail address and password, and what was wrong with the last answer.
    SignIn(Option<AppError>),
    /// The question for a code, and what was wrong with the last one.
    Code(Option<AppError>),
    /// Somebody has signed in, and the browser did not keep it.
    Forgotten,
    /// Something went wrong.
    Problem(AppError),
    /// The history.
    History(Box<HistoryView>),
}

/// The history of one shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryView {
    /// The shop's name.
    pub name: String,
    /// Where it stands.
    pub status: BindingStatus,
    /// The same, as people are shown it.
    pub state: ShopState,
    /// Whether what is shown is all there is.
    pub filter: Option<RunStatus>,
    /// The runs, newest first.
    pub rows: Vec<RunRow>,
    /// Where the newest are, when the page shows others.
    pub newest: Option<String>,
    /// Where the newer ones are, when there are any.
    pub newer: Option<String>,
    /// Where the older ones are, when there are any.
    pub older: Option<String>,
    /// The same in Ledger itself.
    pub in_ledger: String,
}

/// The address of a list within the frame, of runs in a status.
pub fn list_href(path: &str, status: Option<RunStatus>) -> String {
    status.map_or_else(|| path.to_owned(), |status| format!("{path}?status={status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_asks_for_what_is_understood() {
        let run = "0190b5a4-7c3e-7000-8000-000000000001";
        let query = EmbedQuery::read(&format!("status=failed&before={run}&after=x&in=1&more"));
        assert_eq!(query.status, Some(RunStatus::Failed));
        assert_eq!((query.before.map(|run| run.to_string()).as_deref(), query.after), (Some(run), None));
        assert!(query.signed_in && !query.again);
        assert_eq!(EmbedQuery::read(""), EmbedQuery::default());
    }

    #[test]
    fn a_list_has_an_address() {
        assert_eq!(list_href("/embed/x", None), "/embed/x");
        assert_eq!(
            list_href("/embed/x", Some(RunStatus::SkippedByPolicy)),
            "/embed/x?status=skipped_by_policy"
        );
    }
}
