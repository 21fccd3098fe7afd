//! What an attempt is made with, beneath posting and the runs: the work, its log, its trail, and why it may not go on.

pub mod audit_trail;
pub mod disposition;
pub mod fetch;
pub mod known;
pub mod lease;
pub mod log;
pub mod planning;
pub mod sage_answers;
pub mod work;
