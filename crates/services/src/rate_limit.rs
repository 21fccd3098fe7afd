//! How often something secret may be tried: by whom it is about and, separately, by where it comes from. The counts are kept in
//! the store, so that they hold over processes, and known and unknown people are counted alike.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use store::{Store, TryLimit};

use views::error::{AppError, ErrorCode};

/// What is tried. Short waits: whoever tries in another's name must not lock them out for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// A password, by e-mail address, from a browser that is not known.
    SignIn,
    /// A password, from a browser that has signed in to this account before, by its cookie.
    Device,
    /// A code of the second factor, by member.
    Code,
    /// A recovery code; it is too long to be guessed, and a sign-in has few tries.
    RecoveryCode,
    /// The password once more, by member.
    Password,
    /// A message that a member makes Ledger send.
    Message,
    /// A code on its way to an address, by the organisation that it is for and the address, with a space in between.
    SentCode,
    /// A code that was sent to an address, by the same.
    AddressCode,
    /// An invitation's token; it is too long to be guessed, so only the client is counted.
    Invitation,
}

/// One client that tries tokens. Many people may share an address, so it is let in more often. Passwords are not counted by client alone:
/// behind a proxy that is not believed all people are one client, and whoever tries passwords of nobody would shut the door for all.
const CLIENT: TryLimit = TryLimit { burst: 60, every: TimeDelta::seconds(5) };

/// One customer of a provider that tries tokens: with IPv6 they hold many networks.
const CUSTOMER: TryLimit = TryLimit { burst: 240, every: TimeDelta::seconds(1) };

/// An e-mail address from one client, and from all clients together: the second is wider, so that one client alone cannot use it
/// up and keep the address's owner out. A hundred is what NIST SP 800-63B allows.
const ADDRESS_FROM_CLIENT: TryLimit = TryLimit { burst: 10, every: TimeDelta::seconds(30) };
const ADDRESS: TryLimit = TryLimit { burst: 100, every: TimeDelta::seconds(6) };

/// A browser that has signed in to the account before.
const DEVICE: TryLimit = TryLimit { burst: 10, every: TimeDelta::seconds(30) };

/// A member, whose password or session whoever tries has already.
const MEMBER: TryLimit = TryLimit { burst: 5, every: TimeDelta::seconds(60) };

/// A code to one address for one organisation: one at a time, and not many. Other organisations' letters to it are counted apart, so that
/// none keeps the address's owner from theirs.
const LETTER: TryLimit = TryLimit { burst: 1, every: TimeDelta::seconds(60) };
const LETTERS: TryLimit = TryLimit { burst: 5, every: TimeDelta::minutes(10) };

/// The letters to an address from everywhere, and those of one organisation to whomever: they reach people who did not ask for them.
const LETTERS_TO_ADDRESS: TryLimit = TryLimit { burst: 30, every: TimeDelta::minutes(2) };
const LETTERS_OF_ORGANISATION: TryLimit = TryLimit { burst: 60, every: TimeDelta::seconds(60) };

/// Guesses of the code that was sent to an address: of a million codes, a few dozen a day.
const GUESSES: TryLimit = TryLimit { burst: 10, every: TimeDelta::hours(1) };

impl RateLimit {
    /// What is counted, the narrowest first: who is refused there uses up nothing of the others.
    fn limits(self, who: &str, client: Option<IpAddr>) -> Vec<(String, TryLimit)> {
        let (near, far) = (network(client, 64), network(client, 48));
        match self {
            Self::SignIn => vec![
                (key("address-from-client", &format!("{who} {far}")), ADDRESS_FROM_CLIENT),
                (key("address", who), ADDRESS),
            ],
            Self::Device => vec![(key("device", who), DEVICE)],
            Self::Code => vec![(key("code", who), MEMBER)],
            Self::Password => vec![(key("password", who), MEMBER)],
            Self::Message => vec![(key("message", who), MEMBER)],
            Self::SentCode => {
                let (organisation, address) = who.split_once(' ').unwrap_or_default();
                vec![
                    (key("letter", who), LETTER),
                    (key("letters", who), LETTERS),
                    (key("letters-of", organisation), LETTERS_OF_ORGANISATION),
                    (key("letters-to", address), LETTERS_TO_ADDRESS),
                ]
            }
            Self::AddressCode => vec![(key("address-code", who), GUESSES)],
            Self::RecoveryCode => Vec::new(),
            Self::Invitation => vec![(key("client", &near), CLIENT), (key("customer", &far), CUSTOMER)],
        }
    }
}

/// Tries that were taken, to be given back when they succeed: who knows the secret has not guessed.
#[must_use]
pub struct Taken(Vec<(String, TryLimit)>);

impl Taken {
    /// Gives them back.
    pub async fn give_back(self, store: &dyn Store) -> Result<(), AppError> {
        for (key, limit) in self.0 {
            store.give_back_try(&key, limit).await?;
        }
        Ok(())
    }
}

/// Takes a try at a door, or says when there is one again. `who` is the person whom it is about.
pub async fn take(
    store: &dyn Store,
    now: DateTime<Utc>,
    door: RateLimit,
    who: &str,
    client: Option<IpAddr>,
) -> Result<Taken, AppError> {
    let keys = door.limits(who, client);
    for (key, limit) in &keys {
        if let Err(wait) = store.take_try(key, *limit, now).await? {
            return Err(AppError::new(ErrorCode::TooManyTries).wait(wait));
        }
    }
    Ok(Taken(keys))
}

/// A digest: the database keeps no address of people who are not its members.
fn key(kind: &str, who: &str) -> String {
    hex::encode(Sha256::digest(format!("{kind}:{who}")))
}

/// What one client holds: an address, or with IPv6 a network of so many bits. 64 is what one household uses, 48 the most that
/// providers commonly give to one customer.
fn network(client: Option<IpAddr>, bits: u32) -> String {
    match client.map(|client| client.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            format!("{:x}/{bits}", address.to_bits() >> (128 - bits))
        }
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn one_client_is_one_network() {
        let of = |text: &str| network(Some(text.parse().unwrap()), 64);
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        let customer = |text: &str| network(Some(text.parse().unwrap()), 48);
        assert_eq!(customer("2001:db8:1:2::7"), customer("2001:db8:1:3::7"));
        assert_ne!(customer("2001:db8:1::7"), customer("2001:db8:2::7"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
