//! What one address may do before anybody knows who it is: so many new connections a second, so many that have not said
//! what they want.
//!
//! ```text
//!   accept ─► arrive ─┬─ too many, too fast ─► 429, nothing is read
//!                     └─ Greeting ─► request, first command ─► dropped: it is a session, HTTP, or gone
//! ```
//!
//! An address is one of IPv4, or a /64 of IPv6: whoever has one address there has them all. Only the address of the socket
//! counts, never a header, so nobody can dodge this by writing one.
//!
//! Invariants: the table is bounded; addresses it has no room for share one entry, so more addresses never mean more
//! room; an address that is doing nothing is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringwire_protocol::UnixMs;

use crate::config::CommandRate;
use crate::limits;
use crate::session::rate::Bucket;

/// What an operator allows an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressLimits {
    /// New connections.
    pub connections: CommandRate,
    /// Connections that have not introduced themselves; 0: no limit.
    pub greeting: u32,
    /// Those of all addresses together; 0: no limit.
    pub greeting_in_all: u32,
    /// Programs on this machine are not counted.
    pub exempt_loopback: bool,
}

/// An IPv4 address, or the first half of one of IPv6. `None`: all for which there is no room.
type Prefix = Option<u64>;

#[derive(Debug)]
struct Known {
    bucket: Bucket,
    greeting: u32,
}

#[derive(Debug, Default)]
struct Table {
    known: HashMap<Prefix, Known>,
    greeting: u32,
}

/// What is known of the addresses that connect to this process. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Addresses {
    limits: AddressLimits,
    /// Locked for a moment, twice a connection.
    table: Arc<Mutex<Table>>,
}

/// A connection that has not introduced itself yet; over when dropped.
#[derive(Debug)]
pub struct Greeting(Option<(Arc<Mutex<Table>>, Prefix)>);

impl Greeting {
    /// One that nobody counts.
    pub const fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        if let Some((table, prefix)) = self.0.take() {
            let mut table = lock(&table);
            table.greeting = table.greeting.saturating_sub(1);
            if let Some(known) = table.known.get_mut(&prefix) {
                known.greeting = known.greeting.saturating_sub(1);
            }
        }
    }
}

impl Addresses {
    /// Nobody has connected yet.
    pub fn new(limits: AddressLimits) -> Self {
        Self { limits, table: Arc::default() }
    }

    /// A connection from this address; refused, with the milliseconds after which another one may be tried.
    pub fn arrive(&self, address: IpAddr, now: UnixMs) -> Result<Greeting, u32> {
        let limits = &self.limits;
        let address = address.to_canonical();
        if limits.exempt_loopback && address.is_loopback() {
            return Ok(Greeting::uncounted());
        }
        let mut table = lock(&self.table);
        if limits.greeting_in_all > 0 && table.greeting >= limits.greeting_in_all {
            return Err(limits::GREETING_RETRY_MS);
        }
        let prefix = table.place_for(Some(prefix(address)), limits.connections, now);
        let fresh = || Known { bucket: Bucket::new(limits.connections, now), greeting: 0 };
        let known = table.known.entry(prefix).or_insert_with(fresh);
        if limits.greeting > 0 && known.greeting >= limits.greeting {
            return Err(limits::GREETING_RETRY_MS);
        }
        known.bucket.take(limits.connections, now)?;
        known.greeting += 1;
        table.greeting += 1;
        Ok(Greeting(Some((Arc::clone(&self.table), prefix))))
    }
}

impl Table {
    /// The entry for an address: its own, if there is room for one.
    fn place_for(&mut self, prefix: Prefix, rate: CommandRate, now: UnixMs) -> Prefix {
        if self.known.len() < limits::KNOWN_ADDRESSES || self.known.contains_key(&prefix) {
            return prefix;
        }
        self.known.retain(|_, known| known.greeting > 0 || !known.bucket.is_full(rate, now));
        if self.known.len() < limits::KNOWN_ADDRESSES { prefix } else { None }
    }
}

fn prefix(address: IpAddr) -> u64 {
    match address {
        // No address of IPv6 begins with 32 zeros and is no IPv4 address in disguise.
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AddressLimits = AddressLimits {
        connections: CommandRate { per_s: 10, burst: 3 },
        greeting: 2,
        greeting_in_all: 4,
        exempt_loopback: true,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn q1_an_address_connects_so_often_and_no_other_pays_for_it() {
        let addresses = Addresses::new(LIMITS);
        for _ in 0..3 {
            drop(addresses.arrive(ip("192.0.2.1"), 0).unwrap());
        }
        assert_eq!(addresses.arrive(ip("192.0.2.1"), 0).unwrap_err(), 100);
        assert_eq!(addresses.arrive(ip("::ffff:192.0.2.1"), 0).unwrap_err(), 100, "the same");
        assert!(addresses.arrive(ip("192.0.2.2"), 0).is_ok());
        assert!(addresses.arrive(ip("192.0.2.1"), 100).is_ok());
        assert!((0..100).all(|_| addresses.arrive(ip("127.0.0.9"), 0).is_ok()));
    }

    #[test]
    fn q1_a_whole_net_of_ipv6_is_one_address() {
        let addresses = Addresses::new(LIMITS);
        for host in 1..=3 {
            drop(addresses.arrive(ip(&format!("2001:db8::{host}")), 0).unwrap());
        }
        assert!(addresses.arrive(ip("2001:db8::ffff:4"), 0).is_err());
        assert!(addresses.arrive(ip("2001:db8:0:1::1"), 0).is_ok());
    }

    #[test]
    fn s3_slow_greetings_are_bounded_by_address_and_in_all() {
        let addresses = Addresses::new(LIMITS);
        let slow: Vec<_> = (0..2).map(|_| addresses.arrive(ip("192.0.2.1"), 0).unwrap()).collect();
        assert!(addresses.arrive(ip("192.0.2.1"), 0).is_err());
        let others: Vec<_> =
            (2..4).map(|n| addresses.arrive(ip(&format!("192.0.2.{n}")), 0).unwrap()).collect();
        assert!(addresses.arrive(ip("192.0.2.9"), 0).is_err(), "four is the most");
        drop(others);
        assert!(addresses.arrive(ip("192.0.2.9"), 0).is_ok());
        drop(slow);
        assert!(addresses.arrive(ip("192.0.2.1"), 0).is_ok());
    }

    #[test]
    fn q1_more_addresses_than_the_table_holds_share_what_one_has() {
        let addresses = Addresses::new(AddressLimits { greeting_in_all: 0, ..LIMITS });
        for n in 0..limits::KNOWN_ADDRESSES as u32 {
            drop(addresses.arrive(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), 0).unwrap());
        }
        let more = |n: u32| addresses.arrive(IpAddr::from((0x0b00_0000 + n).to_be_bytes()), 0);
        let admitted = (0..100).filter(|n| more(*n).is_ok()).count();
        assert_eq!(admitted, 3);
        // Later the others are forgotten.
        assert!(addresses.arrive(ip("198.51.100.1"), 10_000).is_ok());
        assert!(lock(&addresses.table).known.len() < 10);
    }
}
