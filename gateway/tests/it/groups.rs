//! Conversations and who belongs to them: direct ones, groups, rooms; joining, leaving, inheriting.

use std::thread;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{
    self, ConversationKind, Role, command::Op, entry_body::Kind, group_settings::JoinPolicy,
    reply::Outcome,
};
use serde_json::json;

use crate::support::chat::{self, refusal, say};
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, http};

fn members(
    client: &mut Client,
    conversation_id: u64,
    page_token: &str,
    limit: u32,
) -> wire::MembersPage {
    let page_token = page_token.to_owned();
    match client.call(Op::Members(wire::Members { conversation_id, page_token, limit, list: 0 })) {
        Ok(Outcome::MembersPage(page)) => page,
        other => panic!("no page: {other:?}"),
    }
}

fn roles(client: &mut Client, conversation: u64) -> Vec<(u64, Role)> {
    let page = members(client, conversation, "", 0);
    page.members
        .into_iter()
        .map(|member| (member.user.as_ref().expect("a user").user_id, member.role()))
        .collect()
}

fn room() -> wire::CreateGroup {
    wire::CreateGroup { kind: ConversationKind::Room.into(), ..Default::default() }
}

#[test]
fn open_direct_from_both_sides_at_once_is_one_conversation() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for pair in 0..5_u64 {
            let users = [2 * pair + 1, 2 * pair + 2];
            let clients = [0, 1].map(|side| Client::session(&server, users[side], ENCODINGS[side]));
            let racing: Vec<_> = clients
                .into_iter()
                .zip([users[1], users[0]])
                .map(|(mut client, other)| {
                    thread::spawn(move || {
                        let ids: Vec<u64> = (0..4)
                            .map(|_| {
                                let open =
                                    wire::OpenDirect { user_id: other, username: String::new() };
                                client.queue(Op::OpenDirect(open))
                            })
                            .collect();
                        client.flush().expect("writing");
                        let opened = ids.into_iter().map(|id| match client.answer(id) {
                            Ok(Outcome::ConversationOpened(opened)) => {
                                (chat::id_of(&opened), opened.created)
                            }
                            other => panic!("not opened: {other:?}"),
                        });
                        (opened.collect::<Vec<_>>(), client)
                    })
                })
                .collect();
            let mut answers = Vec::new();
            let mut clients = Vec::new();
            for racer in racing {
                let (opened, client) = racer.join().expect("a racer");
                answers.extend(opened);
                clients.push(client);
            }
            assert!(answers.iter().all(|(id, _)| *id == answers[0].0), "{answers:?}");
            assert_eq!(answers.iter().filter(|(_, created)| *created).count(), 1, "{answers:?}");
            for client in &mut clients {
                assert_eq!(client.next_entry().seq, 1);
                assert_eq!(client.log(answers[0].0).len(), 1);
                client.assert_quiet();
            }
        }
    }
}

