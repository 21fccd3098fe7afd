//! `/dashboard/account/alerts`: what a person is told, and how; and what there was to tell.

use domain::alert::{AlertKind, AlertMode, ChannelKind};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    api::alerts::{
        AddAlertMail, AddAlertWebhook, ChangeAlertChannel, ConfirmAlertMail, RemoveAlertChannel,
        RollAlertSecret, SendTestAlert, own_alerts,
    },
    components::{
        copy::Copy,
        field::Field,
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        time::{Time, Zone},
    },
    refusal::refusal_of,
};
use views::{
    alerts::{AlertView, AlertsView, ChannelView, mode_label},
    error::AppError,
    people::ShownSecret,
};

/// What a person is told, and how.
#[component]
pub fn AlertsPage() -> impl IntoView {
    let (adding_mail, adding_hook) = (refusal_of::<AddAlertMail>(), refusal_of::<AddAlertWebhook>());
    let refused = adding_mail
        .clone()
        .or_else(|| adding_hook.clone())
        .or_else(refusal_of::<ConfirmAlertMail>)
        .or_else(refusal_of::<ChangeAlertChannel>)
        .or_else(refusal_of::<RollAlertSecret>)
        .or_else(refusal_of::<SendTestAlert>)
        .or_else(refusal_of::<RemoveAlertChannel>);
    let flash = flash_unless(refused.is_some());
    let answer = Resource::new(|| (), |()| own_alerts());
    view! {
        <Title text="Alerts \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Alerts"</h1>
        </div>
        <FlashLine flash />
        {refused.as_ref().map(|error| view! { <Problem code=error.code wait=error.wait /> })}
        <Transition>
            {move || {
                let (mail, hook) = (adding_mail.clone(), adding_hook.clone());
                answer
                    .get()
                    .map(|answer| or_problem(answer, |view| whole(view, mail.as_ref(), hook.as_ref())))
            }}
        </Transition>
    }
    .into_any()
}

// Each part below is cut to one type: the page as a whole would be a type too deep for the stack of an unoptimised build.

fn whole(view: AlertsView, mail: Option<&AppError>, hook: Option<&AppError>) -> AnyView {
    let cards = view.channels.iter().map(|one| channel(one, &view.shops)).collect_view();
    let none =
        view.channels.is_empty().then(|| view! { <p>"No notification channels yet. Add one below."</p> });
    view! {
        {view.secret.map(secret)}
        <section class="part" aria-labelledby="channels">
            <h2 id="channels">"Notification channels"</h2>
            {none}
            <ul class="cards">{cards}</ul>
        </section>
        {add_mail(&view.email, view.sends_mail, mail)}
        {add_webhook(hook)}
        {recent(view.alerts)}
    }
    .into_any()
}

/// The secret that was just made: nobody sees it again.
fn secret(secret: ShownSecret) -> AnyView {
    view! {
        <section class="once" role="status" aria-labelledby="secret-title">
            <h2 id="secret-title">"The webhook\u{2019}s secret"</h2>
            <p>
                "The receiver uses it to check that a message comes from Ledger. It is shown only now. An older secret no longer works."
            </p>
            <p class="once-text" id="signing-secret" tabindex="0">
                {secret.0}
            </p>
            <Copy of="signing-secret" what="the secret" />
        </section>
    }
    .into_any()
}

fn channel(channel: &ChannelView, shops: &[(String, String)]) -> AnyView {
    let kind = match channel.kind {
        ChannelKind::Email => "E-mail",
        ChannelKind::Webhook => "Webhook",
    };
    let in_use = channel.is_confirmed.then(|| {
        view! {
            {standing(channel)}
            {choices(channel, shops)}
            <div class="row mt-3 items-end gap-x-2 *:mt-0">
                {button(SendTestAlert::PATH, &channel.id, "Send a test message")}
                {(channel.kind == ChannelKind::Webhook)
                    .then(|| button(RollAlertSecret::PATH, &channel.id, "Create a new secret"))}
            </div>
        }
    });
    view! {
        <li class="card">
            <div class="card-head">
                <h3>{channel.target.clone()}</h3>
                {kind}
            </div>
            {(!channel.is_confirmed).then(|| confirm(&channel.id))}
            {in_use}
            <details class="danger">
                <summary>"Remove"</summary>
                {button(RemoveAlertChannel::PATH, &channel.id, "Remove this channel")}
            </details>
        </li>
    }
    .into_any()
}

