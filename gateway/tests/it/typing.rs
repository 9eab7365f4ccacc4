//! Who is typing: told to the others, ends by itself, by a message and with the last session.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::refusal;
use crate::support::client::Client;
use crate::support::server::Setup;

fn typing(conversation_id: u64, stopped: bool) -> Op {
    Op::Typing(wire::Typing { conversation_id, stopped })
}

fn types(client: &mut Client, conversation: u64) {
    let done = client.call(typing(conversation, false));
    assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
}

/// The next push about somebody's typing; entries and cursors may come between.
fn next_typing(client: &mut Client) -> (u64, bool) {
    loop {
        match client.next_push() {
            Event::Typing(push) => return (push.user_id, push.stopped),
            Event::Entry(_) | Event::Cursor(_) => {}
            other => panic!("not typing: {other:?}"),
        }
    }
}

#[test]
fn the_others_see_it_and_it_ends_by_itself() {
    let server = Setup::new().start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let mut desktop = Client::session(&server, 1, Encoding::Json);
    let mut others = ENCODINGS.map(|encoding| Client::session(&server, 2, encoding));
    let group = anna.create_group(&[2]);
    assert_eq!(desktop.next_entry().seq, 1);
    // As often as she likes: they are told once a second at most.
    for _ in 0..50 {
        types(&mut anna, group);
    }
    for other in &mut others {
        let mut pushes = 0;
        loop {
            pushes += 1;
            match next_typing(other) {
                (1, false) => {}
                (1, true) => break,
                other => panic!("of somebody else: {other:?}"),
            }
        }
        assert!(pushes <= 8, "{pushes} pushes for one short typing");
    }
    anna.assert_quiet();
    desktop.assert_quiet();
}

#[test]
fn a_message_ends_it_and_so_does_stopping() {
    let server = Setup::new().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (from, to) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        let mut anna = Client::session(&server, from, encoding);
        let mut ben = Client::session(&server, to, encoding);
        let group = anna.create_group(&[to]);
        types(&mut anna, group);
        assert_eq!(next_typing(&mut ben), (from, false));
        assert!(matches!(anna.call(typing(group, true)), Ok(Outcome::Done(_))));
        assert_eq!(next_typing(&mut ben), (from, true));

        // The message itself tells that it is over: nothing else is said before she types again.
        types(&mut anna, group);
        assert_eq!(next_typing(&mut ben), (from, false));
        anna.say(group, "a", "what was typed");
        types(&mut anna, group);
        assert_eq!(next_typing(&mut ben), (from, false));
    }
}

#[test]
fn it_ends_with_the_last_session_that_typed() {
    let server = Setup::new().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (from, to) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        let mut ben = Client::session(&server, to, encoding);
        let mut phone = Client::session(&server, from, encoding);
        let mut desktop = Client::session(&server, from, encoding);
        let group = phone.create_group(&[to]);
        types(&mut phone, group);
        types(&mut desktop, group);
        assert_eq!(next_typing(&mut ben), (from, false));
        phone.close();
        // Its end is not the end: this is told again before anything is over.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        types(&mut desktop, group);
        assert_eq!(next_typing(&mut ben), (from, false));
        desktop.close();
        assert_eq!(next_typing(&mut ben), (from, true));
    }
}

#[test]
fn who_is_invisible_does_not_show_as_typing() {
    let server = Setup::new().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (from, to) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        let mut anna = Client::session(&server, from, encoding);
        let mut ben = Client::session(&server, to, encoding);
        let group = anna.create_group(&[to]);
        let show = |anna: &mut Client, status: wire::presence::Status| {
            let set = wire::SetStatus { status: status.into(), ..Default::default() };
            assert!(matches!(anna.call(Op::SetStatus(set)), Ok(Outcome::Done(_))));
        };
        types(&mut anna, group);
        assert_eq!(next_typing(&mut ben), (from, false));
        show(&mut anna, wire::presence::Status::Invisible);
        assert_eq!(next_typing(&mut ben), (from, true));
        types(&mut anna, group);
        anna.say(group, "a", "said all the same");
        assert!(matches!(ben.next_push(), Event::Entry(_)), "and nothing before it");
        show(&mut anna, wire::presence::Status::Online);
        types(&mut anna, group);
        assert_eq!(next_typing(&mut ben), (from, false));
    }
}

#[test]
fn z1_only_who_may_send_may_type() {
    let server = Setup::new().start();
    let mut anna = Client::session(&server, 1, Encoding::Json);
    drop(Client::session(&server, 2, Encoding::Json));
    let mut stranger = Client::session(&server, 3, Encoding::Protobuf);
    let settings = wire::GroupSettings { announcement_only: Some(true), ..Default::default() };
    let group = anna.create(wire::CreateGroup {
        kind: wire::ConversationKind::Group.into(),
        user_ids: vec![2],
        settings: Some(settings),
        ..Default::default()
    });
    let mut ben = Client::session(&server, 2, Encoding::Protobuf);
    assert_eq!(refusal(stranger.call(typing(group, false))), "NOT_MEMBER");
    assert_eq!(refusal(ben.call(typing(group, false))), "FORBIDDEN");
    types(&mut anna, group);
    assert_eq!(next_typing(&mut ben), (1, false));
}
