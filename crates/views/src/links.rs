//! Addresses of pages, and which of them a sign-in may lead back to.

/// Where people land: the overview.
pub const HOME: &str = "/dashboard";

/// The history.
pub const HISTORY: &str = "/dashboard/sync";

/// A path of this site, as a form or a URL may name it to lead back to: anything else would let a link on another site
/// send people who sign in wherever it likes.
pub fn safe_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    // `//host` and `/\host` leave the site; control characters, spaces and what is not ASCII have no place in a header.
    let stays = !rest.starts_with(['/', '\\']);
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_page = !path.starts_with("/api/") && !path.starts_with("/sign-in");
    (stays && printable && is_page && path.len() <= 1024).then_some(path)
}

/// The sign-in page that leads back to a path.
pub fn sign_in_href(back: &str) -> String {
    match safe_path(back).map(without_refusal) {
        Some(path) if path != HOME => format!("/sign-in?next={}", escape(&path)),
        _ => "/sign-in".to_owned(),
    }
}

/// The page that asks for a code and then leads to a path.
pub fn code_href(next: &str) -> String {
    match safe_path(next).map(without_refusal) {
        Some(path) if path != HOME => format!("/sign-in/code?next={}", escape(&path)),
        _ => "/sign-in/code".to_owned(),
    }
}

/// A path without what came of a form on it: nobody comes back to that.
fn without_refusal(path: &str) -> String {
    let Some((page, query)) = path.split_once('?') else { return path.to_owned() };
    let parts: Vec<&str> = query.split('&').filter(|part| !part.starts_with("__")).collect();
    if parts.is_empty() { page.to_owned() } else { format!("{page}?{}", parts.join("&")) }
}

/// Escapes a text for a query's value.
pub fn escape(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push(char::from(HEX[usize::from(byte >> 4)]));
            escaped.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_site_are_led_back_to() {
        for good in ["/", "/dashboard/sync", "/dashboard/sync?status=failed&event=invoice.paid"] {
            assert_eq!(safe_path(good), Some(good));
        }
        for bad in [
            "",
            "dashboard",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/api/session/sign-out",
            "/sign-in",
            "/é",
            "javascript:alert(1)",
        ] {
            assert_eq!(safe_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_way_back_survives_in_the_sign_in_address() {
        assert_eq!(sign_in_href("/dashboard"), "/sign-in");
        assert_eq!(sign_in_href("//evil.example"), "/sign-in");
        assert_eq!(
            sign_in_href("/dashboard/sync?status=failed&event=invoice.paid"),
            "/sign-in?next=/dashboard/sync%3Fstatus%3Dfailed%26event%3Dinvoice.paid"
        );
    }

    #[test]
    fn the_way_back_bears_no_refusal() {
        let refused = "/dashboard/sync?__path=%2Fapi%2Fruns%2Fretry&status=failed&__err=e30=";
        assert_eq!(sign_in_href(refused), "/sign-in?next=/dashboard/sync%3Fstatus%3Dfailed");
        assert_eq!(sign_in_href("/dashboard?__path=%2Fa&__err=e"), "/sign-in");
        assert_eq!(code_href("/dashboard/sync?__err=e"), "/sign-in/code?next=/dashboard/sync");
    }
}
