#![doc = include_str!("../README.md")]
#![deny(
    clippy::float_arithmetic,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::lossy_float_literal
)]

mod businesses;
mod checks;
mod circuit;
mod client;
mod connection;
mod endpoints;
mod error;
mod limits;
mod messages;
mod oauth;
mod reference;
mod tokens;

pub use businesses::{Business, Subscription, User};
pub use checks::Finances;
pub use circuit::CircuitSettings;
pub use client::{Answer, Client};
pub use connection::{Connection, FixedToken, Ready, TokenSource};
pub use endpoints::{App, Endpoints};
pub use error::{Class, Error, FailedCall, TransportFailure};
pub use limits::{LimitSettings, Limits, Rate, Repeats};
pub use messages::Message;
pub use oauth::{Pkce, authorize_url};
pub use reference::{Progress, fetch_reference_set};
pub use tokens::Tokens;

#[cfg(test)]
mod stub;
