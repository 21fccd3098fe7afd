//! The servers beside Ledger: the database's, whose clock and settings matter, and the one that takes its e-mail.

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
            return Some(Finding::problem(CHECK, error.to_string(), "The clocks were not compared.", ""));
        }
    };
    let Some(says) = clocks_differ(ahead) else {
        return Some(Finding::ok(CHECK, "this machine and the database agree on the time"));
    };
    let means = "Ledger goes by the database's clock. If that is the one that is wrong, shops and Sage refuse Ledger's calls.";
    let to_do = "Let both machines set their clocks by network time.";
    Some(Finding::problem(CHECK, says, means, to_do))
}

/// Whether what was answered as kept survives a crash of the database's server.
pub async fn durability(store: &dyn Store) -> Vec<Finding> {
    const CHECK: &str = "durability";
    let risks = match store.risks().await {
        Ok(risks) => risks,
        Err(error) => {
            return vec![Finding::problem(CHECK, error.to_string(), "The settings were not looked at.", "")];
        }
    };
    if risks.is_empty() {
        return vec![Finding::ok(CHECK, "what is committed is on disk")];
    }
    risks.into_iter().map(|risk| risky(CHECK, risk)).collect()
}

fn risky(check: &'static str, risk: Risk) -> Finding {
    match risk {
        Risk::OwnCommits => Finding::problem(
            check,
            "synchronous_commit is off for Ledger's own connections",
            "A crash of the database loses events that were answered as kept, and what was posted just before it.",
            "Let nothing between Ledger and Postgres take away the options of its connections, or set synchronous_commit = on.",
        ),
        Risk::OtherCommits => Finding::note(
            check,
            "synchronous_commit is off for this database",
            "Ledger switches it on for its own connections; changes by other tools may be lost in a crash.",
            "Set synchronous_commit = on if you change rows by hand.",
        ),
        Risk::NoSync => Finding::note(
            check,
            "fsync is off for this server",
            "After a power failure the whole database may be unreadable. That is for tests only.",
            "Set fsync = on before you keep real documents in it.",
        ),
    }
}

/// Whether e-mail can be sent: as far as signing in, without a letter.
pub async fn mail(config: &Config, asks: bool) -> Finding {
    const CHECK: &str = "mail";
    let means = "Nobody gets alerts by e-mail.";
    match config.smtp_url() {
        Ok(None) => Finding::note(
            CHECK,
            "no mail server is configured",
            "Ledger sends no e-mail: alerts go to webhooks only.",
            "Set LEDGER_SMTP__URL and LEDGER_SMTP__FROM to send alerts by e-mail.",
        ),
        Ok(Some(url)) => match signed_in(&url, &config.smtp.from, asks).await {
            Ok(says) => Finding::ok(CHECK, says),
            Err(says) => {
                Finding::problem(CHECK, says, means, "Correct LEDGER_SMTP__URL and LEDGER_SMTP__FROM.")
            }
        },
        Err(error) => Finding::problem(CHECK, error.to_string(), means, "Correct LEDGER_SMTP__URL_FILE."),
    }
}

async fn signed_in(url: &SecretString, from: &str, asks: bool) -> Result<&'static str, String> {
    let mail = Mail::new(url, from).map_err(|error| error.to_string())?;
    if !asks {
        return Ok("a mail server is configured; it was not asked");
    }
    mail.sign_in().await.map_err(|refusal| refusal.to_string())?;
    Ok("the mail server lets Ledger in; no letter was sent")
}
