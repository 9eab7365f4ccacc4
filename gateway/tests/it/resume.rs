//! A session goes on over another connection: exactly what was missed comes, or the resume is refused.

use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, say, text};
use crate::support::client::{Arrived, Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The client closes its socket.
    Fin,
    /// The connection is reset.
    Rst,
    /// Nobody tells the server.
    Silent,
}

const CUTS: [Cut; 3] = [Cut::Fin, Cut::Rst, Cut::Silent];

/// Ends a connection; one that is cut silently is given back, to be kept open.
fn cut(mut client: Client, how: Cut) -> Option<Client> {
    match how {
        Cut::Fin => None,
        Cut::Rst => {
            let socket = socket2::SockRef::from(&*client.socket());
            socket.set_linger(Some(Duration::ZERO)).expect("no lingering");
            None
        }
        Cut::Silent => Some(client),
    }
}

fn on_device(device: &str) -> wire::Connect {
    wire::Connect { device_id: device.to_owned(), ..Default::default() }
}

/// Makes a `connect` of a session id and a count.
type Ask = fn(&str, u64) -> wire::Connect;

fn resuming(device: &str, session_id: &str, received: u64) -> wire::Connect {
    let resume = wire::Resume { session_id: session_id.to_owned(), received };
    wire::Connect { resume: Some(resume), ..on_device(device) }
}

/// A session on a device, and its id.
fn session(
    server: &ServerProcess,
    user: u64,
    encoding: Encoding,
    device: &str,
) -> (Client, String) {
    let (client, connected) = Client::session_with(server, user, encoding, on_device(device));
    assert!(!connected.resumed);
    assert_eq!(connected.limits.expect("limits").resume_ms, 60_000);
    (client, connected.session_id)
}

/// Connects with a count; whether it was a resume.
fn resume(
    server: &ServerProcess,
    user: u64,
    encoding: Encoding,
    connect: wire::Connect,
) -> (Client, wire::Connected) {
    let received = connect.resume.as_ref().map_or(0, |resume| resume.received);
    let (mut client, connected) = Client::session_with(server, user, encoding, connect);
    client.counted += if connected.resumed { received } else { 0 };
    (client, connected)
}

/// The texts of the next so many entries.
fn next_texts(client: &mut Client, count: usize) -> Vec<String> {
    (0..count).map(|_| text(&client.next_entry()).expect("a message").to_owned()).collect()
}

fn texts(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("text {number}")).collect()
}

fn say_numbers(client: &mut Client, conversation: u64, numbers: std::ops::Range<u32>) {
    for number in numbers {
        client.say(conversation, &format!("m{number}"), &format!("text {number}"));
    }
}

/// A server, somebody who speaks, and a direct conversation with user 2, whose first entry nobody waits for.
fn talk(setup: Setup, encoding: Encoding) -> (ServerProcess, Client, u64) {
    let server = setup.start();
    Client::session(&server, 2, encoding).close();
    let mut speaker = Client::session(&server, 1, encoding);
    let direct = id_of(&speaker.open_direct(2));
    (server, speaker, direct)
}

#[test]
fn r1_a_resume_brings_exactly_what_was_missed() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new(), encoding);
        for how in CUTS {
            let (mut listener, id) = session(&server, 2, encoding, "phone");
            speaker.say(direct, &format!("{how:?}"), "heard");
            assert_eq!(next_texts(&mut listener, 1), ["heard"]);
            let received = listener.counted;
            let kept_open = cut(listener, how);
            for number in 0..20 {
                speaker.say(direct, &format!("{how:?}{number}"), &format!("text {number}"));
            }
            speaker.read_up_to(direct, 5);

            let connect = resuming("phone", &id, received);
            let (mut again, connected) = resume(&server, 2, encoding, connect);
            assert!(connected.resumed, "{how:?}");
            assert_eq!(connected.session_id, id);
            assert_eq!(connected.user.expect("a user").user_id, 2);
            assert!(connected.heads.is_none() && connected.sync.is_empty());
            assert_eq!(next_texts(&mut again, 20), texts(0..20), "{how:?}");
            again.assert_quiet_but_for_cursors();
            speaker.say(direct, &format!("{how:?}live"), "live again");
            assert_eq!(next_texts(&mut again, 1), ["live again"]);
            if let Some(mut old) = kept_open {
                assert_eq!(old.close_code(), Some(4003), "the old connection is told");
            }
            again.close();
        }
    }
}

