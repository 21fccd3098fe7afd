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
pub(crate) fn unknown_word<T: VariantArray + Into<&'static str> + Copy>(word: &str) -> UnknownWord {
    let allowed: Vec<&str> = T::VARIANTS.iter().map(|one| (*one).into()).collect();
    UnknownWord { word: word.to_owned(), allowed: allowed.join(" ") }
}

/// What strum derives under names that need no trait in scope.
macro_rules! words {
    ($name:ident) => {
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
pub(crate) use words;
