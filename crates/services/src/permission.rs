//! What a member may do, and from which role on. The table is docs/people.md's as well; a test compares them.

use domain::run::Role;
use messages::message;

use Permission::{
    ChangeSettings, CheckShops, ConnectShops, ExcludeDocuments, Look, ManagePeople, PauseShops, ReadActivity,
    RetryRuns, UseOwnAccount,
};

/// Something that not every role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See shops, runs, settings and people.
    Look,
    /// Change one’s own password, sessions, second factor and notifications.
    UseOwnAccount,
    /// Retry runs, one or many.
    RetryRuns,
    /// Exclude a document from syncing, and remove the exclusion.
    ExcludeDocuments,
    /// Pause and resume shops.
    PauseShops,
    /// Ask a shop and Sage how they are, and refresh Sage’s lists.
    CheckShops,
    /// Save, restore, export and import settings.
    ChangeSettings,
    /// Pair, connect and disconnect shops.
    ConnectShops,
    /// Invite and remove people, and change their roles.
    ManagePeople,
    /// Read who did what.
    ReadActivity,
}

impl Permission {
    /// All of them, by role.
    pub const ALL: [Self; 10] = [
        Look,
        UseOwnAccount,
        RetryRuns,
        ExcludeDocuments,
        PauseShops,
        CheckShops,
        ChangeSettings,
        ConnectShops,
        ManagePeople,
        ReadActivity,
    ];

    /// The first role that has it; each role has what those before it have.
    pub const fn role(self) -> Role {
        match self {
            Look | UseOwnAccount => Role::Viewer,
            RetryRuns | ExcludeDocuments | PauseShops | CheckShops => Role::Operator,
            ChangeSettings => Role::Accountant,
            ConnectShops | ManagePeople | ReadActivity => Role::Owner,
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Look => message!(permissions.look),
            UseOwnAccount => message!(permissions.use_own_account),
            RetryRuns => message!(permissions.retry_runs),
            ExcludeDocuments => message!(permissions.exclude_documents),
            PauseShops => message!(permissions.pause_shops),
            CheckShops => message!(permissions.check_shops),
            ChangeSettings => message!(permissions.change_settings),
            ConnectShops => message!(permissions.connect_shops),
            ManagePeople => message!(permissions.manage_people),
            ReadActivity => message!(permissions.read_activity),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// `UPDATE_DOCS=1 cargo test -p services permission` writes the table.
    #[test]
    fn the_documentation_has_this_table() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/people.md");
        let (begin, end) = (
            "<!-- permissions: written by a test of crates/services/src/permission.rs -->\n",
            "<!-- /permissions -->",
        );
        let page = fs::read_to_string(file).unwrap();
        let (before, rest) = page.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut table = String::from("\n");
        let heads = Role::ALL.iter().map(|role| format!("`{role}`"));
        table += &row(std::iter::once("what".to_owned()).chain(heads).collect());
        table += &row(vec!["---".to_owned(); Role::ALL.len() + 1]);
        for permission in Permission::ALL {
            let may = |role: &Role| if *role >= permission.role() { "yes" } else { "no" };
            let cells = Role::ALL.iter().map(|role| may(role).to_owned());
            table += &row(std::iter::once(permission.label().to_owned()).chain(cells).collect());
        }
        let written = format!("{before}{begin}{table}\n{end}{after}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(file, &written).unwrap();
        } else {
            assert_eq!(page, written, "docs/people.md has another table");
        }
    }
}
