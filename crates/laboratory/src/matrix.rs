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
use domain::settings::SafeMode;
use tokio::runtime::{Builder, Runtime};

use crate::{
    books::Verdict,
    cell::{Cell, Clocks, Disturbance, Traces, product},
    database::Database,
    family::Family,
    play::{Report, play, watch},
};

/// Words of the names of cells that were not well once: they are always played.
const ONCE_FAILED: [&str; 8] = [
    // An invoice went out for a contact that is no more, and its customer had another one by then.
    "changed/post- sales_invoices/kill-before/contact-deleted even",
    // A draft whose deletion was not heard stayed `sage_not_found`.
    "withdrawn/delete- /kill-after/same even",
    // The note and the refund of an edited total went out against the posted one.
    "drafts/ sales_credit_notes/cut-before/sums-edited even",
    "part-paid/post-2-contact_payments/cut-before/sums-edited even",
    // An update landed over a later one.
    "changed/put- contacts/late-40/edited even",
    "changed/put- stock_items/held-before/edited even",
    // A stock item that was deleted in Sage stayed `sage_not_found`.
    "changed/put- stock_items/fail-before/deleted even",
    // Another run moved the stock that an unanswered movement was still to move.
    "changed/post- stock_movements/late-40/edited even",
];

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

/// The cells of a form whose names contain all words of a text.
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
    cells.retain(|cell| is_named(cell, only));
    if form == Form::Long || !only.is_empty() {
        return cells;
    }
    let has_failed = |cell: &Cell| ONCE_FAILED.iter().any(|words| is_named(cell, words));
    let (mut chosen, others): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(has_failed);
    chosen.extend(sample(others));
    chosen
}

/// Whether a cell's name contains all words of a text.
fn is_named(cell: &Cell, words: &str) -> bool {
    let name = cell.name();
    words.split_whitespace().all(|word| name.contains(word))
}

/// One cell of each row and sequel on each database, and of each row and clock, at another place each time.
fn sample(cells: Vec<Cell>) -> Vec<Cell> {
    let mut alike: BTreeMap<_, Vec<Cell>> = BTreeMap::new();
    for cell in cells {
        // The slice on Postgres leaves out how repeats are refused: that is decided above the database.
        let is_refused = matches!(cell.disturbance, Disturbance::Call { refusal: Some(_), .. });
        // So is how an update or a deletion goes on; what of it is kept is tried on both by the cells that failed once.
        let is_change = cell.disturbance.write().is_some_and(|write| write.method != "POST");
        if (is_refused || is_change) && cell.database == "postgres"
            || is_change && cell.clocks != Clocks::Even
        {
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
    for (number, mut alike) in alike.into_values().enumerate() {
        // No row is empty.
        let place = number * 7 % alike.len();
        chosen.push(alike.swap_remove(place));
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
