//! Delivered and read cursors: who is told, how often, and what is kept.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, refusal};
use crate::support::client::{Arrived, Client};
use crate::support::server::Setup;

fn delivered(conversation_id: u64, seq: u64) -> Op {
    Op::Delivered(wire::Delivered { conversation_id, seq })
}

fn read(conversation_id: u64, seq: u64) -> Op {
    Op::Read(wire::Read { conversation_id, seq })
}

fn next_cursor(client: &mut Client) -> wire::Cursor {
    loop {
        match client.next_push() {
            Event::Cursor(cursor) => return cursor,
            Event::Entry(_) => {}
            other => panic!("not a cursor: {other:?}"),
        }
    }
}

/// Reads on until a cursor comes that is this far; how many came.
fn cursors_until(client: &mut Client, read_seq: u64, delivered_seq: u64) -> usize {
    let (mut count, mut last) = (0, wire::Cursor::default());
    while (last.read_seq, last.delivered_seq) != (read_seq, delivered_seq) {
        let cursor = next_cursor(client);
        assert!(cursor.read_seq >= last.read_seq && cursor.delivered_seq >= last.delivered_seq);
        last = cursor;
        count += 1;
    }
    count
}

#[test]
fn m1_cursors_reach_the_other_members_and_the_users_other_devices() {
    let server = Setup::new().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (anna, ben) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        let mut others = Client::session(&server, anna, encoding);
        let mut phone = Client::session(&server, ben, encoding);
        let mut desktop = Client::session(&server, ben, encoding);
        let direct = id_of(&others.open_direct(ben));
        for number in 0..3 {
            others.say(direct, &format!("m{number}"), "hi");
        }
        assert!(matches!(phone.call(delivered(direct, 3)), Ok(Outcome::Done(_))));
        let expected =
            wire::Cursor { conversation_id: direct, user_id: ben, read_seq: 0, delivered_seq: 3 };
        assert_eq!(next_cursor(&mut others), expected);
        assert_eq!(next_cursor(&mut desktop), expected);
        // What was seen has arrived.
        assert!(matches!(desktop.call(read(direct, 4)), Ok(Outcome::Done(_))));
        let expected = wire::Cursor { read_seq: 4, delivered_seq: 4, ..expected };
        assert_eq!(next_cursor(&mut others), expected);
        assert_eq!(next_cursor(&mut phone), expected);
        // They only rise: this is answered, and moves nothing.
        for op in [read(direct, 2), delivered(direct, 1), read(direct, 4)] {
            assert!(matches!(phone.call(op), Ok(Outcome::Done(_))));
        }
        let head = phone.head(direct);
        assert_eq!((head.read_seq, head.delivered_seq, head.unread), (4, 4, 0));
        // Nobody has what is not there, and strangers have nothing.
        assert_eq!(refusal(phone.call(delivered(direct, 5))), "INVALID_ARGUMENT");
        let mut stranger = Client::session(&server, 9, encoding);
        assert_eq!(refusal(stranger.call(delivered(direct, 1))), "NOT_MEMBER");
        // The session that moved it is answered and needs no push.
        while let Some(arrived) = phone.next_within(std::time::Duration::from_millis(1)) {
            assert!(
                !matches!(arrived, Arrived::Push(Event::Cursor(cursor)) if cursor.read_seq == 0),
                "{arrived:?}"
            );
        }
    }
}

#[test]
fn what_a_user_says_raises_their_cursors_on_their_other_devices() {
    let server = Setup::new().start();
    let mut phone = Client::session(&server, 1, Encoding::Json);
    let mut desktop = Client::session(&server, 1, Encoding::Protobuf);
    let mut other = Client::session(&server, 2, Encoding::Protobuf);
    let group = phone.create_group(&[2]);
    for number in 0..20 {
        phone.say(group, &format!("m{number}"), "hi");
    }
    assert!(cursors_until(&mut desktop, 21, 21) < 20, "they come together");
    // Others see it by the messages themselves.
    assert_eq!(other.log(group).len(), 21);
    assert_eq!(other.head(group).unread, 20);
    assert_eq!(desktop.head(group).delivered_seq, 21);
}

#[test]
fn many_moves_of_a_member_go_out_together() {
    const MOVES: u64 = 500;
    let server = Setup::new().without_rates().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (from, to) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        let mut reader = Client::session(&server, from, encoding);
        let mut other = Client::session(&server, to, encoding);
        let group = reader.create_group(&[to]);
        let ids: Vec<u64> = (0..MOVES)
            .map(|number| other.queue(crate::support::chat::say(group, &number.to_string(), "x")))
            .collect();
        other.flush().expect("writing");
        for id in ids {
            other.ack(id);
        }
        let ids: Vec<u64> = (0..MOVES)
            .flat_map(|number| [delivered(group, number + 2), read(group, number + 1)])
            .map(|op| reader.queue(op))
            .collect();
        reader.flush().expect("writing");
        for id in ids {
            assert!(matches!(reader.answer(id), Ok(Outcome::Done(_))));
        }
        // One at once, and one a second for as long as the moves took; each of them rose.
        let count = cursors_until(&mut other, MOVES, MOVES + 1);
        assert!(count <= 60, "{count} pushes for {MOVES} moves");
    }
}

/// Twice as many pushes as members would be too much where there are many.
#[test]
fn large_groups_push_cursors_to_the_users_own_devices_only() {
    let server = Setup::new().without_rates().start();
    let (connected, limits) = {
        let connect = wire::Connect::default();
        let (client, connected) = Client::session_with(&server, 1, Encoding::Protobuf, connect);
        (client, connected.limits.expect("limits"))
    };
    let mut owner = connected;
    let members: Vec<u64> = (2..=u64::from(limits.max_cursor_members) + 1).collect();
    for user in &members {
        drop(Client::session(&server, *user, Encoding::Protobuf));
    }
    let large = owner.create_group(&members);
    let small = owner.create_group(&members[1..]);
    let mut phone = Client::session(&server, 3, Encoding::Json);
    let mut desktop = Client::session(&server, 3, Encoding::Protobuf);
    assert!(matches!(phone.call(read(large, 1)), Ok(Outcome::Done(_))));
    assert_eq!(next_cursor(&mut desktop).conversation_id, large);
    // One member less, and everybody is told. The first thing the others hear is this.
    assert!(matches!(phone.call(read(small, 1)), Ok(Outcome::Done(_))));
    assert_eq!(next_cursor(&mut desktop).conversation_id, small);
    assert_eq!(next_cursor(&mut owner).conversation_id, small);
}

#[test]
fn delivered_cursors_survive_a_restart() {
    let mut server = Setup::new().start();
    let mut anna = Client::session(&server, 1, Encoding::Json);
    let mut ben = Client::session(&server, 2, Encoding::Protobuf);
    let direct = id_of(&anna.open_direct(2));
    anna.say(direct, "a", "hi");
    anna.say(direct, "b", "there");
    assert!(matches!(ben.call(delivered(direct, 3)), Ok(Outcome::Done(_))));
    assert!(matches!(ben.call(read(direct, 2)), Ok(Outcome::Done(_))));
    server.terminate();
    assert!(server.wait().success());
    server.restart();
    let head = Client::session(&server, 2, Encoding::Protobuf).head(direct);
    assert_eq!((head.read_seq, head.delivered_seq), (2, 3));
}
