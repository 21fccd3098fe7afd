//! The pages that a person sees: consent, and a record opened from its link.

use std::collections::HashMap;

use serde_json::Value;

/// The fields of a query or a form; the last of a name counts.
pub(super) type Form = HashMap<String, String>;

/// The consent page: a form that posts what it was asked with, the country and the decision.
pub(super) fn page(form: &Form) -> String {
    let mut fields: Vec<_> = form.iter().filter(|(name, _)| *name != "country").collect();
    fields.sort();
    let hide = |(name, value): (&String, &String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value))
    };
    let hidden: String = fields.into_iter().map(hide).collect();
    let chosen = form.get("country").map_or("gb", String::as_str);
    let option = |code: &str, name: &str| {
        let selected = if code == chosen { " selected" } else { "" };
        format!("<option value=\"{code}\"{selected}>{name}</option>")
    };
    let options = [option("gb", "United Kingdom"), option("ie", "Ireland"), option("ca", "Canada")].concat();
    let client = escape(form.get("client_id").map(String::as_str).unwrap_or_default());
    let scope = escape(form.get("scope").map(String::as_str).unwrap_or_default());
    frame(
        "Sage simulator",
        &format!(
            "<h1>Allow access?</h1>\n<p>The application <b>{client}</b> asks for <b>{scope}</b> to your businesses.</p>\n\
             <form method=\"post\">\n{hidden}<p><label>Country <select name=\"country\">{options}</select></label></p>\n\
             <p><button name=\"approve\" value=\"1\">Approve</button> \
             <button name=\"approve\" value=\"0\">Deny</button></p>\n</form>"
        ),
    )
}

/// A record, as the link in a reply opens it.
pub(super) fn record(business: &str, record: &Value) -> String {
    let name = escape(record["displayed_as"].as_str().unwrap_or_default());
    let shown = escape(&serde_json::to_string_pretty(record).unwrap_or_default());
    frame(&name, &format!("<h1>{name}</h1>\n<p>{}</p>\n<pre>{shown}</pre>", escape(business)))
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n{body}\n</body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
