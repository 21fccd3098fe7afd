//! The people: whose addresses nobody has proved.

use secrecy::ExposeSecret;
use store::Store;

use super::Finding;
use crate::config::Config;

/// How many there are. On a server that sends no mail there is no other way, so it is worth knowing and no problem.
pub async fn look(config: &Config, store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "people";
    const MEANS: &str = "They work in their organisation, and nothing is written to them: the addresses may be somebody else's.";
    let to_do = if config.smtp.url.expose_secret().is_empty() && config.smtp.url_file.as_os_str().is_empty() {
        "Set LEDGER_SMTP__URL and LEDGER_SMTP__FROM; then they confirm it on the page of their account."
    } else {
        "They confirm it on the page of their account; `ledger users list` names them."
    };
    match store.count_unproved_people().await {
        Ok(0) => Vec::new(),
        Ok(1) => vec![Finding::note(CHECK, "1 person has not confirmed their e-mail address", MEANS, to_do)],
        Ok(count) => {
            let says = format!("{count} people have not confirmed their e-mail addresses");
            vec![Finding::note(CHECK, says, MEANS, to_do)]
        }
        Err(error) => vec![Finding::problem(CHECK, error.to_string(), "People cannot be counted.", "")],
    }
}
