//! Which of a user's sessions may be there together, and who sees and ends them.

use std::collections::BTreeSet;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, refusal, text};
use crate::support::client::{Arrived, Client, Upgrade};
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
        let config = "[limits]\nmax_sessions_per_user = 3\n[session]\non_conflict = \"refuse_new\"";
        let server = Setup::new().config(config).start();
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
fn m1_the_oldest_session_makes_room_where_the_old_ones_have_to_go() {
    for encoding in ENCODINGS {
        let server = Setup::new().config("[limits]\nmax_sessions_per_user = 2").start();
        let mut first = join(&server, encoding, "a", "");
        let mut second = join(&server, encoding, "b", "");
        let _third = join(&server, encoding, "c", "");
        assert_eq!(first.close_code(), Some(4004));
        let ids: Vec<String> =
            second.sessions().into_iter().map(|session| session.device_id).collect();
        assert_eq!(ids, ["b", "c"]);
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

/// Everything that was pushed to a session before it is answered now.
fn pushes(client: &mut Client) -> Vec<Event> {
    let ping = client.start(Op::Ping(wire::Ping {}));
    let mut events = Vec::new();
    loop {
        match client.next() {
            Arrived::Push(event) => events.push(event),
            Arrived::Reply(reply) if reply.id == ping => return events,
            other => panic!("{other:?}"),
        }
    }
}

/// What those tell to be hidden, and the newest number of the view among them.
fn hidden_by(events: &[Event]) -> (BTreeSet<u64>, u64) {
    let changes = events.iter().filter_map(|event| match event {
        Event::ViewChanged(change) => Some(change),
        _ => None,
    });
    changes.fold((BTreeSet::new(), 0), |(mut seqs, newest), change| {
        seqs.extend(&change.hidden_seqs);
        (seqs, newest.max(change.view_no))
    })
}

#[test]
fn m1_five_devices_converge_though_one_was_away() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        // A user of their own for each round: nothing was ever hidden before one device goes away.
        let user = 10 + encoding as u64;
        let join = |n: usize, connect: wire::Connect| {
            let connect = wire::Connect { device_id: format!("d{n}"), ..connect };
            Client::session_with(&server, user, ENCODINGS[n % 2], connect)
        };
        let mut other = Client::session(&server, 2, encoding);
        let mut devices: Vec<Client> =
            (0..4).map(|n| join(n, wire::Connect::default()).0).collect();
        let (away, before) = join(4, wire::Connect::default());
        let direct = id_of(&devices[0].open_direct(2));
        let from = devices[0].head(direct).head_seq;
        away.close();

        for number in 0..10 {
            other.say(direct, &format!("o{number}"), &format!("from 2: {number}"));
            devices[number % 4].say(direct, &format!("d{number}"), "from 1");
        }
        devices[1].read_up_to(direct, from + 7);
        for (device, seqs) in
            [(2, vec![from + 1, from + 3, from + 5000]), (0, vec![from + 5, from + 1])]
        {
            let hide = Op::Hide(wire::Hide { conversation_id: direct, seqs });
            let done = devices[device].call(hide);
            assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
        }
        let hidden = BTreeSet::from([from + 1, from + 3, from + 5]);
        let views: Vec<_> = devices.iter_mut().map(|it| hidden_by(&pushes(it))).collect();
        let view_no = views[0].1;
        assert!(before.view_no > 0 && view_no > before.view_no);
        assert!(views.iter().all(|view| *view == (hidden.clone(), view_no)), "{views:?}");

        let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: from }];
        let connect = wire::Connect { cursors, view_no: before.view_no, ..Default::default() };
        let (mut back, connected) = join(4, connect);
        assert!(!connected.resumed && !connected.view_reset);
        assert_eq!(connected.view_no, view_no);
        let missed = pushes(&mut back);
        assert_eq!(hidden_by(&missed), (hidden.clone(), view_no));
        let entries = missed.iter().filter_map(|event| match event {
            Event::Entry(entry) => Some(entry),
            _ => None,
        });
        assert!(entries.clone().map(|entry| entry.seq).eq(from + 1..=from + 20));
        assert!(entries.clone().all(|entry| entry.hidden == hidden.contains(&entry.seq)));

        devices.push(back);
        let mut logs = devices.iter_mut().map(|client| client.log(direct));
        let first = logs.next().expect("a log");
        let in_log = first.iter().filter(|entry| entry.hidden).map(|entry| entry.seq);
        assert_eq!(in_log.collect::<BTreeSet<_>>(), hidden);
        assert_eq!(first.iter().filter(|entry| text(entry).is_some()).count(), 17);
        assert!(logs.all(|log| log == first), "every device has the same log");
        assert!(other.log(direct).iter().all(|entry| !entry.hidden), "nobody else's view changes");
        let heads: Vec<_> = devices.iter_mut().map(|client| client.head(direct)).collect();
        assert!(heads[0].read_seq >= from + 7 && heads.iter().all(|head| *head == heads[0]));

        // Who has all of it is told nothing, and neither is who keeps none.
        for known in [view_no, 0] {
            let (mut again, connected) =
                join(4, wire::Connect { view_no: known, ..Default::default() });
            assert_eq!((connected.view_no, connected.view_reset), (view_no, false));
            assert_eq!(hidden_by(&pushes(&mut again)), (BTreeSet::new(), 0));
        }
    }
}
