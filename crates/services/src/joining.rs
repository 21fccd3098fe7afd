//! The service functions behind an invitation: what its link says, the code that proves its address, and joining.
//!
//! The bearer of a link is told nothing of its address before they have proved it: not whether there is an account, nor where.

use domain::{
    ids::{MemberId, PersonId},
    run::ActionKind,
};
use store::{Acceptance, Action, Actor, Invitation, Joining, ProofSubject};
use views::{
    error::{AppError, ErrorCode, FieldError},
    flash::Flash,
    people::InvitedView,
};

use crate::{
    Member, Services,
    address_code::AddressToProve,
    member_of,
    rate_limit::{self, RateLimit},
    session, tokens,
    visit::Visit,
};

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// What an invited person types.
pub struct NewAccount {
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
    /// The code that was sent to the address.
    pub code: String,
}

/// What an invitation's link shows.
pub async fn invited(services: &Services, visit: &Visit, token: &str) -> Result<InvitedView, AppError> {
    let (invitation, organisation) = open_invitation(services, visit, token).await?;
    let visitor = visitor(services, visit, &invitation).await?;
    Ok(InvitedView {
        organisation,
        asks_code: services.alerting.sends_mail(),
        joins_as: visitor.map(|member| member.email().to_owned()),
        email: invitation.email,
        role: invitation.role,
    })
}

/// The one who is signed in, where the invitation is for the address that they have proved.
async fn visitor(
    services: &Services,
    visit: &Visit,
    invitation: &Invitation,
) -> Result<Option<Member>, AppError> {
    match member_of(services, &visit.headers).await {
        Ok(member) => {
            Ok(Some(member).filter(|one| one.has_proved_address() && one.email() == invitation.email))
        }
        Err(error) if error.is_not_signed_in() => Ok(None),
        Err(error) => Err(error),
    }
}

fn address<'a>(invitation: &'a Invitation, token: &'a str) -> AddressToProve<'a> {
    AddressToProve {
        subject: ProofSubject::Invitation(invitation.id),
        organisation: invitation.organisation_id,
        email: &invitation.email,
        secret: token,
    }
}

/// Sends a code to the invitation's address.
pub async fn send_code(services: &Services, visit: &Visit, token: &str) -> Result<Flash, AppError> {
    let (invitation, _) = open_invitation(services, visit, token).await?;
    address(&invitation, token).send_code(services).await?;
    Ok(Flash::CodeSent)
}

/// Accepts an invitation as somebody new; returns the token of the new member's session.
///
/// Where the server sends mail, the address is proved by the code that was sent there. Where it sends none, the account works in its
/// organisation, and its address is proved to be nobody's.
pub async fn accept(
    services: &Services,
    visit: &Visit,
    token: &str,
    chosen: NewAccount,
) -> Result<String, AppError> {
    let name = chosen.name.trim();
    accept_as(services, visit, token, name, chosen.password, &chosen.code)
        .await
        .map_err(|error| error.echo("name", name))
}

async fn accept_as(
    services: &Services,
    visit: &Visit,
    token: &str,
    name: &str,
    password: String,
    code: &str,
) -> Result<String, AppError> {
    let (invitation, _) = open_invitation(services, visit, token).await?;
    let is_proved = services.alerting.sends_mail();
    check(&invitation, name, &password, code, is_proved)?;
    if is_proved && let Err(wrong) = address(&invitation, token).check_code(services, code).await {
        // Of a form that was sent twice the first has used the invitation up, and its code with it.
        open_invitation(services, visit, token).await?;
        return Err(wrong);
    }
    let person = Joining::New {
        id: PersonId(services.environment.id()),
        password_hash: session::hash_chosen(&*services.environment, password).await?,
        is_proved,
    };
    let acceptance =
        Acceptance { member_id: MemberId(services.environment.id()), name: name.to_owned(), person };
    let member = join_as(services, token, &invitation, &acceptance).await?;
    session::open(&*services.store, &*services.environment, &visit.caller, &member, None).await
}

/// What is wrong with what somebody typed.
fn check(
    invitation: &Invitation,
    name: &str,
    password: &str,
    code: &str,
    asks_code: bool,
) -> Result<(), AppError> {
    let mut error = AppError::new(ErrorCode::Invalid);
    if asks_code && code.trim().is_empty() {
        error = error.field("code", FieldError::Required);
    }
    if name.is_empty() {
        error = error.field("name", FieldError::Required);
    } else if name.chars().count() > LONGEST_NAME {
        error = error.field("name", FieldError::TooLong);
    }
    if let Some(wrong) = session::wrong_with_chosen(password, &[&invitation.email, name]) {
        error = error.field("password", wrong);
    }
    if error.fields.is_empty() { Ok(()) } else { Err(error) }
}

/// Accepts an invitation as the person who is signed in; their session stands in the new organisation from then on.
pub async fn join(services: &Services, visit: &Visit, token: &str) -> Result<Flash, AppError> {
    let (invitation, _) = open_invitation(services, visit, token).await?;
    let visitor = visitor(services, visit, &invitation).await?.ok_or(ErrorCode::NotSignedIn)?;
    let acceptance = Acceptance {
        member_id: MemberId(services.environment.id()),
        name: visitor.name().to_owned(),
        person: Joining::Known(visitor.person()),
    };
    let member = join_as(services, token, &invitation, &acceptance).await?;
    services.store.switch_session(visitor.session(), member.id, services.environment.now()).await?;
    Ok(Flash::Joined)
}

async fn join_as(
    services: &Services,
    token: &str,
    invitation: &Invitation,
    acceptance: &Acceptance,
) -> Result<store::Member, AppError> {
    let name = if acceptance.name.is_empty() { &invitation.email } else { &acceptance.name };
    let actor = Actor { member: Some(acceptance.member_id), name: name.clone() };
    let kind = ActionKind::InvitationAccepted;
    let record = Action::new(&*services.environment, invitation.organisation_id, actor, kind)
        .saying(format!("{}, {}", invitation.email, invitation.role));
    let token_hash = tokens::token_hash(token);
    let accepted = services.store.accept_invitation(&token_hash, acceptance, record.at, Some(&record)).await;
    let member = accepted.map_err(|error| match error {
        store::Error::NotFound(_) => ErrorCode::InvitationGone.into(),
        store::Error::Conflict(_) => ErrorCode::AddressTaken.into(),
        other => AppError::from(other),
    })?;
    tracing::info!(member = %member.id, "an invitation is accepted");
    Ok(member)
}

async fn open_invitation(
    services: &Services,
    visit: &Visit,
    token: &str,
) -> Result<(Invitation, String), AppError> {
    let (store, now) = (&*services.store, services.environment.now());
    let tries = rate_limit::take(store, now, RateLimit::Invitation, "", visit.caller.address).await?;
    let found = store.invitation_by_token(&tokens::token_hash(token), now).await?;
    let found = found.ok_or(ErrorCode::InvitationGone)?;
    tries.give_back(store).await?;
    Ok(found)
}
