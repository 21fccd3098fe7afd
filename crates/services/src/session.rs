//! Signing in and out, and showing a password once more.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{environment::Environment, ids::SessionId};
use http::HeaderMap;
use store::{PendingSignIn, Person, Session, Store};
use views::error::{AppError, ErrorCode, FieldError};

use crate::{
    Member, Services,
    client_info::Caller,
    cookies::{LIFETIME, PATIENCE, token},
    password::{self, LONGEST_PASSWORD, Lane},
    rate_limit::{self, RateLimit},
    tokens::{new_token, token_hash},
};

pub use crate::password::{hash_chosen, hash_password, wrong_with_chosen};

/// For so long a password that was shown need not be shown again.
const PROVED_FOR: TimeDelta = TimeDelta::minutes(10);

/// How many codes may be tried in one sign-in.
const CODE_TRIES: i32 = 5;

/// How many people of one address are tried: who has proved it, and of the others those who came first.
const NAMESAKES: u32 = 3;

/// What a right password opens.
#[derive(Debug)]
pub enum Opened {
    /// A session, by the token for its cookie.
    Session(String),
    /// The question for a code, by the token for its cookie.
    CodeAsked(String),
}

/// Checks an e-mail address and a password and opens a session, or the question for a code. Of the token for the cookie only the
/// hash is kept.
///
/// Unknown accounts and wrong passwords get the same answer after the same work, and the same limit.
pub async fn sign_in(
    store: &dyn Store,
    environment: &dyn Environment,
    caller: &Caller,
    email: &str,
    password: String,
) -> Result<Opened, AppError> {
    let email = email.trim().to_lowercase();
    check_fields(&email, &password)?;
    let answer = try_to_sign_in(store, environment, caller, (&email, password)).await;
    note(&email, &answer);
    answer.map_err(|error| error.echo("email", &email))
}

async fn try_to_sign_in(
    store: &dyn Store,
    environment: &dyn Environment,
    caller: &Caller,
    (email, password): (&str, String),
) -> Result<Opened, AppError> {
    let now = environment.now();
    let guess = Guess { store, caller, now, password };
    let (member, proved) = find(&guess, email).await?.ok_or(ErrorCode::WrongCredentials)?;
    let factor = store.second_factor(member.person_id).await?;
    if factor.is_none_or(|factor| factor.confirmed_at.is_none()) {
        let proved = Some(proved.as_str());
        return Ok(Opened::Session(open(store, environment, caller, &member, proved).await?));
    }
    let token = new_token(environment);
    let pending = PendingSignIn {
        token_hash: token_hash(&token),
        member_id: member.id,
        tries: CODE_TRIES,
        expires_at: now + PATIENCE,
        embed: caller.frame.map(|frame| frame.binding),
    };
    store.begin_sign_in(&pending).await?;
    if !still_stands(store, &member, &proved).await? {
        store.end_sign_in(&pending.token_hash).await?;
        return Err(ErrorCode::WrongCredentials.into());
    }
    Ok(Opened::CodeAsked(token))
}

/// Somebody who says that a password is theirs.
struct Guess<'a> {
    store: &'a dyn Store,
    caller: &'a Caller,
    now: DateTime<Utc>,
    password: String,
}

/// Whose address and password these are, as the member that they are where they come in, and the hash that proved it.
///
/// Every address costs as many comparisons as any other, whoever it belongs to. Where all have proved theirs, an address has one owner at
/// most, and one comparison is enough.
async fn find(guess: &Guess<'_>, email: &str) -> Result<Option<(store::Member, String)>, AppError> {
    let mut people = guess.store.people_by_email(email, NAMESAKES).await?;
    let all_proved = guess.store.count_unproved_people().await? == 0;
    // A browser in which somebody has signed in before has tries of its own for their account, so that nobody else's keep it out. For
    // the accounts of others with this address it is a browser like any other.
    let device = guess.caller.device.as_ref();
    if let Some(device) = device
        && let Some(at) = people.iter().position(|person| person.id == device.person)
    {
        let own = vec![people.remove(at)];
        let found = guess.compare((RateLimit::Device, &device.key, Lane::Known), own, 1).await?;
        if found.is_some() || all_proved {
            return Ok(found);
        }
    }
    let compared = if all_proved { 1 } else { NAMESAKES as usize };
    guess.compare((RateLimit::SignIn, email, Lane::Stranger), people, compared).await
}

