//! Proof of who asks.

use chrono::{DateTime, TimeDelta, Utc};
use domain::run::Role;
use http::HeaderMap;
use store::SignedIn;
use views::error::{AppError, ErrorCode};

use crate::{Services, cookies, permission::Permission, tokens::token_hash};

/// How long a session may rest. One that did is over, although its cookie is good for longer.
pub const IDLE: TimeDelta = TimeDelta::hours(12);

/// How exactly it is kept when a session was last used: a write for each request would be one too many.
const SEEN_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// Proof of who asks. Service functions want to see it, and only a live session makes one, so a forgotten check does not
/// compile.
#[derive(Clone, Debug)]
pub struct Member(store::SignedIn);

impl Member {
    /// The organisation whose data this person may see.
    pub const fn organisation(&self) -> domain::ids::OrganisationId {
        self.0.member.organisation_id
    }

    /// Their id as a member.
    pub const fn id(&self) -> domain::ids::MemberId {
        self.0.member.id
    }

    /// The person's id, the same in all of their organisations.
    pub const fn person(&self) -> domain::ids::PersonId {
        self.0.member.person_id
    }

    /// The person's e-mail address.
    pub fn email(&self) -> &str {
        &self.0.member.email
    }

    /// An error when a form was made for another organisation: somebody who belongs to several may have switched in another tab.
    pub fn stands_in(&self, organisation: &str) -> Result<(), AppError> {
        let is_here = organisation.is_empty() || organisation == self.organisation().to_string();
        if is_here { Ok(()) } else { Err(ErrorCode::OtherOrganisation.into()) }
    }

    /// Whether it was shown that the address is theirs.
    pub const fn has_proved_address(&self) -> bool {
        self.0.member.proved_at.is_some()
    }

    /// The person's name; it may be empty.
    pub fn name(&self) -> &str {
        &self.0.member.name
    }

    /// How the person is called: by their name, or by the address of who has none.
    pub fn called(&self) -> &str {
        if self.name().is_empty() { self.email() } else { self.name() }
    }

    /// What the person may do.
    pub const fn role(&self) -> Role {
        self.0.member.role
    }

    /// The session that they ask from.
    pub const fn session(&self) -> domain::ids::SessionId {
        self.0.session
    }

    /// When they last showed their password, where that is known.
    pub const fn proved_at(&self) -> Option<DateTime<Utc>> {
        self.0.proved_at
    }

    /// Whether this person may do something.
    pub fn may(&self, permission: Permission) -> bool {
        self.0.member.role >= permission.role()
    }

    /// The person again, if they may do something.
    pub fn require(&self, permission: Permission) -> Result<&Self, AppError> {
        if self.may(permission) { Ok(self) } else { Err(ErrorCode::Forbidden.into()) }
    }
}

/// Who sends a request with these headers: for routes that are no pages, such as `/live`.
pub async fn member_of(services: &Services, headers: &HeaderMap) -> Result<Member, AppError> {
    let token = cookies::token(headers, services.secure_cookies).ok_or(ErrorCode::NotSignedIn)?;
    let now = services.environment.now();
    let found = services.store.signed_in(&token_hash(token), now).await?;
    let found = awake(services, found.ok_or(ErrorCode::NotSignedIn)?, token).await?;
    let found = found.ok_or(ErrorCode::NotSignedIn)?;
    Ok(Member(found))
}

/// Whether a browser brings a session, be it one that has ended.
pub fn brings_session(services: &Services, headers: &HeaderMap) -> bool {
    cookies::token(headers, services.secure_cookies).is_some()
}

/// Whether the session of these headers is still one, of this member. Not noted as its use: a page that only watches does not keep its
/// session alive.
pub async fn is_signed_in(services: &Services, headers: &HeaderMap, member: &Member) -> bool {
    let Some(token) = cookies::token(headers, services.secure_cookies) else { return false };
    let now = services.environment.now();
    let found = services.store.signed_in(&token_hash(token), now).await;
    matches!(found, Ok(Some(found)) if found.member.id == member.id() && now - found.last_seen_at < IDLE)
}

/// The one who is signed in, unless their session has rested for too long, which ends it; that it is used is noted.
pub async fn awake(services: &Services, found: SignedIn, token: &str) -> Result<Option<SignedIn>, AppError> {
    let now = services.environment.now();
    let rested = now - found.last_seen_at;
    if rested >= IDLE {
        services.store.end_session(&token_hash(token)).await?;
        return Ok(None);
    }
    if rested >= SEEN_WITHIN
        && let Err(error) = services.store.see_session(found.session, now).await
    {
        tracing::warn!(error = %error, "it could not be noted that a session is used");
    }
    Ok(Some(found))
}
