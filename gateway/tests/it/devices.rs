//! Which of a user's sessions may be there together, and who sees and ends them.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, refusal, text};
use crate::support::client::{Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};

fn device(id: &str, class: &str) -> wire::Connect {
    wire::Connect {
        device_id: id.to_owned(),
        device_class: class.to_owned(),
        client_name: format!("{id} of somebody"),
        ..Default::default()
    }
}

fn join(server: &ServerProcess, encoding: Encoding, id: &str, class: &str) -> Client {
    Client::session_with(server, 1, encoding, device(id, class)).0
}

/// The close code of a session that is refused.
fn refused(server: &ServerProcess, encoding: Encoding, connect: wire::Connect) -> Option<u16> {
    let upgrade = Upgrade::encoding(encoding).bearer(&server.token(1));
    let mut client = Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
    assert_eq!(client.connect(connect).expect_err("no session").name, "LIMIT_REACHED");
    client.close_code()
}

#[test]
fn m1_a_device_has_one_session_and_users_have_many_devices() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut old = join(&server, encoding, "phone", "phone");
        let mut tablet = join(&server, encoding, "tablet", "phone");
        let mut new = join(&server, encoding, "phone", "phone");
        assert_eq!(old.close_code(), Some(4003), "replaced");
        tablet.assert_quiet();
        let anonymous = [(); 2].map(|()| join(&server, encoding, "", ""));
        let listed = new.sessions();
        let ids: Vec<&str> = listed.iter().map(|session| &*session.device_id).collect();
        assert_eq!(ids, ["tablet", "phone", "", ""]);
        assert!(listed.iter().all(|session| session.live && session.connected_at > 0));
        assert_eq!(listed.iter().filter(|session| session.current).count(), 1);
        assert!(listed[1].current && listed[1].client_name == "phone of somebody");
        assert_eq!(listed[0].device_class, "phone");
        for client in anonymous.into_iter().chain([tablet, new]) {
            client.close();
        }
    }
}

#[test]
fn m1_policies_kick_the_old_or_refuse_the_new() {
    for encoding in ENCODINGS {
        let server = Setup::new().config("[session]\npolicy = \"single\"").start();
        let mut phone = join(&server, encoding, "phone", "phone");
        let mut web = join(&server, encoding, "web", "web");
        assert_eq!(phone.close_code(), Some(4004), "kicked, and not to come back by itself");
        web.assert_quiet();

        let lines = "[session]\npolicy = \"one_per_device_class\"\non_conflict = \"refuse_new\"";
        let server = Setup::new().config(lines).start();
        let mut phone = join(&server, encoding, "phone", "phone");
        let mut web = join(&server, encoding, "web", "web");
        assert_eq!(refused(&server, encoding, device("other", "phone")), Some(4007));
        phone.assert_quiet();
        web.assert_quiet();
        let mut again = join(&server, encoding, "phone", "phone");
        assert_eq!(phone.close_code(), Some(4003), "a device may always come again");
        again.assert_quiet();
        // Without a connection it keeps nobody out.
        drop(again);
        while web.sessions().iter().any(|session| session.device_id == "phone" && session.live) {}
        join(&server, encoding, "other", "phone").assert_quiet();
        assert_eq!(web.sessions().len(), 2);
    }
}

#[test]
fn m1_a_user_has_so_many_sessions_and_those_that_wait_make_room() {
    for encoding in ENCODINGS {
        let server = Setup::new().config("[limits]\nmax_sessions_per_user = 3").start();
        let mut first = join(&server, encoding, "a", "");
        let second = join(&server, encoding, "b", "");
        let third = join(&server, encoding, "c", "");
        assert_eq!(refused(&server, encoding, device("d", "")), Some(4007));
        drop((second, third));
        while first.sessions().iter().filter(|session| session.live).count() > 1 {}
        let _fourth = join(&server, encoding, "d", "");
        let ids: Vec<String> =
            first.sessions().into_iter().map(|session| session.device_id).collect();
        assert_eq!(ids, ["a", "c", "d"], "the one that has waited longest went");
    }
}

#[test]
fn m1_sessions_are_ended_from_another_one_of_the_same_user() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut stranger = Client::session(&server, 2, encoding);
        let mut phone = join(&server, encoding, "phone", "phone");
        let mut web = join(&server, encoding, "web", "web");
        let mut tv = join(&server, encoding, "tv", "tv");
        let listed = phone.sessions();
        let id_of = |device: &str| {
            let session = listed.iter().find(|session| session.device_id == device);
            session.expect("it is listed").session_id.clone()
        };
        let end = |session_id: String, all_others| {
            Op::EndSession(wire::EndSession { session_id, all_others })
        };
        assert_eq!(refusal(stranger.call(end(id_of("web"), false))), "NOT_FOUND");
        assert_eq!(refusal(phone.call(end("nonsense".to_owned(), false))), "NOT_FOUND");
        assert_eq!(refusal(phone.call(end(String::new(), false))), "INVALID_ARGUMENT");
        assert_eq!(refusal(phone.call(end(id_of("web"), true))), "INVALID_ARGUMENT");
        web.assert_quiet();
        let done = phone.call(end(id_of("web"), false));
        assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
        assert_eq!(web.close_code(), Some(4004));
        assert_eq!(refusal(phone.call(end(id_of("web"), false))), "NOT_FOUND");
        let done = phone.call(end(String::new(), true));
        assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
        assert_eq!(tv.close_code(), Some(4004));
        assert_eq!(phone.sessions().len(), 1);
        stranger.assert_quiet();
        phone.close();
        stranger.close();
    }
}

#[test]
fn m1_five_devices_converge_though_one_was_away() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut other = Client::session(&server, 2, encoding);
        let mut devices: Vec<Client> =
            (0..5).map(|n| join(&server, ENCODINGS[n % 2], &format!("d{n}"), "")).collect();
        let direct = id_of(&devices[0].open_direct(2));
        let before = devices[0].head(direct).head_seq;
        let away = devices.remove(4);
        let seen = away.counted;
        drop(away);
        for number in 0..10 {
            other.say(direct, &format!("{encoding:?}{number}"), &format!("from 2: {number}"));
            devices[number % 4].say(direct, &format!("{encoding:?}d{number}"), "from 1");
        }
        devices[1].read_up_to(direct, before + 7);
        let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: before }];
        let connect = wire::Connect { cursors, ..device("d4", "") };
        let (back, connected) = Client::session_with(&server, 1, ENCODINGS[0], connect);
        assert!(!connected.resumed && seen <= 1);
        devices.push(back);
        let mut logs = devices.iter_mut().map(|client| client.log(direct));
        let first = logs.next().expect("a log");
        assert_eq!(first.iter().filter(|entry| text(entry).is_some()).count() % 20, 0);
        assert!(logs.all(|log| log == first), "every device has the same log");
        for client in &mut devices {
            assert!(client.head(direct).read_seq >= before + 7);
        }
        for client in devices {
            client.close();
        }
        other.close();
    }
}
