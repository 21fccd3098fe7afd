//! The servers beside Ledger: the database's, whose clock and settings matter, and the one that takes its e-mail.

use messages::message;
use secrecy::SecretString;
use store::{Risk, Store};
use sync::alerts::Mail;

use super::Finding;
use crate::{
    config::Config,
    environment::{ahead_of_database, clocks_differ},
};

/// Whether this machine and the database agree on the time.
pub async fn clock(store: &dyn Store) -> Option<Finding> {
    const CHECK: &str = "clock";
    let ahead = match ahead_of_database(store).await {
        Ok(ahead) => ahead?,
        Err(error) => {
            return Some(Finding::problem(
                CHECK,
                error.to_string(),
                message!(doctor.servers.clocks_not_compared),
                "",
            ));
        }
    };
    let Some(says) = clocks_differ(ahead) else {
        return Some(Finding::ok(CHECK, message!(doctor.servers.clocks_agree)));
    };
    let means = message!(doctor.servers.clocks_means);
    let to_do = message!(doctor.servers.clocks_action);
    Some(Finding::problem(CHECK, says, means, to_do))
}

/// Whether what was answered as kept survives a crash of the database's server.
pub async fn durability(store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "durability";
    let risks = match store.risks().await {
        Ok(risks) => risks,
        Err(error) => {
            return vec![Finding::problem(
                CHECK,
                error.to_string(),
                message!(doctor.servers.settings_not_checked),
                "",
            )];
        }
    };
    if risks.is_empty() {
        return vec![Finding::ok(CHECK, message!(doctor.servers.durable))];
    }
    risks.into_iter().map(|risk| risky(CHECK, risk)).collect()
}

fn risky(check: &'static str, risk: Risk) -> Finding {
    match risk {
        Risk::OwnCommits => Finding::problem(
            check,
            message!(doctor.servers.own_commits),
            message!(doctor.servers.own_commits_means),
            message!(doctor.servers.own_commits_action),
        ),
        Risk::OtherCommits => Finding::note(
            check,
            message!(doctor.servers.other_commits),
            message!(doctor.servers.other_commits_means),
            message!(doctor.servers.other_commits_action),
        ),
        Risk::NoSync => Finding::note(
            check,
            message!(doctor.servers.no_sync),
            message!(doctor.servers.no_sync_means),
            message!(doctor.servers.no_sync_action),
        ),
    }
}

/// Whether e-mail can be sent: as far as signing in, without a letter.
pub async fn mail(config: &Config, asks: bool) -> Finding {
    const CHECK: &str = "mail";
    let means = message!(doctor.servers.mail_means);
    match config.smtp_url() {
        Ok(None) => Finding::note(
            CHECK,
            message!(doctor.servers.no_mail),
            message!(doctor.servers.no_mail_means),
            message!(doctor.servers.no_mail_action),
        ),
        Ok(Some(url)) => match signed_in(&url, &config.smtp.from, asks).await {
            Ok(says) => Finding::ok(CHECK, says),
            Err(says) => Finding::problem(CHECK, says, means, message!(doctor.servers.mail_action)),
        },
        Err(error) => {
            Finding::problem(CHECK, error.to_string(), means, message!(doctor.servers.mail_file_action))
        }
    }
}

async fn signed_in(url: &SecretString, from: &str, asks: bool) -> Result<&'static str, String> {
    let mail = Mail::new(url, from).map_err(|error| error.to_string())?;
    if !asks {
        return Ok(message!(doctor.servers.mail_not_checked));
    }
    mail.sign_in().await.map_err(|refusal| refusal.to_string())?;
    Ok(message!(doctor.servers.mail_answers))
}
