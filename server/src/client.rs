//! Where requests come from: the socket's other end, or what trusted proxies in front of us say.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use services::client_info::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies in front of us, and what was noticed about them.
pub struct Proxies {
    trusted: usize,
    /// Each is worth one line in the log, not one a request.
    noticed: [AtomicBool; 3],
}

/// What the proxies say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// Nobody is asked, and nobody says anything.
    Nothing,
    /// Where it comes from.
    Address(IpAddr),
    /// There is a proxy that nobody trusts.
    NotBelieved,
    /// A proxy is trusted that says nothing.
    Missing,
    /// What is said makes no sense, or comes from fewer proxies than are trusted.
    Unreadable,
}

impl Proxies {
    /// So many are trusted.
    pub fn new(trusted: usize) -> Arc<Self> {
        Arc::new(Self { trusted, noticed: Default::default() })
    }

    /// Logs what is wrong with it, the first time.
    fn notice(&self, said: Said) {
        let (place, says) = match said {
            Said::Nothing | Said::Address(_) => return,
            Said::NotBelieved => (
                0,
                "X-Forwarded-For arrives and is not believed: all people count as one client; set trusted_proxies if a proxy adds it",
            ),
            Said::Missing => (
                1,
                "a request came without X-Forwarded-For although trusted_proxies says that proxies add it: it came past them, or they do not",
            ),
            Said::Unreadable => (
                2,
                "X-Forwarded-For cannot be read, or names fewer proxies than trusted_proxies says: the socket's address is taken",
            ),
        };
        if self.noticed.get(place).is_some_and(|noticed| !noticed.swap(true, Ordering::Relaxed)) {
            tracing::warn!(trusted_proxies = self.trusted, "{says}");
        }
    }
}

/// Puts the client's address among the request's extensions.
pub async fn tell_address(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    let socket = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let said = forwarded(request.headers(), proxies.trusted);
    proxies.notice(said);
    let address = if let Said::Address(address) = said { Some(address) } else { socket };
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// What the outermost trusted proxy saw. Each proxy appends whom it saw; what stands before was brought by the client, who may
/// write what they like.
fn forwarded(headers: &HeaderMap, proxies: usize) -> Said {
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).into_iter().collect();
    match (lines.is_empty(), proxies) {
        (true, 0) => return Said::Nothing,
        (false, 0) => return Said::NotBelieved,
        (true, _) => return Said::Missing,
        (false, _) => {}
    }
    let lines = lines.into_iter().filter_map(|line| line.to_str().ok());
    let seen: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let outermost = seen.len().checked_sub(proxies).and_then(|outermost| seen.get(outermost));
    outermost.and_then(|seen| address(seen)).map_or(Said::Unreadable, Said::Address)
}

/// An address, as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|socket: SocketAddr| socket.ip());
    text.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str], proxies: usize) -> Said {
        let lines = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap()));
        forwarded(&lines.collect(), proxies)
    }

    fn of(text: &str) -> Said {
        Said::Address(text.parse().unwrap())
    }

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        assert_eq!(said(&["192.0.2.1"], 0), Said::NotBelieved, "by default nobody is believed");
        assert_eq!(said(&[], 0), Said::Nothing);
        assert_eq!(said(&["192.0.2.1"], 1), of("192.0.2.1"));
        assert_eq!(said(&["203.0.113.9, 192.0.2.1"], 1), of("192.0.2.1"), "the client lies");
        assert_eq!(said(&["203.0.113.9, 192.0.2.1, 198.51.100.7"], 2), of("192.0.2.1"));
        assert_eq!(said(&["192.0.2.1"], 2), Said::Unreadable);
        assert_eq!(said(&["nonsense"], 1), Said::Unreadable);
        assert_eq!(said(&[], 1), Said::Missing);
        assert_eq!(said(&["192.0.2.1:50123"], 1), of("192.0.2.1"));
        assert_eq!(said(&["[2001:db8::1]:443"], 1), of("2001:db8::1"));
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, "203.0.113.9".parse().unwrap());
        headers.append(FORWARDED_FOR, "2001:db8::1".parse().unwrap());
        assert_eq!(forwarded(&headers, 1), of("2001:db8::1"));
    }

    #[test]
    fn what_is_wrong_is_noticed_once() {
        let proxies = Proxies::new(0);
        let noticed = || proxies.noticed.iter().map(|one| one.load(Ordering::Relaxed)).collect::<Vec<_>>();
        proxies.notice(Said::Nothing);
        assert_eq!(noticed(), [false; 3]);
        proxies.notice(Said::NotBelieved);
        proxies.notice(Said::NotBelieved);
        assert_eq!(noticed(), [true, false, false]);
    }
}
