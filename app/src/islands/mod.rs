//! What lives in the browser: each island is rendered on the server with its page, and wakes up there.

pub mod settings_watcher;
