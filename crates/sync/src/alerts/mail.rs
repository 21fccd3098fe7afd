//! E-mail by SMTP.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp,
};
use magento::address::{Place, place};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Refusal, message::Letter};

/// The longest that a server may take for one step.
const STEP: Duration = Duration::from_secs(30);

/// Why the settings of e-mail cannot be used. The address is not repeated: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It is no address of a mail server.
    #[error("LEDGER_SMTP__URL must be smtps://USER:PASSWORD@HOST:PORT, or smtp://HOST:PORT?tls=required")]
    Url,
    /// A password would be sent in the open.
    #[error(
        "LEDGER_SMTP__URL would send the password in the open: use smtps://, or add ?tls=required to smtp://"
    )]
    Open,
    /// The sender is none.
    #[error("LEDGER_SMTP__FROM must be an address such as Ledger <ledger@example.com>")]
    From,
}

/// Sends e-mail.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// `List-Unsubscribe`: where a reader ends it.
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

impl Mail {
    /// By the server at this URL, from this sender. By `smtp://` a password is only sent to this machine itself.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, MailError> {
        let read = Url::parse(url.expose_secret()).map_err(|_| MailError::Url)?;
        let place = place(&read).ok_or(MailError::Url)?;
        let is_secret = read.scheme() == "smtps"
            || read.query_pairs().any(|pair| pair == ("tls".into(), "required".into()));
        if read.password().is_some() && !is_secret && place != Place::Loopback {
            return Err(MailError::Open);
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| MailError::Url)?;
        let from = from.parse().map_err(|_| MailError::From)?;
        Ok(Self { transport: builder.timeout(Some(STEP)).build(), from })
    }

    /// Sends a letter, with the page where its reader ends it.
    pub(super) async fn send(&self, to: &str, letter: &Letter, page: &str) -> Result<(), Refusal> {
        let to: Address = to
            .parse()
            .map_err(|_| Refusal::Final("The e-mail address is none that can be written to.".to_owned()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .header(ListUnsubscribe(format!("<{page}>")))
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|_| Refusal::Final("The e-mail could not be written.".to_owned()))?;
        self.transport.send(message).await.map(drop).map_err(|error| refusal(&error))
    }
}

/// What kept a letter from being taken. The server's own words may hold the address.
fn refusal(error: &smtp::Error) -> Refusal {
    let status = error.status().map(|code| code.to_string());
    match status {
        Some(status) if error.is_permanent() => {
            Refusal::Final(format!("The mail server refused the message for good ({status})."))
        }
        Some(status) => Refusal::Again(format!("The mail server refused the message for now ({status}).")),
        None if error.is_timeout() => Refusal::Again("The mail server took too long to answer.".to_owned()),
        None if error.is_tls() => {
            Refusal::Again("The mail server\u{2019}s certificate could not be verified.".to_owned())
        }
        None => Refusal::Again("The mail server could not be reached.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(url: &str, from: &str) -> Result<Mail, MailError> {
        Mail::new(&SecretString::from(url.to_owned()), from)
    }

    #[test]
    fn a_password_never_goes_out_in_the_open() {
        let from = "Ledger <ledger@shop.example>";
        for url in [
            "smtps://me:secret@mail.example",
            "smtp://me:secret@mail.example:587?tls=required",
            "smtp://mail.example",
            "smtp://me:secret@localhost:2525",
        ] {
            assert!(mail(url, from).is_ok(), "{url}");
        }
        for url in ["smtp://me:secret@mail.example", "smtp://me:secret@mail.example?tls=opportunistic"] {
            assert!(matches!(mail(url, from), Err(MailError::Open)), "{url}");
        }
        for url in ["", "mail.example", "https://mail.example", "smtps://"] {
            assert!(matches!(mail(url, from), Err(MailError::Url)), "{url}");
        }
        assert!(matches!(mail("smtp://localhost", "nobody"), Err(MailError::From)));
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_password() {
        let error = mail("smtp://me:secret@mail.example", "ledger@shop.example").err().unwrap();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
