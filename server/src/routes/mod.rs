//! The routes that are no pages.

pub mod consent;
pub mod health;
pub mod live;
pub mod magento;
pub mod refusal;
pub mod webhooks;
