//! Members are told: by e-mail and by signed webhooks, from a queue of its own with its own retries.

mod deliver;
mod hook;
mod mail;
mod message;
mod refusal;
mod send;
mod transports;

pub use hook::{HookUrlError, Hooks, new_secret, signature};
pub use mail::{Mail, MailError};
pub use refusal::Refusal;
pub use transports::AlertTransports;

pub use deliver::deliver_due;

pub(crate) use deliver::AlertOutbox;