#[test]
fn r1_what_was_sent_and_never_arrived_is_sent_again() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new(), encoding);
        let (mut listener, id) = session(&server, 2, encoding, "phone");
        say_numbers(&mut speaker, direct, 0..10);
        assert_eq!(next_texts(&mut listener, 10), texts(0..10));
        // The client says it has 4 of the 10: the rest was lost on the way.
        for received in [4, 7, 10] {
            let connect = resuming("phone", &id, received);
            let (mut again, connected) = resume(&server, 2, encoding, connect);
            assert!(connected.resumed, "{received}");
            let lost = received as u32..10;
            assert_eq!(next_texts(&mut again, lost.len()), texts(lost));
            if received == 10 {
                again.assert_quiet();
            }
        }
        // What it once had it cannot want again.
        let (_, connected) = resume(&server, 2, encoding, resuming("phone", &id, 4));
        assert!(!connected.resumed);
    }
}

#[test]
fn r1_a_send_whose_ack_was_cut_off_is_told_by_the_resume_and_by_the_retry() {
    for encoding in ENCODINGS {
        let (server, speaker, direct) = talk(Setup::new(), encoding);
        drop(speaker);
        let (mut mine, id) = session(&server, 1, encoding, "phone");
        let mut other = Client::session(&server, 2, encoding);
        let received = mine.counted;
        mine.start(say(direct, "unsure", "hello"));
        assert_eq!(next_texts(&mut other, 1), ["hello"]);
        drop(mine);
        let (mut again, connected) = resume(&server, 1, encoding, resuming("phone", &id, received));
        assert!(connected.resumed);
        let ack = again.say(direct, "unsure", "hello");
        assert_eq!(again.log(direct).iter().filter(|entry| text(entry).is_some()).count(), 1);
        assert_eq!(ack.seq, again.head(direct).head_seq);
    }
}

#[test]
fn r2_a_resume_that_cannot_be_whole_is_a_new_session_with_cursors() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new(), encoding);
        let other_encoding =
            if encoding == Encoding::Json { Encoding::Protobuf } else { Encoding::Json };
        let cases: [(&str, u64, Encoding, Ask); 8] = [
            ("ahead of the head", 2, encoding, |id, kept| resuming("phone", id, kept + 1)),
            ("unknown", 2, encoding, |_, kept| resuming("phone", "nonsense", kept)),
            ("empty", 2, encoding, |_, _| resuming("phone", "", 0)),
            ("of another start", 2, encoding, |id, kept| {
                let (_, rest) = id.split_once('-').expect("several parts");
                resuming("phone", &format!("1-{rest}"), kept)
            }),
            ("on another device", 2, encoding, |id, kept| resuming("tablet", id, kept)),
            ("on no device", 2, encoding, |id, kept| resuming("", id, kept)),
            ("by another user", 3, encoding, |id, kept| resuming("phone", id, kept)),
            ("in another encoding", 2, other_encoding, |id, kept| resuming("phone", id, kept)),
        ];
        for (place, (why, user, encoding_then, ask)) in cases.into_iter().enumerate() {
            let (mut listener, id) = session(&server, 2, encoding, "phone");
            let first = format!("{encoding:?}{place}");
            speaker.say(direct, &first, "heard");
            assert_eq!(next_texts(&mut listener, 1), ["heard"]);
            let kept = listener.counted;
            drop(listener);
            let (client, connected) = resume(&server, user, encoding_then, ask(&id, kept));
            assert!(!connected.resumed, "{why}");
            assert_ne!(connected.session_id, id, "{why}");
            assert!(connected.heads.is_some(), "{why}");
            client.close();
            if why.starts_with("on") || why.starts_with("by") {
                // A resume of somebody else, or elsewhere, has not harmed the session itself.
                speaker.say(direct, &format!("{first}missed"), "missed");
                let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: 1 }];
                let connect = wire::Connect { cursors, ..resuming("phone", &id, kept) };
                let (mut again, connected) = resume(&server, 2, encoding, connect);
                assert!(connected.resumed && connected.sync.is_empty(), "{why}");
                assert_eq!(next_texts(&mut again, 1), ["missed"], "cursors do not matter here");
                again.close();
            }
        }
    }
}

