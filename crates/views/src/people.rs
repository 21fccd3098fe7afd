//! An organisation's people, as pages show them.

use std::fmt;

use domain::run::Role;
use messages::message;
use serde::{Deserialize, Serialize};

use super::format::Moment;

/// A secret that a page shows to its owner: it is never printed anywhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShownSecret(pub String);

impl fmt::Debug for ShownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(..)")
    }
}

/// Everybody in an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// The members.
    pub people: Vec<PersonView>,
    /// Who is invited; for owners only.
    pub invitations: Vec<InvitationView>,
    /// Whether the one who looks may change any of it.
    pub is_owner: bool,
    /// The link that was just made, shown this once.
    pub link: Option<ShownSecret>,
    /// Whether who changes something shows their password again.
    pub asks_password: bool,
    /// The organisation's id, which a form brings along.
    pub organisation: String,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// Their id.
    pub id: String,
    /// Their name; it may be empty.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Whether it was shown that the address is theirs.
    pub is_proved: bool,
    /// What they may do.
    pub role: Role,
    /// Whether it is the one who looks.
    pub is_me: bool,
    /// Whether a code is asked of them; told to owners only.
    pub has_second_factor: Option<bool>,
}

/// An open invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    /// Its id.
    pub id: String,
    /// Whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Until when.
    pub until: Moment,
}

/// What an invited person reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedView {
    /// Into which organisation.
    pub organisation: String,
    /// The e-mail address that they will sign in with.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Whether a code is sent to the address, which has to be entered.
    pub asks_code: bool,
    /// The address of the one who is signed in, where they can join as who they are.
    pub joins_as: Option<String>,
}

/// A role in a person's word.
pub const fn role_label(role: Role) -> &'static str {
    match role {
        Role::Viewer => message!(roles.label.viewer),
        Role::Operator => message!(roles.label.operator),
        Role::Accountant => message!(roles.label.accountant),
        Role::Owner => message!(roles.label.owner),
    }
}

/// What a role may do.
pub const fn role_sentence(role: Role) -> &'static str {
    match role {
        Role::Viewer => message!(roles.may.viewer),
        Role::Operator => message!(roles.may.operator),
        Role::Accountant => message!(roles.may.accountant),
        Role::Owner => message!(roles.may.owner),
    }
}
