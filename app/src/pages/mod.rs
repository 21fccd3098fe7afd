//! One file a route: reads the URL, asks the server functions, puts components together.

pub mod account;
pub mod activity;
pub mod alerts;
pub mod binding;
pub mod bindings;
pub mod bulk;
pub mod causes;
pub mod connect_magento;
pub mod connect_sage;
pub mod connecting;
pub mod dashboard;
pub mod embed;
pub mod history;
pub mod invitation;
pub mod members;
pub mod not_found;
pub mod overview;
pub mod preflight;
pub mod run;
pub mod second_step;
pub mod settings;
pub mod sign_in;
pub mod versions;
