//! The form of the settings. It is a plain form, sent by the browser itself where it is not awake; awake, it says what is wrong when a
//! field is left, counts what has changed, saves in place, and keeps what is typed whatever happens.

mod bar;
mod browser;
mod draft;
mod fields;
mod known;
mod maps;
mod model;
mod notices;
mod parts;
mod rows;
mod shown;

use domain::settings::{
    cards::{CARDS, Card},
    form::{Form, in_order},
};
use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn, task::spawn_local};
use views::{
    error::ErrorCode,
    settings::{Crossed, FormState, ListsAge, SettingsChecked, SettingsError, SettingsSaved},
};
use wasm_bindgen::JsCast;
use web_sys::HtmlButtonElement;

use super::focus;
use crate::{
    api::settings::{SaveSettings, Sent, refresh_lists, restore_settings, save_settings},
    components::erased::{flag, follow, on, text},
};
use draft::Draft;
use model::{Model, is_for_the_server};
use rows::SPARE_ROWS;
use shown::Shown;

/// What was done, and how to undo it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    sentence: String,
    undo: Option<i64>,
    /// Whether what somebody came to fix may be fixed now.
    is_saved: bool,
}

/// What the form does.
#[derive(Clone, Copy)]
struct Page {
    model: Model,
    draft: StoredValue<Draft>,
    changes: Memo<usize>,
    is_busy: RwSignal<bool>,
    /// What went wrong.
    notice: RwSignal<Option<ErrorCode>>,
    said: RwSignal<Option<Said>>,
    crossed: RwSignal<Option<Crossed>>,
    lists: RwSignal<ListsAge>,
    /// Whether the browser has taken over.
    is_awake: RwSignal<bool>,
    /// The wrong field that was led to last.
    last_place: StoredValue<String>,
    /// What can be retried once it is fixed.
    retry: StoredValue<Option<String>>,
    /// Whether something was wrong when the page came.
    came_wrong: bool,
}

/// The form of the settings.
#[island(lazy)]
pub fn SettingsForm(
    /// What it begins with.
    state: FormState,
) -> impl IntoView {
    let (model, shown) = (Model::new(&state), Shown::of(&state));
    let notice = match (&state.crossed, state.is_refused) {
        (Some(_), _) => Some(ErrorCode::SettingsChanged),
        (None, true) => Some(ErrorCode::SettingsWrong),
        (None, false) => None,
    };
    let page = Page {
        model,
        draft: StoredValue::new(Draft::of(&state.member, &state.id)),
        changes: Memo::new(move |_| model.changes()),
        is_busy: RwSignal::new(false),
        notice: RwSignal::new(notice),
        said: RwSignal::new(None),
        crossed: RwSignal::new(state.crossed.clone()),
        lists: RwSignal::new(state.lists.clone()),
        is_awake: RwSignal::new(false),
        came_wrong: !state.problems.is_empty(),
        last_place: StoredValue::new(String::new()),
        retry: StoredValue::new(
            state.fix.as_ref().filter(|fix| fix.retry.is_some()).map(|fix| fix.documents.clone()),
        ),
    };
    let is_refused = state.is_refused;
    Effect::new(move |_| page.wake(is_refused));
    Effect::new(move |_| page.keep_draft());
    let cards = CARDS.iter().map(|part| card(model, shown, part)).collect_view();
    let save_bar = state.may_set.then(|| bar::save_bar(&page, &state));
    let cause = state.fix.as_ref().map(|fix| fix.cause.clone());
    view! {
        {state.fix.map(notices::fix)}
        {notices::notices(&page)}
        <form
            id="settings"
            class="settings"
            method="post"
            action=SaveSettings::PATH
            novalidate
            autocomplete="off"
            data-watched=flag(move || page.is_awake.get())
            on:submit=on(move |event| page.submit(&event))
        >
            // The first button is the one that Enter presses.
            <button class="sr-only" type="submit" name="do" value="save" tabindex="-1" aria-hidden="true">
                "Save"
            </button>
            <input type="hidden" name="binding" value=state.id />
            <input
                type="hidden"
                name="replaces"
                value=state.replaces.to_string()
                prop:value=text(move || model.replaces.get().to_string())
            />
            <input type="hidden" name="rows" value=state.rows.saturating_sub(SPARE_ROWS).to_string() />
            <input type="hidden" name="cause" value=cause />
            <nav class="grid gap-4 self-start desk:sticky desk:top-4" aria-label="Cards">
                <ul class="flex flex-wrap gap-1 desk:block">{CARDS.iter().map(|card| bar::nav_item(model, card)).collect_view()}</ul>
                {bar::freshness(&page, state.may_set)}
            </nav>
            <fieldset class="grid min-w-0 gap-4" disabled=!state.may_set>
                <legend class="sr-only">"Settings"</legend>
                {cards}
            </fieldset>
            {save_bar}
            <p class="sr-only" id="settings-said" role="status">
                {follow(model.said)}
            </p>
        </form>
    }
}

