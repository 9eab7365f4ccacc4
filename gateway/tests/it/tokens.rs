//! The life of a token on a live connection: warned, refreshed, or closed.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use crate::support::chat::refusal;
use crate::support::client::{Arrived, Client, Upgrade};
use crate::support::server::ServerProcess;
use crate::support::{ENCODINGS, token};

fn short_token(server: &ServerProcess, user: u64, ttl_s: i64) -> String {
    token::sign(&server.secret_file(), &token::claims(user, ttl_s))
}

fn session(server: &ServerProcess, token: &str, encoding: Encoding) -> Client {
    let upgrade = Upgrade::encoding(encoding).bearer(token);
    let mut client = Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
    client.connect(wire::Connect::default()).expect("a session");
    client
}

#[test]
fn a3_an_expiring_token_is_announced_and_its_end_closes_with_4001() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let expires_at_s = token::now_s() + 4;
        let mut client = session(&server, &short_token(&server, 1, 4), encoding);
        match client.next_push() {
            Event::TokenExpiring(expiring) => {
                assert!(expiring.expires_at.abs_diff(expires_at_s * 1000) <= 1000, "{expiring:?}");
            }
            other => panic!("not announced: {other:?}"),
        }
        assert_eq!(client.next(), Arrived::Closed(Some(4001)));
        assert!(token::now_s() >= expires_at_s, "closed before its time");
    }
}

#[test]
fn a3_a_refreshed_session_outlives_its_first_token() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut refreshed = session(&server, &short_token(&server, 1, 4), encoding);
        let mut left_alone = session(&server, &short_token(&server, 1, 4), encoding);
        assert!(matches!(refreshed.next_push(), Event::TokenExpiring(_)));
        for bad in [short_token(&server, 1, -1), "nonsense".to_owned()] {
            let code = refusal(refreshed.call(Op::Refresh(wire::Refresh { token: bad })));
            assert!(["TOKEN_EXPIRED", "UNAUTHENTICATED"].contains(&&*code), "{code}");
        }
        let of_another = server.token(2);
        let code = refusal(refreshed.call(Op::Refresh(wire::Refresh { token: of_another })));
        assert_eq!(code, "FORBIDDEN");
        let fresh = Op::Refresh(wire::Refresh { token: server.token(1) });
        match refreshed.call(fresh) {
            Ok(Outcome::Refreshed(refreshed)) => {
                assert!(refreshed.expires_at > (token::now_s() + 3000) * 1000);
            }
            other => panic!("not refreshed: {other:?}"),
        }
        // The other one shows that the first token is over.
        assert!(matches!(left_alone.next_push(), Event::TokenExpiring(_)));
        assert_eq!(left_alone.next(), Arrived::Closed(Some(4001)));
        refreshed.assert_quiet();
    }
}

#[test]
fn a3_a_token_that_expires_before_connect_lets_nobody_in() {
    let server = ServerProcess::start(&[]);
    let upgrade = Upgrade::encoding(Encoding::Json).bearer(&short_token(&server, 1, 2));
    let mut client =
        Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("a WebSocket");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let id = client.start(Op::Connect(wire::Connect::default()));
    match client.try_answer(id) {
        None => assert_eq!(client.close_code(), Some(4001)),
        Some(Err(error)) => assert_eq!(error.name, "TOKEN_EXPIRED"),
        Some(Ok(outcome)) => {
            // Registered, and closed at the very next look.
            assert!(matches!(outcome, Outcome::Connected(_)));
            assert_eq!(client.close_code(), Some(4001));
        }
    }
}
