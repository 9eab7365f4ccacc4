//! Q1: what one address may do, and that no header makes it another one.

use std::net::TcpStream;
use std::time::Instant;

use ringwire_gateway::placement::home_shard;
use ringwire_protocol::UserId;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};

use crate::support::ENCODINGS;
use crate::support::client::{Client, Upgrade, dial_from};
use crate::support::server::{ServerProcess, Setup};

const PROXY: [u8; 4] = [127, 0, 0, 2];
const STRANGER: [u8; 4] = [127, 0, 0, 3];

fn dial(server: &ServerProcess, from: [u8; 4]) -> TcpStream {
    dial_from(from, server.address(), |_| Ok(())).expect("a connection")
}

/// A WebSocket from an address of this machine with these headers, or the status of the refusal.
fn open(
    server: &ServerProcess,
    from: [u8; 4],
    headers: &[(&str, &str)],
    user: u64,
    encoding: Encoding,
) -> Result<Client, u16> {
    let upgrade = Upgrade::encoding(encoding).bearer(&server.token(user));
    let upgrade =
        headers.iter().fold(upgrade, |upgrade, (name, value)| upgrade.header(name, value));
    Client::upgrade_on(dial(server, from), &upgrade, encoding, b"")
}

fn session(
    server: &ServerProcess,
    from: [u8; 4],
    headers: &[(&str, &str)],
    user: u64,
    encoding: Encoding,
) -> Client {
    let mut client = open(server, from, headers, user, encoding).expect("a WebSocket");
    client.connect(wire::Connect::default()).expect("a session");
    client
}

/// Sends so many pings at once; how many were answered, and what the others were told to wait.
fn flood(client: &mut Client, pings: usize) -> (usize, Vec<u32>) {
    let ids: Vec<u64> = (0..pings).map(|_| client.queue(Op::Ping(wire::Ping {}))).collect();
    client.flush().expect("writing");
    let refused = ids.into_iter().filter_map(|id| client.answer(id).err());
    let waits: Vec<u32> = refused
        .map(|error| {
            assert_eq!((&*error.name, error.temporary), ("RATE_LIMITED", true), "{error:?}");
            error.retry_after_ms
        })
        .collect();
    (pings - waits.len(), waits)
}

/// Two users whose sessions live on different shards.
fn users_of_both_shards() -> [u64; 2] {
    let is_on = |id: u64, shard| UserId::new(id).is_some_and(|id| home_shard(id, 2) == shard);
    [0, 1].map(|shard| (1..1000).find(|&id| is_on(id, shard)).expect("one"))
}

#[test]
fn q1_behind_a_trusted_proxy_clients_are_counted_apart_and_nobody_else_is_believed() {
    let lines = "[server]\ntrusted_proxies = [\"127.0.0.2\", \"10.0.0.0/8\"]\n[limits]\n\
                 exempt_loopback = false\naddress_connections_per_s = 1\naddress_connections_burst = 5";
    let server = Setup::new().config(lines).start();
    let began = Instant::now();
    // What is answered of 40 connections that say this of themselves; the number of the connection for `#`.
    let admitted = |from, name: &str, value: &str| {
        let answered = (0..40).filter(|number: &usize| {
            let value = value.replace('#', &number.to_string());
            match open(&server, from, &[(name, &value)], 1, ENCODINGS[number % 2]) {
                Ok(_) => true,
                Err(status) => {
                    assert_eq!(status, 429);
                    false
                }
            }
        });
        answered.count()
    };
    let cases = [
        (PROXY, "X-Forwarded-For", "203.0.113.1"),
        (PROXY, "X-Forwarded-For", "198.51.100.#, 203.0.113.2, 10.1.2.3"),
        (PROXY, "Forwarded", "for=198.51.100.#, for=\"203.0.113.3:1234\";proto=https"),
        (PROXY, "X-Forwarded-For", "nonsense #"),
        (STRANGER, "X-Forwarded-For", "203.0.113.#"),
    ];
    for (from, name, value) in cases {
        let count = admitted(from, name, value);
        // The clock of the server gives one more each second.
        let most = 5 + began.elapsed().as_secs() as usize + 1;
        assert!((5..=most).contains(&count), "{count} of at most {most}: {value}");
    }
    // Each on its own, as many as there are.
    assert_eq!(admitted(PROXY, "X-Forwarded-For", "192.0.2.#"), 40);
}

#[test]
fn q1_sessions_of_an_address_share_a_rate_over_users_and_shards() {
    const BURST: usize = 60;
    let lines = "[server]\ntrusted_proxies = [\"127.0.0.2\"]\n[limits]\nexempt_loopback = false\n\
                 address_commands_per_s = 1\naddress_commands_burst = 60";
    let client = |address| [("X-Forwarded-For", address)];
    for second in ENCODINGS {
        let server = Setup::new().config(lines).start();
        let began = Instant::now();
        let users = users_of_both_shards();
        let ours = client("203.0.113.1");
        let mut sessions = [
            session(&server, PROXY, &ours, users[0], Encoding::Json),
            session(&server, PROXY, &ours, users[1], second),
        ];
        let floods = sessions.each_mut().map(|session| flood(session, 100));
        let granted: usize = floods.iter().map(|(granted, _)| granted).sum();
        let seconds = began.elapsed().as_secs() as usize + 1;
        // `connect` was a command, too.
        let least = BURST - sessions.len();
        assert!((least..=least + seconds).contains(&granted), "{granted} in {seconds} s");
        for wait in floods.iter().flat_map(|(_, waits)| waits) {
            assert!((1..=1000).contains(wait), "{wait}");
        }
        // Connecting anew fills nothing, and waiting as told is enough.
        let wait = *floods[1].1.last().expect("a refusal");
        std::thread::sleep(std::time::Duration::from_millis(wait.into()));
        assert_eq!(flood(&mut sessions[1], 1).0, 1);
        drop(sessions);
        let mut again = open(&server, PROXY, &ours, 5, second).expect("a WebSocket");
        let connects = (0..10).filter(|_| again.connect(wire::Connect::default()).is_ok()).count();
        assert!(connects <= began.elapsed().as_secs() as usize + 1, "{connects}");
        // Others behind the same proxy, and elsewhere, have their own.
        for (from, header) in [(PROXY, client("203.0.113.2")), (STRANGER, client("203.0.113.1"))] {
            let mut other = session(&server, from, &header, users[0], second);
            assert_eq!(flood(&mut other, 40).0, 40);
        }
    }
    let exempt = "[limits]\naddress_commands_per_s = 1\naddress_commands_burst = 1";
    let server = Setup::new().config(exempt).start();
    assert_eq!(flood(&mut session(&server, STRANGER, &[], 1, ENCODINGS[0]), 100).0, 100);
}
