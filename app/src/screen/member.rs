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
}
