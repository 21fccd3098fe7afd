//! The service functions behind a person's own account: password, second factor, sessions.

use chrono::TimeDelta;
use domain::{
    ids::{MemberId, SessionId},
    run::ActionKind,
};
use secrecy::ExposeSecret;
use store::{Action, Actor, ProofSubject, SecondFactor};
use views::{
    account::{AccountView, FactorView, SessionView},
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    member::{MemberView, OrganisationView},
    people::ShownSecret,
};

use crate::{
    Member, Services,
    address_code::AddressToProve,
    cookies,
    history::operator_actions::action,
    member,
    permission::Permission,
    rate_limit::{self, RateLimit},
    reveal_once::RevealOnce,
    second_factor, session,
    visit::Visit,
};

/// How long a secret that no code has proved is offered.
const SET_UP: TimeDelta = TimeDelta::minutes(30);

/// A person's own account.
pub async fn own(services: &Services, member: &Member, visit: &Visit) -> Result<AccountView, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let now = services.environment.now();
    let sessions = services.store.list_sessions(member.person(), now).await?.into_iter();
    let sessions =
        sessions.filter(|session| now - session.last_seen_at < member::IDLE).map(|session| SessionView {
            is_this: session.id == member.session(),
            id: session.id.to_string(),
            browser: session.browser,
            since: session.created_at.into(),
            last_seen: session.last_seen_at.into(),
        });
    let codes = RevealOnce::Codes.take(services, member, visit)?;
    Ok(AccountView {
        name: member.name().to_owned(),
        email: member.email().to_owned(),
        is_proved: member.has_proved_address(),
        sends_mail: services.alerting.sends_mail(),
        role: member.role(),
        second_factor: factor(services, member).await?,
        codes: codes.map(|codes| codes.split(' ').map(|code| ShownSecret(code.to_owned())).collect()),
        sessions: sessions.collect(),
    })
}

async fn factor(services: &Services, member: &Member) -> Result<FactorView, AppError> {
    let Some(factor) = services.store.second_factor(member.person()).await? else {
        return Ok(FactorView::Off);
    };
    if let Some(since) = factor.confirmed_at {
        let codes_left = services.store.recovery_codes_left(member.person()).await?;
        return Ok(FactorView::On { since: since.into(), codes_left });
    }
    if !is_offered(services, &factor) {
        return Ok(FactorView::Off);
    }
    let secret = second_factor::open(&services.sealing, &factor)?;
    let secret = secret.expose_secret();
    Ok(FactorView::ToConfirm {
        href: ShownSecret(second_factor::app_href(member.email(), secret)),
        secret: ShownSecret(secret.to_owned()),
    })
}

fn is_offered(services: &Services, factor: &SecondFactor) -> bool {
    factor.confirmed_at.is_none() && services.environment.now() - factor.updated_at < SET_UP
}

/// Who is signed in, as the header shows them.
pub async fn header(services: &Services, member: &Member) -> Result<MemberView, AppError> {
    let person = services.store.person(member.person()).await?.ok_or(ErrorCode::NotSignedIn)?;
    let organisations = person.memberships.into_iter().map(|membership| OrganisationView {
        is_current: membership.member.id == member.id(),
        member: membership.member.id.to_string(),
        name: membership.organisation,
    });
    let mut organisations: Vec<_> = organisations.collect();
    organisations.sort_by(|one, other| one.name.cmp(&other.name));
    if organisations.len() < 2 {
        organisations.clear();
    }
    Ok(MemberView {
        name: member.called().to_owned(),
        email: member.email().to_owned(),
        is_owner: member.may(Permission::ManagePeople),
        organisation: member.organisation().to_string(),
        organisations,
    })
}

/// Goes on in another of the person's organisations. Another's is none.
pub async fn switch(services: &Services, member: &Member, chosen: &str) -> Result<(), AppError> {
    let chosen: MemberId = chosen.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    Ok(services.store.switch_session(member.session(), chosen, services.environment.now()).await?)
}

