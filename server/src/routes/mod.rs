//! The routes that are no pages.

pub mod consent;
pub mod embed;
pub mod export;
pub mod health;
pub mod live;
pub mod magento;
pub mod metrics;
pub mod refusal;
pub mod settings_file;
pub mod webhooks;
