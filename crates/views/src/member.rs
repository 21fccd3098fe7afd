//! The person who is signed in, as the header shows them.

use serde::{Deserialize, Serialize};

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Their name, or the e-mail address of who has none.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Whether they may see what everybody does.
    pub is_owner: bool,
    /// The id of the organisation whose pages they see.
    pub organisation: String,
    /// The organisations that they belong to, where they are several.
    pub organisations: Vec<OrganisationView>,
}

/// An organisation to which a person belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationView {
    /// Their id as its member.
    pub member: String,
    /// Its name.
    pub name: String,
    /// Whether it is the one whose pages they see.
    pub is_current: bool,
}
