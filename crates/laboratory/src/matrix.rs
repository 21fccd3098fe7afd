//! The matrix: its cells, two forms of it, and playing them on all cores.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chrono::TimeDelta;
use domain::policy::SafeMode;
use tokio::runtime::{Builder, Runtime};

use crate::{
    books::Verdict,
    cell::{Cell, Disturbance, Traces, product},
    database::Database,
    family::Family,
    play::{Report, play, watch},
};

/// At how many places of each kind the quick form tries a fault on `SQLite`.
const PLACES: usize = 2;

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Some cells of every row, in continuous integration.
    Quick,
    /// Every cell.
    Long,
}

/// The databases that there are.
pub fn databases() -> Vec<Database> {
    runtime().block_on(async {
        let mut databases = vec![Database::sqlite().await];
        databases.extend(Database::postgres().await);
        databases
    })
}

/// The cells of a form whose names contain a text.
pub fn cells(form: Form, databases: &[Database], only: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    for family in Family::ALL {
        // The code is the same above both databases, and so are its stopping points.
        let watched = |safe_mode| runtime().block_on(watch(&databases[0], family, safe_mode));
        let traces = Traces { plain: watched(family.safe_mode()), drafted: watched(SafeMode::Always) };
        for database in databases {
            cells.extend(product(family, &traces, database.name()));
        }
    }
    cells.retain(|cell| cell.name().contains(only));
    if form == Form::Quick && only.is_empty() { sample(cells) } else { cells }
}

/// One cell of each row and sequel on each database, and of each row and clock, at another place each time.
fn sample(cells: Vec<Cell>) -> Vec<Cell> {
    let mut alike: BTreeMap<_, Vec<Cell>> = BTreeMap::new();
    for cell in cells {
        // The slice on Postgres leaves out how repeats are refused: that is decided above the database.
        let is_refused = matches!(cell.disturbance, Disturbance::Call { refusal: Some(_), .. });
        if is_refused && cell.database == "postgres" {
            continue;
        }
        let row = if is_refused {
            cell.row().split_once(',').map_or_else(String::new, |row| row.1.to_owned())
        } else {
            cell.row()
        };
        alike.entry((cell.database, row, cell.sequel, cell.clocks.name())).or_default().push(cell);
    }
    let mut chosen = Vec::new();
    for (number, ((database, ..), mut alike)) in alike.into_iter().enumerate() {
        let wanted = if database == "postgres" { 1 } else { PLACES };
        for place in 0..wanted.min(alike.len()) {
            let step = (number * 7 + place * 13) % alike.len();
            chosen.push(alike.swap_remove(step));
        }
    }
    chosen
}

/// How many cells are played at once for each core: most of a cell's time is spent waiting for its own sockets.
const FOR_EACH_CORE: usize = 4;

/// Plays cells, several at once.
pub fn play_all(cells: &[Cell], databases: &[Database], told: impl Fn(&Report) + Sync) -> Vec<Report> {
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores * FOR_EACH_CORE {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let report = play_one(cell, databases);
                    told(&report);
                    reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn play_one(cell: &Cell, databases: &[Database]) -> Report {
    let database = databases.iter().find(|database| database.name() == cell.database);
    let played = catch_unwind(AssertUnwindSafe(|| runtime().block_on(play(cell, database.unwrap()))));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Report {
            cell: cell.clone(),
            verdict: Verdict::Stuck,
            reasons: vec![format!("the cell ended by a panic: {}", text.unwrap_or_default())],
            took: TimeDelta::zero(),
        }
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
