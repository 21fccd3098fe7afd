//! What stands around the rows of the history: the search, the ways to other lists, the filters. Each is given the frame and follows it.

#[cfg(feature = "ssr")]
pub mod filters;
pub mod saved_views;
#[cfg(feature = "ssr")]
pub mod search;
pub mod status_pills;
