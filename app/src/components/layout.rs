//! The frame around every page: product name, ways through the product, colours, account.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::components::A;

use crate::{
    api::session::{SignOut, SwitchOrganisation},
    components::{keys::Keys, palette::Palette, theme_choice::ThemeChoice},
    islands::{desk::Desk, toast::Toasts},
};
use views::{
    links::HISTORY,
    links::HOME,
    member::{MemberView, OrganisationView},
};

/// The page of someone who is signed in.
#[component]
pub fn Frame(
    /// Who is signed in, and the way out.
    account: AnyView,
    /// The ways that are open to some only.
    more_ways: AnyView,
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <SkipLink />
        <header class="top">
            <a class="brand" href=HOME>
                <Mark />
                "Ledger"
            </a>
            <nav class="top-nav" aria-label="Main">
                <A href=HOME exact=true>
                    "Overview"
                </A>
                <A href=HISTORY>"Sync runs"</A>
                <A href="/dashboard/bindings">
                    "Shops"
                </A>
                <A href="/dashboard/members">
                    "People"
                </A>
                {more_ways}
            </nav>
            <div class="top-end">
                <ThemeChoice />
                {account}
            </div>
        </header>
        // Islands wake up in the order of the document, and a page's own may still be on its way.
        {view! { <Desk /> }.into_any()}
        <main id="main" class="page" tabindex="-1">
            {children()}
        </main>
        <Palette />
        <Keys />
        {view! { <Toasts /> }.into_any()}
    }
}

/// A page before the sign-in, or of its own: one sheet of paper in the middle.
#[component]
pub fn Sheet(
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <SkipLink />
        <main id="main" class="sheet-page" tabindex="-1">
            <div class="sheet">
                <p class="brand">
                    <Mark />
                    "Ledger"
                </p>
                {children()}
            </div>
            <ThemeChoice />
            <Desk />
        </main>
    }
}

/// Who is signed in, and the way out.
#[component]
pub fn Account(
    /// Who.
    member: MemberView,
) -> impl IntoView {
    view! {
        {(!member.organisations.is_empty()).then(|| organisations(member.organisations))}
        <form class="account" method="post" action=SignOut::PATH>
            <a class="account-name" href="/dashboard/account" title=member.email>
                {member.name}
            </a>
            <button class="button button-quiet" type="submit">
                "Sign out"
            </button>
        </form>
    }
}

/// The organisation whose pages these are, and the way to the person's others.
fn organisations(all: Vec<OrganisationView>) -> impl IntoView {
    let options = all.into_iter().map(|one| {
        view! {
            <option value=one.member selected=one.is_current>
                {one.name}
            </option>
        }
    });
    view! {
        <form class="inline-form" method="post" action=SwitchOrganisation::PATH autocomplete="off">
            <label class="visually-hidden" for="organisation">
                "Organisation"
            </label>
            <select id="organisation" name="member">
                {options.collect_view()}
            </select>
            <button class="button button-quiet" type="submit">
                "Switch"
            </button>
        </form>
    }
}

#[component]
fn SkipLink() -> impl IntoView {
    // `external` leaves the jump to the browser, which moves the focus along.
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
    }
}

/// The product's mark: an open ledger, two columns that agree.
#[component]
fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
            <rect width="24" height="24" rx="6" />
            <path d="M6 7.5h5M6 11h5M13 7.5h5M13 11h5M6 15.5h12M6 18h12" />
        </svg>
    }
}
