//! Members and who they are, as rows.

use domain::{
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use store::{Member, Result};
use store_sql::{Id, Instant, Word};

use super::rows::Record;

/// A member's row, as `member_columns!` lists it.
#[derive(sqlx::FromRow)]
pub(crate) struct MemberRow {
    id: Id<MemberId>,
    person_id: Id<PersonId>,
    organisation_id: Id<OrganisationId>,
    email: String,
    address_proved_at: Option<Instant>,
    name: String,
    role: Word<Role>,
    created_at: Instant,
}

/// The columns of [`MemberRow`], from `members m` and `people p`. Who was removed is no person there.
macro_rules! member_columns {
    () => {
        "m.id, m.person_id, m.organisation_id, p.email, p.proved_at AS address_proved_at, m.name, m.role, m.created_at"
    };
}
pub(crate) use member_columns;

impl Record for MemberRow {
    type Value = Member;
    const TABLE: &'static str = "members";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Member> {
        Ok(Member {
            id: self.id.0,
            person_id: self.person_id.0,
            organisation_id: self.organisation_id.0,
            email: self.email,
            proved_at: self.address_proved_at.map(|at| at.0),
            name: self.name,
            role: self.role.0,
            created_at: self.created_at.0,
        })
    }
}
