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

/// The product's name beside its mark.
const BRAND: &str =
    "inline-flex items-center gap-2 text-lead font-bold tracking-[-0.01em] text-ink no-underline";

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
        <header class="row gap-x-6 border-b border-line bg-sheet px-4 max-sm:relative max-sm:h-14 max-sm:flex-nowrap max-sm:overflow-x-auto max-sm:whitespace-nowrap max-sm:[scrollbar-width:none] max-sm:*:shrink-0 sm:px-6 sm:py-2 print:hidden">
            <a class=BRAND href=HOME>
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
            <div class="row ml-auto max-sm:flex-nowrap">
                <ThemeChoice />
                {account}
            </div>
        </header>
        // Islands wake up in the order of the document, and a page's own may still be on its way.
        {view! { <Desk /> }.into_any()}
        <main id="main" class="mx-auto grid max-w-page grid-cols-1 gap-4 px-4 pt-6 pb-12 sm:px-6 focus:outline-none print:max-w-none print:p-0" tabindex="-1">
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
        <main id="main" class="grid min-h-dvh place-content-center justify-items-center gap-6 bg-[repeating-linear-gradient(var(--color-paper)_0_1.9375rem,var(--color-rule)_1.9375rem_2rem)] px-4 py-6 focus:outline-none" tabindex="-1">
            <div class="panel grid w-[min(24rem,calc(100vw-2rem))] gap-4 border-t-3 border-t-accent p-6 shadow-sheet sm:p-8">
                <p class=BRAND>
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
        <form class="flex items-center gap-1" method="post" action=SignOut::PATH>
            <a class="max-w-32 truncate text-ink-dim sm:max-w-64" href="/dashboard/account" title=member.email>
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
        <form class="flex flex-wrap gap-2" method="post" action=SwitchOrganisation::PATH autocomplete="off">
            <label class="sr-only" for="organisation">
                "Organisation"
            </label>
            <select class="max-w-48" id="organisation" name="member">
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
        <a class="sr-only rounded-control bg-accent font-semibold text-on-accent hover:text-on-accent focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-20 focus:px-4 focus:py-2 print:hidden" href="#main">
            "Skip to content"
        </a>
    }
}

/// The product's mark: an open ledger, two columns that agree.
#[component]
fn Mark() -> impl IntoView {
    view! {
        <svg class="size-6 fill-accent" viewBox="0 0 24 24" aria-hidden="true">
            <rect width="24" height="24" rx="6" />
            <path class="fill-none stroke-on-accent stroke-[1.5] [stroke-linecap:round]" d="M6 7.5h5M6 11h5M13 7.5h5M13 11h5M6 15.5h12M6 18h12" />
        </svg>
    }
}
