//! Passwords: which may be chosen, how they are hashed, and how much of that is done at once.

use std::sync::{
    LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHasher, Version,
    password_hash::{Output, PasswordHash, SaltString},
};
use chrono::TimeDelta;
use domain::environment::Environment;
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use views::error::{AppError, ErrorCode, FieldError};

/// A password that is shorter is guessed too soon, in characters.
const SHORTEST_PASSWORD: usize = 12;

/// No person types a longer password; hashing a megabyte would only serve an attacker.
pub(crate) const LONGEST_PASSWORD: usize = 1024;

/// What takes fewer guesses than a million is found in spite of the limits of the sign-in.
const WEAKEST: Score = Score::Two;

/// So many wait for their turn in a lane; who comes then is asked to come again.
const WAITING: usize = 48;

/// When it is worth coming again: by then some have had their turn.
const AGAIN: TimeDelta = TimeDelta::seconds(5);

/// The memory of hashing, as many pieces as there are hashings at once.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// What passwords of unknown accounts are compared with, so that the answer takes as long as for known ones.
static DUMMY_HASH: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password", &[7; 16]).unwrap_or_default());

/// Whose turn it is: hashing is made to be slow and to take much memory, so the others wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    /// Whoever comes. Two at once.
    Stranger,
    /// Who is signed in, or has been from this browser: a flood of strangers does not hold them up.
    Known,
}

/// The turns of a lane, and who waits for one.
struct Turns {
    turns: Semaphore,
    waiting: AtomicUsize,
}

static STRANGERS: Turns = Turns { turns: Semaphore::const_new(2), waiting: AtomicUsize::new(0) };
static KNOWN: Turns = Turns { turns: Semaphore::const_new(1), waiting: AtomicUsize::new(0) };

/// Somebody who waits, or whose turn it is.
struct InLine(&'static Turns);

impl Drop for InLine {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A failure to hash a password.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// The argon2id hash of a password in PHC form, with a random salt. Slow on purpose: not for an async task.
pub fn hash_password(password: &str, environment: &dyn Environment) -> Result<String, HashError> {
    let mut salt = [0; 16];
    environment.random(&mut salt);
    hash(password, &salt)
}

fn hash(password: &str, salt: &[u8]) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(salt).map_err(HashError)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(HashError)?;
    Ok(hash.to_string())
}

/// Hashes a chosen password.
pub async fn hash_chosen(environment: &dyn Environment, password: String) -> Result<String, AppError> {
    let mut salt = [0; 16];
    environment.random(&mut salt);
    slowly(Lane::Known, move || hash(&password, &salt)).await?.map_err(|error| failed(&error))
}

/// What is wrong with a password that a person chooses. `about` is what others know of them, such as their name and address.
pub fn wrong_with_chosen(password: &str, about: &[&str]) -> Option<FieldError> {
    match password {
        "" => Some(FieldError::Required),
        _ if password.len() > LONGEST_PASSWORD => Some(FieldError::TooLong),
        _ if password.chars().count() < SHORTEST_PASSWORD => Some(FieldError::TooShort),
        _ if zxcvbn(password, about).score() < WEAKEST => Some(FieldError::TooCommon),
        _ => None,
    }
}

/// What the password of nobody is compared with.
pub(crate) fn nobodys_hash() -> String {
    DUMMY_HASH.clone()
}

/// Whether a password is the one of a hash.
pub(crate) async fn verify(lane: Lane, password: String, hash: String) -> Result<bool, AppError> {
    Ok(verify_each(lane, password, vec![hash]).await? == [true])
}

/// Of which of these hashes a password is. All are compared, in one turn: how long it takes tells nothing of which one it was.
pub(crate) async fn verify_each(
    lane: Lane,
    password: String,
    hashes: Vec<String>,
) -> Result<Vec<bool>, AppError> {
    let compare = move || hashes.iter().map(|hash| matches(&password, hash)).collect::<Result<_, _>>();
    slowly(lane, compare).await?.map_err(|error| failed(&error))
}

/// Does what takes long and much memory away from the tasks, and not too much of it at once.
async fn slowly<T: Send + 'static>(
    lane: Lane,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let turns = match lane {
        Lane::Stranger => &STRANGERS,
        Lane::Known => &KNOWN,
    };
    let before = turns.waiting.fetch_add(1, Ordering::AcqRel);
    let _in_line = InLine(turns);
    if before >= WAITING {
        return Err(AppError::new(ErrorCode::Busy).wait(AGAIN));
    }
    let _permit = turns.turns.acquire().await.map_err(|error| failed(&error))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_not_chosen() {
        for common in [
            "password1234",
            "aaaaaaaaaaaa",
            "123456789012",
            "qwertyuiopas",
            "abcdefghijkl",
            "PASSWORD1234",
            "letmeinletmein",
        ] {
            assert_eq!(wrong_with_chosen(common, &[]), Some(FieldError::TooCommon), "{common}");
        }
        let about = ["ada.lovelace@shop.example", "Ada Lovelace"];
        assert_eq!(wrong_with_chosen("Ada Lovelace", &about), Some(FieldError::TooCommon));
        for good in ["several good words", "correct horse battery", "another horse battery", "k7!vQ2#xLm9z"] {
            assert_eq!(wrong_with_chosen(good, &about), None, "{good}");
        }
    }

    #[tokio::test]
    async fn who_comes_when_the_line_is_long_is_asked_to_come_again() {
        let hold = STRANGERS.turns.acquire_many(2).await.unwrap();
        let verify = || verify(Lane::Stranger, "a password".to_owned(), nobodys_hash());
        let waiting: Vec<_> = (0..WAITING).map(|_| tokio::spawn(verify())).collect();
        while STRANGERS.waiting.load(Ordering::Acquire) < WAITING {
            tokio::task::yield_now().await;
        }
        let refused = verify().await.unwrap_err();
        assert_eq!((refused.code, refused.wait), (ErrorCode::Busy, Some(5)));
        let known = super::verify(Lane::Known, "nobody has this password".to_owned(), nobodys_hash()).await;
        assert!(known.unwrap(), "whoever is known does not wait behind strangers");
        for task in waiting {
            task.abort();
        }
        drop(hold);
        while STRANGERS.waiting.load(Ordering::Acquire) > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!verify().await.unwrap());
    }
}
