//! The steps of a shop's first day, as pages show them.

use domain::setup::SetupStep;
use messages::message;
use serde::{Deserialize, Serialize};

/// The steps of a shop that is not set up yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    /// The shop's name and the address of its page; none before it is paired.
    pub shop: Option<(String, String)>,
    /// All steps, in their order.
    pub steps: Vec<SetupStepView>,
    /// The id of the shop that an invoice can be sent from as a test, where that is the next step and the one who looks may.
    pub test: Option<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupStepView {
    /// What it is.
    pub step: SetupStep,
    /// Whether it is done.
    pub is_done: bool,
    /// Whether it comes next.
    pub is_next: bool,
    /// Where it is done; none for those who may not, and where it is not its turn.
    pub href: Option<String>,
    /// What to do, while it comes next.
    pub hint: Option<String>,
}

impl SetupView {
    /// The step that comes next.
    pub fn next(&self) -> Option<&SetupStepView> {
        self.steps.iter().find(|step| step.is_next)
    }

    /// How far it has come: `Step 4 of 5`.
    pub fn place(&self) -> String {
        let done = self.steps.iter().filter(|step| step.is_done).count();
        message!(setup.text.place, place = done + 1, count = self.steps.len())
    }
}
