//! The Sage simulator keeps to the specification of the API.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod api;
mod countries;
mod documents;
mod faults;
mod lists;
mod oauth;
mod payments;
mod vat_return;
