//! Identifiers: UUIDs of version 7, one type for each thing, so that they cannot be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.as_hyphenated())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A merchant: members and bindings belong to one.
    OrganisationId
);
id!(
    /// A person who signs in, in whichever organisations they are.
    PersonId
);
id!(
    /// A person in an organisation.
    MemberId
);
id!(
    /// A person's invitation into an organisation.
    InvitationId
);
id!(
    /// A signed-in browser, as its owner may see it: not the token in its cookie.
    SessionId
);
id!(
    /// One Magento install tied to one Sage business: the wire's `tenant_id`.
    BindingId
);
id!(
    /// An event as it arrived.
    EventId
);
id!(
    /// A sync run: one event's way through Ledger.
    RunId
);
id!(
    /// One try of a run.
    AttemptId
);
id!(
    /// What a person, or Ledger itself, did at one moment.
    ActionId
);
id!(
    /// A retry of many runs at once.
    BulkRetryId
);
id!(
    /// Something that members are told of.
    AlertId
);
id!(
    /// A way by which a member is told.
    AlertChannelId
);
