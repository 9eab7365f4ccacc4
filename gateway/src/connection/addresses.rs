//! What one address may do before anybody knows who it is: so many new connections a second, so many that have not said
//! what they want.
//!
//! ```text
//!   accept ─► arrive ─┬─ too many, too fast ─► 429, nothing is read
//!                     └─ Greeting ─► request ─► introduce ─► first command ─► dropped: it is a session, HTTP, or gone
//!                                                  └─ of a trusted proxy: its client is too fast ─► 429
//! ```
//!
//! An address is one of IPv4, or a /64 of IPv6: whoever has one address there has them all. The address of the socket
//! counts and no header, so nobody can dodge this by writing one; but for trusted proxies (`forwarded.rs`), of whose
//! clients nothing is known before the request was read.
//!
//! Invariants: the table is bounded; addresses it has no room for share one entry, so more addresses never mean more
//! room; an address that is doing nothing is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::address_rate::{AddressRate, AddressRates};
use super::forwarded::{ClientAddress, Forwarding, Source, TrustedProxies};
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
    /// Commands of all sessions.
    pub commands: CommandRate,
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
    proxies: Arc<TrustedProxies>,
    commands: AddressRates,
    /// What buckets count their time from.
    began: Instant,
    /// Locked for a moment, twice a connection.
    table: Arc<Mutex<Table>>,
}

/// A connection that has not introduced itself yet; over when dropped.
#[derive(Debug, Default)]
pub struct Greeting {
    /// Counted among all.
    in_all: Option<Arc<Mutex<Table>>>,
    /// Counted among those of an address.
    of_address: Option<(Arc<Mutex<Table>>, Prefix)>,
}

impl Greeting {
    /// One that nobody counts.
    pub fn uncounted() -> Self {
        Self::default()
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        if let Some(table) = self.in_all.take() {
            let mut table = lock(&table);
            table.greeting = table.greeting.saturating_sub(1);
        }
        if let Some((table, prefix)) = self.of_address.take()
            && let Some(known) = lock(&table).known.get_mut(&prefix)
        {
            known.greeting = known.greeting.saturating_sub(1);
        }
    }
}

impl Addresses {
    /// Nobody has connected yet.
    pub fn new(limits: AddressLimits, proxies: TrustedProxies) -> Self {
        let commands = AddressRates::new(limits.commands);
        let (proxies, began) = (Arc::new(proxies), Instant::now());
        Self { limits, proxies, commands, began, table: Arc::default() }
    }

    /// A connection from this peer; refused, with the milliseconds after which another one may be tried.
    pub fn arrive(&self, peer: IpAddr, at: Instant) -> Result<Greeting, u32> {
        let is_proxy = self.proxies.trust(peer);
        let client = ClientAddress::of_peer(peer);
        let mut greeting = Greeting::uncounted();
        if !is_proxy && self.is_exempt(client) {
            return Ok(greeting);
        }
        let mut table = lock(&self.table);
        let most = self.limits.greeting_in_all;
        if most > 0 && table.greeting >= most {
            return Err(limits::GREETING_RETRY_MS);
        }
        if !is_proxy {
            let prefix = table.count(client.address, &self.limits, self.ms(at))?;
            greeting.of_address = Some((Arc::clone(&self.table), prefix));
        }
        table.greeting += 1;
        greeting.in_all = Some(Arc::clone(&self.table));
        Ok(greeting)
    }

    /// The request of a connection has come: at whose expense it is. Of a proxy's client that is counted only now, and
    /// may be refused as in [`Self::arrive`].
    pub fn introduce(
        &self,
        greeting: &mut Greeting,
        peer: IpAddr,
        forwarding: Forwarding<'_>,
        at: Instant,
    ) -> Result<ClientAddress, u32> {
        let client = self.proxies.client(peer, forwarding);
        if self.proxies.trust(peer) && !self.is_exempt(client) {
            let prefix = lock(&self.table).count(client.address, &self.limits, self.ms(at))?;
            greeting.of_address = Some((Arc::clone(&self.table), prefix));
        }
        Ok(client)
    }

    /// At whose expense something is that was counted when its connection came, such as a request over HTTP.
    pub fn client(&self, peer: IpAddr, forwarding: Forwarding<'_>) -> ClientAddress {
        self.proxies.client(peer, forwarding)
    }

    /// What the sessions of an address may send together; `None`: as much as they like.
    pub fn command_rate(&self, client: ClientAddress, at: Instant) -> Option<AddressRate> {
        if self.is_exempt(client) { None } else { self.commands.join(prefix(client.address), at) }
    }

    fn ms(&self, at: Instant) -> i64 {
        at.saturating_duration_since(self.began).as_millis() as i64
    }

