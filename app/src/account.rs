//! The service functions behind a person's own account: password, second factor, sessions.

use chrono::TimeDelta;
use domain::{
    ids::SessionId,
    run::{ActionKind, Role},
};
use secrecy::ExposeSecret;
use store::{Action, SecondFactor};

use crate::{
    context::{self, Member, Services},
    error::{AppError, ErrorCode, FieldError},
    history::acting::action,
    limits::{self, Door},
    once::Once,
    query::Flash,
    screen::account::{AccountView, FactorView, SessionView},
    screen::people::Shown,
    second_factor, session,
};

/// How long a secret that no code has proved is offered.
const SET_UP: TimeDelta = TimeDelta::minutes(30);

/// A person's own account.
pub async fn own(services: &Services, member: &Member) -> Result<AccountView, AppError> {
    let member = member.require(Role::Viewer)?;
    let now = services.outside.now();
    let sessions = services.store.list_sessions(member.id(), now).await?.into_iter();
    let sessions =
        sessions.filter(|session| now - session.last_seen_at < session::IDLE).map(|session| SessionView {
            is_this: session.id == member.session(),
            id: session.id.to_string(),
            browser: session.browser,
            since: session.created_at.into(),
            last_seen: session.last_seen_at.into(),
        });
    let codes = Once::Codes.take(services, member)?;
    Ok(AccountView {
        name: member.name().to_owned(),
        email: member.email().to_owned(),
        role: member.role(),
        second_factor: factor(services, member).await?,
        codes: codes.map(|codes| codes.split(' ').map(|code| Shown(code.to_owned())).collect()),
        sessions: sessions.collect(),
    })
}

async fn factor(services: &Services, member: &Member) -> Result<FactorView, AppError> {
    let Some(factor) = services.store.second_factor(member.id()).await? else { return Ok(FactorView::Off) };
    if let Some(since) = factor.confirmed_at {
        let codes_left = services.store.recovery_codes_left(member.id()).await?;
        return Ok(FactorView::On { since: since.into(), codes_left });
    }
    if !is_offered(services, &factor) {
        return Ok(FactorView::Off);
    }
    let secret = second_factor::open(&*services.sealing, &factor)?;
    let secret = secret.expose_secret();
    Ok(FactorView::ToConfirm {
        href: Shown(second_factor::app_href(member.email(), secret)),
        secret: Shown(secret.to_owned()),
    })
}

fn is_offered(services: &Services, factor: &SecondFactor) -> bool {
    factor.confirmed_at.is_none() && services.outside.now() - factor.updated_at < SET_UP
}

/// Changes the password, and ends the sessions that the old one opened.
pub async fn change_password(
    services: &Services,
    member: &Member,
    current: String,
    chosen: String,
) -> Result<Flash, AppError> {
    let member = member.require(Role::Viewer)?;
    if let Some(wrong) = session::wrong_with_chosen(&chosen, &[member.email(), member.name()]) {
        return Err(AppError::new(ErrorCode::Invalid).field("new_password", wrong));
    }
    session::confirm_password(services, member, "current_password", current).await?;
    let hash = session::hash_chosen(&*services.outside, chosen).await?;
    let record = record(services, member, ActionKind::PasswordChanged);
    services.store.set_password(member.id(), &hash, Some(member.session()), Some(&record)).await?;
    Ok(Flash::PasswordChanged)
}

