//! The second factor: codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 s, one step of skew either way, each step
//! taken once), and recovery codes for the day the app is lost.

use domain::{environment::Environment, ids::PersonId};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use store::{SecondFactor, Store};
use totp_rs::{Builder, Secret, Totp};
use views::{
    error::{AppError, ErrorCode, FieldError},
    links::escape,
};

use crate::{
    client_info::Caller,
    rate_limit::{self, RateLimit},
    sealing::Sealing,
    session, tokens,
};

/// How many recovery codes there are at first.
const CODES: usize = 10;

/// How many digits the code of an app has.
const DIGITS: usize = 6;

/// Random bytes of a recovery code: 80 bits, so that a plain digest keeps it.
const CODE_BYTES: usize = 10;

/// Random bytes of a secret (RFC 4226: 160 bits).
const SECRET_BYTES: usize = 20;

/// A new secret in base32, as authenticator apps take it.
pub fn new_secret(environment: &dyn Environment) -> SecretString {
    let mut bytes = [0; SECRET_BYTES];
    environment.random(&mut bytes);
    SecretString::from(Secret::from(bytes).to_base32())
}

/// The address that an authenticator app scans.
pub fn app_href(email: &str, secret: &str) -> String {
    format!("otpauth://totp/Ledger:{}?secret={secret}&issuer=Ledger", escape(email))
}

/// Seals a person's secret.
pub fn seal(sealing: &Sealing, person: PersonId, secret: &SecretString) -> Result<String, AppError> {
    sealing.seal(secret, &SecondFactor::bound_to(person))
}

/// Opens a person's secret.
pub fn open(sealing: &Sealing, factor: &SecondFactor) -> Result<SecretString, AppError> {
    sealing.open(&factor.envelope, &SecondFactor::bound_to(factor.person_id))
}

/// New recovery codes, each in groups of four, and what is kept of them.
pub fn new_recovery_codes(environment: &dyn Environment) -> (Vec<String>, Vec<String>) {
    let codes = std::iter::repeat_with(|| {
        let mut bytes = [0; CODE_BYTES];
        environment.random(&mut bytes);
        let code = Secret::from(bytes).to_base32();
        let hash = code_hash(&code);
        let groups: Vec<&str> =
            code.as_bytes().chunks(4).filter_map(|part| str::from_utf8(part).ok()).collect();
        (groups.join("-"), hash)
    });
    codes.take(CODES).unzip()
}

/// The time step whose code this is, now or one step around.
pub fn step_of(
    sealing: &Sealing,
    environment: &dyn Environment,
    factor: &SecondFactor,
    code: &str,
) -> Result<Option<i64>, AppError> {
    let totp = totp(&open(sealing, factor)?)?;
    let now = u64::try_from(environment.now().timestamp()).unwrap_or(0);
    Ok(totp.check(&typed(code), now).and_then(|step| i64::try_from(step).ok()))
}

fn totp(secret: &SecretString) -> Result<Totp, AppError> {
    let secret = Secret::try_from_base32(secret.expose_secret()).ok();
    let totp = secret.and_then(|secret| Builder::new().with_secret(secret).build().ok());
    totp.ok_or_else(|| {
        tracing::error!("a second factor's secret cannot be used");
        ErrorCode::Internal.into()
    })
}

