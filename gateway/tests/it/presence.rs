//! Presence: who is there, told to those who watch and may see it.

use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};
use wire::presence::Status;

use crate::support::ENCODINGS;
use crate::support::chat::refusal;
use crate::support::client::{Arrived, Client};
use crate::support::server::{ServerProcess, Setup};

fn watch(add: &[u64], remove: &[u64]) -> Op {
    Op::WatchPresence(wire::WatchPresence { add: add.to_vec(), remove: remove.to_vec() })
}

fn done(client: &mut Client, op: Op) {
    let answer = client.call(op);
    assert!(matches!(answer, Ok(Outcome::Done(_))), "{answer:?}");
}

fn set_status(status: Status, text: &str) -> Op {
    Op::SetStatus(wire::SetStatus {
        status: status.into(),
        text: Some(text.to_owned()),
        ..Default::default()
    })
}

fn visible_to(visibility: wire::Visibility) -> Op {
    Op::SetStatus(wire::SetStatus {
        status_visibility: Some(visibility.into()),
        last_seen_visibility: Some(visibility.into()),
        ..Default::default()
    })
}

/// The next push about somebody's presence; entries and cursors may come between.
fn next_presence(client: &mut Client) -> Vec<wire::Presence> {
    loop {
        match client.next_push() {
            Event::Presence(push) => return push.users,
            Event::Entry(_) | Event::Cursor(_) => {}
            other => panic!("not presence: {other:?}"),
        }
    }
}

/// Waits until a user shows like this.
fn until(client: &mut Client, user: u64, status: Status, text: &str) -> wire::Presence {
    loop {
        for told in next_presence(client) {
            if (told.user_id, told.status(), &*told.text) == (user, status, text) {
                return told;
            }
        }
    }
}

/// Users of all shards who share a group, so that each may see the others.
fn acquainted(server: &ServerProcess, users: &[u64]) {
    for user in users {
        drop(Client::session(server, *user, Encoding::Json));
    }
    Client::session(server, users[0], Encoding::Json).create_group(&users[1..]);
}

#[test]
fn a_watcher_sees_the_present_state_at_once_and_then_every_change() {
    let server = Setup::new().start();
    acquainted(&server, &[1, 2, 3]);
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let mut watcher = Client::session(&server, 1, encoding);
        let watched = 2 + round as u64;
        let mut phone = Client::session(&server, watched, encoding);
        done(&mut watcher, watch(&[watched, 99], &[]));
        // Of everybody once: on how many shards they live is nobody's business.
        let mut first = Vec::new();
        while first.len() < 2 {
            first.extend(next_presence(&mut watcher));
        }
        first.sort_by_key(|told: &wire::Presence| told.user_id);
        let states: Vec<_> = first.iter().map(|told| (told.user_id, told.status())).collect();
        assert_eq!(states, [(watched, Status::Online), (99, Status::Offline)]);

        done(&mut phone, set_status(Status::Busy, "in a meeting"));
        until(&mut watcher, watched, Status::Busy, "in a meeting");
        // The most present one wins, with its text.
        let mut desktop = Client::session(&server, watched, Encoding::Json);
        until(&mut watcher, watched, Status::Online, "");
        done(&mut desktop, set_status(Status::Away, ""));
        until(&mut watcher, watched, Status::Busy, "in a meeting");
        // Invisible is offline, and the other session does not show through.
        done(&mut phone, set_status(Status::Invisible, ""));
        until(&mut watcher, watched, Status::Away, "");
        done(&mut desktop, set_status(Status::Invisible, ""));
        let told = until(&mut watcher, watched, Status::Offline, "");
        assert!(told.last_seen_at > 0, "when it hid");
        // What is not watched is not told.
        done(&mut watcher, watch(&[], &[watched]));
        done(&mut phone, set_status(Status::Online, "back"));
        done(&mut watcher, watch(&[99], &[]));
        let told = next_presence(&mut watcher);
        assert_eq!(told.iter().map(|told| told.user_id).collect::<Vec<_>>(), [99], "told again");
    }
}