/// Makes a secret to be confirmed with a first code.
pub async fn begin_second_factor(
    services: &Services,
    member: &Member,
    password: String,
) -> Result<(), AppError> {
    let member = member.require(Role::Viewer)?;
    session::confirm_password(services, member, "set_up_password", password).await?;
    let secret = second_factor::new_secret(&*services.outside);
    let envelope = second_factor::seal(&*services.sealing, member.id(), &secret)?;
    match services.store.begin_second_factor(member.id(), &envelope, services.outside.now()).await {
        // Another window of theirs was quicker: the page shows that it is on.
        Ok(()) | Err(store::Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Puts the second factor in force by a first code. The recovery codes are shown once, by the page that follows.
pub async fn confirm_second_factor(
    services: &Services,
    member: &Member,
    code: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Role::Viewer)?;
    let (store, now) = (&*services.store, services.outside.now());
    let factor = store.second_factor(member.id()).await?.filter(|factor| is_offered(services, factor));
    let factor = factor.ok_or(ErrorCode::NotFound)?;
    let step = match second_factor::step_of(&*services.sealing, &*services.outside, &factor, code)? {
        Some(step) => step,
        None if code.trim().is_empty() => return Err(required("first_code")),
        None => return Err(wrong_code("first_code")),
    };
    let (codes, hashes) = second_factor::new_recovery_codes(&*services.outside);
    let record = record(services, member, ActionKind::SecondFactorOn);
    match store
        .confirm_second_factor(
            member.id(),
            factor.version,
            step,
            &hashes,
            (now, Some(member.session())),
            Some(&record),
        )
        .await
    {
        Ok(()) => {}
        Err(store::Error::RowsAffected { .. }) => return Err(ErrorCode::NotFound.into()),
        Err(error) => return Err(error.into()),
    }
    Once::Codes.keep(services, member, &codes.join(" "))?;
    Ok(Flash::SecondFactorOn)
}

/// Makes new recovery codes in place of all others.
pub async fn renew_codes(services: &Services, member: &Member, password: String) -> Result<(), AppError> {
    let member = member.require(Role::Viewer)?;
    session::confirm_password(services, member, "codes_password", password).await?;
    let factor = services.store.second_factor(member.id()).await?;
    factor.filter(|factor| factor.confirmed_at.is_some()).ok_or(ErrorCode::NotFound)?;
    let (codes, hashes) = second_factor::new_recovery_codes(&*services.outside);
    let record = record(services, member, ActionKind::RecoveryCodesRenewed);
    services.store.replace_recovery_codes(member.id(), &hashes, Some(&record)).await?;
    Once::Codes.keep(services, member, &codes.join(" "))
}

/// Switches the second factor off, by password and code.
pub async fn end_second_factor(
    services: &Services,
    member: &Member,
    password: String,
    code: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Role::Viewer)?;
    if code.trim().is_empty() {
        return Err(required("off_code"));
    }
    session::confirm_password(services, member, "off_password", password).await?;
    let (store, outside) = (&*services.store, &*services.outside);
    let (who, client) = (member.id().to_string(), context::caller()?.address);
    let tries = limits::take(store, outside.now(), Door::Code, &who, client).await?;
    if !second_factor::take_code(store, outside, &*services.sealing, member.id(), code).await? {
        return Err(wrong_code("off_code"));
    }
    tries.give_back(store).await?;
    let record = record(services, member, ActionKind::SecondFactorOff);
    store.remove_second_factor(member.id(), Some(member.session()), Some(&record)).await?;
    Ok(Flash::SecondFactorOff)
}

/// Ends one of the person's sessions.
pub async fn end_session(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let id: SessionId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let record = record(services, member, ActionKind::SessionsEnded);
    services.store.end_session_of(member.require(Role::Viewer)?.id(), id, Some(&record)).await?;
    Ok(Flash::SessionsEnded)
}

/// Ends all of the person's sessions but the one that asks.
pub async fn end_other_sessions(services: &Services, member: &Member) -> Result<Flash, AppError> {
    let record = record(services, member, ActionKind::SessionsEnded);
    let who = member.require(Role::Viewer)?.id();
    services.store.end_other_sessions(who, member.session(), Some(&record)).await?;
    Ok(Flash::SessionsEnded)
}

/// A record of what somebody does with their own account.
fn record(services: &Services, member: &Member, kind: ActionKind) -> Action {
    action(services, member, kind, (None, None), "")
}

fn required(field: &str) -> AppError {
    AppError::new(ErrorCode::Invalid).field(field, FieldError::Required)
}

fn wrong_code(field: &str) -> AppError {
    AppError::new(ErrorCode::WrongCode).field(field, FieldError::Refused)
}
