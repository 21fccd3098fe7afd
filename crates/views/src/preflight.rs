//! What will fail before the first invoice does, as the page of a binding shows it.

use domain::preflight::{Finding, Severity};
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
            (true, _, _) => "Documents will not arrive in Sage before this is mended:",
            (false, true, _) => "Documents will arrive in Sage. Some things may not go as expected:",
            (false, false, true) => "Nothing stands in the way.",
            (false, false, false) => "Nothing is known to stand in the way.",
        }
    }
}

/// A severity in a person's word.
pub const fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocks => "Stops documents",
        Severity::Warns => "Mind this",
        Severity::Fine => "Fine",
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
        assert!(view(&[NoSettings, NotRegistered], true).sentence().starts_with("Documents will not"));
        assert!(view(&[NotRegistered, SettingsFit], true).sentence().starts_with("Documents will arrive"));
        assert_eq!(view(&[SettingsFit], true).sentence(), "Nothing stands in the way.");
        assert_eq!(view(&[SettingsFit], false).sentence(), "Nothing is known to stand in the way.");
    }
}
