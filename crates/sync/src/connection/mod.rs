//! What ties a shop to a Sage business: pairing, consent, credentials and tokens, preflight, backfills.

pub mod backfill;
pub mod connect;
pub mod consent;
pub mod credentials;
pub mod error;
pub mod pairing;
pub mod preflight;
pub mod rotation;
pub mod shop;
pub mod tokens;
