//! Which addresses a shop, or what else people name, may have. The check is on the address that is connected to: names are resolved here, once, and only
//! what passes is handed to the connector, so that a name cannot answer one thing to the check and another to the call.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// IPv4 blocks that are not the public internet: RFC 6890's table, multicast, the reserved rest, and Azure's metadata
/// service, which sits on a public address. As (network, prefix length).
const CLOSED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, with the metadata services at 169.254.169.254.
    ([169, 254, 0, 0], 16),
    ([168, 63, 129, 16], 32),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, and what is reserved up to the broadcast address.
    ([224, 0, 0, 0], 3),
];

/// Whether an address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !CLOSED_V4.iter().any(|(network, length)| {
        let shift = 32 - length;
        bits >> shift == Ipv4Addr::from(*network).to_bits() >> shift
    })
}

/// Global unicast (2000::/3) without its special blocks, and the forms that carry an IPv4 address where that is public.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded =
        |high: u16, low: u16| is_public_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        // IPv4-mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96, RFC 6052), 6to4 (2002::/16, RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        // IETF's own (2001::/23, with Teredo), documentation (2001:db8::/32, 3fff::/20).
        [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// Where a host is, as far as its name tells; names that resolve into private networks are caught when connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// The public internet, or a name that may lead there.
    Elsewhere,
}

/// Where a URL's host is; none when it has none. An address in the URL never passes a resolver, so it must be looked at here.
pub fn place(url: &Url) -> Option<Place> {
    let of = |address: IpAddr| match address {
        _ if address.to_canonical().is_loopback() => Place::Loopback,
        _ if is_public(address) => Place::Elsewhere,
        _ => Place::Private,
    };
    match url.host()? {
        Host::Ipv4(address) => Some(of(address.into())),
        Host::Ipv6(address) => Some(of(address.into())),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let ends = |suffix: &str| {
                name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            if name.is_empty() {
                None
            } else if ends("localhost") {
                Some(Place::Loopback)
            } else if ["local", "internal", "home.arpa"].into_iter().any(ends) {
                Some(Place::Private)
            } else {
                Some(Place::Elsewhere)
            }
        }
    }
}

/// A name that leads to no public address.
#[derive(Debug)]
pub struct RefusedAddress;

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to no public address")
    }
}

impl std::error::Error for RefusedAddress {}

/// Resolves names and keeps only public addresses, unless private ones are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// For development: every address passes.
    pub allow_private_addresses: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_all = self.allow_private_addresses;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| allow_all || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(RefusedAddress.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
            "2a00:1450:4001:81c::200e",
            "2606:4700::1111",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_refused() {
        let resolve = |allow_private_addresses| async move {
            Guard { allow_private_addresses }.resolve("localhost".parse().unwrap()).await
        };
        assert!(resolve(false).await.err().unwrap().is::<RefusedAddress>());
        assert!(resolve(true).await.is_ok());
    }
}
