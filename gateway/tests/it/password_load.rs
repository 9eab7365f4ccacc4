//! K2: password hashing never slows chat. It counts: while a hundred people log in at once, one who chats gets more acks
//! than they get logins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use serde_json::json;

use crate::support::client::Client;
use crate::support::http::post;
use crate::support::server::Setup;

const LOGINS: usize = 100;
/// Few enough logins of each at once that none is taken for guessing.
const PEOPLE: usize = 10;
const PASSWORD: &str = "correct horse battery staple";
/// Somebody with a token, who needs no password.
const CHATTING: u64 = 9_001;

#[test]
fn k2_a_hundred_logins_at_once_do_not_hold_up_the_chat() {
    let server = Setup::new().without_rates().start();
    let account = |n| json!({"username": format!("ann{n}"), "password": PASSWORD});
    let accounts: Vec<_> = (0..PEOPLE).map(account).collect();
    for account in &accounts {
        assert_eq!(post(server.address(), "/api/v1/auth/register", account).status, 201);
    }
    let mut client = Client::session(&server, CHATTING, Encoding::Protobuf);
    let group = client.create_group(&[]);
    let (done, waited) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut said = 0;
    thread::scope(|scope| {
        for n in 0..LOGINS {
            let account = &accounts[n % PEOPLE];
            let (server, done, waited) = (&server, &done, &waited);
            scope.spawn(move || {
                loop {
                    let answer = post(server.address(), "/api/v1/auth/login", account);
                    match answer.status {
                        200 => break,
                        // The line of those who wait for their password to be checked is bounded.
                        503 => waited.fetch_add(1, Ordering::Relaxed),
                        _ => panic!("{answer:?}"),
                    };
                    thread::sleep(Duration::from_millis(50));
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        while done.load(Ordering::Relaxed) < LOGINS {
            assert!(said < 1_000_000, "the logins do not end");
            client.say(group, &format!("m{said}"), "x");
            said += 1;
        }
    });
    let waited = waited.into_inner();
    assert!(said > LOGINS, "{said} acks while {LOGINS} logged in, {waited} times told to wait");
}
