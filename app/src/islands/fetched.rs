//! Pages of the server, fetched by a page that stays open.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, DomParser, HtmlFormElement, RequestInit, Response, SupportedType, Url, UrlSearchParams,
};

/// What the server has answered.
pub struct Fetched {
    /// Where the answer lies, after what redirects there were.
    pub address: Url,
    /// The address that was asked for.
    asked: Url,
    /// The page; none where the answer is an error.
    pub page: Option<Document>,
    /// After how many seconds it is worth trying again, where an error says so.
    pub wait: Option<u32>,
}

impl Fetched {
    /// Whether the answer is another page than the one that was asked for.
    pub fn is_elsewhere(&self) -> bool {
        self.address.pathname() != self.asked.pathname()
    }
}

/// Fetches a page.
pub async fn page(address: &str) -> Result<Fetched, JsValue> {
    fetch(address, &RequestInit::new()).await
}

/// Sends a form as the browser itself would from the page at `path`, with the button that was pressed, and fetches the page that it
/// leads to.
pub async fn submitted(
    form: &HtmlFormElement,
    button: Option<(String, String)>,
    path: &str,
) -> Result<Fetched, JsValue> {
    let fields = web_sys::FormData::new_with_form(form)?;
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&fields)?;
    if let Some((name, value)) = button.filter(|(name, _)| !name.is_empty()) {
        fields.append(&name, &value);
    }
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&fields);
    // A refusal leads back to where the form is, which is not the page's address for a run beside the list.
    request.set_referrer(path);
    // The answer is one for people: it leads back to a page that says what was done.
    let headers = web_sys::Headers::new()?;
    headers.set("accept", "text/html")?;
    request.set_headers(&headers);
    fetch(&form.action(), &request).await
}

async fn fetch(address: &str, request: &RequestInit) -> Result<Fetched, JsValue> {
    let answer: Response =
        JsFuture::from(window().fetch_with_str_and_init(address, request)).await?.dyn_into()?;
    let text = JsFuture::from(answer.text()?).await?.as_string().unwrap_or_default();
    let wait = answer.headers().get("retry-after")?.and_then(|seconds| seconds.parse().ok());
    let page = answer.ok().then(|| DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml));
    Ok(Fetched {
        address: Url::new(&answer.url())?,
        asked: Url::new_with_base(address, &location().href()?)?,
        page: page.transpose()?,
        wait,
    })
}
