//! Where Sage shows a run's document.
//!
//! Known for certain is only that Sage's answers carry `links`, whose first `href` opens the record in Sage's screen; the path in it is not
//! documented, so none is put together here. An answer that was cut for length, or that an older version kept, has no link left: then
//! there is the way to Sage's front door. Which front door serves which country is not documented either.

use messages::message;
use serde_json::Value;

use super::RunDetails;
use views::run::SageView;

/// The host that Sage's links were seen to lead to.
const FRONT_DOOR: &str = "https://accounts-extra.sageone.com/";

/// Sage's own hosts end like this.
const HOSTS: [&str; 2] = [".sageone.com", ".sage.com"];

/// The run's document in Sage; none when it is not there.
pub(super) fn of(kept: &RunDetails) -> Option<SageView> {
    let id = kept.run.facts.sage_id.as_deref()?;
    let reference =
        kept.run.facts.sage_reference.clone().unwrap_or_else(|| message!(run_remedies.document).to_owned());
    let answers = kept.attempts.iter().rev().flat_map(|attempt| attempt.steps.iter().rev());
    let found = answers.filter(|step| step.target == "sage").find_map(|step| {
        let answer: Value = serde_json::from_str(step.answer.as_deref()?).ok()?;
        let is_its = answer["id"].as_str() == Some(id);
        let href = answer["links"].as_array()?.iter().find_map(|link| link["href"].as_str())?;
        (is_its && leads_to_sage(href, &kept.sage_origin)).then(|| href.to_owned())
    });
    Some(match found {
        Some(href) => SageView { reference, href, is_exact: true },
        None => SageView { reference, ..front_door() },
    })
}

/// Sage itself.
pub(super) fn front_door() -> SageView {
    SageView { reference: "Sage".to_owned(), href: FRONT_DOOR.to_owned(), is_exact: false }
}

/// Nothing that somebody else may have written into an answer becomes a link.
fn leads_to_sage(href: &str, origin: &str) -> bool {
    let ours = !origin.is_empty() && href.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'));
    let host = href.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_plain = href.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain
        && (ours
            || host.is_some_and(|host| HOSTS.iter().any(|end| host.ends_with(end)) && !host.contains('@')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_sage_are_followed() {
        for good in [
            "https://accounts-extra.sageone.com/invoicing/1",
            "https://app.sage.com/x?y=1",
            "http://127.0.0.1:4000/_sim/open/1",
        ] {
            assert!(leads_to_sage(good, "http://127.0.0.1:4000"), "{good}");
        }
        for bad in [
            "https://sageone.com.evil.example/",
            "https://evil.example/.sage.com",
            "http://accounts.sageone.com/",
            "javascript:alert(1)",
            "http://127.0.0.1:40001/",
            "https://a@evil.example\\.sage.com",
        ] {
            assert!(!leads_to_sage(bad, "http://127.0.0.1:4000"), "{bad}");
        }
    }
}