impl Guess<'_> {
    /// Takes a try at a door and looks whose password it is; with so many comparisons, however few the people are.
    async fn compare(
        &self,
        (door, who, lane): (RateLimit, &str, Lane),
        people: Vec<Person>,
        compared: usize,
    ) -> Result<Option<(store::Member, String)>, AppError> {
        let tries = rate_limit::take(self.store, self.now, door, who, self.caller.address).await?;
        if self.password.len() > LONGEST_PASSWORD {
            return Ok(None);
        }
        let mut hashes: Vec<String> = people.iter().map(|person| person.password_hash.clone()).collect();
        hashes.resize_with(compared.max(people.len()), password::nobodys_hash);
        let right = password::verify_each(lane, self.password.clone(), hashes).await?;
        let mut matching = people.into_iter().zip(right).filter_map(|(one, right)| right.then_some(one));
        let found = matching.find_map(|person| coming_in(self.caller, person));
        if found.is_some() {
            tries.give_back(self.store).await?;
        }
        Ok(found)
    }
}

/// The member that a person is where they come in: where they chose to stand last, or within a shop's admin of its organisation.
fn coming_in(caller: &Caller, person: Person) -> Option<(store::Member, String)> {
    let mut members = person.memberships.into_iter().map(|membership| membership.member);
    Some((members.find(|member| caller.may_be(member))?, person.password_hash))
}

/// Counts what came of a sign-in, and logs the refused ones. Of the address only a digest, which tells whether it is the same one again.
fn note(email: &str, answer: &Result<Opened, AppError>) {
    let outcome = match answer {
        Ok(Opened::Session(_)) => "signed_in",
        Ok(Opened::CodeAsked(_)) => "code_asked",
        Err(error) => error.code.as_str(),
    };
    metrics::sign_in(outcome);
    if answer.is_err() {
        let account = token_hash(email);
        tracing::warn!(account = account.get(..12), outcome, "a sign-in was refused");
    }
}

/// Whether a member is still there with the password whose hash was proved.
async fn still_stands(store: &dyn Store, member: &store::Member, proved: &str) -> Result<bool, AppError> {
    let now = store.person(member.person_id).await?;
    Ok(now.is_some_and(|now| {
        now.password_hash == proved && now.memberships.iter().any(|one| one.member.id == member.id)
    }))
}

/// Opens a session of somebody who has shown who they are, within the frame that they call from; returns the token for its cookie. Where they showed it with a password,
/// its hash is looked at once more: a change of the password ends the sessions that it sees, and this one it may have missed.
pub async fn open(
    store: &dyn Store,
    environment: &dyn Environment,
    caller: &Caller,
    member: &store::Member,
    proved: Option<&str>,
) -> Result<String, AppError> {
    let (token, now) = (new_token(environment), environment.now());
    let session = Session {
        id: SessionId(environment.id()),
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

/// Asks a signed-in person's password again, before what cannot be undone. `field` is where it was typed.
pub async fn confirm_password(
    services: &Services,
    member: &Member,
    caller: &Caller,
    field: &str,
    password: String,
) -> Result<(), AppError> {
    if password.is_empty() {
        return Err(AppError::new(ErrorCode::Invalid).field(field, FieldError::Required));
    }
    let (store, who) = (&*services.store, member.person().to_string());
    let client = caller.address;
    let tries =
        rate_limit::take(store, services.environment.now(), RateLimit::Password, &who, client).await?;
    let found = store.person(member.person()).await?.ok_or(ErrorCode::NotSignedIn)?;
    if password.len() > LONGEST_PASSWORD
        || !password::verify(Lane::Known, password, found.password_hash).await?
    {
        return Err(AppError::new(ErrorCode::WrongPassword).field(field, FieldError::Refused));
    }
    tries.give_back(store).await?;
    Ok(store.prove_session(member.session(), services.environment.now()).await?)
}

/// Whether a person showed their password a moment ago, so that it need not be asked again.
pub fn is_proved(services: &Services, member: &Member) -> bool {
    member.proved_at().is_some_and(|at| services.environment.now() - at < PROVED_FOR)
}

/// The same as [`confirm_password`], unless they showed it a moment ago.
pub async fn confirm_person(
    services: &Services,
    member: &Member,
    caller: &Caller,
    password: String,
) -> Result<(), AppError> {
    if is_proved(services, member) {
        Ok(())
    } else {
        confirm_password(services, member, caller, "password", password).await
    }
}

/// Ends the session of these headers, if there is one.
pub async fn sign_out(store: &dyn Store, headers: &HeaderMap, secure: bool) -> Result<(), AppError> {
    if let Some(token) = token(headers, secure) {
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
