//! JSON between the browser's islands and server functions.
//!
//! It is what `server_fn` sends by itself, but read from text, as an island's properties are: a bundle then holds one reader of each
//! view, and not one of text and one of bytes.

use serde::{Serialize, de::DeserializeOwned};
use server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post};

/// What server functions answer with.
pub type Json = Post<TextJson>;

/// JSON that is read from text.
pub struct TextJson;

impl ContentType for TextJson {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for TextJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for TextJson {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for TextJson {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        // What is no text is no JSON either, and is refused as such.
        serde_json::from_str(str::from_utf8(&bytes).unwrap_or_default())
    }
}
