//! Where requests come from: the socket's other end, or what trusted proxies in front of us say.

use std::net::{IpAddr, SocketAddr};

use app::caller::ClientAddress;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Puts the client's address among the request's extensions. The state is the number of proxies that are trusted.
pub async fn tell_address(State(proxies): State<usize>, mut request: Request, next: Next) -> Response {
    let socket = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(address) = forwarded(request.headers(), proxies).or(socket) {
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// What the outermost trusted proxy saw. Each proxy appends whom it saw; what stands before was brought by the client, who may
/// write what they like.
fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).into_iter().filter_map(|line| line.to_str().ok());
    let seen: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let outermost = seen.len().checked_sub(proxies)?;
    seen.get(outermost)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        let said = |lines: &[&str], proxies| {
            let lines = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap()));
            forwarded(&lines.collect(), proxies).map(|address| address.to_string())
        };
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(said(&["192.0.2.1"], 0), None, "by default nobody is believed");
        assert_eq!(said(&["192.0.2.1"], 1), of("192.0.2.1"));
        assert_eq!(said(&["203.0.113.9, 192.0.2.1"], 1), of("192.0.2.1"), "the client lies");
        assert_eq!(said(&["203.0.113.9, 192.0.2.1, 198.51.100.7"], 2), of("192.0.2.1"));
        assert_eq!(said(&["192.0.2.1"], 2), None);
        assert_eq!(said(&["nonsense"], 1), None);
        assert_eq!(said(&[], 1), None);
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, "203.0.113.9".parse().unwrap());
        headers.append(FORWARDED_FOR, "2001:db8::1".parse().unwrap());
        assert_eq!(forwarded(&headers, 1), Some("2001:db8::1".parse().unwrap()));
    }
}
