//! Bounds that a client meets: rates, unanswered commands, connections, time to introduce itself.

use std::io::{Read, Write};
use std::thread;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::chat::{say, say_after};
use crate::support::client::{Arrived, Client, Upgrade, dial};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, http};

/// Sends so many pings at once; how many were answered, and the refusals.
fn flood(client: &mut Client, pings: usize) -> (usize, Vec<wire::Error>) {
    let ids: Vec<u64> = (0..pings).map(|_| client.queue(Op::Ping(wire::Ping {}))).collect();
    client.flush().expect("writing");
    let refused: Vec<_> = ids.into_iter().filter_map(|id| client.answer(id).err()).collect();
    (pings - refused.len(), refused)
}

fn assert_rate_limited(refused: &[wire::Error]) {
    for error in refused {
        assert_eq!((&*error.name, error.temporary), ("RATE_LIMITED", true), "{error:?}");
        // One command a second: the next one is less than a second away.
        assert!((1..=1000).contains(&error.retry_after_ms), "{error:?}");
    }
}

#[test]
fn q1_a_session_that_sends_too_fast_is_told_how_long_to_wait() {
    let lines = "[limits]\nsession_commands_per_s = 1\nsession_commands_burst = 30";
    let server = Setup::new().config(lines).start();
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        let (answered, refused) = flood(&mut client, 500);
        // `connect` was one of the burst; a slow machine may grant a few more while it works.
        assert!(answered >= 29, "{answered}");
        assert!(!refused.is_empty());
        assert_rate_limited(&refused);
        // Waiting as told is enough.
        thread::sleep(std::time::Duration::from_millis(
            refused[refused.len() - 1].retry_after_ms.into(),
        ));
        assert!(matches!(client.call(Op::Ping(wire::Ping {})), Ok(Outcome::Pong(_))));
        // Another session has a burst of its own.
        assert!(flood(&mut Client::session(&server, 1, encoding), 20).1.is_empty());
    }
}

#[test]
fn q1_a_user_cannot_dodge_the_limit_with_more_sessions() {
    let lines = "[limits]\nuser_commands_per_s = 1\nuser_commands_burst = 30";
    let server = Setup::new().config(lines).start();
    let mut sessions: Vec<Client> =
        (0..5).map(|number| Client::session(&server, 1, ENCODINGS[number % 2])).collect();
    let answers: Vec<_> = sessions.iter_mut().map(|session| flood(session, 100)).collect();
    for (_, refused) in &answers[1..] {
        assert!(!refused.is_empty());
        assert_rate_limited(refused);
    }
    assert!(answers.iter().map(|(answered, _)| answered).sum::<usize>() < 250);
    assert!(flood(&mut Client::session(&server, 2, Encoding::Json), 20).1.is_empty());
}

#[test]
fn o2_a_send_behind_one_that_was_too_fast_does_not_overtake_it() {
    let lines = "[limits]\nsession_commands_per_s = 20\nsession_commands_burst = 20";
    let server = Setup::new().config(lines).start();
    let mut client = Client::session(&server, 1, Encoding::Json);
    let group = client.create_group(&[]);
    let (mut next, mut after) = (0, String::new());
    // Pipelines ten at a time until everything is in, in order, as a client should.
    while next < 60 {
        let mut ids = Vec::new();
        let mut previous = after.clone();
        for number in next..(next + 10).min(60) {
            let id = format!("m{number}");
            ids.push((
                id.clone(),
                client.queue(say_after(group, &id, &number.to_string(), &previous)),
            ));
            previous = id;
        }
        client.flush().expect("writing");
        let mut refused = None;
        for (id, command) in ids {
            match client.answer(command) {
                Ok(_) => {
                    assert!(refused.is_none(), "{id} overtook a refused one");
                    next += 1;
                    after = id;
                }
                Err(error) => {
                    assert!(["RATE_LIMITED", "OUT_OF_ORDER"].contains(&&*error.name), "{error:?}");
                    refused = refused.or(Some(error.retry_after_ms));
                }
            }
        }
        thread::sleep(std::time::Duration::from_millis(refused.unwrap_or(0).into()));
    }
    thread::sleep(std::time::Duration::from_millis(200));
    let log = client.log(group);
    let texts: Vec<_> = log.iter().filter_map(crate::support::chat::text).collect();
    assert_eq!(texts, (0..60).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_flood_of_commands_is_answered_to_the_last_one() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        let group = client.create_group(&[]);
        // Answered at once, by the database, and by the log, many times more than may be unanswered.
        let ids: Vec<u64> = (0..3000)
            .map(|number| match number % 3 {
                0 => client.queue(Op::Ping(wire::Ping {})),
                1 => client.queue(Op::Heads(wire::Heads { limit: 1, ..Default::default() })),
                _ => client.queue(say(group, &format!("{number}"), "x")),
            })
            .collect();
        // Written by another thread: the server reads on only while it can answer.
        let output = client.take_output();
        let mut socket = client.socket().try_clone().expect("a second handle");
        let writing = thread::spawn(move || socket.write_all(&output));
        for (number, id) in ids.into_iter().enumerate() {
            match client.answer(id) {
                Ok(_) => {}
                // So many may wait for the database at a time; the others are told to come back.
                Err(error) if number % 3 == 1 => {
                    assert_eq!((&*error.name, error.temporary), ("TOO_MANY_UNANSWERED", true));
                }
                Err(error) => panic!("refused: {error:?}"),
            }
        }
        writing.join().expect("the writer").expect("writing");
        client.assert_quiet();
        assert_eq!(client.log(group).len(), 1001);
    }
}

