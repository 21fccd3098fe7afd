//! Signing in and out: password hashes, sessions and the cookie that carries them.

use std::sync::{LazyLock, Mutex};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHasher, Version,
    password_hash::{Output, PasswordHash, SaltString},
};
use chrono::TimeDelta;
use domain::{ids::SessionId, outside::Outside};
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use store::{PendingSignIn, Session, Store};
use tokio::sync::Semaphore;

use crate::{
    caller::Caller,
    context::{self, Member, Services},
    error::{AppError, ErrorCode, FieldError},
    limits::{self, Door},
};

/// The cookie's name.
pub const COOKIE: &str = "ledger_session";

/// How long a session lasts.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::days(14);

/// The cookie of a sign-in that waits for its code.
const PENDING_COOKIE: &str = "ledger_sign_in";

/// How long a sign-in waits for its code.
pub(crate) const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// How many codes may be tried in one sign-in.
const CODE_TRIES: i32 = 5;

/// A password that is shorter is guessed too soon, in characters.
const SHORTEST_PASSWORD: usize = 12;

/// No person types a longer password; hashing a megabyte would only serve an attacker.
const LONGEST_PASSWORD: usize = 1024;

/// Hashing is made to be slow and to take much memory: so many at once, the others wait.
static HASHING: Semaphore = Semaphore::const_new(2);

/// The memory of hashing, as many pieces as there are hashings at once.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// What passwords of unknown accounts are compared with, so that the answer takes as long as for known ones.
static DUMMY_HASH: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password", &[7; 16]).unwrap_or_default());

/// What a right password opens.
#[derive(Debug)]
pub enum Opened {
    /// A session, by the token for its cookie.
    Session(String),
    /// The question for a code, by the token for its cookie.
    CodeAsked(String),
}

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

/// Hashes a password that a person has chosen.
pub async fn hash_chosen(outside: &dyn Outside, password: String) -> Result<String, AppError> {
    let mut salt = [0; 16];
    outside.random(&mut salt);
    slowly(move || hash(&password, &salt)).await?.map_err(|error| failed(&error))
}

/// What is wrong with a password that a person chooses.
pub fn wrong_with_chosen(password: &str) -> Option<FieldError> {
    match password {
        "" => Some(FieldError::Required),
        _ if password.len() > LONGEST_PASSWORD => Some(FieldError::TooLong),
        _ if password.chars().count() < SHORTEST_PASSWORD => Some(FieldError::TooShort),
        _ => None,
    }
}

/// Checks an e-mail address and a password and opens a session, or the question for a code. Of the token for the cookie only the
/// hash is kept.
///
/// Unknown accounts and wrong passwords get the same answer after the same work, and the same limit.
pub async fn sign_in(
    store: &dyn Store,
    outside: &dyn Outside,
    caller: &Caller,
    email: &str,
    password: String,
) -> Result<Opened, AppError> {
    let email = email.trim().to_lowercase();
    check_fields(&email, &password)?;
    let now = outside.now();
    let tries = limits::take(store, now, Door::SignIn, &email, caller.address).await;
    let tries = tries.map_err(|error| error.echo("email", &email))?;
    let found = store.member_by_email(&email).await?;
    let (hash, member) = match found {
        Some(found) => (found.password_hash, Some(found.member)),
        None => (DUMMY_HASH.clone(), None),
    };
    let proved = hash.clone();
    let matches = password.len() <= LONGEST_PASSWORD && verify(password, hash).await?;
    let Some(member) = member.filter(|member| matches && caller.may_be(member)) else {
        return Err(AppError::new(ErrorCode::WrongCredentials).echo("email", &email));
    };
    tries.give_back(store).await?;
    let factor = store.second_factor(member.id).await?;
    if factor.is_none_or(|factor| factor.confirmed_at.is_none()) {
        let proved = Some(proved.as_str());
        return Ok(Opened::Session(open(store, outside, caller, &member, proved).await?));
    }
    let token = new_token(outside);
    let pending = PendingSignIn {
        token_hash: token_hash(&token),
        member_id: member.id,
        tries: CODE_TRIES,
        expires_at: now + PATIENCE,
    };
    store.begin_sign_in(&pending).await?;
    if !still_stands(store, &member, &proved).await? {
        store.end_sign_in(&pending.token_hash).await?;
        return Err(AppError::new(ErrorCode::WrongCredentials).echo("email", &email));
    }
    Ok(Opened::CodeAsked(token))
}

