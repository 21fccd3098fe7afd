//! The versions of a binding's settings: who, when, why, what differs, and what was made under them.

use domain::settings::{Change, Lists, Settings, differences};
use store::{PageRequest, RunFilter, SavedSettings};
use views::{
    error::{AppError, ErrorCode},
    format::Moment,
    runs::RunRow,
};

use crate::{
    Member, Services, bindings,
    permission::Permission,
    purse::{all_books, base_of},
};

/// How many versions a page shows.
const PAGE: u32 = 20;

/// How many of the runs under a version are shown.
const RUNS: u32 = 25;

/// A version, ready to be shown.
#[derive(Clone)]
pub struct VersionView {
    /// Its number.
    pub version: i64,
    /// When it was saved.
    pub at: Moment,
    /// By whom.
    pub author: String,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// What differs from the version before.
    pub changes: Vec<Change>,
    /// How many runs stand under it.
    pub runs: i64,
    /// The newest of these, on the version's own page.
    pub newest: Vec<RunRow>,
    /// Whether it is the one in force.
    pub is_current: bool,
}

/// A page of versions, newest first.
#[derive(Clone)]
pub struct VersionsView {
    /// The binding's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The versions.
    pub versions: Vec<VersionView>,
    /// The one in force; 0 = none yet.
    pub current: i64,
    /// Where older ones go on.
    pub older: Option<i64>,
    /// Whether the one who looks may restore one.
    pub may_set: bool,
}

/// The versions of a binding below one, newest first.
pub async fn page(
    services: &Services,
    member: &Member,
    id: &str,
    before: Option<i64>,
) -> Result<VersionsView, AppError> {
    let binding = bindings::own(services, member, id).await?;
    let lists = lists(services, &binding).await?;
    // One more: the last one shown is compared with it.
    let saved = services.store.settings_history(binding.id, before, PAGE + 1).await?;
    let current = services.store.current_settings(binding.id).await?.map(|current| current.version);
    let size = PAGE as usize;
    let older =
        (saved.len() > size).then(|| saved.get(size - 1).map(|saved| saved.version.version)).flatten();
    let versions = saved.iter().take(size).enumerate();
    let versions =
        versions.map(|(place, version)| view(version, saved.get(place + 1), &lists, current)).collect();
    Ok(VersionsView {
        id: binding.id.to_string(),
        name: binding.name,
        versions,
        current: current.unwrap_or_default(),
        older,
        may_set: member.may(Permission::ChangeSettings),
    })
}

/// One version, with the newest runs under it.
pub async fn one(
    services: &Services,
    member: &Member,
    id: &str,
    version: i64,
) -> Result<VersionsView, AppError> {
    let binding = bindings::own(services, member, id).await?;
    let lists = lists(services, &binding).await?;
    let saved = services.store.settings_history(binding.id, version.checked_add(1), 2).await?;
    let found = saved.first().filter(|saved| saved.version.version == version).ok_or(ErrorCode::NotFound)?;
    let current = services.store.current_settings(binding.id).await?.map(|current| current.version);
    let filter =
        RunFilter { binding: Some(binding.id), settings_version: Some(version), ..RunFilter::default() };
    let request = PageRequest { filter, limit: RUNS, ..PageRequest::default() };
    let runs = services.store.page_runs(member.organisation(), &request).await?.runs;
    let books = all_books(services, member.organisation()).await?;
    let base = base_of(&books, binding.id);
    let newest = runs.into_iter().map(|run| RunRow::of(run, binding.status, base)).collect();
    let shown = VersionView { newest, ..view(found, saved.get(1), &lists, current) };
    Ok(VersionsView {
        id: binding.id.to_string(),
        name: binding.name,
        versions: vec![shown],
        current: current.unwrap_or_default(),
        older: None,
        may_set: member.may(Permission::ChangeSettings),
    })
}

fn view(
    saved: &SavedSettings,
    before: Option<&SavedSettings>,
    lists: &Lists,
    current: Option<i64>,
) -> VersionView {
    let version = &saved.version;
    let first = Settings::default();
    let base = before.map_or(&first, |before| &before.version.settings);
    VersionView {
        version: version.version,
        at: version.created_at.into(),
        author: saved.author_name.clone().unwrap_or_else(|| "Ledger".to_owned()),
        reason: version.reason.clone(),
        changes: differences(base, &version.settings, lists),
        runs: saved.runs,
        newest: Vec::new(),
        is_current: current == Some(version.version),
    }
}

async fn lists(services: &Services, binding: &store::Binding) -> Result<Lists, AppError> {
    let cached = services.store.reference(binding.id).await?;
    Ok(cached.map(|cached| Lists::of(&cached.set)).unwrap_or_default())
}
