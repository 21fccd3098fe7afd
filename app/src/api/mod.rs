//! Server functions. Each is a public address: it asks who is calling, then calls one service function.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod alerts;
#[cfg(feature = "ssr")]
pub mod bindings;
#[cfg(feature = "ssr")]
pub mod people;
pub mod runs;
pub mod session;
pub mod settings;
