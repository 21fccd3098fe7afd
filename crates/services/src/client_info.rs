//! Where a request comes from: the address that its tries are counted under, and the browser as its owner knows it.

use std::net::IpAddr;

use domain::ids::{BindingId, OrganisationId};
use http::{header, request::Parts};

use crate::{Services, device::Device};

/// The address of the client. The server works it out and puts it among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Who calls, before it is known who they are.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Their address.
    pub address: Option<IpAddr>,
    /// Their browser in a few words.
    pub browser: String,
    /// The shop within whose admin Ledger is framed: what they open there is its history alone.
    pub frame: Option<Frame>,
    /// The account that somebody has signed in to from this browser before.
    pub device: Option<Device>,
}

/// A shop whose admin frames Ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which.
    pub binding: BindingId,
    /// Whose it is.
    pub organisation: OrganisationId,
}

impl Caller {
    /// The caller of a request.
    pub fn of(request: &Parts) -> Self {
        let agent = request.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self {
            address: request.extensions.get::<ClientAddress>().map(|address| address.0),
            browser: browser(agent.unwrap_or_default()),
            frame: None,
            device: None,
        }
    }

    /// The caller of a request, with the account that their browser has signed in to before.
    pub fn known(services: &Services, request: &Parts) -> Self {
        Self { device: Device::of(services, &request.headers), ..Self::of(request) }
    }

    /// The caller of a request from within the admin of a shop.
    pub fn within(request: &Parts, frame: Frame) -> Self {
        let caller = Self::of(request);
        Self { browser: format!("{}, within Magento", caller.browser), frame: Some(frame), ..caller }
    }

    /// Whether a member may come in here: within a shop's admin only those of its organisation.
    pub fn may_be(&self, member: &store::Member) -> bool {
        self.frame.is_none_or(|frame| frame.organisation == member.organisation_id)
    }
}

/// A browser and its system in a person's words. Order matters: most browsers name others as well.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_named_as_people_know_them() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "Unknown browser"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(browser(agent), name, "{agent}");
        }
    }
}
