#![doc = include_str!("../README.md")]

pub mod account;
pub mod activity;
mod address_code;
pub mod alerting;
pub mod alerts;
pub mod bindings;
pub mod client_info;
pub mod connecting;
mod connection_progress;
pub mod cookies;
pub mod device;
pub mod embed;
pub mod history;
pub mod joining;
mod member;
pub mod overview;
pub mod password;
pub mod people;
pub mod permission;
mod purse;
pub mod rate_limit;
pub mod reveal_once;
pub mod run;
pub mod sealing;
pub mod second_factor;
mod services;
pub mod session;
pub mod settings;
pub mod setup;
pub mod test_document;
pub mod tokens;
pub mod visit;

pub use member::{Member, brings_session, is_signed_in, member_of};
pub use services::Services;
