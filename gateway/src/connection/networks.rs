//! Networks as operators write them: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
//!
//! Invariant: an IPv4 address in the disguise of IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.

use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u32,
}

/// A text that names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl Network {
    /// Whether an address is one of it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.prefix_bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.prefix_bits
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    /// Bits behind the prefix have to be 0, since `10.1.2.3/8` is more likely a slip; and so has not the prefix, since
    /// everybody is no network.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, prefix) = text.split_once('/').unwrap_or((text, ""));
        let base = base.parse::<IpAddr>().map_err(|_| NotANetwork)?;
        if base != base.to_canonical() {
            return Err(NotANetwork);
        }
        let (most, zeros) = match base {
            IpAddr::V4(base) => (32, base.to_bits().trailing_zeros()),
            IpAddr::V6(base) => (128, base.to_bits().trailing_zeros()),
        };
        let prefix_bits = match prefix {
            "" if text.contains('/') => return Err(NotANetwork),
            "" => most,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| NotANetwork)?
            }
            _ => return Err(NotANetwork),
        };
        let is_sound = (1..=most).contains(&prefix_bits) && most - prefix_bits <= zeros;
        if is_sound { Ok(Self { base, prefix_bits }) } else { Err(NotANetwork) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_every_address_that_begins_like_it() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.255.255") && !contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("192.0.2.128/25", "::ffff:192.0.2.200"));
        assert!(!contains("192.0.2.128/25", "192.0.2.127"));
        assert!(contains("192.0.2.1", "192.0.2.1") && !contains("192.0.2.1", "192.0.2.0"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(
            !contains("2001:db8::/32", "2001:db9::") && !contains("2001:db8::/32", "32.1.13.184")
        );
        assert!(contains("::1", "::1") && !contains("::1", "127.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0/8",
            "0.0.0.0/0",
            "::/0",
            "::1/129",
            "2001:db8::1/64",
            "::ffff:10.0.0.1",
            "proxy.example",
            " 10.0.0.1",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }
}
