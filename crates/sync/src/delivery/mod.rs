//! What goes out to many others, each queue with its own retries.

pub mod outbox;
pub mod pace;
pub mod sync_states;