    /// A program on this machine is, by its socket; a header that names this machine makes nobody exempt.
    fn is_exempt(&self, client: ClientAddress) -> bool {
        let is_local = client.source == Source::Socket && client.address.is_loopback();
        self.limits.exempt_loopback && is_local
    }
}

impl Table {
    /// Counts a new connection of an address, or tells how long to wait.
    fn count(
        &mut self,
        address: IpAddr,
        limits: &AddressLimits,
        now_ms: i64,
    ) -> Result<Prefix, u32> {
        let prefix = self.place_for(Some(prefix(address)), limits.connections, now_ms);
        let fresh = || Known { bucket: Bucket::new(limits.connections, now_ms), greeting: 0 };
        let known = self.known.entry(prefix).or_insert_with(fresh);
        if limits.greeting > 0 && known.greeting >= limits.greeting {
            return Err(limits::GREETING_RETRY_MS);
        }
        known.bucket.take(limits.connections, now_ms)?;
        known.greeting += 1;
        Ok(prefix)
    }

    /// The entry for an address: its own, if there is room for one.
    fn place_for(&mut self, prefix: Prefix, rate: CommandRate, now_ms: i64) -> Prefix {
        if self.known.len() < limits::KNOWN_ADDRESSES || self.known.contains_key(&prefix) {
            return prefix;
        }
        self.known.retain(|_, known| known.greeting > 0 || !known.bucket.is_full(rate, now_ms));
        if self.known.len() < limits::KNOWN_ADDRESSES { prefix } else { None }
    }
}

