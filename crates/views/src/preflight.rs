//! What will fail before the first invoice does, as the page of a binding shows it.

use domain::preflight::{Finding, Severity};
use messages::message;
use serde::{Deserialize, Serialize};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightView {
    /// What stops documents, what may, what is well; none where there is nothing to look at.
    pub findings: Vec<Finding>,
    /// Whether the shop and Sage were asked just now.
    pub asked: bool,
    /// Whether the one who looks may have them asked.
    pub may_ask: bool,
}

impl PreflightView {
    /// What a person has to look at.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.code.severity() != Severity::Fine)
    }

    /// What is well.
    pub fn fine(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.code.severity() == Severity::Fine)
    }

    /// The whole in a sentence.
    pub fn sentence(&self) -> &'static str {
        let blocks = self.findings.iter().any(|finding| finding.code.severity() == Severity::Blocks);
        match (blocks, self.open().next().is_some(), self.asked) {
            (true, _, _) => message!(preflight.summary.blocked),
            (false, true, _) => message!(preflight.summary.warned),
            (false, false, true) => message!(preflight.summary.fine),
            (false, false, false) => message!(preflight.summary.fine_so_far),
        }
    }
}

/// A severity in a person's word.
pub const fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocks => message!(preflight.severity.blocks),
        Severity::Warns => message!(preflight.severity.warns),
        Severity::Fine => message!(preflight.severity.fine),
    }
}

#[cfg(test)]
mod tests {
    use domain::preflight::FindingCode;

    use super::*;

    fn view(codes: &[FindingCode], asked: bool) -> PreflightView {
        let finding = |code: &FindingCode| Finding { code: *code, detail: String::new() };
        PreflightView { findings: codes.iter().map(finding).collect(), asked, may_ask: true }
    }

    #[test]
    fn the_whole_is_as_bad_as_its_worst_part() {
        use FindingCode::{NoSettings, NotRegistered, SettingsFit};
        assert!(view(&[NoSettings, NotRegistered], true).sentence().starts_with("Documents cannot"));
        assert!(view(&[NotRegistered, SettingsFit], true).sentence().starts_with("Documents will reach"));
        assert_eq!(view(&[SettingsFit], true).sentence(), message!(preflight.summary.fine));
        assert_eq!(view(&[SettingsFit], false).sentence(), message!(preflight.summary.fine_so_far));
    }
}
