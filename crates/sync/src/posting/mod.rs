//! A plan is performed at Sage: call by call, each create once whatever happens.

pub mod body;
pub mod change;
pub mod create;
pub mod create_rules;
pub mod drafts;
pub mod execute;
pub mod execution;
pub mod posted_record;
pub mod sealed_call;
pub mod search;
pub mod sums;
pub mod write;
