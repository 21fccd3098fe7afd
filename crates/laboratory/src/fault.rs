//! What goes wrong at a call to Sage, and what its repeat meets.

use simulators::sage::{Kind, Rule};

/// What becomes of the process that made the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It hears that the call failed.
    Hears,
    /// It is killed while the call is under way.
    Killed,
    /// It waits longer than its time-out.
    GivesUp,
}

/// Whether Sage has done what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It never will by itself.
    Not,
    /// It has as soon as the same attempt has asked again.
    AskedAgain,
    /// It has.
    Already,
    /// It will.
    Later,
}

/// A fault of one call.
#[derive(Debug)]
pub struct Fault {
    /// As it is called in a cell's name.
    pub name: &'static str,
    /// As the simulator orders it.
    pub kind: Kind,
    /// What becomes of the process.
    pub fate: Fate,
    /// What becomes of the call.
    pub done: Done,
    rule: fn(Rule) -> Rule,
}

impl Fault {
    /// The rule that strikes the call which this one names.
    pub fn at(&self, call: Rule) -> Rule {
        (self.rule)(call)
    }
}

const fn fault(name: &'static str, kind: Kind, fate: Fate, done: Done, rule: fn(Rule) -> Rule) -> Fault {
    Fault { name, kind, fate, done, rule }
}

fn plain(rule: Rule) -> Rule {
    rule
}

/// All faults of a call.
pub static FAULTS: [Fault; 16] = [
    fault("kill-before", Kind::HangBefore, Fate::Killed, Done::Not, plain),
    fault("kill-after", Kind::HangAfter, Fate::Killed, Done::Already, plain),
    fault("kill-late-40", Kind::HangBefore, Fate::Killed, Done::Later, |rule| rule.after(40)),
    fault("kill-late-400", Kind::HangBefore, Fate::Killed, Done::Later, |rule| rule.after(400)),
    fault("fail-before", Kind::FailBefore, Fate::Hears, Done::Not, plain),
    fault("fail-after", Kind::FailAfter, Fate::Hears, Done::Already, |rule| rule.status(502)),
    fault("cut-before", Kind::CutBefore, Fate::Hears, Done::Not, plain),
    fault("cut-after", Kind::CutAfter, Fate::Hears, Done::Already, plain),
    fault("rate-limit", Kind::RateLimit, Fate::Hears, Done::Not, |rule| rule.retry_after(7)),
    fault("refuse-token", Kind::RefuseTokens, Fate::Hears, Done::AskedAgain, plain),
    fault("late-1", Kind::CommitLate, Fate::Hears, Done::Later, |rule| rule.after(1)),
    fault("late-40", Kind::CommitLate, Fate::Hears, Done::Later, |rule| rule.after(40)),
    fault("late-400", Kind::CommitLate, Fate::Hears, Done::Later, |rule| rule.after(400).bare()),
    fault("slow-before", Kind::HangBefore, Fate::GivesUp, Done::Not, plain),
    fault("slow-after", Kind::HangAfter, Fate::GivesUp, Done::Already, plain),
    fault("slow-late-400", Kind::HangBefore, Fate::GivesUp, Done::Later, |rule| rule.after(400)),
];

/// How the repeat of a call is refused whose first request was, or will be, worked.
#[derive(Debug)]
pub struct Refusal {
    /// As it is called in a cell's name.
    pub name: &'static str,
    status: u16,
    is_bare: bool,
    /// Whether a person may have to retry the run: the refusal looks as if it were meant.
    pub is_final: bool,
}

impl Refusal {
    /// The rule that strikes the repeat which this one names.
    pub fn at(&self, repeat: Rule) -> Rule {
        let rule = repeat.status(self.status);
        if self.is_bare { rule.bare() } else { rule }
    }
}

const fn refusal(name: &'static str, status: u16, is_bare: bool, is_final: bool) -> Refusal {
    Refusal { name, status, is_bare, is_final }
}

/// All refusals of a repeat.
pub static REFUSALS: [Refusal; 7] = [
    refusal("404", 404, false, true),
    refusal("404-bare", 404, true, true),
    refusal("409", 409, false, false),
    refusal("413", 413, true, true),
    refusal("422", 422, false, true),
    refusal("423", 423, false, false),
    refusal("425", 425, false, false),
];
