//! `ledger doctor`: looks at everything that Ledger needs, and says what is wrong, what that means and what to do. It changes
//! nothing but a heartbeat in the store, and tokens of Sage's that are due to be refreshed.

mod bindings;
mod machine;
mod people;
mod servers;

use std::process::ExitCode;

use clap::Args;
use messages::message;
use serde::Serialize;

use super::output::Output;
use crate::{config::Config, lifecycle::Failure};

/// How the doctor looks.
#[derive(Args)]
pub struct DoctorArgs {
    /// Does not contact Sage, the shops or the public address: nothing leaves the machine.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    output: Output,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// To be fixed.
    Problem,
}

/// What a look has found.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at: a stable word.
    check: &'static str,
    /// The binding it is about; none where it is about the machine.
    binding: Option<String>,
    state: State,
    /// What was found.
    says: String,
    /// What it means; empty where all is well.
    means: String,
    /// What to do.
    to_do: String,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            binding: None,
            state: State::Ok,
            says: says.into(),
            means: String::new(),
            to_do: String::new(),
        }
    }

    fn note(check: &'static str, says: impl Into<String>, means: &str, to_do: &str) -> Self {
        let (means, to_do) = (means.to_owned(), to_do.to_owned());
        Self { state: State::Note, means, to_do, ..Self::ok(check, says) }
    }

    fn problem(check: &'static str, says: impl Into<String>, means: &str, to_do: &str) -> Self {
        Self { state: State::Problem, ..Self::note(check, says, means, to_do) }
    }

    fn of(self, binding: &store::Binding) -> Self {
        Self { binding: Some(format!("{} ({})", binding.name, binding.id)), ..self }
    }
}

#[derive(Serialize)]
struct Diagnosis {
    /// Whether there is no problem; notes do not count.
    well: bool,
    findings: Vec<Finding>,
}

/// Looks; a failure where something is to be fixed.
pub async fn run(config: &Config, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let mut findings = machine::configuration(config);
    if !args.offline {
        findings.push(machine::public_address(config).await);
    }
    findings.push(servers::mail(config, !args.offline).await);
    let (of_store, store) = machine::database(config).await;
    findings.extend(of_store);
    if let Some(store) = store {
        findings.extend(people::look(config, &*store).await);
        findings.extend(bindings::look(config, &store, !args.offline).await);
        store.close().await;
    }
    let well = findings.iter().all(|finding| finding.state != State::Problem);
    let diagnosis = Diagnosis { well, findings };
    args.output.print(&diagnosis, || words(&diagnosis))?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(diagnosis: &Diagnosis) -> String {
    let mut lines = Vec::new();
    for finding in &diagnosis.findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Problem => "PROBLEM",
        };
        let about = finding.binding.as_ref().map(|binding| format!("{binding}: ")).unwrap_or_default();
        lines.push(format!("{state:<8} {:<14} {about}{}", finding.check, finding.says));
        let more = [&finding.means, &finding.to_do];
        lines.extend(more.into_iter().filter(|line| !line.is_empty()).map(|line| format!("{:24}{line}", "")));
    }
    let problems = diagnosis.findings.iter().filter(|finding| finding.state == State::Problem).count();
    lines.push(if problems == 0 {
        concat!("\n", message!(doctor.result.well)).to_owned()
    } else {
        format!("\n{}", message!(doctor.result.problems, count = problems))
    });
    lines.join("\n")
}