#[test]
fn q1_connections_beyond_the_limit_are_answered_503_and_places_are_given_back() {
    let server = Setup::new().config("[server]\nmax_connections = 3").start();
    let mut first = Client::session(&server, 1, Encoding::Json);
    let second = Client::session(&server, 2, Encoding::Protobuf);
    let mut third = Client::session(&server, 2, Encoding::Json);
    for _ in 0..10 {
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(3));
        let refused = Client::upgrade(server.address(), &upgrade, Encoding::Json);
        assert_eq!(refused.err(), Some(503));
        let health = http::get(server.address(), "/health/live");
        assert_eq!((health.status, &health.json()["error"]["name"]), (503, &"BUSY".into()));
    }
    third.assert_quiet();
    first.assert_quiet();
    second.close();
    // Its place is free as soon as the server has noticed.
    loop {
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(2));
        match Client::upgrade(server.address(), &upgrade, Encoding::Json) {
            Ok(mut client) => {
                client.connect(wire::Connect::default()).expect("a session");
                break;
            }
            Err(status) => assert_eq!(status, 503),
        }
        thread::yield_now();
    }
}

/// All of these wait ten seconds, at once.
#[test]
fn s3_who_does_not_introduce_himself_is_sent_away_and_harms_nobody() {
    let server = ServerProcess::start(&[]);
    let upgrade = Upgrade::encoding(Encoding::Json);
    let address = server.address();
    // Nothing at all; half a request; an upgrade without `connect`; a token without `connect`; half a message.
    let mut silent = dial(address).expect("a connection");
    let mut half = dial(address).expect("a connection");
    half.write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\n").expect("writing");
    let mut no_connect = Client::upgrade(address, &upgrade, Encoding::Json).expect("a WebSocket");
    let bearer = upgrade.clone().bearer(&server.token(1));
    let mut idle_session = Client::upgrade(address, &bearer, Encoding::Json).expect("a WebSocket");
    let mut half_frame = Client::upgrade(address, &upgrade, Encoding::Json).expect("a WebSocket");
    half_frame.send_bytes(&[0x81, 0xfe, 0x01]);

    let mut busy = Client::session(&server, 2, Encoding::Protobuf);
    let mut buffer = [0; 64];
    for stream in [&mut silent, &mut half] {
        assert_eq!(stream.read(&mut buffer).expect("an orderly end"), 0);
        busy.assert_quiet();
    }
    for client in [&mut no_connect, &mut idle_session, &mut half_frame] {
        assert_eq!(client.next(), Arrived::Closed(Some(4103)));
        busy.assert_quiet();
    }
}

/// The process may not have as many descriptors as there are clients that want one.
#[test]
fn l2_out_of_descriptors_those_who_are_connected_stay() {
    const MOST: u64 = 256;
    for driver in ["auto", "epoll"] {
        let server = Setup::new().arguments(&["--driver", driver]).without_rates().start();
        let mut live: Vec<Client> = (1..=20)
            .map(|user| Client::session(&server, user, ENCODINGS[user as usize % 2]))
            .collect();
        let group = live[0].create_group(&(2..=20).collect::<Vec<_>>());
        for member in &mut live[1..] {
            assert_eq!(member.next_entry().seq, 1);
        }
        server.limit_descriptors(MOST);
        // The kernel takes these in; the server cannot.
        let waiting: Vec<_> =
            (0..2 * MOST).map(|_| dial(server.address()).expect("a place in the queue")).collect();
        while server.descriptors() < MOST - 1 {
            thread::yield_now();
        }
        for number in 0..50 {
            let seq = live[0].say(group, &format!("m{number}"), "still here").seq;
            for member in &mut live[1..] {
                assert_eq!(member.next_entry().seq, seq);
            }
        }
        for member in &mut live {
            member.assert_answers_ping();
        }
        // When there are descriptors again, there is room for others again.
        drop(waiting);
        let mut newcomer = Client::session(&server, 20, Encoding::Json);
        assert_eq!(newcomer.log(group).len(), 51);
    }
}

#[test]
fn q1_an_address_that_connects_too_often_is_answered_429_whatever_it_says_of_itself() {
    let lines = "[limits]\nexempt_loopback = false\naddress_connections_per_s = 1\naddress_connections_burst = 5";
    let server = Setup::new().config(lines).start();
    let connect = |header: &str| {
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
        let upgrade = upgrade.header(header, "192.0.2.77");
        Client::upgrade(server.address(), &upgrade, Encoding::Json).err()
    };
    let headers = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP"];
    let refused =
        headers.iter().cycle().take(40).filter(|header| connect(header) == Some(429)).count();
    // A slow machine grants a few more while it works.
    assert!((20..=35).contains(&refused), "{refused} of 40 were refused");
    while connect("X-Forwarded-For").is_some() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn q1_a_session_that_floods_in_spite_of_refusals_is_closed() {
    let lines = "[limits]\nsession_commands_per_s = 1\nsession_commands_burst = 1";
    let server = Setup::new().config(lines).start();
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        for _ in 0..20 {
            for _ in 0..200 {
                client.queue(Op::Ping(wire::Ping {}));
            }
            // It may be closed by now.
            let _ = client.flush();
        }
        let mut refusals = 0;
        let code = loop {
            match client.next() {
                Arrived::Reply(_) => refusals += 1,
                Arrived::Closed(code) => break code,
                Arrived::Push(push) => panic!("{push:?}"),
            }
        };
        assert_eq!(code, Some(4104));
        assert!(refusals >= 1000, "{refusals}");
    }
}