/// By which an address is counted: of IPv6 the network, of which somebody may have as many addresses as they like.
pub fn prefix(address: IpAddr) -> u64 {
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
    use std::time::Duration;

    use super::*;

    const LIMITS: AddressLimits = AddressLimits {
        connections: CommandRate { per_s: 10, burst: 3 },
        greeting: 2,
        greeting_in_all: 4,
        commands: CommandRate { per_s: 1, burst: 2 },
        exempt_loopback: true,
    };

    impl Addresses {
        fn at(&self, ms: u64) -> Instant {
            self.began + Duration::from_millis(ms)
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn q1_an_address_connects_so_often_and_no_other_pays_for_it() {
        let addresses = Addresses::new(LIMITS, TrustedProxies::default());
        for _ in 0..3 {
            drop(addresses.arrive(ip("192.0.2.1"), addresses.at(0)).unwrap());
        }
        assert_eq!(addresses.arrive(ip("192.0.2.1"), addresses.at(0)).unwrap_err(), 100);
        assert_eq!(
            addresses.arrive(ip("::ffff:192.0.2.1"), addresses.at(0)).unwrap_err(),
            100,
            "the same"
        );
        assert!(addresses.arrive(ip("192.0.2.2"), addresses.at(0)).is_ok());
        assert!(addresses.arrive(ip("192.0.2.1"), addresses.at(100)).is_ok());
        assert!((0..100).all(|_| addresses.arrive(ip("127.0.0.9"), addresses.at(0)).is_ok()));
    }

    #[test]
    fn q1_a_whole_net_of_ipv6_is_one_address() {
        let addresses = Addresses::new(LIMITS, TrustedProxies::default());
        for host in 1..=3 {
            drop(addresses.arrive(ip(&format!("2001:db8::{host}")), addresses.at(0)).unwrap());
        }
        assert!(addresses.arrive(ip("2001:db8::ffff:4"), addresses.at(0)).is_err());
        assert!(addresses.arrive(ip("2001:db8:0:1::1"), addresses.at(0)).is_ok());
    }

    #[test]
    fn s3_slow_greetings_are_bounded_by_address_and_in_all() {
        let addresses = Addresses::new(LIMITS, TrustedProxies::default());
        let slow: Vec<_> =
            (0..2).map(|_| addresses.arrive(ip("192.0.2.1"), addresses.at(0)).unwrap()).collect();
        assert!(addresses.arrive(ip("192.0.2.1"), addresses.at(0)).is_err());
        let others: Vec<_> = (2..4)
            .map(|n| addresses.arrive(ip(&format!("192.0.2.{n}")), addresses.at(0)).unwrap())
            .collect();
        assert!(addresses.arrive(ip("192.0.2.9"), addresses.at(0)).is_err(), "four is the most");
        drop(others);
        assert!(addresses.arrive(ip("192.0.2.9"), addresses.at(0)).is_ok());
        drop(slow);
        assert!(addresses.arrive(ip("192.0.2.1"), addresses.at(0)).is_ok());
    }

    #[test]
    fn q1_more_addresses_than_the_table_holds_share_what_one_has() {
        let addresses = Addresses::new(
            AddressLimits { greeting_in_all: 0, ..LIMITS },
            TrustedProxies::default(),
        );
        for n in 0..limits::KNOWN_ADDRESSES as u32 {
            drop(
                addresses
                    .arrive(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), addresses.at(0))
                    .unwrap(),
            );
        }
        let more = |n: u32| {
            addresses.arrive(IpAddr::from((0x0b00_0000 + n).to_be_bytes()), addresses.at(0))
        };
        let admitted = (0..100).filter(|n| more(*n).is_ok()).count();
        assert_eq!(admitted, 3);
        // Later the others are forgotten.
        assert!(addresses.arrive(ip("198.51.100.1"), addresses.at(10_000)).is_ok());
        assert!(lock(&addresses.table).known.len() < 10);
    }

    fn behind_proxy() -> Addresses {
        let networks = ["127.0.0.1", "10.0.0.0/8"].map(|network| network.parse().unwrap());
        Addresses::new(LIMITS, TrustedProxies::new(networks.to_vec()))
    }

    /// A connection from this peer whose request has these forwarding headers.
    fn request(addresses: &Addresses, peer: &str, header: &[&str]) -> Result<Greeting, u32> {
        let mut greeting = addresses.arrive(ip(peer), addresses.at(0))?;
        let lines: Vec<String> = header.iter().map(|line| (*line).to_owned()).collect();
        let forwarding = Forwarding { x_forwarded_for: &lines, forwarded: &[] };
        addresses.introduce(&mut greeting, ip(peer), forwarding, addresses.at(0))?;
        Ok(greeting)
    }

    #[test]
    fn q1_clients_behind_a_trusted_proxy_are_counted_apart() {
        for proxy in ["127.0.0.1", "10.0.0.1"] {
            let addresses = behind_proxy();
            let try_as = |client: &str| request(&addresses, proxy, &[client]).is_ok();
            assert_eq!((0..10).filter(|_| try_as("6.6.6.6, 203.0.113.7")).count(), 3);
            assert_eq!((0..10).filter(|n| try_as(&format!("6.6.6.{n}, 203.0.113.7"))).count(), 0);
            assert_eq!((0..10).filter(|_| try_as("203.0.113.8")).count(), 3);
            // Who claims to be this machine is counted like anybody.
            assert_eq!((0..10).filter(|_| try_as("127.0.0.7")).count(), 3);
        }
        for proxy in ["127.0.0.1", "10.0.0.1"] {
            // Nonsense is at the expense of the proxy, on this machine too.
            let addresses = behind_proxy();
            let try_as = |client: &str| request(&addresses, proxy, &[client]).is_ok();
            assert_eq!((0..10).filter(|n| try_as(&format!("nonsense {n}"))).count(), 3);
        }
        let addresses = behind_proxy();
        assert!((0..10).all(|_| request(&addresses, "127.0.0.1", &[]).is_ok()), "a local program");
    }

    #[test]
    fn q1_a_header_of_anybody_else_changes_nothing() {
        let addresses = behind_proxy();
        let try_as = |n| request(&addresses, "192.0.2.1", &[&format!("203.0.113.{n}")]).is_ok();
        assert_eq!((0..10).filter(|n| try_as(*n)).count(), 3);
        // Nor is anybody else counted for it.
        assert!(request(&addresses, "203.0.113.1", &[]).is_ok());
    }

    #[test]
    fn s3_slow_greetings_behind_a_proxy_are_bounded_by_client_and_in_all() {
        let addresses = behind_proxy();
        let _slow = [(); 2].map(|()| request(&addresses, "10.0.0.1", &["203.0.113.7"]).unwrap());
        assert!(request(&addresses, "10.0.0.1", &["203.0.113.7"]).is_err());
        let _others = [(); 2].map(|()| addresses.arrive(ip("10.0.0.1"), addresses.at(0)).unwrap());
        assert!(addresses.arrive(ip("10.0.0.1"), addresses.at(0)).is_err(), "four is the most");
    }

    #[test]
    fn q1_who_is_exempt_has_no_command_rate_and_others_share_that_of_their_address() {
        let addresses = behind_proxy();
        let rate = |address: &str, source| {
            addresses.command_rate(ClientAddress { address: ip(address), source }, addresses.at(0))
        };
        assert!(rate("127.0.0.1", Source::Socket).is_none());
        let now = addresses.at(0);
        let one = rate("192.0.2.1", Source::Socket).unwrap();
        let same = rate("192.0.2.1", Source::Socket).unwrap();
        assert_eq!([one.take(now), same.take(now), one.take(now)], [Ok(()), Ok(()), Err(1000)]);
        assert_eq!(rate("192.0.2.2", Source::Proxy).unwrap().take(now), Ok(()));
        assert!(rate("127.0.0.1", Source::Unclear).is_some());
        assert!(rate("127.0.0.1", Source::Proxy).is_some());
    }
}
