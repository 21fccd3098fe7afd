//! What lives in the browser: each island is rendered on the server with its page, and wakes up there.

pub mod bulk;
pub mod causes;
mod copy;
pub mod desk;
mod desk_keys;
mod fetched;
mod focus;
mod forms;
pub mod history;
pub mod live;
pub mod live_line;
pub mod live_parts;
mod morph;
mod refetch;
mod row_keys;
mod rows_view;
mod run_panel;
mod runs_list;
mod selection;
pub mod settings_form;
pub mod toast;
mod zone;