#[test]
fn r2_what_was_recalled_does_not_come_with_a_resume() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new(), encoding);
        // Before and after the connection ends, and what was kept behind it.
        for (round, heard_first) in [true, false].into_iter().enumerate() {
            let (mut listener, id) = session(&server, 2, encoding, "phone");
            let mut kept = None;
            let mut times = 0;
            let mut secret = |speaker: &mut Client| {
                times += 1;
                let said = speaker.say(direct, &format!("{round}.{times}"), "secret").seq;
                let message = wire::Message { text: "still secret".into(), ..Default::default() };
                let edit = wire::Edit {
                    conversation_id: direct,
                    target_seq: said,
                    message: Some(message),
                    ..Default::default()
                };
                assert!(speaker.call(Op::Edit(edit)).is_ok());
                said
            };
            if heard_first {
                kept = Some(secret(&mut speaker));
                listener.next_entry();
                listener.next_entry();
            }
            drop(listener);
            let said = kept.unwrap_or_else(|| secret(&mut speaker));
            let recall =
                wire::Recall { conversation_id: direct, target_seq: said, ..Default::default() };
            assert!(speaker.call(Op::Recall(recall)).is_ok());
            let after = speaker.say(direct, &format!("{round}.after"), "after").seq;
            let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: said - 1 }];
            let connect = wire::Connect { cursors, ..resuming("phone", &id, 0) };
            let (mut again, connected) = resume(&server, 2, encoding, connect);
            assert!(!connected.resumed, "the bodies would be in it");
            for seq in said..=after {
                let entry = again.next_entry();
                assert_eq!(entry.seq, seq);
                assert!(!format!("{entry:?}").contains("secret"), "{entry:?}");
            }
            again.close();
            // Who has counted what was recalled later goes on.
            let (mut listener, id) = session(&server, 2, encoding, "phone");
            let said = secret(&mut speaker);
            listener.next_entry();
            listener.next_entry();
            let counted = listener.counted;
            drop(listener);
            let recall =
                wire::Recall { conversation_id: direct, target_seq: said, ..Default::default() };
            assert!(speaker.call(Op::Recall(recall)).is_ok());
            let (mut again, connected) =
                resume(&server, 2, encoding, resuming("phone", &id, counted));
            assert!(connected.resumed);
            assert_eq!(again.next_entry().seq, said + 2);
            again.close();
        }
    }
}

#[test]
fn r2_a_session_whose_time_is_over_is_gone() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) =
            talk(Setup::new().config("[session]\nresume_s = 1"), encoding);
        let (listener, connected) = Client::session_with(&server, 2, encoding, on_device("phone"));
        assert_eq!(connected.limits.expect("limits").resume_ms, 1000);
        drop(listener);
        let mut watcher = Client::session(&server, 2, encoding);
        while watcher.sessions().iter().any(|session| session.device_id == "phone") {
            std::thread::sleep(Duration::from_millis(50));
        }
        speaker.say(direct, "m", "hello");
        let connect = resuming("phone", &connected.session_id, 0);
        let (_, connected) = resume(&server, 2, encoding, connect);
        assert!(!connected.resumed);
    }
}