/// Whether a member is still there with the password whose hash was proved.
async fn still_stands(store: &dyn Store, member: &store::Member, proved: &str) -> Result<bool, AppError> {
    let now = store.member_by_email(&member.email).await?;
    Ok(now.is_some_and(|now| now.member.id == member.id && now.password_hash == proved))
}

/// Opens a session of somebody who has shown who they are, within the frame that they call from; returns the token for its cookie. Where they showed it with a password,
/// its hash is looked at once more: a change of the password ends the sessions that it sees, and this one it may have missed.
pub async fn open(
    store: &dyn Store,
    outside: &dyn Outside,
    caller: &Caller,
    member: &store::Member,
    proved: Option<&str>,
) -> Result<String, AppError> {
    let (token, now) = (new_token(outside), outside.now());
    let session = Session {
        id: SessionId(outside.id()),
        token_hash: token_hash(&token),
        member_id: member.id,
        browser: caller.browser.clone(),
        created_at: now,
        last_seen_at: now,
        expires_at: now + LIFETIME,
        embed: caller.frame.map(|frame| frame.binding),
    };
    store.create_session(&session).await?;
    if let Some(proved) = proved
        && !still_stands(store, member, proved).await?
    {
        store.end_session(&session.token_hash).await?;
        return Err(ErrorCode::WrongCredentials.into());
    }
    Ok(token)
}

/// 256 random bits in hex.
pub fn new_token(outside: &dyn Outside) -> String {
    let mut secret = [0; 32];
    outside.random(&mut secret);
    hex::encode(secret)
}

/// Asks a signed-in person's password again, before what cannot be undone. `field` is where it was typed.
pub async fn confirm_password(
    services: &Services,
    member: &Member,
    field: &str,
    password: String,
) -> Result<(), AppError> {
    if password.is_empty() {
        return Err(AppError::new(ErrorCode::Invalid).field(field, FieldError::Required));
    }
    let (store, who) = (&*services.store, member.id().to_string());
    let client = context::caller()?.address;
    let tries = limits::take(store, services.outside.now(), Door::Password, &who, client).await?;
    let found = store.member_by_email(member.email()).await?.ok_or(ErrorCode::NotSignedIn)?;
    if password.len() > LONGEST_PASSWORD || !verify(password, found.password_hash).await? {
        return Err(AppError::new(ErrorCode::WrongPassword).field(field, FieldError::Refused));
    }
    tries.give_back(store).await
}

/// Ends the session of these headers, if there is one.
pub async fn sign_out(store: &dyn Store, headers: &HeaderMap) -> Result<(), AppError> {
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
    slowly(move || matches(&password, &hash)).await?.map_err(|error| failed(&error))
}

/// Does what takes long and much memory away from the tasks, and not too much of it at once.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    let _permit = HASHING.acquire().await.map_err(|error| failed(&error))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> AppError {
    tracing::error!(error = %error, "a password could not be hashed or checked");
    AppError::new(ErrorCode::Internal)
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
    carrying(COOKIE, token, LIFETIME, secure)
}

/// The cookie that makes the browser forget its session.
pub fn expired_cookie(secure: bool) -> String {
    carrying(COOKIE, "", TimeDelta::zero(), secure)
}

/// The cookie that carries a sign-in which waits for its code.
pub fn pending_cookie(token: &str, secure: bool) -> String {
    carrying(PENDING_COOKIE, token, PATIENCE, secure)
}

/// The cookie that makes the browser forget it.
pub fn expired_pending_cookie(secure: bool) -> String {
    carrying(PENDING_COOKIE, "", TimeDelta::zero(), secure)
}

fn carrying(name: &str, token: &str, lifetime: TimeDelta, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={}{secure}", lifetime.num_seconds())
}

/// The token of a request.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookie_value(headers, COOKIE).filter(|token| token.len() == 64)
}

/// The token of a request whose sign-in waits for its code.
pub fn pending_token(headers: &HeaderMap) -> Option<&str> {
    cookie_value(headers, PENDING_COOKIE).filter(|token| token.len() == 64)
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