#[test]
fn a_direct_conversation_is_found_by_name_and_kept() {
    let server = ServerProcess::start(&[]);
    let anna = json!({"username": "anna", "password": "correct horse"});
    let anna = http::post(server.address(), "/api/v1/auth/register", &anna).json();
    let anna: u64 = anna["user"]["user_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let mut ben = Client::session(&server, anna + 1, Encoding::Json);
    let by_name = wire::OpenDirect { user_id: 0, username: "Anna".to_owned() };
    let Ok(Outcome::ConversationOpened(opened)) = ben.call(Op::OpenDirect(by_name)) else {
        panic!("not opened");
    };
    assert!(opened.created);
    let again = ben.open_direct(anna);
    assert!(!again.created);
    assert_eq!(chat::id_of(&again), chat::id_of(&opened));
    let conversation = again.head.and_then(|head| head.conversation).expect("a conversation");
    assert_eq!(conversation.kind(), ConversationKind::Direct);
    let users: Vec<u64> = conversation.users.iter().map(|user| user.user_id).collect();
    assert_eq!(users.len(), 2, "both sides are named: {users:?}");
    let leave = wire::Leave { conversation_id: chat::id_of(&opened), ..Default::default() };
    assert_eq!(refusal(ben.call(Op::Leave(leave))), "FORBIDDEN");
}

#[test]
fn a_group_is_made_with_its_members_and_all_of_them_are_told() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut others = [2, 3].map(|user| Client::session(&server, user, encoding));
            let mut owner = Client::session(&server, 1, encoding);
            let settings = wire::GroupSettings {
                title: Some("Hike · 徒步".to_owned()),
                ..Default::default()
            };
            let create = wire::CreateGroup {
                kind: ConversationKind::Group.into(),
                settings: Some(settings),
                user_ids: vec![3, 2, 3, 1],
                client_msg_id: format!("make {encoding:?}"),
                ..Default::default()
            };
            let group = owner.create(create.clone());
            // A retry finds the same group, another wish under the same id does not.
            let again = owner.call(Op::CreateGroup(create.clone()));
            match again {
                Ok(Outcome::ConversationOpened(opened)) => {
                    assert_eq!((chat::id_of(&opened), opened.created), (group, false));
                }
                other => panic!("not opened: {other:?}"),
            }
            for other in &mut others {
                let first = other.next_entry();
                assert_eq!((first.conversation_id, first.seq, first.sender_id), (group, 1, 1));
                match chat::notice(&first) {
                    Kind::Created(created) => {
                        assert_eq!(created.title, "Hike · 徒步");
                        assert_eq!(created.members.len(), 3);
                    }
                    other => panic!("not the beginning: {other:?}"),
                }
                let head = other.head(group);
                let conversation = head.conversation.expect("a conversation");
                assert_eq!((conversation.member_count, conversation.role()), (3, Role::Member));
                let title = conversation.settings.and_then(|settings| settings.title);
                assert_eq!(title.as_deref(), Some("Hike · 徒步"));
                other.assert_quiet();
            }
            assert_eq!(
                roles(&mut owner, group),
                [(1, Role::Owner), (2, Role::Member), (3, Role::Member)]
            );
            owner.assert_quiet();
        }
    }
}

#[test]
fn a_create_group_under_a_used_id_with_another_wish_is_a_conflict() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut owner = Client::session(&server, 1, Encoding::Json);
        let create = |title: &str| wire::CreateGroup {
            settings: Some(wire::GroupSettings {
                title: Some(title.to_owned()),
                ..Default::default()
            }),
            client_msg_id: "make".to_owned(),
            ..Default::default()
        };
        owner.create(create("one"));
        assert_eq!(refusal(owner.call(Op::CreateGroup(create("two")))), "CONFLICT");
    }
}

#[test]
fn members_come_in_pages() {
    let server = ServerProcess::start(&[]);
    for user in 2..=7 {
        drop(Client::session(&server, user, Encoding::Json));
    }
    let mut owner = Client::session(&server, 1, Encoding::Protobuf);
    let group = owner.create_group(&[2, 3, 4, 5, 6, 7]);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = members(&mut owner, group, &token, 3);
        assert!(page.members.len() <= 3);
        seen.extend(page.members.into_iter().filter_map(|member| Some(member.user?.user_id)));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn anybody_may_join_a_room_or_an_open_group_and_gets_what_is_said_from_then_on() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let open = wire::GroupSettings {
            join_policy: Some(JoinPolicy::Open.into()),
            ..Default::default()
        };
        let open = wire::CreateGroup {
            kind: ConversationKind::Group.into(),
            settings: Some(open),
            ..Default::default()
        };
        for create in [room(), open] {
            let mut owner = Client::session(&server, 1, Encoding::Protobuf);
            let mut joiner = Client::session(&server, 2, Encoding::Json);
            let mut second = Client::session(&server, 2, Encoding::Protobuf);
            let group = owner.create(create);
            owner.say(group, "before", "nobody else here");
            assert_eq!(refusal(joiner.call(say(group, "early", "x"))), "NOT_MEMBER");
            let joined = joiner.join(group);
            assert_eq!((joined.seq, joined.msg_no), (3, 1));
            let again =
                joiner.call(Op::Join(wire::Join { conversation_id: group, ..Default::default() }));
            assert_eq!(refusal(again), "ALREADY_MEMBER");
            for client in [&mut owner, &mut second] {
                let entry = client.next_entry();
                assert_eq!((entry.seq, entry.sender_id), (3, 2));
                assert!(
                    matches!(chat::notice(&entry), Kind::Joined(joined) if joined.user_ids == [2])
                );
            }
            owner.say(group, "after", "welcome");
            assert_eq!(joiner.next_entry().seq, 4);
            assert_eq!(second.next_entry().seq, 4);
            // Members see what was said before them.
            assert_eq!(joiner.log(group).len(), 4);
            joiner.assert_quiet();
        }
    }
}

