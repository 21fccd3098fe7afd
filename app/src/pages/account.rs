//! `/dashboard/account`: a person's own password, second factor and sessions.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use crate::{
    api::{
        account::{
            BeginSecondFactor, ChangePassword, ConfirmSecondFactor, EndOtherSessions, EndSecondFactor,
            EndSession, ProveAddress, RenewCodes, SendAddressCode, own_account,
        },
        alerts,
    },
    components::{
        copy::Copy,
        field::{Field, OwnPassword},
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        qr_code::scan,
        time::{Time, Zone},
    },
    refusal::refusal_of,
};
use views::{
    account::{AccountView, FactorView, SessionView},
    error::{AppError, FieldError},
    format::Moment,
    people::{ShownSecret, role_label},
};

/// One's own account.
#[component]
pub fn AccountPage() -> impl IntoView {
    let refused = refusal_of::<ChangePassword>()
        .or_else(refusal_of::<BeginSecondFactor>)
        .or_else(refusal_of::<ConfirmSecondFactor>)
        .or_else(refusal_of::<RenewCodes>)
        .or_else(refusal_of::<EndSecondFactor>)
        .or_else(refusal_of::<EndSession>)
        .or_else(refusal_of::<SendAddressCode>)
        .or_else(refusal_of::<ProveAddress>);
    let flash = flash_unless(refused.is_some());
    let answer = Resource::new(|| (), |()| own_account());
    view! {
        <Title text="Your account \u{b7} Ledger" />
        <div class="page-head">
            <h1>"Your account"</h1>
        </div>
        <FlashLine flash />
        {refused.as_ref().map(|error| view! { <Problem code=error.code wait=error.wait /> })}
        <Transition>
            {move || {
                let refused = refused.clone();
                answer
                    .get()
                    .map(|answer| or_problem(answer, |account| view! { <Parts account refused /> }))
            }}
        </Transition>
    }
    .into_any()
}

// Each part below is cut to one type: the page as a whole would be a type too deep for the stack of an unoptimised build.

/// What is wrong with which field of the form that was refused.
#[derive(Clone)]
struct WrongEntry(Option<AppError>);

impl WrongEntry {
    fn with(&self, field: &str) -> Option<FieldError> {
        self.0.as_ref().and_then(|error| error.of_field(field))
    }

    fn is_at(&self, field: &str) -> bool {
        self.with(field).is_some()
    }
}

