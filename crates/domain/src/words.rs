//! Words of fixed sets, as they are stored, sent and shown.

use strum::VariantArray;

/// A word that is not among those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {allowed}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been understood.
    pub allowed: String,
}

/// A word that a set does not have.
pub fn unknown_word<T: VariantArray + Into<&'static str> + Copy>(word: &str) -> UnknownWord {
    let allowed: Vec<&str> = T::VARIANTS.iter().map(|one| (*one).into()).collect();
    UnknownWord { word: word.to_owned(), allowed: allowed.join(" ") }
}

/// An enum whose variants are words in `snake_case`, or as their own attributes say: strum reads, writes and lists them, serde carries
/// them, and the names below need no trait in scope.
#[macro_export]
macro_rules! words {
    ($(#[$about:meta])* $visibility:vis enum $name:ident { $($variants:tt)+ }) => {
        $(#[$about])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, strum::Display,
            strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(
            serialize_all = "snake_case",
            parse_err_ty = $crate::words::UnknownWord,
            parse_err_fn = $crate::words::unknown_word::<$name>
        )]
        $visibility enum $name { $($variants)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The word as it is stored and sent.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }
    };
}
