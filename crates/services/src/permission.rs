//! What a member may do, and from which role on. The table is docs/people.md's as well; a test compares them.

use domain::{run::Role, words};
use messages::message;

macro_rules! permissions {
    ($($(#[$about:meta])* $variant:ident = $word:ident, $role:ident;)+) => {
        words! {
            /// Something that not every role may do.
            pub enum Permission {
                $($(#[$about])* $variant),+
            }
        }

        impl Permission {
            /// The first role that has it; each role has what those before it have.
            pub const fn role(self) -> Role {
                match self { $(Self::$variant => Role::$role),+ }
            }

            /// What people read.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => message!(permissions.$word)),+ }
            }
        }
    };
}

permissions! {
    /// See shops, runs, settings and people.
    Look = look, Viewer;
    /// Change one’s own password, sessions, second factor and notifications.
    UseOwnAccount = use_own_account, Viewer;
    /// Retry runs, one or many.
    RetryRuns = retry_runs, Operator;
    /// Exclude a document from syncing, and remove the exclusion.
    ExcludeDocuments = exclude_documents, Operator;
    /// Pause and resume shops.
    PauseShops = pause_shops, Operator;
    /// Ask a shop and Sage how they are, and refresh Sage’s lists.
    CheckShops = check_shops, Operator;
    /// Save, restore, export and import settings.
    ChangeSettings = change_settings, Accountant;
    /// Pair, connect and disconnect shops.
    ConnectShops = connect_shops, Owner;
    /// Invite and remove people, and change their roles.
    ManagePeople = manage_people, Owner;
    /// Read who did what.
    ReadActivity = read_activity, Owner;
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
