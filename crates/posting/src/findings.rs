//! What a translation finds out on its way: each choice with its rule, and what a person should know.

use domain::{
    code::Code,
    plan::{Call, Plan, Predicted, RefusedSums, Rule, Verdict},
    settings::cards::field_of,
};
use messages::message;

use crate::context::KnownRecord;

/// A plan that ends the translation early: a skip, a hold or a failure. Boxed, because it is large and rare.
pub(crate) type NotPosted = Box<Plan>;

/// A setting that a document needs and the settings lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingSetting {
    /// The setting's path, such as `tax_rate_map.20.00`.
    pub setting: String,
    /// The same in a sentence.
    pub sentence: String,
}

/// What people know a setting as, by its path.
pub(crate) fn label_of(setting: &str) -> &str {
    field_of(setting).map_or(setting, |field| field.label)
}

/// Nobody reads more notes of one document.
const MOST_NOTES: usize = 200;

/// The rules and notes of a plan in the making.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Each choice, and why.
    pub rules: Vec<Rule>,
    /// What was cut, coerced or found out.
    pub notes: Vec<String>,
}

impl Findings {
    /// Remembers a choice.
    pub fn rule(
        &mut self,
        subject: impl Into<String>,
        chosen: impl Into<String>,
        rule: impl Into<String>,
        input: impl Into<String>,
    ) {
        self.add(Rule {
            subject: subject.into(),
            chosen: chosen.into(),
            rule: rule.into(),
            input: input.into(),
        });
    }

    /// Remembers a choice that was made before.
    pub fn add(&mut self, rule: Rule) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }

    /// Remembers something for a person.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The plan that waits for missing settings: the message names each, and each is a rule of its own, so that documents can
    /// be counted by what they wait for.
    pub fn hold_for(&self, missing: &[MissingSetting]) -> NotPosted {
        let sentences: Vec<&str> = missing.iter().map(|one| one.sentence.as_str()).collect();
        let mut plan = Plan::hold(Code::NeedsMapping, sentences.join(" "));
        plan.rules.clone_from(&self.rules);
        plan.notes.clone_from(&self.notes);
        plan.rules.extend(missing.iter().map(|one| Rule {
            subject: "missing setting".to_owned(),
            chosen: String::new(),
            rule: Code::NeedsMapping.as_str().to_owned(),
            input: one.setting.clone(),
        }));
        Box::new(plan)
    }

    /// Held, with what was found out so far.
    pub fn hold(&self, code: Code, message: impl Into<String>) -> NotPosted {
        let mut plan = Plan::hold(code, message);
        plan.rules.clone_from(&self.rules);
        plan.notes.clone_from(&self.notes);
        Box::new(plan)
    }

    /// The plan that fails, with what was found so far.
    pub fn fail(&self, code: Code, message: impl Into<String>) -> NotPosted {
        let mut plan = Plan::fail(code, message);
        plan.rules.clone_from(&self.rules);
        plan.notes.clone_from(&self.notes);
        Box::new(plan)
    }

    /// The plan of a document whose sums differ, with both: people are shown them side by side.
    pub fn refuse(&self, message: impl Into<String>, sums: RefusedSums) -> NotPosted {
        let plan = self.fail(Code::TotalsMismatch, message);
        // A document may contradict itself although its sums agree: then they explain nothing.
        let differ = sums.total != sums.other_total || sums.tax.is_some_and(|tax| tax != sums.other_tax);
        Box::new(Plan { refused_sums: differ.then_some(sums), ..*plan })
    }
}

/// The plan that posts these calls.
pub(crate) fn plan_of(calls: Vec<Call>, predicted: Option<Predicted>, findings: Findings) -> Plan {
    let Findings { rules, notes } = findings;
    let (refused_sums, readings) = (None, Vec::new());
    Plan {
        verdict: Verdict::Post,
        code: None,
        message: None,
        calls,
        predicted,
        refused_sums,
        readings,
        rules,
        notes,
    }
}

/// The plan of a document that is in Sage: nothing is left to do, so a retry never makes a second one.
pub(crate) fn already(what: &str, known: &KnownRecord) -> Plan {
    let mut findings = Findings::default();
    let name = known.displayed_as.as_deref().unwrap_or(&known.sage_id);
    findings.note(message!(plan_notes.already, document = what, name = name));
    plan_of(Vec::new(), None, findings)
}
