//! What came of a plain form: the answer leads back to the form's page and carries the error in the address.

use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_router::hooks::use_query_map;

use views::error::AppError;

/// The error of the form of this server function that was just sent. (An action would find it by itself, and would bring along
/// the code that sends forms, which these pages leave to the browser.)
pub fn refusal_of<F: ServerFn>() -> Option<AppError> {
    use_query_map().with_untracked(|map| {
        map.get_str("__path").filter(|path| *path == F::PATH)?;
        Some(ServerFnUrlError::<AppError>::decode_err(map.get_str("__err")?))
    })
}