#[test]
fn r2_doubled_and_pipelined_resumes_have_one_winner() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new(), encoding);
        let (listener, id) = session(&server, 2, encoding, "phone");
        drop(listener);
        say_numbers(&mut speaker, direct, 0..5);
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(2));
        let clients = (0..4).map(|_| {
            let mut client =
                Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
            let connect = client.queue(Op::Connect(resuming("phone", &id, 0)));
            let again = client.queue(Op::Connect(resuming("phone", &id, 0)));
            let ping = client.queue(Op::Ping(wire::Ping {}));
            client.flush().expect("writing");
            (client, [connect, again, ping])
        });
        let mut answered = Vec::new();
        for (mut client, [connect, again, ping]) in clients.collect::<Vec<_>>() {
            let mut entries = Vec::new();
            let mut replies = Vec::new();
            while replies.last() != Some(&ping) {
                match client.next() {
                    Arrived::Push(Event::Entry(entry)) => {
                        entries.push(text(&entry).expect("a message").to_owned());
                    }
                    Arrived::Reply(reply) => {
                        replies.push(reply.id);
                        match reply.outcome.expect("an outcome") {
                            Outcome::Connected(connected) => assert!(connected.resumed),
                            Outcome::Error(error) => assert_eq!(error.name, "ALREADY_CONNECTED"),
                            outcome => assert!(matches!(outcome, Outcome::Pong(_)), "{outcome:?}"),
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(entries, texts(0..5), "whole for everybody");
            assert_eq!(replies, [connect, again, ping]);
            answered.push(client);
        }
        // Only now: whoever says anything tells what it has received, and no other could resume with less.
        let mut live = 0;
        for mut client in answered {
            if client.is_live() {
                live += 1;
            } else {
                assert!(matches!(client.next(), Arrived::Closed(Some(4003))));
            }
        }
        assert_eq!(live, 1);
    }
}

#[test]
fn r2_more_than_is_kept_and_a_farewell_end_the_session() {
    for encoding in ENCODINGS {
        let (server, mut speaker, direct) = talk(Setup::new().without_rates(), encoding);
        let (listener, id) = session(&server, 2, encoding, "phone");
        drop(listener);
        say_numbers(&mut speaker, direct, 0..257);
        let (client, connected) = resume(&server, 2, encoding, resuming("phone", &id, 0));
        assert!(!connected.resumed, "257 pushes are one too many");
        client.close();
        let (mut watcher, connected) =
            resume(&server, 2, encoding, resuming("phone", &connected.session_id, 0));
        assert!(!connected.resumed, "who says goodbye does not come back");
        assert_eq!(watcher.sessions().len(), 1);
    }
}

#[test]
fn r2_a_new_session_on_the_device_ends_the_one_that_waits() {
    for encoding in ENCODINGS {
        let (server, _, _) = talk(Setup::new(), encoding);
        let (listener, id) = session(&server, 2, encoding, "phone");
        drop(listener);
        let (mut fresh, _) = session(&server, 2, encoding, "phone");
        assert_eq!(fresh.sessions().len(), 1);
        let (_, connected) = resume(&server, 2, encoding, resuming("phone", &id, 0));
        assert!(!connected.resumed);
    }
}

#[test]
fn g1_a_restarted_server_refuses_the_sessions_of_the_one_before() {
    for encoding in ENCODINGS {
        let (mut server, mut speaker, direct) = talk(Setup::new(), encoding);
        let (mut listener, id) = session(&server, 2, encoding, "phone");
        let upgrade = Upgrade::encoding(encoding);
        let mut nameless = Client::upgrade(server.address(), &upgrade, encoding).expect("open");
        speaker.say(direct, "m0", "text 0");
        assert_eq!(next_texts(&mut listener, 1), texts(0..1));
        server.terminate();
        assert!(server.wait().success());
        assert_eq!(listener.close_code(), Some(4200));
        assert_eq!(nameless.close_code(), Some(4200), "also who has not said who they are");
        server.restart();
        let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: 1 }];
        let connect = wire::Connect { cursors, ..resuming("phone", &id, listener.counted) };
        let (mut again, connected) = resume(&server, 2, encoding, connect);
        assert!(!connected.resumed);
        assert_eq!(connected.sync.len(), 1);
        assert_eq!(next_texts(&mut again, 1), texts(0..1));
    }
}
