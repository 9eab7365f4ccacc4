//! Requests that are refused before their body was read: the client hears of it, and knows whether the connection stays.

use std::io::{Read, Write};
use std::net::SocketAddr;

use crate::support::http::{self, Answer};
use crate::support::server::ServerProcess;

const NEXT: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

/// Sends a request with a body of so many bytes; its answer, and that of another one if the connection is kept.
fn exchange(address: SocketAddr, request: &str, size: usize) -> (Answer, Option<Answer>) {
    let mut stream = http::dial(address);
    let mut writer = stream.try_clone().expect("a socket");
    let bytes = format!(
        "{request} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n{}",
        "x".repeat(size)
    );
    // A client as most are: it sends all that it has, and reads meanwhile.
    let writing = std::thread::spawn(move || writer.write_all(bytes.as_bytes()));
    let answer = http::read_answer(&mut stream);
    writing.join().expect("a writer").expect("somebody reads what is sent");
    if answer.header("connection") == Some("close") {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("an end, not a reset");
        assert!(rest.is_empty(), "{rest:?}");
        return (answer, None);
    }
    stream.write_all(NEXT.as_bytes()).expect("the connection was said to stay");
    (answer, Some(http::read_answer(&mut stream)))
}

#[test]
fn a_refusal_before_the_end_of_a_body_is_heard_and_leaves_no_dead_connection() {
    let server = ServerProcess::start(&[]);
    for (request, status) in [
        ("POST /api/v1/auth/nothing", 404),
        ("POST /health/live", 405),
        ("POST /api/v1/auth/register", 413),
        ("POST /api/v1/conversations", 401),
        ("DELETE /api/v1/account", 401),
        ("PATCH /api/v1/account", 401),
    ] {
        for size in [10, 20_000, 1_000_000] {
            let (first, next) = exchange(server.address(), request, size);
            // What is no JSON is refused as that when it is short enough to be read.
            let is_read = status == 413 && size < 16 * 1024;
            let expected = if is_read { 400 } else { status };
            assert_eq!(first.status, expected, "{request} {size}: {first:?}");
            assert!(next.is_none() || size < 1_000_000, "{request} {size}: {first:?}");
            let is_found = next.as_ref().is_none_or(|next| next.status == 200);
            assert!(is_found, "{request} {size}: {next:?}");
        }
    }
}

#[test]
fn who_waits_for_a_go_ahead_is_answered_at_once_and_told_that_it_is_over() {
    let server = ServerProcess::start(&[]);
    let request = "POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n";
    let mut stream = http::dial(server.address());
    stream.write_all(request.as_bytes()).expect("a request");
    let answer = http::read_answer(&mut stream);
    assert_eq!((answer.status, answer.header("connection")), (401, Some("close")), "{answer:?}");
}
