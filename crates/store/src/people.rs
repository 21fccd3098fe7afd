//! People: an address, a password and a second factor, and the organisations that they open.
//!
//! An address belongs to whoever has proved to read it, and to nobody else. Before that it is a name to sign in with in the one
//! organisation that let it in, and takes nothing from anybody.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{InvitationId, PersonId, SessionId};
use uuid::Uuid;

use crate::{Action, Member, Result};

/// A person.
#[derive(Clone)]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// E-mail address, lower-cased, unique among those that are proved.
    pub email: String,
    /// When it was shown that the address is theirs.
    pub proved_at: Option<DateTime<Utc>>,
    /// The password's argon2id hash in PHC form.
    pub password_hash: String,
    /// Where they are a member, the one that they chose last first; never empty.
    pub memberships: Vec<Membership>,
}

/// A person in an organisation, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub member: Member,
    /// The organisation's name.
    pub organisation: String,
}

impl Person {
    /// The people of rows that hold one membership each, those of one person after each other.
    pub fn gathered(rows: Vec<Self>) -> Vec<Self> {
        let mut people: Vec<Self> = Vec::new();
        for row in rows {
            match people.last_mut() {
                Some(last) if last.id == row.id => last.memberships.extend(row.memberships),
                _ => people.push(row),
            }
        }
        people
    }
}

/// What an address is proved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofSubject {
    /// To accept an invitation.
    Invitation(InvitationId),
    /// A person's account.
    Person(PersonId),
}

impl ProofSubject {
    /// Its id.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Invitation(id) => id.0,
            Self::Person(id) => id.0,
        }
    }
}

/// A code on its way to an address, which proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What for. There is one at a time.
    pub subject: ProofSubject,
    /// SHA-256, in hex, of the code together with a secret that only the browser holds: the code alone would be guessed from it.
    pub code_hash: String,
    /// How many codes may be tried.
    pub tries: i32,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// People.
#[async_trait]
pub trait People {
    /// The people with this e-mail address (compared lower-cased): who has proved it, then the others, oldest first.
    async fn people_by_email(&self, email: &str, limit: u32) -> Result<Vec<Person>>;

    /// A person.
    async fn person(&self, id: PersonId) -> Result<Option<Person>>;

    /// How many people have not proved their address.
    async fn count_unproved_people(&self) -> Result<u64>;

    /// Records that the address of an account is proved; [`crate::Error::Conflict`] when another account proved it before.
    async fn prove_person(&self, id: PersonId, now: DateTime<Utc>, actions: &[Action]) -> Result<()>;

    /// Sets a person's password, and ends their sessions but the one to keep.
    async fn set_password(
        &self,
        id: PersonId,
        password_hash: &str,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()>;

    /// Keeps a code that is on its way, in place of an earlier one.
    async fn begin_proof(&self, proof: &Proof) -> Result<()>;

    /// Uses up one try of a code that is on its way; true when it is the right one, and in time.
    async fn try_proof(&self, subject: ProofSubject, code_hash: &str, now: DateTime<Utc>) -> Result<bool>;

    /// Forgets an address where it is kept of those who are members no more: of who was removed, in invitations, and as a way to be told.
    /// Returns from how many rows. [`crate::Error::Conflict`] when a member has it.
    async fn erase_address(&self, email: &str) -> Result<u64>;
}