fn card(model: Model, shown: Shown, card: &'static Card) -> AnyView {
    let fields = card.fields.iter().map(|part| fields::field(model, shown, part)).collect_view();
    view! {
        <section
            class="panel grid scroll-mt-4 gap-1 px-4 pt-4 pb-6 desk:px-6"
            id=card.id
            aria-labelledby=format!("{}-title", card.id)
            data-marked=shown.is_marked(card.id).then_some("true")
        >
            <div class="settings-card-head">
                <h2 id=format!("{}-title", card.id)>{card.title}</h2>
                <p class="card-line">{card.about}</p>
            </div>
            <div class="settings-fields">{fields}</div>
        </section>
    }
    .into_any()
}

impl Page {
    /// What happens once, when the browser takes over.
    fn wake(self, is_refused: bool) {
        if untrack(|| self.is_awake.get()) {
            return;
        }
        let kept = self.draft.with_value(Draft::kept);
        if let Some(form) = kept.filter(|_| !is_refused && self.crossed.with_untracked(Option::is_none)) {
            self.model.fill(&form, None);
            if let Some(replaces) = form.get("replaces").and_then(|version| version.parse().ok()) {
                self.model.replaces.set(replaces);
            }
            self.model.reason.set(form.get("reason").unwrap_or_default().to_owned());
            if self.changes.get_untracked() > 0 {
                self.say("Your unsaved changes are filled in again.");
            }
        }
        browser::guard(move || self.changes.try_get_untracked().is_some_and(|changes| changes > 0));
        self.is_awake.set(true);
        if is_refused {
            Self::point_out("wrong-title");
        }
    }

    /// What is typed survives whatever becomes of this page, as long as its tab lives.
    fn keep_draft(self) {
        if !self.is_awake.get() {
            return;
        }
        let is_changed = self.changes.get() > 0;
        // To be called again whenever anything is typed.
        drop((self.model.pairs(), self.model.reason.get()));
        self.draft.with_value(|draft| if is_changed { draft.keep(self.model) } else { draft.forget() });
    }

    fn say(self, sentence: &str) {
        self.said.set(Some(Said { sentence: sentence.to_owned(), undo: None, is_saved: false }));
    }

    /// Leads to what is wrong.
    fn point_out(id: &str) {
        browser::mark_title(true);
        focus::soon_by_id(id);
    }

    fn submit(self, event: &SubmitEvent) {
        event.prevent_default();
        let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
        match button.map(|button| (button.name(), button.value())) {
            Some((name, path)) if name == "more" => {
                let number = self.model.add_row(&path);
                focus::soon_by_id(&format!("{path}.{number}-key"));
            }
            Some((_, value)) if value == "refresh" => self.refresh(),
            _ => self.save(),
        }
    }

