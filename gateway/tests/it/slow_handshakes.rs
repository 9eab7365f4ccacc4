//! S3: whoever takes for ever to say what they want holds up nobody else, and is sent away.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::support::ENCODINGS;
use crate::support::client::{Client, Upgrade, dial, dial_from};
use crate::support::server::{ServerProcess, Setup};

/// Slow connections of each kind.
const EACH: usize = 150;

/// Whether the server has ended a connection; it sent nothing before.
fn is_cut(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => panic!("there is nothing to be answered"),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => false,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => true,
            kind => panic!("{kind}"),
        },
    }
}

fn connections(server: &ServerProcess, first: &[u8]) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = dial(server.address()).expect("a connection");
        stream.write_all(first).expect("writing");
        stream
    };
    (0..EACH).map(one).collect()
}

/// The slow ones have ten seconds, and use them.
#[test]
fn s3_slow_handshakes_do_not_block_new_ones() {
    let server = ServerProcess::start(&[]);
    let silent = connections(&server, b"");
    let half = connections(&server, b"GET /ws HTTP/1.1\r\nHost: h\r\n");
    let mut trickling = connections(&server, b"GET /ws HTTP/1.1\r\nHost: h\r\nX-Slow: ");
    // Each is fed one byte after the other for as long as it lasts; the head never ends.
    let feeder = thread::spawn(move || {
        let mut cut = 0;
        for stream in &trickling {
            stream.set_nonblocking(true).expect("a socket");
        }
        while !trickling.is_empty() {
            trickling.retain_mut(|stream| {
                let is_over = stream.write(b"x").is_err() || is_cut(stream);
                cut += usize::from(is_over);
                !is_over
            });
            thread::sleep(Duration::from_millis(100));
        }
        cut
    });
    let mut slow: Vec<TcpStream> = silent.into_iter().chain(half).collect();
    for stream in &slow {
        stream.set_nonblocking(true).expect("a socket");
    }
    let mut served_meanwhile = 0;
    for user in 1..=40 {
        let mut client = Client::session(&server, user, ENCODINGS[user as usize % 2]);
        client.assert_quiet();
        client.close();
        served_meanwhile += usize::from(!slow.iter_mut().any(is_cut));
    }
    assert!(served_meanwhile > 0, "everybody had to wait for the slow ones to be gone");
    for mut stream in slow {
        stream.set_nonblocking(false).expect("a socket");
        assert!(is_cut(&mut stream));
    }
    assert_eq!(feeder.join().expect("the feeder"), EACH);
    Client::session(&server, 1, ENCODINGS[0]).assert_quiet();
}

#[test]
fn s3_an_address_has_so_many_unfinished_handshakes_and_others_are_not_touched() {
    let lines = "[limits]\nexempt_loopback = false\naddress_handshakes = 20";
    let server = Setup::new().config(lines).start();
    let mut slow = Vec::new();
    let mut refused = 0;
    for _ in 0..50 {
        let mut stream = dial(server.address()).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let mut answer = [0; 12];
        // Who is refused is told so at once; later, if the machine is slow.
        match stream.read(&mut answer) {
            Ok(length) if length > 0 => {
                assert_eq!(&answer[..length], b"HTTP/1.1 429");
                refused += 1;
            }
            _ => slow.push(stream),
        }
    }
    for stream in &mut slow {
        stream.set_nonblocking(true).expect("a socket");
    }
    // Somebody else comes in, and the address again when its slow ones are gone.
    for encoding in ENCODINGS {
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(1));
        let stream = dial_from([127, 0, 0, 3], server.address(), |_| Ok(())).expect("a connection");
        let mut other = Client::upgrade_on(stream, &upgrade, encoding, b"").expect("a WebSocket");
        other.connect(ringwire_protocol::wire::Connect::default()).expect("a session");
        other.assert_quiet();
    }
    for stream in &mut slow {
        let mut answer = [0; 12];
        refused += usize::from(matches!(stream.read(&mut answer), Ok(1..)));
    }
    assert_eq!(refused, 30, "twenty may be slow");
    drop(slow);
    loop {
        let upgrade = Upgrade::encoding(ENCODINGS[0]).bearer(&server.token(1));
        match Client::upgrade(server.address(), &upgrade, ENCODINGS[0]) {
            Ok(_) => break,
            Err(status) => assert_eq!(status, 429),
        }
    }
}
