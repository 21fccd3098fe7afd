//! A plan is performed at Sage: call by call, each create once whatever happens.

pub mod body;
pub mod change;
pub mod create;
pub mod create_rules;
pub mod drafts;
pub mod made;
pub mod perform;
pub mod performance;
pub mod sealed_call;
pub mod search;
pub mod sums;
pub mod write;
