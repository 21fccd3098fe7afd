//! Sync runs: events, entities and states.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A word that is not among those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {allowed}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been understood.
    pub allowed: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), allowed: concat!($($word, " "),+) }),
                }
            }
        }
    };
}
pub(crate) use words;

words!(
    /// What Magento announces (wire specification, section 3).
    EventName {
        /// An invoice was made.
        InvoiceCreated = "invoice.created",
        /// An invoice became paid.
        InvoicePaid = "invoice.paid",
        /// A credit memo was made.
        CreditmemoCreated = "creditmemo.created",
        /// A customer was saved.
        CustomerUpserted = "customer.upserted",
        /// A product or its stock was saved.
        ProductUpserted = "product.upserted",
    }
);

words!(
    /// What Magento's grids show a chip for.
    EntityKind {
        /// An invoice (its payment speaks about the same row).
        Invoice = "invoice",
        /// A credit memo.
        Creditmemo = "creditmemo",
        /// A customer.
        Customer = "customer",
        /// A product.
        Product = "product",
    }
);

impl EventName {
    /// The entity that the event is about.
    pub const fn entity(self) -> EntityKind {
        match self {
            Self::InvoiceCreated | Self::InvoicePaid => EntityKind::Invoice,
            Self::CreditmemoCreated => EntityKind::Creditmemo,
            Self::CustomerUpserted => EntityKind::Customer,
            Self::ProductUpserted => EntityKind::Product,
        }
    }

    /// The events that are about an entity.
    pub fn about(entity: EntityKind) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |event| event.entity() == entity)
    }

    /// Whether a repeated key is the same event (`false`: it names the entity, and each save is news).
    pub const fn happens_once(self) -> bool {
        matches!(self, Self::InvoiceCreated | Self::InvoicePaid | Self::CreditmemoCreated)
    }
}

words!(
    /// Where a run stands.
    RunStatus {
        /// Ready to be claimed.
        Queued = "queued",
        /// A worker holds it.
        Running = "running",
        /// For an earlier run of the same document, a binding that cannot work now, or a missing mapping.
        Waiting = "waiting",
        /// Failed for now; claimed again when its time comes.
        Retrying = "retrying",
        /// Done.
        Succeeded = "succeeded",
        /// The policy says not to.
        SkippedByPolicy = "skipped_by_policy",
        /// A person must act.
        Failed = "failed",
    }
);

impl RunStatus {
    /// Whether the run has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::SkippedByPolicy | Self::Failed)
    }

    /// Whether a worker may claim it when its time has come.
    pub const fn is_claimable(self) -> bool {
        matches!(self, Self::Queued | Self::Retrying)
    }
}

words!(
    /// Whom a binding ties to whom.
    Side {
        /// The Sage business.
        Sage = "sage",
        /// The shop.
        Magento = "magento",
    }
);

words!(
    /// A binding's state.
    BindingStatus {
        /// Magento is paired, Sage is missing.
        Pending = "pending",
        /// Works.
        Active = "active",
        /// A person stopped it.
        Paused = "paused",
        /// Sage or Magento refuses us.
        NeedsReauth = "needs_reauth",
        /// Disconnected; its history stays.
        Revoked = "revoked",
    }
);

words!(
    /// How far a backfill has come, in this order.
    BackfillStage {
        /// Invoices behind the last known one.
        Invoices = "invoices",
        /// Payments of invoices that were open.
        Payments = "payments",
        /// Credit memos behind the last known one: they take back what was paid by then.
        CreditMemos = "credit_memos",
    }
);

words!(
    /// What a member may do.
    Role {
        /// Looks.
        Viewer = "viewer",
        /// Retries and pauses.
        Operator = "operator",
        /// Settings and retries.
        Accountant = "accountant",
        /// Everything.
        Owner = "owner",
    }
);

words!(
    /// What people, or Ledger itself, do with a shop, its runs and an organisation's people.
    ActionKind {
        /// A run was put in the queue again.
        Retried = "retried",
        /// A run that had not ended was made due.
        Requeued = "requeued",
        /// A document was asked for by its id.
        SyncAsked = "sync_asked",
        /// Runs that ended long ago were deleted.
        CleanedUp = "cleaned_up",
        /// A retry of many runs was begun.
        BulkRetryBegun = "bulk_retry_begun",
        /// A retry of many runs was cancelled.
        BulkRetryCancelled = "bulk_retry_cancelled",
        /// A document is not to be synced.
        Excluded = "excluded",
        /// A document is to be synced after all.
        Included = "included",
        /// A shop was paused.
        Paused = "paused",
        /// A shop was resumed.
        Resumed = "resumed",
        /// A shop was disconnected.
        Disconnected = "disconnected",
        /// A part of the history was taken out as a file.
        Exported = "exported",
        /// A shop was paired.
        Paired = "paired",
        /// Somebody was sent to Sage to consent.
        ConsentBegun = "consent_begun",
        /// Sage's consent was brought back.
        ConsentGiven = "consent_given",
        /// A shop was tied to a Sage business.
        BusinessChosen = "business_chosen",
        /// A business's lists were fetched again.
        ListsRefreshed = "lists_refreshed",
        /// A version of a shop's settings was saved.
        SettingsSaved = "settings_saved",
        /// Somebody was invited.
        Invited = "invited",
        /// An invitation was withdrawn.
        InvitationWithdrawn = "invitation_withdrawn",
        /// An invitation was accepted.
        InvitationAccepted = "invitation_accepted",
        /// A member was added by whoever runs Ledger.
        MemberAdded = "member_added",
        /// A member was given another role.
        RoleChanged = "role_changed",
        /// A member was removed.
        MemberRemoved = "member_removed",
        /// A person proved that their e-mail address is theirs.
        AddressProved = "address_proved",
        /// A password was changed.
        PasswordChanged = "password_changed",
        /// Two-factor authentication was switched on.
        SecondFactorOn = "second_factor_on",
        /// Two-factor authentication was switched off.
        SecondFactorOff = "second_factor_off",
        /// Recovery codes were replaced.
        RecoveryCodesRenewed = "recovery_codes_renewed",
        /// Sessions were ended.
        SessionsEnded = "sessions_ended",
        /// A notification channel was added.
        ChannelAdded = "channel_added",
        /// A notification channel was confirmed.
        ChannelConfirmed = "channel_confirmed",
        /// A notification channel was changed.
        ChannelChanged = "channel_changed",
        /// A notification channel was removed.
        ChannelRemoved = "channel_removed",
        /// A webhook was given another secret.
        SecretRenewed = "secret_renewed",
        /// Everything sealed was sealed again with the newest key.
        KeysRotated = "keys_rotated",
    }
);

words!(
    /// How a retry of many runs stands.
    BulkState {
        /// It goes on by itself.
        Running = "running",
        /// It has passed all that it was meant for.
        Done = "done",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
);
