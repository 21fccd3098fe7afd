//! The buttons and links of a run's page, by what its state calls for and what the one who looks may do.

use domain::{
    code::Code,
    remedy::{Advice, Remedy, RetryNow, retry_now},
    run::BindingStatus,
    settings::cards::{CARDS, fields},
};

use super::{Kept, sage_link};
use crate::permission::Permission;
use views::{bindings, run, run::RemedyView, settings};

use crate::Member;

/// What the one who looks may do.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// Retry and resume.
    pub may_retry: bool,
    /// Connect and pair.
    pub may_connect: bool,
}

impl Rights {
    /// A member's.
    pub fn of(member: &Member) -> Self {
        Self {
            may_retry: member.may(Permission::RetryRuns),
            may_connect: member.may(Permission::ConnectShops),
        }
    }
}

/// What there is to do it with. Whoever may retry always can, whatever else is better.
pub(super) fn of(kept: &Kept, rights: Rights, advice: &Advice) -> Vec<RemedyView> {
    let mut remedies: Vec<_> =
        advice.remedies.iter().filter_map(|remedy| view(kept, rights, *remedy)).collect();
    remedies.dedup();
    let has_retry = remedies.iter().any(|remedy| matches!(remedy, RemedyView::Retry { .. }));
    // What is excluded would be skipped again.
    let is_excluded = kept.run.code == Some(Code::Excluded);
    if rights.may_retry && !has_retry && !is_excluded {
        remedies.push(retry(kept, false));
    }
    if remedies.is_empty() {
        remedies.push(say(if advice.remedies.contains(&Remedy::Retry) {
            "A colleague with the role of an operator can retry it."
        } else {
            "Nothing has to be done."
        }));
    }
    remedies
}

fn view(kept: &Kept, rights: Rights, remedy: Remedy) -> Option<RemedyView> {
    let binding = kept.run.binding_id.to_string();
    Some(match remedy {
        Remedy::Retry => {
            return rights.may_retry.then(|| retry(kept, true));
        }
        Remedy::OpenSettings(id) => link(
            format!("Open the setting \u{201c}{}\u{201d}", label(id)),
            format!("{}#{id}", settings::href(&binding)),
        ),
        // The shop's page knows who refuses, and offers what is needed.
        Remedy::ConnectSage | Remedy::PairMagento
            if rights.may_connect
                && matches!(kept.binding.status, BindingStatus::NeedsReauth | BindingStatus::Revoked) =>
        {
            link("Connect the shop again", bindings::href(&binding))
        }
        Remedy::ConnectSage if rights.may_connect => link("Connect Sage", bindings::connect_href(&binding)),
        Remedy::PairMagento if rights.may_connect => link("Pair the shop", "/dashboard/connect-magento"),
        Remedy::ConnectSage | Remedy::PairMagento => say("An owner of your organisation can connect it."),
        Remedy::TakeBack if rights.may_retry => RemedyView::TakeBack,
        Remedy::TakeBack => say("A colleague with the role of an operator can take the exclusion back."),
        Remedy::Resume if kept.binding.status != BindingStatus::Paused => {
            say("The shop is not paused any more.")
        }
        Remedy::Resume if rights.may_retry => RemedyView::Resume { binding },
        Remedy::Resume => say("A colleague with the role of an operator can resume the shop."),
        Remedy::CheckShop => link("Ask the shop and Sage what is wrong", bindings::checked_href(&binding)),
        Remedy::OpenInSage => {
            let sage = sage_link::of(kept).unwrap_or_else(sage_link::front_door);
            link(
                if sage.is_exact {
                    format!("Open {} in Sage", sage.reference)
                } else {
                    "Open Sage".to_owned()
                },
                sage.href,
            )
        }
        Remedy::OpenInvoiceRun => match kept.invoice_run {
            Some(id) => link("Open the invoice\u{2019}s run", run::href(&id.to_string())),
            None => say("Look for the invoice\u{2019}s own run in the list."),
        },
        // What has ended does not go on.
        Remedy::Wait if kept.run.status.is_terminal() => return None,
        // The advice says so already.
        Remedy::NothingToDo => return None,
        Remedy::Wait => say("It goes on by itself."),
        Remedy::ByHand => say("No button of Ledger\u{2019}s does this: it is done in Magento or in Sage."),
        Remedy::Report => say(&format!("Tell who runs Ledger the run\u{2019}s id: {}", kept.run.id)),
    })
}

fn retry(kept: &Kept, is_advised: bool) -> RemedyView {
    let now = retry_now(kept.run.status, kept.binding.status);
    RemedyView::Retry { is_ready: !matches!(now, RetryNow::Cannot(_)), is_advised }
}

fn link(label: impl Into<String>, href: impl Into<String>) -> RemedyView {
    RemedyView::Link { label: label.into(), href: href.into() }
}

fn say(text: &str) -> RemedyView {
    RemedyView::Say(text.to_owned())
}

/// A field's or a card's name for people.
fn label(id: &str) -> &'static str {
    let card = CARDS.iter().find(|card| card.id == id).map(|card| card.title);
    card.or_else(|| fields().find(|field| field.path == id).map(|field| field.label)).unwrap_or("Settings")
}