/// Sends a code to the person's address.
pub async fn send_address_code(
    services: &Services,
    member: &Member,
    visit: &Visit,
) -> Result<Flash, AppError> {
    let secret = session_token(services, visit)?;
    address(member.require(Permission::UseOwnAccount)?, &secret).send_code(services).await?;
    Ok(Flash::CodeSent)
}

/// Proves the person's address by the code that was sent there.
pub async fn prove_address(
    services: &Services,
    member: &Member,
    visit: &Visit,
    code: &str,
) -> Result<Flash, AppError> {
    let secret = session_token(services, visit)?;
    address(member.require(Permission::UseOwnAccount)?, &secret).check_code(services, code).await?;
    let records = records(services, member, ActionKind::AddressProved).await?;
    match services.store.prove_person(member.person(), services.environment.now(), &records).await {
        Ok(()) => Ok(Flash::Saved),
        Err(store::Error::Conflict(_)) => Err(ErrorCode::AddressTaken.into()),
        Err(error) => Err(error.into()),
    }
}

fn address<'a>(member: &'a Member, secret: &'a str) -> AddressToProve<'a> {
    AddressToProve {
        subject: ProofSubject::Person(member.person()),
        organisation: member.organisation(),
        email: member.email(),
        secret,
    }
}

fn session_token(services: &Services, visit: &Visit) -> Result<String, AppError> {
    Ok(cookies::token(&visit.headers, services.secure_cookies).ok_or(ErrorCode::NotSignedIn)?.to_owned())
}

/// Changes the password, and ends the sessions that the old one opened.
pub async fn change_password(
    services: &Services,
    member: &Member,
    visit: &Visit,
    current: String,
    chosen: String,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    if let Some(wrong) = session::wrong_with_chosen(&chosen, &[member.email(), member.name()]) {
        return Err(AppError::new(ErrorCode::Invalid).field("new_password", wrong));
    }
    session::confirm_password(services, member, &visit.caller, "current_password", current).await?;
    let hash = session::hash_chosen(&*services.environment, chosen).await?;
    let records = records(services, member, ActionKind::PasswordChanged).await?;
    services.store.set_password(member.person(), &hash, Some(member.session()), &records).await?;
    Ok(Flash::PasswordChanged)
}

