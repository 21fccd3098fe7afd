//! `/dashboard`: the frame of its pages, for people who are signed in.

use leptos::{either::Either, prelude::*};
use leptos_router::{
    components::{A, Outlet, Redirect},
    hooks::use_location,
};

use crate::{
    api::session::who,
    components::layout::{Account, Frame},
    context,
};
use views::{activity::ACTIVITY, error::ErrorCode, flash::Flash, links::sign_in_href};

/// The frame around the dashboard's pages.
#[component]
pub fn Dashboard() -> impl IntoView {
    let who = Resource::new(|| (), |()| who());
    let account = view! {
        <Transition>
            {move || {
                who.get()
                    .map(|who| match who {
                        Ok(member) => Either::Left(Some(view! { <Account member /> })),
                        Err(error) if error.code == ErrorCode::NotSignedIn => {
                            Either::Right(view! { <ToSignIn /> })
                        }
                        // The page below meets the same error and shows it.
                        Err(_) => Either::Left(None),
                    })
            }}
        </Transition>
    };
    let more_ways = view! {
        <Transition>
            {move || {
                let is_owner = who.get().is_some_and(|who| who.is_ok_and(|member| member.is_owner));
                is_owner
                    .then(|| {
                        view! {
                            <A href=ACTIVITY>
                                "Activity"
                            </A>
                        }
                    })
            }}
        </Transition>
    };
    view! {
        <Frame account=account.into_any() more_ways=more_ways.into_any()>
            <Outlet />
        </Frame>
    }
    .into_any()
}

/// Leads to the sign-in page, and from there back to where it stands.
#[component]
pub fn ToSignIn() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let search = search.trim_start_matches('?');
    let back = if search.is_empty() { path } else { format!("{path}?{search}") };
    let href = sign_in_href(&back);
    // Whoever comes with a session that has ended did not mean to leave.
    let had_session = context::services()
        .and_then(|services| Ok(services::brings_session(&services, &context::request()?.headers)));
    let href = if had_session.unwrap_or(false) { Flash::SessionEnded.on(&href) } else { href };
    view! { <Redirect path=href /> }
}
