//! The Magento simulator against the recorded samples of the real module: the same bytes in, the same bytes
//! out. The recorded requests are sent as they are, with the shop's clock set to the minute of the recording.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as a test")]

#[path = "magento/documents.rs"]
mod documents;
#[path = "magento/inbound.rs"]
mod inbound;
#[path = "magento/outbound.rs"]
mod outbound;
#[path = "magento/outbox.rs"]
mod outbox;
#[path = "magento/support.rs"]
mod support;