#[test]
fn who_goes_is_offline_after_a_while_and_who_comes_back_never_was() {
    let server = Setup::new().start();
    acquainted(&server, &[1, 2]);
    let mut watcher = Client::session(&server, 1, Encoding::Protobuf);
    let phone = Client::session(&server, 2, Encoding::Json);
    done(&mut watcher, watch(&[2], &[]));
    until(&mut watcher, 2, Status::Online, "");
    // Back before it counts as gone, again and again.
    drop(phone);
    for _ in 0..3 {
        drop(Client::session(&server, 2, Encoding::Json));
    }
    let mut phone = Client::session(&server, 2, Encoding::Protobuf);
    done(&mut phone, set_status(Status::Online, "still here"));
    let told = next_presence(&mut watcher);
    assert_eq!((told[0].status(), &*told[0].text), (Status::Online, "still here"));
    phone.close();
    let told = until(&mut watcher, 2, Status::Offline, "");
    assert!(told.last_seen_at > 0);
    // It is known from the database, too, also to a session that begins later.
    let mut later = Client::session(&server, 1, Encoding::Json);
    done(&mut later, watch(&[2], &[]));
    assert_eq!(until(&mut later, 2, Status::Offline, "").last_seen_at, told.last_seen_at);
}

#[test]
fn last_seen_survives_a_restart() {
    let mut server = Setup::new().start();
    acquainted(&server, &[1, 2]);
    let present = Client::session(&server, 2, Encoding::Json);
    server.terminate();
    assert!(server.wait().success());
    drop(present);
    server.restart();
    let mut watcher = Client::session(&server, 1, Encoding::Protobuf);
    done(&mut watcher, watch(&[2], &[]));
    let told = until(&mut watcher, 2, Status::Offline, "");
    assert!(told.last_seen_at > 1_600_000_000_000, "{told:?}");
}

#[test]
fn z2_strangers_and_the_excluded_see_nothing() {
    let server = Setup::new().start();
    acquainted(&server, &[1, 2]);
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let mut ben = Client::session(&server, 2, encoding);
        done(&mut ben, set_status(Status::Online, "secret"));
        // Nobody shares a conversation with a stranger.
        let mut stranger = Client::session(&server, 10 + round as u64, encoding);
        done(&mut stranger, watch(&[2], &[]));
        let told = next_presence(&mut stranger);
        assert_eq!(told, [wire::Presence { user_id: 2, ..Default::default() }]);
        // Unless everyone may see it.
        done(&mut ben, visible_to(wire::Visibility::Everyone));
        done(&mut stranger, watch(&[2], &[2]));
        until(&mut stranger, 2, Status::Online, "secret");
        // Nor does anybody whom nobody is to see.
        done(&mut ben, visible_to(wire::Visibility::Nobody));
        let mut anna = Client::session(&server, 1, encoding);
        done(&mut anna, watch(&[2], &[]));
        assert_eq!(next_presence(&mut anna), [wire::Presence { user_id: 2, ..Default::default() }]);
        done(&mut ben, visible_to(wire::Visibility::Contacts));
        done(&mut anna, watch(&[2], &[2]));
        until(&mut anna, 2, Status::Online, "secret");
        drop(ben);
    }
}

#[test]
fn z2_who_may_see_less_from_now_on_sees_less_at_once() {
    let server = Setup::new().start();
    acquainted(&server, &[1, 2]);
    for encoding in ENCODINGS {
        let mut ben = Client::session(&server, 2, encoding);
        let mut anna = Client::session(&server, 1, encoding);
        done(&mut ben, set_status(Status::Online, "secret"));
        done(&mut anna, watch(&[2], &[]));
        until(&mut anna, 2, Status::Online, "secret");
        done(&mut ben, visible_to(wire::Visibility::Nobody));
        assert_eq!(until(&mut anna, 2, Status::Offline, "").last_seen_at, 0);
        done(&mut ben, visible_to(wire::Visibility::Contacts));
        until(&mut anna, 2, Status::Online, "secret");
    }
}