fn button(path: &'static str, channel: &str, label: &'static str) -> AnyView {
    view! {
        <form method="post" action=path data-in-place>
            <input type="hidden" name="channel" value=channel.to_owned() />
            <button class="button" type="submit">
                {label}
            </button>
        </form>
    }
    .into_any()
}

/// How the last messages went.
fn standing(channel: &ChannelView) -> AnyView {
    let last = match channel.last_ok.clone() {
        Some(at) => view! { "Last delivered " <Time at /> " (" <Zone /> ")" }.into_any(),
        None => "Nothing has been sent yet".into_any(),
    };
    let error = channel.last_error.clone().map(|error| {
        view! { <p class="card-line field-error">"The last attempt failed. " {error}</p> }
    });
    let off = channel.off_since.clone().map(|at| {
        view! {
            <p class="card-line field-error">
                "Off since " <Time at /> " (" <Zone /> "). Save its settings to turn it on again."
            </p>
        }
    });
    view! {
        <p class="card-line">{last}</p>
        {error}
        {off}
    }
    .into_any()
}

fn confirm(channel: &str) -> AnyView {
    let id = format!("code-{channel}");
    view! {
        <p class="card-line">"Enter the code sent to this address to start sending alerts to it."</p>
        <form class="row mt-3 items-end gap-x-2" method="post" action=ConfirmAlertMail::PATH data-in-place autocomplete="off">
            <input type="hidden" name="channel" value=channel.to_owned() />
            <div class="field">
                <label for=id.clone()>"Code"</label>
                <input id=id name="code" type="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" />
            </div>
            <button class="button button-main" type="submit">
                "Confirm"
            </button>
        </form>
    }
    .into_any()
}

fn choices(channel: &ChannelView, shops: &[(String, String)]) -> AnyView {
    let kinds = AlertKind::ALL.iter().map(|kind| {
        let is_chosen = channel.kinds.contains(kind);
        tick("kinds[]", &channel.id, kind.as_str(), kind.label(), is_chosen)
    });
    let named = |id: &String| channel.bindings.as_ref().is_some_and(|ids| ids.contains(id));
    let boxes = shops.iter().map(|(id, name)| tick("bindings[]", &channel.id, id, name, named(id)));
    let of_shops = (!shops.is_empty()).then(|| {
        view! {
            <fieldset class="grid min-w-0 gap-2">
                {legend("Shops")}
                <p class="field-hint">"Leave all unticked for every shop, including new ones."</p>
                {boxes.collect_view()}
            </fieldset>
        }
    });
    view! {
        <details class="mt-2">
            <summary>{format!("Sends {}", summary(channel))}</summary>
            <form class="form mt-3" method="post" action=ChangeAlertChannel::PATH data-in-place>
                <input type="hidden" name="channel" value=channel.id.clone() />
                <fieldset class="grid min-w-0 gap-2">
                    {legend("Alerts")}
                    {kinds.collect_view()}
                </fieldset>
                {of_shops}
                {modes(&format!("mode-{}", channel.id), channel.mode)}
                <button class="button button-main" type="submit">
                    "Save"
                </button>
            </form>
        </details>
    }
    .into_any()
}

fn legend(text: &'static str) -> impl IntoView {
    view! { <legend class="mb-1 text-note font-medium">{text}</legend> }
}

/// What a channel tells, in a line.
fn summary(channel: &ChannelView) -> String {
    let kinds = match channel.kinds.len() {
        0 => "no alerts".to_owned(),
        all if all == AlertKind::ALL.len() => "all alerts".to_owned(),
        some => format!("{some} of {} alerts", AlertKind::ALL.len()),
    };
    let shops = match channel.bindings.as_ref().map(Vec::len) {
        None => "all shops".to_owned(),
        Some(1) => "one shop".to_owned(),
        Some(some) => format!("{some} shops"),
    };
    format!("{kinds} for {shops}. {}", mode_label(channel.mode))
}

