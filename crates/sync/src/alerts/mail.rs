//! E-mail by SMTP.

mod refusal;

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use magento::address::{Place, place};
use messages::message;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use super::{Refusal, message::EmailMessage};

/// The longest that a server may take for one step.
const STEP: Duration = Duration::from_secs(30);
/// The longest that somebody waits who only asks whether it lets us in.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why the settings of e-mail cannot be used. The address is not repeated: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It is no address of a mail server.
    #[error("{}", message!(smtp_settings.url))]
    Url,
    /// A password would be sent in the open.
    #[error("{}", message!(smtp_settings.open))]
    Open,
    /// The sender is none.
    #[error("{}", message!(smtp_settings.from))]
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

    /// Connects and signs in as for a letter, and sends none.
    ///
    /// # Errors
    ///
    /// What would keep every letter from being sent.
    pub async fn sign_in(&self) -> Result<(), Refusal> {
        match timeout(PATIENCE, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Refusal::again(message!(delivery.not_a_mail_server))),
            Ok(Err(error)) => Err(refusal::of_connection(&error)),
            Err(_) => Err(Refusal::Silent(message!(delivery.mail_timed_out).to_owned())),
        }
    }

    /// Sends a letter, with the page where its reader ends it.
    pub(super) async fn send(
        &self,
        to: &str,
        email_message: &EmailMessage,
        page: &str,
    ) -> Result<(), Refusal> {
        let to: Address =
            to.parse().map_err(|_| Refusal::Final(message!(delivery.invalid_address).to_owned()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&email_message.subject)
            .message_id(Some(format!("<{}@{}>", email_message.id, self.from.email.domain())))
            .header(ListUnsubscribe(format!("<{page}>")))
            .multipart(MultiPart::alternative_plain_html(
                email_message.text.clone(),
                email_message.html.clone(),
            ))
            .map_err(|_| Refusal::Final(message!(delivery.not_written).to_owned()))?;
        let Err(error) = self.transport.send(message).await else { return Ok(()) };
        let refusal = refusal::of(&error);
        // What is refused without any letter is the set-up's fault and will be put right; the letter waits for that.
        if matches!(refusal, Refusal::Final(_))
            && let Err(error) = self.transport.test_connection().await
        {
            return Err(refusal::of_connection(&error));
        }
        Err(refusal)
    }
}

#[cfg(test)]
mod tests;
