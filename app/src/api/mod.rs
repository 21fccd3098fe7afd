//! Server functions. Each is a public address: it asks who is calling, then calls one service function.

pub mod bindings;
pub mod runs;
pub mod session;
