//! The people: whose addresses nobody has proved.

use messages::message;
use secrecy::ExposeSecret;
use store::Store;

use super::Finding;
use crate::config::Config;

/// How many there are. On a server that sends no mail there is no other way, so it is worth knowing and no problem.
pub async fn look(config: &Config, store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "people";
    const MEANS: &str = message!(doctor.people.unproved_means);
    let to_do = if config.smtp.url.expose_secret().is_empty() && config.smtp.url_file.as_os_str().is_empty() {
        message!(doctor.people.no_mail_action)
    } else {
        message!(doctor.people.action)
    };
    match store.count_unproved_people().await {
        Ok(0) => Vec::new(),
        Ok(1) => vec![Finding::note(CHECK, message!(doctor.people.one), MEANS, to_do)],
        Ok(count) => {
            let says = message!(doctor.people.many, count = count);
            vec![Finding::note(CHECK, says, MEANS, to_do)]
        }
        Err(error) => {
            vec![Finding::problem(CHECK, error.to_string(), message!(doctor.people.not_counted), "")]
        }
    }
}
