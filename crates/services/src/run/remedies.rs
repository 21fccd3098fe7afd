//! The buttons and links of a run's page, by what its state calls for and what the one who looks may do.

use domain::{
    code::Code,
    remedy::{Advice, Remedy, RetryNow, retry_now},
    run::BindingStatus,
    settings::cards::{CARDS, fields},
};
use messages::message;

use super::{RunDetails, missing, sage_link};
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
pub(super) fn of(kept: &RunDetails, rights: Rights, advice: &Advice) -> Vec<RemedyView> {
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
            message!(run_remedies.operator_retries)
        } else {
            message!(run_remedies.nothing)
        }));
    }
    remedies
}

fn view(kept: &RunDetails, rights: Rights, remedy: Remedy) -> Option<RemedyView> {
    let binding = kept.run.binding_id.to_string();
    Some(match remedy {
        Remedy::Retry => {
            return rights.may_retry.then(|| retry(kept, true));
        }
        Remedy::OpenSettings("mappings") if kept.run.code == Some(Code::NeedsMapping) => {
            let plan = kept.plan.as_ref().ok().and_then(Option::as_ref);
            let id = plan.and_then(|plan| missing::setting(&plan.plan)).unwrap_or("mappings");
            open_setting(&binding, id)
        }
        Remedy::OpenSettings(id) => open_setting(&binding, id),
        // The shop's page knows who refuses, and offers what is needed.
        Remedy::ConnectSage | Remedy::PairMagento
            if rights.may_connect
                && matches!(kept.binding.status, BindingStatus::NeedsReauth | BindingStatus::Revoked) =>
        {
            link(message!(run_remedies.connect_again), bindings::href(&binding))
        }
        Remedy::ConnectSage if rights.may_connect => {
            link(message!(run_remedies.connect_sage), bindings::connect_href(&binding))
        }
        Remedy::PairMagento if rights.may_connect => {
            link(message!(run_remedies.pair), "/dashboard/connect-magento")
        }
        Remedy::ConnectSage | Remedy::PairMagento => say(message!(run_remedies.owner_connects)),
        Remedy::TakeBack if rights.may_retry => RemedyView::TakeBack,
        Remedy::TakeBack => say(message!(run_remedies.operator_includes)),
        Remedy::Resume if kept.binding.status != BindingStatus::Paused => {
            say(message!(run_remedies.not_paused))
        }
        Remedy::Resume if rights.may_retry => RemedyView::Resume { binding },
        Remedy::Resume => say(message!(run_remedies.operator_resumes)),
        Remedy::CheckShop => link(message!(run_remedies.check_shop), bindings::checked_href(&binding)),
        Remedy::OpenInSage => {
            let sage = sage_link::of(kept).unwrap_or_else(sage_link::front_door);
            link(
                if sage.is_exact {
                    message!(run_remedies.open_document, document = sage.reference)
                } else {
                    message!(run_remedies.open_sage).to_owned()
                },
                sage.href,
            )
        }
        Remedy::OpenInvoiceRun => match kept.invoice_run {
            Some(id) => link(message!(run_remedies.open_invoice_run), run::href(&id.to_string())),
            None => say(message!(run_remedies.find_invoice_run)),
        },
        // What has ended does not go on.
        Remedy::Wait if kept.run.status.is_terminal() => return None,
        // The advice says so already.
        Remedy::NothingToDo => return None,
        Remedy::Wait => say(message!(run_remedies.wait)),
        Remedy::ByHand => say(message!(run_remedies.by_hand)),
        Remedy::Report => say(&message!(run_remedies.report, run = kept.run.id)),
    })
}

fn open_setting(binding: &str, id: &str) -> RemedyView {
    link(message!(run_remedies.open_setting, label = label(id)), format!("{}#{id}", settings::href(binding)))
}

fn retry(kept: &RunDetails, is_advised: bool) -> RemedyView {
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
    card.or_else(|| fields().find(|field| field.path == id).map(|field| field.label))
        .unwrap_or(message!(run_remedies.settings))
}