/// A code without what people put in between, and with the letters that they mistook for digits.
fn typed(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Whether this is longer than the codes of apps are.
fn is_recovery(code: &str) -> bool {
    typed(code).len() > DIGITS
}

fn code_hash(code: &str) -> String {
    hex::encode(Sha256::digest(code.as_bytes()))
}

/// Takes a code of a person's app, or one of their recovery codes. Each is good once; without a confirmed factor none is.
pub async fn take_code(
    store: &dyn Store,
    environment: &dyn Environment,
    sealing: &Sealing,
    person: PersonId,
    code: &str,
) -> Result<bool, AppError> {
    let factor = store.second_factor(person).await?.filter(|factor| factor.confirmed_at.is_some());
    let Some(factor) = factor else { return Ok(false) };
    // Each kind of code is looked at behind the door where its tries are counted.
    if !is_recovery(code) {
        return match step_of(sealing, environment, &factor, code)? {
            Some(step) => Ok(store.take_step(person, step).await?),
            None => Ok(false),
        };
    }
    // Base32 knows neither 0 nor 1 nor 8.
    let recovery = typed(code).replace('0', "O").replace('1', "I").replace('8', "B");
    Ok(store.spend_recovery_code(person, &code_hash(&recovery), environment.now()).await?)
}

/// The second step of a sign-in. `token` is that of the sign-in which waits; returns the token of the session.
pub async fn sign_in(
    store: &dyn Store,
    environment: &dyn Environment,
    sealing: &Sealing,
    caller: &Caller,
    (token, code): (&str, &str),
) -> Result<String, AppError> {
    if code.trim().is_empty() {
        return Err(AppError::new(ErrorCode::Invalid).field("code", FieldError::Required));
    }
    let (token_hash, now) = (tokens::token_hash(token), environment.now());
    // A sign-in ends where it began: within the same shop's admin, or in Ledger itself.
    let member = store.try_sign_in(&token_hash, caller.frame.map(|frame| frame.binding), now).await?;
    let member = member.filter(|member| caller.may_be(member)).ok_or(ErrorCode::SignInEnded)?;
    // What is right now is what the sign-in proved: a change of the password ends the sign-ins that wait.
    let person = member.person_id;
    let proved = store.person(person).await?.ok_or(ErrorCode::SignInEnded)?.password_hash;
    // A recovery code is too long to be guessed: whoever keeps trying codes cannot keep its owner from it.
    let door = if is_recovery(code) { RateLimit::RecoveryCode } else { RateLimit::Code };
    let tries = rate_limit::take(store, now, door, &person.to_string(), caller.address).await?;
    if !take_code(store, environment, sealing, person, code).await? {
        metrics::sign_in("wrong_code");
        tracing::warn!(member = %member.id, "a sign-in gave a wrong code");
        return Err(AppError::new(ErrorCode::WrongCode).field("code", FieldError::Refused));
    }
    if !store.end_sign_in(&token_hash).await? {
        return Err(ErrorCode::SignInEnded.into());
    }
    tries.give_back(store).await?;
    session::open(store, environment, caller, &member, Some(&proved)).await
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use chrono::{DateTime, Utc};
    use vault::KeyRing;

    use super::*;

    /// A clock that stands where it is put.
    struct At(AtomicI64);

    impl Environment for At {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).unwrap()
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(0xa5);
        }
    }

    fn sealing() -> Sealing {
        let keys = KeyRing::parse(&KeyRing::generate([7; 32], "test")).unwrap();
        Sealing::new(Arc::new(keys), Arc::new(At(AtomicI64::new(0))))
    }

    /// The secret of RFC 6238's appendix B, `12345678901234567890`.
    fn factor() -> SecondFactor {
        SecondFactor {
            person_id: PersonId::default(),
            envelope: seal(
                &sealing(),
                PersonId::default(),
                &SecretString::from("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            )
            .unwrap(),
            confirmed_at: None,
            last_step: 0,
            version: 1,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn step(seconds: i64, code: &str) -> Option<i64> {
        step_of(&sealing(), &At(AtomicI64::new(seconds)), &factor(), code).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238_and_good_for_one_step_around() {
        // Appendix B has eight digits; the last six are ours.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let own = seconds / 30;
            assert_eq!(step(seconds, code), Some(own), "{seconds}");
            assert_eq!(step(seconds + 30, code), Some(own), "a step late");
            assert_eq!(step(seconds - 30, code), Some(own), "a step early");
            assert_eq!(step(seconds + 60, code), None, "two steps late");
        }
        assert_eq!(step(59, " 287 082 "), Some(1), "as people write it");
        for wrong in ["", "287083", "28708", "2870820", "ABCDEF"] {
            assert_eq!(step(59, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_are_ten_of_eighty_bits_in_groups() {
        let (codes, hashes) = new_recovery_codes(&At(AtomicI64::new(0)));
        assert_eq!((codes.len(), hashes.len()), (10, 10));
        let groups: Vec<_> = codes[0].split('-').map(str::len).collect();
        assert_eq!(groups, [4; 4]);
        assert_eq!(code_hash(&typed(&codes[0].to_lowercase())), hashes[0]);
        assert!(!hashes[0].contains(&codes[0]));
    }

    #[test]
    fn the_app_is_told_whose_and_what() {
        assert_eq!(
            app_href("ada+1@shop.example", "ABC"),
            "otpauth://totp/Ledger:ada%2B1%40shop.example?secret=ABC&issuer=Ledger"
        );
    }
}
