//! What lives in the browser: each island is rendered on the server with its page, and wakes up there.

pub mod live;
pub mod live_line;
pub mod runs_list;
pub mod settings_form;
