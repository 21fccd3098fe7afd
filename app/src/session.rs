//! Signing in and out: password hashes, sessions and the cookie that carries them.

use std::sync::{LazyLock, Mutex};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHasher, Version,
    password_hash::{Output, PasswordHash, SaltString},
};
use chrono::TimeDelta;
use domain::outside::Outside;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use store::{Members, Session, Sessions};
use tokio::sync::Semaphore;

use crate::error::{AppError, ErrorCode, FieldError};

/// The cookie's name.
pub const COOKIE: &str = "ledger_session";

/// How long a session lasts.
const LIFETIME: TimeDelta = TimeDelta::days(14);

/// No person types a longer password; hashing a megabyte would only serve an attacker.
const LONGEST_PASSWORD: usize = 1024;

/// Hashing is made to be slow and to take much memory: so many at once, the others wait.
static HASHING: Semaphore = Semaphore::const_new(2);

/// The memory of hashing, as many pieces as there are hashings at once.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// What passwords of unknown accounts are compared with, so that the answer takes as long as for known ones.
static DUMMY_HASH: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password", &[7; 16]).unwrap_or_default());

/// A failure to hash a password.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// The argon2id hash of a password in PHC form, with a random salt. Slow on purpose: not for an async task.
pub fn hash_password(password: &str, outside: &dyn Outside) -> Result<String, HashError> {
    let mut salt = [0; 16];
    outside.random(&mut salt);
    hash(password, &salt)
}

fn hash(password: &str, salt: &[u8]) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(salt).map_err(HashError)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(HashError)?;
    Ok(hash.to_string())
}

/// Checks an e-mail address and a password and opens a session. Returns the token for the cookie; only its hash is kept.
///
/// Unknown accounts and wrong passwords get the same answer after the same work.
pub async fn sign_in<S>(
    store: &S,
    outside: &dyn Outside,
    email: &str,
    password: String,
) -> Result<String, AppError>
where
    S: Members + Sessions + Sync + ?Sized,
{
    let email = email.trim().to_lowercase();
    check_fields(&email, &password)?;
    let found = store.member_by_email(&email).await?;
    let (hash, member) = match found {
        Some(found) => (found.password_hash, Some(found.member)),
        None => (DUMMY_HASH.clone(), None),
    };
    let matches = password.len() <= LONGEST_PASSWORD && verify(password, hash).await?;
    let Some(member) = member.filter(|_| matches) else {
        return Err(AppError::new(ErrorCode::WrongCredentials).echo("email", &email));
    };
    let mut secret = [0; 32];
    outside.random(&mut secret);
    let token = hex::encode(secret);
    let now = outside.now();
    let session = Session {
        token_hash: token_hash(&token),
        member_id: member.id,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    store.create_session(&session).await?;
    Ok(token)
}

/// Whether a signed-in person's password is this one: asked again before what cannot be undone.
pub async fn is_password_of<S>(store: &S, email: &str, password: String) -> Result<bool, AppError>
where
    S: Members + Sync + ?Sized,
{
    let Some(found) = store.member_by_email(email).await? else { return Ok(false) };
    Ok(password.len() <= LONGEST_PASSWORD && verify(password, found.password_hash).await?)
}

/// Ends the session of these headers, if there is one.
pub async fn sign_out<S: Sessions + Sync + ?Sized>(store: &S, headers: &HeaderMap) -> Result<(), AppError> {
    if let Some(token) = token(headers) {
        store.end_session(&token_hash(token)).await?;
    }
    Ok(())
}

fn check_fields(email: &str, password: &str) -> Result<(), AppError> {
    let mut error = AppError::new(ErrorCode::Invalid).echo("email", email);
    if email.is_empty() {
        error = error.field("email", FieldError::Required);
    } else if !email.contains('@') {
        error = error.field("email", FieldError::InvalidFormat);
    }
    if password.is_empty() {
        error = error.field("password", FieldError::Required);
    }
    if error.fields.is_empty() { Ok(()) } else { Err(error) }
}

async fn verify(password: String, hash: String) -> Result<bool, AppError> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(error = %error, "a password could not be checked");
        AppError::new(ErrorCode::Internal)
    };
    let _permit = HASHING.acquire().await.map_err(|error| failed(&error))?;
    tokio::task::spawn_blocking(move || matches(&password, &hash))
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))
}

/// Hashes a password as a hash was made, and compares. The memory that this takes, 19 MiB, is used again and again: freed each time
/// it would stay with the thread that freed it, and every thread would come to hold some.
fn matches(password: &str, hash: &str) -> argon2::password_hash::Result<bool> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else {
        return Err(argon2::password_hash::Error::PhcStringField);
    };
    let params = Params::try_from(&hash)?;
    let algorithm = Algorithm::try_from(hash.algorithm)?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
    let blocks = params.block_count();
    let mut memory = MEMORY.lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default();
    memory.resize(blocks.max(memory.len()), Block::default());
    let mut salt_bytes = [0; 64];
    let salt = salt.decode_b64(&mut salt_bytes)?;
    let hashed = Output::init_with(expected.len(), |out| {
        let argon2 = Argon2::new(algorithm, version, params);
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)?)
    });
    if let Ok(mut kept) = MEMORY.lock() {
        kept.push(memory);
    }
    // Compared in constant time.
    Ok(hashed? == expected)
}

/// The cookie that carries a session.
///
/// `Lax`, because `Strict` would not be sent on the way back from Sage's sign-in page.
pub fn cookie(token: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={}{secure}", LIFETIME.num_seconds())
}

/// The cookie that makes the browser forget its session.
pub fn expired_cookie(secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0{secure}")
}

/// The token of a request.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookie_value(headers, COOKIE).filter(|token| token.len() == 64)
}

/// The value of a request's cookie.
pub fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// What is kept of a token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
