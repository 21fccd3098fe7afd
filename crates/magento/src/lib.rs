#![doc = include_str!("../README.md")]

pub mod address;
mod client;
mod error;
mod json;
mod keys;
mod message;
mod pairing;
mod reply;
mod shop_url;
mod sync_state;
mod token;

pub use address::is_public;
pub use client::{Client, Fetched, Options, PaymentMethod, Shop};
pub use error::{Class, Error, TransportFailure};
pub use keys::SubKeys;
pub use shop_url::{ShopUrl, UrlError};
pub use sync_state::{SyncStateBody, SyncStatus};
pub use token::{TokenError, Verified, bearer, mint, subject, verify};
