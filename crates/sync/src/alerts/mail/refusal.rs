//! What kept a letter from being taken, in a sentence that says whose fault it is. The server's own words may hold the address.

use std::{error::Error, io};

use lettre::transport::smtp;
use messages::message;

use crate::alerts::Refusal;

/// A server that wants a user name and password, or TLS first (RFC 4954, RFC 3207).
const SIGN_IN: &str = "530";
/// A server that does not take ours, or not in this way (RFC 4954).
const CREDENTIALS: [&str; 3] = ["534", "535", "538"];

/// What kept a letter from being taken.
pub(super) fn of(error: &smtp::Error) -> Refusal {
    match error.status() {
        Some(code) => of_letter(&code.to_string(), error.is_permanent()),
        None => of_line(error),
    }
}

/// What kept a connection from being made, with which no letter can be sent: it is tried again, as somebody will put it right.
pub(super) fn of_connection(error: &smtp::Error) -> Refusal {
    match (of(error), error.status()) {
        (Refusal::Final(_), Some(code)) => Refusal::again(message!(delivery.connection_refused, code = code)),
        (refusal, _) => refusal,
    }
}

fn of_letter(code: &str, is_permanent: bool) -> Refusal {
    if code == SIGN_IN {
        Refusal::again(message!(delivery.sign_in_required, code = code))
    } else if CREDENTIALS.contains(&code) {
        Refusal::again(message!(delivery.credentials_refused, code = code))
    } else if is_permanent {
        Refusal::Final(message!(delivery.rejected, code = code))
    } else {
        Refusal::again(message!(delivery.deferred, code = code))
    }
}

/// Without a word of the server's.
fn of_line(error: &smtp::Error) -> Refusal {
    if error.is_timeout() {
        return Refusal::Silent(message!(delivery.mail_timed_out).to_owned());
    }
    if error.is_client() {
        return of_client(&error.source().map(ToString::to_string).unwrap_or_default());
    }
    Refusal::again(of_tls(error).unwrap_or(message!(delivery.mail_unreachable)))
}

/// What the client itself found missing, by its words: it has no others.
fn of_client(words: &str) -> Refusal {
    if words.contains("STARTTLS") {
        Refusal::again(message!(delivery.no_starttls))
    } else if words.contains("authentication mechanism") {
        Refusal::again(message!(delivery.no_known_sign_in))
    } else if words.contains("SMTPUTF8") {
        Refusal::Final(message!(delivery.address_not_supported).to_owned())
    } else {
        Refusal::again(message!(delivery.mail_unusable))
    }
}

/// What was wrong with TLS, which lies within an error of the connection.
fn of_tls(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped.and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                return Some(message!(delivery.certificate));
            }
            Some(_) => {
                return Some(message!(delivery.other_tls));
            }
            None => cause = inner.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, InvalidMessage};

    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_verified_is_named() {
        let within = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        for wrong in
            [CertificateError::UnknownIssuer, CertificateError::NotValidForName, CertificateError::Expired]
        {
            let sentence = of_tls(&within(rustls::Error::InvalidCertificate(wrong)));
            assert_eq!(sentence, Some(message!(delivery.certificate)));
        }
        let plain = within(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert!(of_tls(&plain).is_some_and(|sentence| sentence.contains("agree on TLS")));
        assert_eq!(of_tls(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
    }
}