#[test]
fn what_is_asked_is_checked() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let (mut client, connected) =
            Client::session_with(&server, 1, encoding, wire::Connect::default());
        let most = u64::from(connected.limits.expect("limits").max_watched);
        let long = "x".repeat(129);
        assert_eq!(refusal(client.call(set_status(Status::Online, &long))), "TOO_LARGE");
        let unknown = Op::SetStatus(wire::SetStatus { status: 77, ..Default::default() });
        if encoding == Encoding::Protobuf {
            assert_eq!(refusal(client.call(unknown)), "INVALID_ARGUMENT");
        }
        assert_eq!(refusal(client.call(watch(&[0], &[]))), "INVALID_ARGUMENT");
        let many: Vec<u64> = (1..=most).collect();
        done(&mut client, watch(&many, &[]));
        assert_eq!(refusal(client.call(watch(&[most + 1], &[]))), "LIMIT_REACHED");
        done(&mut client, watch(&[most + 1], &[1]));
        // As many states as are watched, each once, whatever the shards they come from.
        let mut told = 0;
        while told < most {
            told += next_presence(&mut client).len() as u64;
        }
    }
}

/// At most one push a second, whatever happens.
#[test]
fn many_changes_come_together() {
    const OTHERS: u64 = 30;
    let server = Setup::new().without_rates().start();
    let users: Vec<u64> = (1..=OTHERS + 1).collect();
    acquainted(&server, &users);
    let mut watcher = Client::session(&server, 1, Encoding::Json);
    let mut others: Vec<Client> =
        users[1..].iter().map(|user| Client::session(&server, *user, Encoding::Protobuf)).collect();
    done(&mut watcher, watch(&users[1..], &[]));
    for round in 0..20 {
        for other in &mut others {
            done(other, set_status(Status::Busy, &round.to_string()));
        }
    }
    let mut last = std::collections::BTreeMap::new();
    let mut pushes = 0;
    while last.values().filter(|text| **text == "19").count() < others.len() {
        pushes += 1;
        last.extend(next_presence(&mut watcher).into_iter().map(|told| (told.user_id, told.text)));
    }
    assert!(pushes <= 60, "{pushes} pushes for {} changes", 20 * OTHERS);
}

#[test]
fn a_resumed_session_still_watches() {
    let server = Setup::new().start();
    acquainted(&server, &[1, 2]);
    for encoding in ENCODINGS {
        let connect = wire::Connect { device_id: "phone".to_owned(), ..Default::default() };
        let (mut watcher, connected) = Client::session_with(&server, 1, encoding, connect.clone());
        let mut ben = Client::session(&server, 2, encoding);
        done(&mut ben, set_status(Status::Online, "before"));
        done(&mut watcher, watch(&[2], &[]));
        until(&mut watcher, 2, Status::Online, "before");
        // What changes while nobody listens is told when somebody does.
        drop(watcher);
        std::thread::sleep(Duration::from_millis(200));
        done(&mut ben, set_status(Status::Busy, "meanwhile"));
        std::thread::sleep(Duration::from_millis(2500));
        let resume = wire::Resume { session_id: connected.session_id, received: 0 };
        let again = wire::Connect { resume: Some(resume), ..connect };
        let (mut watcher, connected) = Client::session_with(&server, 1, encoding, again);
        assert!(connected.resumed);
        until(&mut watcher, 2, Status::Busy, "meanwhile");
        done(&mut ben, set_status(Status::Away, "after"));
        until(&mut watcher, 2, Status::Away, "after");
        while let Some(arrived) = watcher.next_within(Duration::from_millis(1)) {
            assert!(!matches!(arrived, Arrived::Closed(_)));
        }
    }
}