#[component]
fn Parts(account: AccountView, refused: Option<AppError>) -> impl IntoView {
    let wrong = WrongEntry(refused);
    let to_prove = (!account.is_proved).then(|| address(&account.email, account.sends_mail, &wrong));
    let facts = [
        ("Name", account.name),
        ("E-mail address", account.email),
        ("Role", role_label(account.role).to_owned()),
    ];
    let facts = facts.map(|(name, value)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    let factor = match account.second_factor {
        FactorView::Off => set_up(&wrong),
        FactorView::ToConfirm { secret, href } => confirm(&secret, &href, &wrong),
        FactorView::On { since, codes_left } => in_force(since, codes_left, &wrong),
    };
    view! {
        {account.codes.map(codes)}
        <dl class="facts">{facts.collect_view()}</dl>
        {to_prove}
        <section class="part" aria-labelledby="second-factor">
            <h2 id="second-factor">"Two-factor authentication"</h2>
            {factor}
        </section>
        <section class="part" aria-labelledby="alerts">
            <h2 id="alerts">"Alerts"</h2>
            <p>"Ledger notifies you by e-mail or webhook when a document needs attention or a shop stops syncing."</p>
            <p>
                <a href=alerts::PAGE>"Manage your alerts"</a>
            </p>
        </section>
        {password(&wrong)}
        {sessions(account.sessions)}
    }
}

/// The way to prove the address, for who has not.
fn address(email: &str, sends_mail: bool, wrong: &WrongEntry) -> AnyView {
    let forms = || {
        view! {
            <p>
                "Confirm that this address is yours: " <strong>{email.to_owned()}</strong>
                ". Other organisations can then invite you to the same account."
            </p>
            <form class="form" method="post" action=SendAddressCode::PATH data-in-place>
                <button class="button" type="submit">"Send a code"</button>
            </form>
            <form class="form" method="post" action=ProveAddress::PATH data-in-place novalidate autocomplete="off">
                <Field
                    name="code"
                    label="Code"
                    kind="text"
                    autocomplete="one-time-code"
                    hint="Six digits, valid for 15 minutes."
                    error=wrong.with("code")
                    autofocus=wrong.is_at("code")
                />
                <button class="button" type="submit">
                    "Confirm this address"
                </button>
            </form>
        }
        .into_any()
    };
    let not_set_up = || {
        view! { <p>"This address is not confirmed, because this server sends no e-mail. You can use Ledger, but it sends you no messages."</p> }
            .into_any()
    };
    view! {
        <section class="part" aria-labelledby="address">
            <h2 id="address">"E-mail address"</h2>
            {if sends_mail { forms() } else { not_set_up() }}
        </section>
    }
    .into_any()
}

/// The recovery codes that were just made: nobody sees them again.
fn codes(codes: Vec<ShownSecret>) -> AnyView {
    let codes = codes.into_iter().map(|code| view! { <li>{code.0}</li> });
    view! {
        <section class="once" role="status" aria-labelledby="codes-title">
            <h2 id="codes-title">"Your recovery codes"</h2>
            <p>"Each code works once, instead of a code from your app. Keep them where you keep your passwords: they are shown only now."</p>
            <ul class="once-text once-codes grid grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] gap-x-4 gap-y-1" id="recovery-codes" tabindex="0">
                {codes.collect_view()}
            </ul>
            <Copy of="recovery-codes" what="the codes" />
        </section>
    }
    .into_any()
}

fn set_up(wrong: &WrongEntry) -> AnyView {
    view! {
        <p>
            "You sign in with your password alone. With two-factor authentication you also enter a code from an app on your phone, so a stolen password is not enough."
        </p>
        <form class="form" method="post" action=BeginSecondFactor::PATH data-in-place novalidate>
            <OwnPassword name="set_up_password" error=wrong.with("set_up_password") autofocus=wrong.is_at("set_up_password") />
            <button class="button button-main" type="submit">
                "Set up two-factor authentication"
            </button>
        </form>
    }
    .into_any()
}

fn confirm(secret: &ShownSecret, href: &ShownSecret, wrong: &WrongEntry) -> AnyView {
    // In groups of four, as it is typed by hand.
    let groups: Vec<&str> =
        secret.0.as_bytes().chunks(4).filter_map(|part| str::from_utf8(part).ok()).collect();
    let secret = groups.join(" ");
    view! {
        <div class="step">
            <div class="form">
                <p>"1. Scan this with an authenticator app, or type in the key."</p>
                {scan(&href.0, "QR code for an authenticator app. The key below contains the same.")}
                <p class="once-text" id="factor-key" tabindex="0">
                    {secret}
                </p>
                <Copy of="factor-key" what="the key" />
            </div>
            <form class="form" method="post" action=ConfirmSecondFactor::PATH data-in-place novalidate autocomplete="off">
                <p>"2. Enter the code from the app. You then need one each time you sign in."</p>
                <Field
                    name="first_code"
                    label="Code"
                    kind="text"
                    autocomplete="one-time-code"
                    error=wrong.with("first_code")
                    autofocus=true
                />
                <button class="button button-main" type="submit">
                    "Confirm"
                </button>
            </form>
        </div>
    }
    .into_any()
}

fn in_force(since: Moment, codes_left: u32, wrong: &WrongEntry) -> AnyView {
    let renewing = wrong.is_at("codes_password");
    let ending = wrong.is_at("off_password") || wrong.is_at("off_code");
    view! {
        <p>"On since " <Time at=since /> " (" <Zone /> "). Recovery codes left: " {codes_left} "."</p>
        <details class="danger" open=renewing>
            <summary>"New recovery codes"</summary>
            <form class="form" method="post" action=RenewCodes::PATH data-in-place novalidate>
                <p>"Your current codes stop working."</p>
                <OwnPassword name="codes_password" error=wrong.with("codes_password") autofocus=renewing />
                <button class="button" type="submit">
                    "Create new codes"
                </button>
            </form>
        </details>
        <details class="danger" open=ending>
            <summary>"Turn off"</summary>
            <form class="form" method="post" action=EndSecondFactor::PATH data-in-place novalidate>
                <OwnPassword name="off_password" error=wrong.with("off_password") autofocus=wrong.is_at("off_password") />
                <Field
                    name="off_code"
                    label="Code from your app, or a recovery code"
                    kind="text"
                    autocomplete="one-time-code"
                    error=wrong.with("off_code")
                    autofocus=wrong.is_at("off_code")
                />
                <button class="button" type="submit">
                    "Turn off two-factor authentication"
                </button>
            </form>
        </details>
    }
    .into_any()
}

fn password(wrong: &WrongEntry) -> AnyView {
    let at_current = wrong.is_at("current_password");
    view! {
        <section class="part" aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            <form class="form" method="post" action=ChangePassword::PATH data-in-place novalidate>
                <Field
                    name="current_password"
                    label="Current password"
                    kind="password"
                    autocomplete="current-password"
                    error=wrong.with("current_password")
                    autofocus=at_current
                />
                <Field
                    name="new_password"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    hint="At least 12 characters. Several unrelated words work well."
                    error=wrong.with("new_password")
                    autofocus=wrong.is_at("new_password") && !at_current
                />
                <button class="button button-main" type="submit">
                    "Change password"
                </button>
            </form>
        </section>
    }
    .into_any()
}

fn sessions(sessions: Vec<SessionView>) -> AnyView {
    let has_others = sessions.len() > 1;
    let cards = sessions.into_iter().map(|session| {
        let end = (!session.is_this).then(|| {
            view! {
                <form method="post" action=EndSession::PATH data-in-place>
                    <input type="hidden" name="session" value=session.id />
                    <button class="button" type="submit">
                        "End"
                    </button>
                </form>
            }
        });
        view! {
            <li class="card">
                <div class="card-head">
                    <h3>{session.browser}</h3>
                    {session.is_this.then_some("This session")}
                </div>
                <p class="card-line">"Last used " <Time at=session.last_seen /> " (" <Zone /> ")"</p>
                <p class="card-line">"Signed in " <Time at=session.since /> " (" <Zone /> ")"</p>
                {end}
            </li>
        }
    });
    view! {
        <section class="part" aria-labelledby="sessions">
            <h2 id="sessions">"Sessions"</h2>
            <p>"Where you are signed in. A session ends automatically after two weeks."</p>
            <ul class="cards">{cards.collect_view()}</ul>
            {has_others
                .then(|| {
                    view! {
                        <form method="post" action=EndOtherSessions::PATH data-in-place>
                            <button class="button" type="submit">
                                "End all other sessions"
                            </button>
                        </form>
                    }
                })}
        </section>
    }
    .into_any()
}
