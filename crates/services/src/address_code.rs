//! Codes that prove an e-mail address: six digits, sent there, good for a quarter of an hour and five tries.
//!
//! Six digits are soon tried out by who reads the database. So what is kept is a digest of the code together with a secret that only the
//! browser holds: an invitation's token, or a session's.

use chrono::TimeDelta;
use domain::{environment::Environment, ids::OrganisationId};
use store::{Proof, ProofSubject};
use views::error::{AppError, ErrorCode, FieldError};

use crate::{
    Services,
    rate_limit::{self, RateLimit},
    tokens::token_hash,
};

/// How long a code is good.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// How many codes may be tried.
const TRIES: i32 = 5;

/// Six digits.
const CODES: u32 = 1_000_000;

/// An address that is to be proved.
pub(crate) struct AddressToProve<'a> {
    /// What it is proved for.
    pub(crate) subject: ProofSubject,
    /// The organisation that lets it in.
    pub(crate) organisation: OrganisationId,
    /// The address.
    pub(crate) email: &'a str,
    /// The secret of the browser.
    pub(crate) secret: &'a str,
}

impl AddressToProve<'_> {
    fn who(&self) -> String {
        format!("{} {}", self.organisation, self.email)
    }

    fn hash(&self, code: &str) -> String {
        token_hash(&format!("{}:{code}", self.secret))
    }

    /// Sends a code, in place of an earlier one. The answer is the same whosever the address is.
    pub(crate) async fn send_code(&self, services: &Services) -> Result<(), AppError> {
        if !services.alerting.sends_mail() {
            return Err(ErrorCode::MailNotSetUp.into());
        }
        let (store, now) = (&*services.store, services.environment.now());
        // Whatever comes of it is counted: the letters go to somebody who may not want them.
        let _counted = rate_limit::take(store, now, RateLimit::SentCode, &self.who(), None).await?;
        let code = new_code(&*services.environment);
        let proof = Proof {
            subject: self.subject,
            code_hash: self.hash(&code),
            tries: TRIES,
            expires_at: now + LIFETIME,
        };
        store.begin_proof(&proof).await?;
        services.alerting.prove_address(self.email, &code).await
    }

    /// Whether this is the code that was sent; an error in the field `code` when it is not.
    pub(crate) async fn check_code(&self, services: &Services, code: &str) -> Result<(), AppError> {
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        if code.is_empty() {
            return Err(AppError::new(ErrorCode::Invalid).field("code", FieldError::Required));
        }
        let (store, now) = (&*services.store, services.environment.now());
        let tries = rate_limit::take(store, now, RateLimit::AddressCode, &self.who(), None).await?;
        if !store.try_proof(self.subject, &self.hash(&code), now).await? {
            return Err(AppError::new(ErrorCode::WrongAddressCode).field("code", FieldError::Refused));
        }
        tries.give_back(store).await
    }
}

/// A new code. What is left over of 32 bits beyond the last whole million is drawn again, so that all are as likely.
fn new_code(environment: &dyn Environment) -> String {
    let mut bytes = [0; 4];
    loop {
        environment.random(&mut bytes);
        let drawn = u32::from_be_bytes(bytes);
        if drawn < u32::MAX / CODES * CODES {
            return format!("{:06}", drawn % CODES);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use chrono::{DateTime, Utc};
    use domain::ids::PersonId;

    use super::*;

    /// Draws these numbers, from the greatest downwards.
    struct Drawing(AtomicU32);

    impl Environment for Drawing {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.fetch_sub(1, Ordering::Relaxed).to_be_bytes());
        }
    }

    #[test]
    fn a_code_has_six_digits_and_all_are_as_likely() {
        assert_eq!(new_code(&Drawing(AtomicU32::new(7))), "000007");
        assert_eq!(new_code(&Drawing(AtomicU32::new(u32::MAX))), "999999");
        assert_eq!(new_code(&Drawing(AtomicU32::new(4_294_000_000))), "999999");
        assert_eq!(new_code(&Drawing(AtomicU32::new(12_345_678))), "345678");
    }

    #[test]
    fn what_is_kept_of_a_code_is_worth_nothing_without_the_secret() {
        let address = |secret| AddressToProve {
            subject: ProofSubject::Person(PersonId::default()),
            organisation: OrganisationId::default(),
            email: "ada@shop.example",
            secret,
        };
        assert_ne!(address("one").hash("000007"), address("other").hash("000007"));
        assert_ne!(address("one").hash("000007"), token_hash("000007"));
    }
}