/// Makes a secret to be confirmed with a first code.
pub async fn begin_second_factor(
    services: &Services,
    member: &Member,
    visit: &Visit,
    password: String,
) -> Result<(), AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    session::confirm_password(services, member, &visit.caller, "set_up_password", password).await?;
    let secret = second_factor::new_secret(&*services.environment);
    let envelope = second_factor::seal(&services.sealing, member.person(), &secret)?;
    match services.store.begin_second_factor(member.person(), &envelope, services.environment.now()).await {
        // Another window of theirs was quicker: the page shows that it is on.
        Ok(()) | Err(store::Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Puts the second factor in force by a first code. The recovery codes are shown once, by the page that follows.
pub async fn confirm_second_factor(
    services: &Services,
    member: &Member,
    visit: &Visit,
    code: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    let (store, now) = (&*services.store, services.environment.now());
    let factor = store.second_factor(member.person()).await?.filter(|factor| is_offered(services, factor));
    let factor = factor.ok_or(ErrorCode::NotFound)?;
    let step = match second_factor::step_of(&services.sealing, &*services.environment, &factor, code)? {
        Some(step) => step,
        None if code.trim().is_empty() => return Err(required("first_code")),
        None => return Err(wrong_code("first_code")),
    };
    let (codes, hashes) = second_factor::new_recovery_codes(&*services.environment);
    let records = records(services, member, ActionKind::SecondFactorOn).await?;
    match store
        .confirm_second_factor(
            member.person(),
            factor.version,
            step,
            &hashes,
            (now, Some(member.session())),
            &records,
        )
        .await
    {
        Ok(()) => {}
        Err(store::Error::RowsAffected { .. }) => return Err(ErrorCode::NotFound.into()),
        Err(error) => return Err(error.into()),
    }
    RevealOnce::Codes.keep(services, member, visit, &codes.join(" "))?;
    Ok(Flash::SecondFactorOn)
}

/// Makes new recovery codes in place of all others.
pub async fn renew_codes(
    services: &Services,
    member: &Member,
    visit: &Visit,
    password: String,
) -> Result<(), AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    session::confirm_password(services, member, &visit.caller, "codes_password", password).await?;
    let factor = services.store.second_factor(member.person()).await?;
    factor.filter(|factor| factor.confirmed_at.is_some()).ok_or(ErrorCode::NotFound)?;
    let (codes, hashes) = second_factor::new_recovery_codes(&*services.environment);
    let records = records(services, member, ActionKind::RecoveryCodesRenewed).await?;
    services.store.replace_recovery_codes(member.person(), &hashes, &records).await?;
    RevealOnce::Codes.keep(services, member, visit, &codes.join(" "))
}

/// Switches the second factor off, by password and code.
pub async fn end_second_factor(
    services: &Services,
    member: &Member,
    visit: &Visit,
    password: String,
    code: &str,
) -> Result<Flash, AppError> {
    let member = member.require(Permission::UseOwnAccount)?;
    if code.trim().is_empty() {
        return Err(required("off_code"));
    }
    session::confirm_password(services, member, &visit.caller, "off_password", password).await?;
    let (store, environment) = (&*services.store, &*services.environment);
    let (who, client) = (member.person().to_string(), visit.caller.address);
    let tries = rate_limit::take(store, environment.now(), RateLimit::Code, &who, client).await?;
    if !second_factor::take_code(store, environment, &services.sealing, member.person(), code).await? {
        return Err(wrong_code("off_code"));
    }
    tries.give_back(store).await?;
    let records = records(services, member, ActionKind::SecondFactorOff).await?;
    store.remove_second_factor(member.person(), Some(member.session()), &records).await?;
    Ok(Flash::SecondFactorOff)
}

/// Ends one of the person's sessions.
pub async fn end_session(services: &Services, member: &Member, id: &str) -> Result<Flash, AppError> {
    let id: SessionId = id.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let record = record(services, member, ActionKind::SessionsEnded);
    services
        .store
        .end_session_of(member.require(Permission::UseOwnAccount)?.person(), id, Some(&record))
        .await?;
    Ok(Flash::SessionsEnded)
}

/// Ends all of the person's sessions but the one that asks.
pub async fn end_other_sessions(services: &Services, member: &Member) -> Result<Flash, AppError> {
    let record = record(services, member, ActionKind::SessionsEnded);
    let who = member.require(Permission::UseOwnAccount)?.person();
    services.store.end_other_sessions(who, member.session(), Some(&record)).await?;
    Ok(Flash::SessionsEnded)
}

/// A record of what somebody does with their sessions, where they stand.
fn record(services: &Services, member: &Member, kind: ActionKind) -> Action {
    action(services, member, kind, (None, None), "")
}

/// The records of what somebody does with their own account: it opens all of their organisations, so each keeps one.
async fn records(services: &Services, member: &Member, kind: ActionKind) -> Result<Vec<Action>, AppError> {
    let person = services.store.person(member.person()).await?.ok_or(ErrorCode::NotSignedIn)?;
    let members = person.memberships.into_iter().map(|membership| membership.member);
    let record = |member: store::Member| {
        let name = if member.name.is_empty() { member.email } else { member.name };
        let actor = Actor { member: Some(member.id), name };
        Action::new(&*services.environment, member.organisation_id, actor, kind)
    };
    Ok(members.map(record).collect())
}

fn required(field: &str) -> AppError {
    AppError::new(ErrorCode::Invalid).field(field, FieldError::Required)
}

fn wrong_code(field: &str) -> AppError {
    AppError::new(ErrorCode::WrongCode).field(field, FieldError::Refused)
}
