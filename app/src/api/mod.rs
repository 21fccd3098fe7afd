//! Server functions. Each is a public address: it asks who is calling, then calls one service function.

#[cfg(feature = "ssr")]
pub mod bindings;
pub mod runs;
pub mod session;