#[test]
fn whoever_left_gets_nothing_more_and_may_do_nothing_more() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut owner = Client::session(&server, 1, Encoding::Json);
        let mut leaver = Client::session(&server, 2, Encoding::Protobuf);
        let mut second = Client::session(&server, 2, Encoding::Json);
        let group = owner.create_group(&[2]);
        for client in [&mut leaver, &mut second] {
            assert_eq!(client.next_entry().seq, 1);
        }
        // What is pipelined behind leaving is refused: the order of the commands is the order of the log.
        let leaving =
            leaver.queue(Op::Leave(wire::Leave { conversation_id: group, ..Default::default() }));
        let behind = leaver.queue(say(group, "behind", "x"));
        leaver.flush().expect("writing");
        assert_eq!(leaver.ack(leaving).seq, 2);
        assert_eq!(refusal(leaver.answer(behind)), "NOT_MEMBER");
        // The other device has to learn of it.
        for client in [&mut owner, &mut second] {
            let entry = client.next_entry();
            assert!(matches!(chat::notice(&entry), Kind::Left(left) if left.new_owner_id == 0));
        }
        owner.say(group, "alone", "x");
        for client in [&mut leaver, &mut second] {
            let history =
                Op::History(wire::History { conversation_id: group, ..Default::default() });
            assert_eq!(refusal(client.call(history)), "NOT_MEMBER");
            assert!(client.heads("", 0).heads.is_empty());
            client.assert_quiet();
        }
        assert_eq!(roles(&mut owner, group), [(1, Role::Owner)]);
    }
}

#[test]
fn an_owner_who_leaves_is_succeeded() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let mut owner = Client::session(&server, 1, Encoding::Json);
        let mut heir = Client::session(&server, 2, Encoding::Protobuf);
        drop(Client::session(&server, 3, Encoding::Json));
        let group = owner.create_group(&[2, 3]);
        assert_eq!(heir.next_entry().seq, 1);
        owner.leave(group);
        let entry = heir.next_entry();
        assert!(matches!(chat::notice(&entry), Kind::Left(left) if left.new_owner_id == 2));
        assert_eq!(roles(&mut heir, group), [(2, Role::Owner), (3, Role::Member)]);
        server.kill();
        server.restart();
        let mut heir = Client::session(&server, 2, Encoding::Json);
        assert_eq!(roles(&mut heir, group), [(2, Role::Owner), (3, Role::Member)]);
        assert_eq!(heir.leave(group).seq, 3);
    }
}

#[test]
fn q1_a_group_takes_no_more_members_than_it_may_have() {
    let server = Setup::new().config("[limits]\nmax_group_members = 5").start();
    let mut owner = Client::session(&server, 1, Encoding::Protobuf);
    for user in 2..=9 {
        drop(Client::session(&server, user, Encoding::Json));
    }
    let too_many = wire::CreateGroup { user_ids: (2..=6).collect(), ..Default::default() };
    assert_eq!(refusal(owner.call(Op::CreateGroup(too_many))), "GROUP_FULL");

    // Everybody at once: exactly as many get in as there is room for.
    let settings = wire::GroupSettings { max_members: Some(4), ..Default::default() };
    let group = owner.create(wire::CreateGroup { settings: Some(settings), ..room() });
    let mut joiners: Vec<Client> =
        (2..=9).map(|user| Client::session(&server, user, ENCODINGS[user as usize % 2])).collect();
    let ids: Vec<u64> = joiners
        .iter_mut()
        .map(|joiner| {
            joiner.start(Op::Join(wire::Join { conversation_id: group, ..Default::default() }))
        })
        .collect();
    let answers = joiners.iter_mut().zip(ids).map(|(joiner, id)| joiner.answer(id));
    let refused: Vec<String> =
        answers.filter_map(|answer| answer.err().map(|error| error.name)).collect();
    assert_eq!(refused, vec!["GROUP_FULL"; 5]);
    assert_eq!(roles(&mut owner, group).len(), 4);
}
