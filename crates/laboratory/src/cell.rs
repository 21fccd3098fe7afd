//! A cell of the matrix: one family, one thing that goes wrong, what happens next, where, and under which clock.

use chrono::TimeDelta;

use crate::{
    family::Family,
    fault::{Done, FAULTS, Fault, REFUSALS, Refusal},
    gate::Point,
    sequel::Sequel,
    write::Write,
};

/// How the machines' clocks stand to the true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// All show it.
    Even,
    /// The first process is three hours ahead, whoever takes over is not.
    Ahead,
    /// The first process is three hours behind.
    Behind,
    /// The process that takes over is 100 seconds ahead, which is longer than a lease.
    Skewed,
}

impl Clocks {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Even, Self::Ahead, Self::Behind, Self::Skewed];

    /// As they are called in a cell's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Ahead => "ahead",
            Self::Behind => "behind",
            Self::Skewed => "skewed",
        }
    }

    /// How far the first process is off, and the one after it.
    pub const fn skews(self) -> (TimeDelta, TimeDelta) {
        let none = TimeDelta::zero();
        match self {
            Self::Even => (none, none),
            Self::Ahead => (TimeDelta::hours(3), none),
            Self::Behind => (TimeDelta::hours(-3), none),
            Self::Skewed => (none, TimeDelta::seconds(100)),
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Disturbance {
    /// Nothing but what happens next, after so many events.
    Nothing {
        /// So many have been worked.
        events: usize,
    },
    /// A call to Sage.
    Call {
        /// Which.
        write: Write,
        /// The fault.
        fault: &'static Fault,
        /// How its repeat is refused.
        refusal: Option<&'static Refusal>,
    },
    /// The process is killed at a point of its gate.
    Kill {
        /// Its number.
        point: usize,
    },
    /// The process stands still at a point of its gate for longer than its lease, another one takes over, and then it goes on.
    Zombie {
        /// Its number.
        point: usize,
    },
    /// The same while a call of it is on its way to Sage (or, `heard` late, on its way back).
    Held {
        /// The call.
        write: Write,
        /// Whether Sage has worked it when the process stands still.
        is_worked: bool,
    },
}

impl Disturbance {
    /// The call that is disturbed, where it is one.
    pub const fn write(&self) -> Option<&Write> {
        match self {
            Self::Call { write, .. } | Self::Held { write, .. } => Some(write),
            _ => None,
        }
    }
}

/// What a family does when nothing goes wrong: the stopping points, derived from the code by watching it.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The calls that change something in Sage.
    pub writes: Vec<Write>,
    /// The calls of the store.
    pub points: Vec<Point>,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The documents.
    pub family: Family,
    /// What goes wrong.
    pub disturbance: Disturbance,
    /// What happens next.
    pub sequel: Sequel,
    /// The database.
    pub database: &'static str,
    /// The clocks.
    pub clocks: Clocks,
    /// Where the disturbed call goes, or which call of the store it is at.
    pub place: String,
}

impl Cell {
    /// The name by which it can be played again: `make matrix ONLY=name`.
    pub fn name(&self) -> String {
        let what = match &self.disturbance {
            Disturbance::Nothing { events } => format!("after-{events}"),
            Disturbance::Call { write, fault, refusal } => {
                let then = refusal.map(|refusal| format!("-then-{}", refusal.name)).unwrap_or_default();
                format!("{write}/{}{then}", fault.name)
            }
            Disturbance::Kill { point } => format!("point-{point}-{}/kill", self.place),
            Disturbance::Zombie { point } => format!("point-{point}-{}/zombie", self.place),
            Disturbance::Held { write, is_worked } => {
                format!("{write}/held-{}", if *is_worked { "after" } else { "before" })
            }
        };
        let (family, sequel) = (self.family.name(), self.sequel.name());
        format!("{family}/{what}/{sequel}/{}/{}", self.database, self.clocks.name())
    }

    /// The row of the table that it belongs to.
    pub fn row(&self) -> String {
        match &self.disturbance {
            Disturbance::Nothing { .. } => "no fault".to_owned(),
            Disturbance::Call { write, fault, refusal } => {
                let then =
                    refusal.map(|refusal| format!(", repeat refused {}", refusal.name)).unwrap_or_default();
                format!("{}{}{then}", fault.name, write.kind())
            }
            Disturbance::Kill { .. } => "kill at a call of the store".to_owned(),
            Disturbance::Zombie { .. } => "zombie at a call of the store".to_owned(),
            Disturbance::Held { write, is_worked } => {
                let stands = if *is_worked { "answered" } else { "under way" };
                format!("zombie with a call{} {stands}", write.kind())
            }
        }
    }

    /// Whether a person may have to press "Retry" before all is well.
    pub fn may_need_a_person(&self) -> bool {
        let refused =
            matches!(&self.disturbance, Disturbance::Call { refusal: Some(refusal), .. } if refusal.is_final);
        refused
            || matches!(self.sequel, Sequel::Voided | Sequel::Deleted | Sequel::SumsEdited)
            || self.family.needs_a_person()
    }
}

/// What a family does, as it is and where its documents go through drafts.
#[derive(Clone, Debug)]
pub struct Traces {
    /// As it is.
    pub plain: Trace,
    /// With drafts.
    pub drafted: Trace,
}

impl Traces {
    /// What is disturbed before this sequel.
    const fn before(&self, sequel: Sequel) -> &Trace {
        if matches!(sequel, Sequel::SafeModeEnds) { &self.drafted } else { &self.plain }
    }
}

/// Every cell of a family on a database.
pub fn product(family: Family, traces: &Traces, database: &'static str) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut add = |disturbance: Disturbance, sequel: Sequel, clocks: Clocks, place: &str| {
        cells.push(Cell { family, disturbance, sequel, database, clocks, place: place.to_owned() });
    };
    for sequel in Sequel::ALL {
        let trace = traces.before(sequel);
        for write in &trace.writes {
            faults(family, sequel, write, &mut add);
        }
        if !sequel.can_follow(family, None, Done::Not) {
            continue;
        }
        for events in 1..=family.events().len() {
            add(Disturbance::Nothing { events }, sequel, Clocks::Even, "");
        }
        for write in &trace.writes {
            for (is_worked, clocks) in [false, true].into_iter().zip([Clocks::Even, Clocks::Skewed]) {
                for is_worked in [is_worked, !is_worked] {
                    add(Disturbance::Held { write: write.clone(), is_worked }, sequel, clocks, &write.place);
                }
            }
        }
        for (point, stop) in trace.points.iter().enumerate() {
            let place = format!("{}-{}", stop.side, stop.call);
            for clocks in clocks_of(sequel, &Clocks::ALL) {
                add(Disturbance::Kill { point }, sequel, clocks, &place);
                add(Disturbance::Zombie { point }, sequel, clocks, &place);
            }
        }
    }
    cells
}

/// The faults of one call, and how its repeat may be refused.
fn faults(
    family: Family,
    sequel: Sequel,
    write: &Write,
    add: &mut impl FnMut(Disturbance, Sequel, Clocks, &str),
) {
    for fault in FAULTS.iter().filter(|fault| sequel.can_follow(family, Some(write), fault.done)) {
        for clocks in clocks_of(sequel, &[Clocks::Even, Clocks::Ahead, Clocks::Behind]) {
            let call = Disturbance::Call { write: write.clone(), fault, refusal: None };
            add(call, sequel, clocks, &write.place);
        }
        if matches!(fault.done, Done::Already | Done::Later) {
            for refusal in &REFUSALS {
                let call = Disturbance::Call { write: write.clone(), fault, refusal: Some(refusal) };
                add(call, sequel, Clocks::Even, &write.place);
            }
        }
    }
}

/// Wrong clocks are tried where nothing else happens next.
fn clocks_of(sequel: Sequel, clocks: &[Clocks]) -> impl Iterator<Item = Clocks> {
    let is_tried = move |clocks: &Clocks| sequel == Sequel::Same || *clocks == Clocks::Even;
    clocks.iter().copied().filter(is_tried)
}