fn tick(name: &'static str, channel: &str, value: &str, label: &str, is_chosen: bool) -> AnyView {
    let id = format!("{value}-{channel}");
    view! {
        <div class="tick max-sm:min-h-9">
            <input id=id.clone() name=name type="checkbox" value=value.to_owned() checked=is_chosen />
            <label for=id>{label.to_owned()}</label>
        </div>
    }
    .into_any()
}

fn modes(id: &str, chosen: AlertMode) -> AnyView {
    let options = AlertMode::ALL.iter().map(|mode| {
        view! {
            <option value=mode.as_str() selected=*mode == chosen>
                {mode_label(*mode)}
            </option>
        }
    });
    view! {
        <div class="field">
            <label for=id.to_owned()>"When"</label>
            <select id=id.to_owned() name="mode">
                {options.collect_view()}
            </select>
        </div>
    }
    .into_any()
}

fn add_mail(own: &str, sends_mail: bool, refused: Option<&AppError>) -> AnyView {
    let value = refused.and_then(|error| error.typed("email")).unwrap_or(own).to_owned();
    let form = move || {
        view! {
            <form class="form" method="post" action=AddAlertMail::PATH data-in-place novalidate>
                <Field
                    name="email"
                    label="E-mail address"
                    kind="email"
                    autocomplete="email"
                    value=value
                    hint="Ledger sends a code to this address. Enter the code here to receive alerts."
                    error=refused.and_then(|error| error.of_field("email"))
                    autofocus=refused.is_some()
                />
                {modes("mail-mode", AlertMode::AtOnce)}
                <button class="button button-main" type="submit">
                    "Add this address"
                </button>
            </form>
        }
        .into_any()
    };
    let not_set_up = || {
        view! { <p>"E-mail is not set up on this server. Ask your administrator to set it up, or add a webhook."</p> }
            .into_any()
    };
    view! {
        <section class="part" aria-labelledby="add-mail">
            <h2 id="add-mail">"Add an e-mail address"</h2>
            {if sends_mail { form() } else { not_set_up() }}
        </section>
    }
    .into_any()
}

fn add_webhook(refused: Option<&AppError>) -> AnyView {
    let value = refused.and_then(|error| error.typed("url")).unwrap_or_default().to_owned();
    view! {
        <section class="part" aria-labelledby="add-webhook">
            <h2 id="add-webhook">"Add a webhook"</h2>
            <p>"Ledger posts JSON to it, signed as described by Standard Webhooks. It contains IDs, totals and links, but no customer data."</p>
            <form class="form" method="post" action=AddAlertWebhook::PATH data-in-place novalidate autocomplete="off">
                <Field
                    name="url"
                    label="Address"
                    kind="url"
                    autocomplete="off"
                    value=value
                    hint="Must begin with https:// and be reachable from the internet."
                    error=refused.and_then(|error| error.of_field("url"))
                    autofocus=refused.is_some()
                />
                {modes("webhook-mode", AlertMode::AtOnce)}
                <button class="button button-main" type="submit">
                    "Add this webhook"
                </button>
            </form>
        </section>
    }
    .into_any()
}

fn recent(alerts: Vec<AlertView>) -> AnyView {
    if alerts.is_empty() {
        return view! {
            <section class="part" aria-labelledby="recent">
                <h2 id="recent">"Recent alerts"</h2>
                <p>"No alerts yet."</p>
            </section>
        }
        .into_any();
    }
    let cards = alerts.into_iter().map(|alert| {
        view! {
            <li class="card">
                <p class="card-line">
                    <Time at=alert.at /> " (" <Zone /> "), " {alert.shop}
                </p>
                <p>
                    {alert.documents.map(|documents| view! { <strong>{documents}</strong> ": " })}
                    <a href=alert.href>{alert.told}</a>
                </p>
                <p class="card-line">{alert.action}</p>
            </li>
        }
    });
    view! {
        <section class="part" aria-labelledby="recent">
            <h2 id="recent">"Recent alerts"</h2>
            <ul class="cards">{cards.collect_view()}</ul>
        </section>
    }
    .into_any()
}