    fn save(self) {
        if self.is_busy.get_untracked() {
            return;
        }
        let mut found = self.model.found();
        found.retain(|(path, problem)| !is_for_the_server(path, *problem));
        if !found.is_empty() {
            self.refused(SettingsError { problems: found, ..ErrorCode::SettingsWrong.into() }, None);
            return;
        }
        let sent = self.model.sent();
        self.is_busy.set(true);
        spawn_local(async move {
            let answer = save_settings(sent.clone()).await;
            self.is_busy.set(false);
            self.answered(answer, &Form::from(sent.pairs));
        });
    }

    /// Takes the version before again.
    fn undo(self, version: i64) {
        if self.is_busy.get_untracked() {
            return;
        }
        let pair = |name: &str, number: i64| (name.to_owned(), number.to_string());
        let pairs = vec![pair("version", version), pair("replaces", self.model.replaces.get_untracked())];
        let sent = Sent { binding: self.model.binding(), pairs };
        self.is_busy.set(true);
        spawn_local(async move {
            let answer = restore_settings(sent).await;
            self.is_busy.set(false);
            // What is not saved yet is not undone.
            let saved = self.model.saved.get_untracked();
            self.answered(answer, &saved);
        });
    }

    fn answered(self, answer: Result<SettingsSaved, SettingsError>, sent: &Form) {
        match answer {
            Ok(SettingsSaved { version, sentence, saved, known, undo }) => {
                let saved = Form::from(saved);
                self.model.learn(known);
                self.model.saved.set(saved.clone());
                self.model.replaces.set(version);
                self.model.fill(&saved, Some(sent));
                self.model.problems.set(Vec::new());
                self.model.reason.set(String::new());
                self.notice.set(None);
                self.crossed.set(None);
                self.said.set(Some(Said { sentence, undo, is_saved: true }));
                browser::mark_title(false);
            }
            Err(error) => self.refused(error, Some(sent)),
        }
    }

    /// Nothing was saved: what is wrong is shown, and what was typed stays.
    fn refused(self, error: SettingsError, sent: Option<&Form>) {
        let SettingsError { code, problems, crossed } = error;
        self.said.set(None);
        self.notice.set(Some(code));
        if problems.is_empty() && crossed.is_none() {
            focus::soon_by_id("settings-notice");
        }
        if !problems.is_empty() {
            self.model.problems.set(in_order(problems));
            Self::point_out("wrong-title");
        }
        if let Some(crossed) = crossed {
            self.model.learn(crossed.known.clone());
            self.model.saved.set(Form::from(crossed.saved.clone()));
            self.model.replaces.set(crossed.version);
            self.model.fill(&Form::from(crossed.pairs.clone()), sent);
            if !crossed.asked.is_empty() {
                self.crossed.set(Some(*crossed));
                Self::point_out("crossed-title");
            }
        }
    }

    /// Undoes all that is not saved.
    fn revert(self) {
        let saved = self.model.saved.get_untracked();
        self.model.fill(&saved, None);
        self.model.problems.set(Vec::new());
        self.model.reason.set(String::new());
        self.notice.set(None);
        self.crossed.set(None);
        self.say("Your changes are undone.");
        browser::mark_title(false);
    }

    fn refresh(self) {
        if self.is_busy.get_untracked() {
            return;
        }
        let sent = self.model.sent();
        self.is_busy.set(true);
        spawn_local(async move {
            let answer = refresh_lists(sent).await;
            self.is_busy.set(false);
            match answer {
                Ok(SettingsChecked { problems, known, lists }) => {
                    self.model.known.set(known);
                    self.lists.set(lists);
                    let shown = self.model.problems.get_untracked();
                    let is_shown = |path: &str| shown.iter().any(|(own, _)| own == path);
                    let kept = problems.into_iter();
                    let kept =
                        kept.filter(|(path, problem)| is_shown(path) || is_for_the_server(path, *problem));
                    self.model.problems.set(kept.collect());
                    self.notice.set(None);
                    self.say("Sage\u{2019}s lists are up to date.");
                }
                Err(error) => self.refused(error, None),
            }
        });
    }
}
