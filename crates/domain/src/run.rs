//! Sync runs: events, entities and states.

use crate::words;

words! {
    /// What Magento announces (wire specification, section 3).
    pub enum EventName {
        /// An invoice was made.
        #[serde(rename = "invoice.created")]
        #[strum(serialize = "invoice.created")]
        InvoiceCreated,
        /// An invoice became paid.
        #[serde(rename = "invoice.paid")]
        #[strum(serialize = "invoice.paid")]
        InvoicePaid,
        /// A credit memo was made.
        #[serde(rename = "creditmemo.created")]
        #[strum(serialize = "creditmemo.created")]
        CreditmemoCreated,
        /// A customer was saved.
        #[serde(rename = "customer.upserted")]
        #[strum(serialize = "customer.upserted")]
        CustomerUpserted,
        /// A product or its stock was saved.
        #[serde(rename = "product.upserted")]
        #[strum(serialize = "product.upserted")]
        ProductUpserted,
    }
}

words! {
    /// What Magento's grids show a chip for.
    pub enum EntityKind {
        /// An invoice (its payment speaks about the same row).
        Invoice,
        /// A credit memo.
        Creditmemo,
        /// A customer.
        Customer,
        /// A product.
        Product,
    }
}

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

words! {
    /// Where a run stands.
    pub enum RunStatus {
        /// Ready to be claimed.
        Queued,
        /// A worker holds it.
        Running,
        /// For an earlier run of the same document, a binding that cannot work now, or a missing mapping.
        Waiting,
        /// Failed for now; claimed again when its time comes.
        Retrying,
        /// Done.
        Succeeded,
        /// The settings say not to.
        SkippedByPolicy,
        /// A person must act.
        Failed,
    }
}

impl RunStatus {
    /// Whether the run has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::SkippedByPolicy | Self::Failed)
    }

    /// Where a retry may bring a run further: those in Sage are there, and those in the queue need none.
    pub const RETRYABLE: [Self; 4] = [Self::Failed, Self::Waiting, Self::Retrying, Self::SkippedByPolicy];

    /// Whether it is one of [`RunStatus::RETRYABLE`].
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Failed | Self::Waiting | Self::Retrying | Self::SkippedByPolicy)
    }

    /// Whether a worker may claim it when its time has come.
    pub const fn is_claimable(self) -> bool {
        matches!(self, Self::Queued | Self::Retrying)
    }
}

words! {
    /// Whom a binding ties to whom.
    pub enum Side {
        /// The Sage business.
        Sage,
        /// The shop.
        Magento,
    }
}

words! {
    /// A binding's state.
    pub enum BindingStatus {
        /// Magento is paired, Sage is missing.
        Pending,
        /// Works.
        Active,
        /// A person stopped it.
        Paused,
        /// Sage or Magento refuses us.
        NeedsReauth,
        /// Disconnected; its history stays.
        Revoked,
    }
}

words! {
    /// How far a backfill has come, in this order.
    pub enum BackfillStage {
        /// Invoices behind the last known one.
        Invoices,
        /// Payments of invoices that were open.
        Payments,
        /// Credit memos behind the last known one: they take back what was paid by then.
        CreditMemos,
    }
}

words! {
    /// What a member may do.
    pub enum Role {
        /// Looks.
        Viewer,
        /// Retries and pauses.
        Operator,
        /// Settings and retries.
        Accountant,
        /// Everything.
        Owner,
    }
}

words! {
    /// What people, or Ledger itself, do with a shop, its runs and an organisation's people.
    pub enum ActionKind {
        /// A run was put in the queue again.
        Retried,
        /// A run that had not ended was made due.
        Requeued,
        /// A document was asked for by its id.
        SyncAsked,
        /// Runs that ended long ago were deleted.
        CleanedUp,
        /// A retry of many runs was begun.
        BulkRetryBegun,
        /// A retry of many runs was cancelled.
        BulkRetryCancelled,
        /// A document is not to be synced.
        Excluded,
        /// A document is to be synced after all.
        Included,
        /// A shop was paused.
        Paused,
        /// A shop was resumed.
        Resumed,
        /// A shop was disconnected.
        Disconnected,
        /// A part of the history was taken out as a file.
        Exported,
        /// A shop was paired.
        Paired,
        /// Somebody was sent to Sage to consent.
        ConsentBegun,
        /// Sage's consent was brought back.
        ConsentGiven,
        /// A shop was tied to a Sage business.
        BusinessChosen,
        /// A business's lists were fetched again.
        ListsRefreshed,
        /// A version of a shop's settings was saved.
        SettingsSaved,
        /// Somebody was invited.
        Invited,
        /// An invitation was withdrawn.
        InvitationWithdrawn,
        /// An invitation was accepted.
        InvitationAccepted,
        /// A member was added by whoever runs Ledger.
        MemberAdded,
        /// A member was given another role.
        RoleChanged,
        /// A member was removed.
        MemberRemoved,
        /// A person proved that their e-mail address is theirs.
        AddressProved,
        /// A password was changed.
        PasswordChanged,
        /// Two-factor authentication was switched on.
        SecondFactorOn,
        /// Two-factor authentication was switched off.
        SecondFactorOff,
        /// Recovery codes were replaced.
        RecoveryCodesRenewed,
        /// Sessions were ended.
        SessionsEnded,
        /// A notification channel was added.
        ChannelAdded,
        /// A notification channel was confirmed.
        ChannelConfirmed,
        /// A notification channel was changed.
        ChannelChanged,
        /// A notification channel was removed.
        ChannelRemoved,
        /// A webhook was given another secret.
        SecretRenewed,
        /// Everything sealed was sealed again with the newest key.
        KeysRotated,
    }
}

words! {
    /// How a retry of many runs stands.
    pub enum BulkState {
        /// It is under way.
        Running,
        /// It has passed all that it was meant for.
        Done,
        /// A person stopped it.
        Cancelled,
    }
}
