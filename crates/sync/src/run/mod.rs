//! A claimed run, from its event to its outcome.

pub mod catalogue;
pub mod credit_memo;
pub mod edited;
pub mod follow;
pub mod invoice;
pub mod order;
mod originals;
pub mod outage;
pub mod outcome;
pub mod process;
pub mod sale;
pub mod sync_state;
