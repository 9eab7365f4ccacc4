//! Running a group: join codes and requests, roles and their transfer, mutes, bans, the end; blocks between two users.

use ringwire_protocol::wire::{
    self, GroupSettings, Role, command::Op, entry_body::Kind, group_settings::JoinPolicy,
    reply::Outcome,
};

use crate::support::ENCODINGS;
use crate::support::chat::{self, id_of, refusal, say};
use crate::support::client::Client;
use crate::support::server::Setup;
use crate::support::store::Database;

const FAR: i64 = 4_000_000_000_000;

fn join(conversation_id: u64, join_code: &str) -> Op {
    let (join_code, text) = (join_code.to_owned(), "let me in".to_owned());
    Op::Join(wire::Join { conversation_id, join_code, text, ..Default::default() })
}

fn group(policy: JoinPolicy, user_ids: &[u64]) -> wire::CreateGroup {
    let join_policy = Some(policy.into());
    wire::CreateGroup {
        kind: wire::ConversationKind::Group.into(),
        settings: Some(GroupSettings { join_policy, ..Default::default() }),
        user_ids: user_ids.to_vec(),
        ..Default::default()
    }
}

fn settings(client: &mut Client, conversation: u64) -> GroupSettings {
    let conversation = client.head(conversation).conversation.expect("a conversation");
    conversation.settings.expect("settings")
}

fn listed(
    client: &mut Client,
    conversation_id: u64,
    list: wire::members::List,
) -> Vec<wire::Member> {
    let list = list.into();
    let members = wire::Members { conversation_id, list, ..Default::default() };
    match client.call(Op::Members(members)) {
        Ok(Outcome::MembersPage(page)) => page.members,
        other => panic!("no page: {other:?}"),
    }
}

fn done(answer: Result<Outcome, wire::Error>) {
    if let Err(error) = answer {
        panic!("refused: {error:?}");
    }
}

#[test]
fn a_join_code_lets_in_until_a_new_one_is_made_and_never_shows_in_the_log() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut owner = Client::session(&server, 1, encoding);
            let id = owner.create(group(JoinPolicy::ByLink, &[]));
            let code = settings(&mut owner, id).join_code.expect("a code");
            let mut joiner = Client::session(&server, 2, encoding);
            assert_eq!(refusal(joiner.call(join(id, ""))), "CONVERSATION_NOT_FOUND");
            assert_eq!(refusal(joiner.call(join(id, "guess"))), "CONVERSATION_NOT_FOUND");
            done(joiner.call(join(id, &code)));
            assert_eq!(settings(&mut joiner, id).join_code, None, "for those who may invite");

            let anew = GroupSettings { join_code: Some("new".to_owned()), ..Default::default() };
            let update = wire::UpdateGroup {
                conversation_id: id,
                settings: Some(anew),
                ..Default::default()
            };
            done(owner.call(Op::UpdateGroup(update)));
            let newer = settings(&mut owner, id).join_code.expect("a code");
            assert_ne!(code, newer);
            drop((owner, joiner));
            server.kill();
            server.restart();
            let mut owner = Client::session(&server, 1, encoding);
            assert_eq!(settings(&mut owner, id).join_code.as_ref(), Some(&newer));
            let mut late = Client::session(&server, 3, encoding);
            assert_eq!(refusal(late.call(join(id, &code))), "CONVERSATION_NOT_FOUND");
            done(late.call(join(id, &newer)));
            let log = format!("{:?}", late.log(id));
            assert!(!log.contains(&code) && !log.contains(&newer), "{log}");
        }
    }
}

#[test]
fn a_request_waits_for_owner_or_admin_and_whoever_is_refused_is_told() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut owner = Client::session(&server, 1, encoding);
            let mut applicants = [2, 3].map(|user| Client::session(&server, user, encoding));
            let id = owner.create(group(JoinPolicy::ByApproval, &[]));
            for applicant in &mut applicants {
                done(applicant.call(join(id, "")));
                assert_eq!(refusal(applicant.call(join(id, ""))), "ALREADY_REQUESTED");
                assert_eq!(refusal(applicant.call(say(id, "m", "x"))), "NOT_MEMBER");
            }
            let asked = listed(&mut owner, id, wire::members::List::Requests);
            assert_eq!(asked.len(), 2);
            assert!(asked.iter().all(|asked| asked.request_text == "let me in"));
            let resolve = |user_id, refuse| {
                let conversation_id = id;
                let resolve =
                    wire::ResolveJoin { conversation_id, user_id, refuse, ..Default::default() };
                Op::ResolveJoin(resolve)
            };
            done(owner.call(resolve(2, false)));
            done(owner.call(resolve(3, true)));
            let [accepted, refused] = &mut applicants;
            assert!(matches!(chat::notice(&accepted.next_entry()), Kind::Joined(_)));
            assert!(matches!(chat::notice(&refused.next_entry()), Kind::JoinRefused(_)));
            accepted.say(id, "in", "hello");
            assert_eq!(refusal(refused.call(say(id, "out", "x"))), "NOT_MEMBER");
            assert!(listed(&mut owner, id, wire::members::List::Requests).is_empty());
            done(refused.call(join(id, "")));
        }
    }
}

#[test]
fn a_group_is_handed_over_and_ended_by_its_owner() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut owner = Client::session(&server, 1, encoding);
            let mut heir = Client::session(&server, 2, encoding);
            let id = owner.create_group(&[2]);
            let hand_over = wire::SetRole {
                conversation_id: id,
                user_id: 2,
                role: Role::Owner.into(),
                ..Default::default()
            };
            done(owner.call(Op::SetRole(hand_over)));
            let roles: Vec<Role> = listed(&mut owner, id, wire::members::List::Members)
                .iter()
                .map(wire::Member::role)
                .collect();
            assert_eq!(roles, [Role::Admin, Role::Owner]);
            let client_msg_id = "end".to_owned();
            let dissolve = || {
                let client_msg_id = client_msg_id.clone();
                Op::Dissolve(wire::Dissolve { conversation_id: id, client_msg_id })
            };
            assert_eq!(refusal(owner.call(dissolve())), "FORBIDDEN");
            let ended = heir.call(dissolve()).expect("an ack");
            assert_eq!(heir.call(dissolve()), Ok(ended), "a retry finds the first try");
            assert!(matches!(chat::notice(&owner.next_entry()), Kind::Dissolved(_)));
            for client in [&mut owner, &mut heir] {
                assert_eq!(refusal(client.call(say(id, "after", "x"))), "NOT_MEMBER");
                let history = wire::History { conversation_id: id, ..Default::default() };
                assert_eq!(refusal(client.call(Op::History(history))), "NOT_MEMBER");
                assert_eq!(refusal(client.call(join(id, ""))), "CONVERSATION_NOT_FOUND");
            }
        }
    }
}

#[test]
fn settings_that_change_nothing_make_no_entry_and_nobody_is_one_too_many() {
    let server = Setup::new().start();
    for encoding in ENCODINGS {
        let mut owner = Client::session(&server, 1, encoding);
        drop([2, 3].map(|user| Client::session(&server, user, encoding)));
        let id = owner.create(group(JoinPolicy::Open, &[2, 3]));
        let mut update = |settings: GroupSettings| {
            let settings = Some(settings);
            owner.call(Op::UpdateGroup(wire::UpdateGroup {
                conversation_id: id,
                settings,
                ..Default::default()
            }))
        };
        let titled =
            |title: &str| GroupSettings { title: Some(title.to_owned()), ..Default::default() };
        let of = |most| GroupSettings { max_members: Some(most), ..Default::default() };
        assert!(matches!(update(titled("new")), Ok(Outcome::SendAck(ack)) if ack.seq == 2));
        assert!(matches!(update(titled("new")), Ok(Outcome::Done(_))));
        assert_eq!(refusal(update(of(2))), "INVALID_ARGUMENT");
        assert!(matches!(update(of(3)), Ok(Outcome::SendAck(ack)) if ack.seq == 3));
        for title in ["a\u{7}", "a\u{202e}b"] {
            assert_eq!(refusal(update(titled(title))), "INVALID_ARGUMENT");
        }
    }
}

#[test]
fn mutes_and_bans_hold_until_they_are_lifted_and_across_a_restart() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut owner = Client::session(&server, 1, encoding);
            let mut member = Client::session(&server, 2, encoding);
            let mut outcast = Client::session(&server, 3, encoding);
            let id = owner.create(group(JoinPolicy::Open, &[2, 3]));
            assert_eq!(outcast.next_entry().seq, 1);
            let mute = |user_id, until| {
                Op::Mute(wire::Mute { conversation_id: id, user_id, until, ..Default::default() })
            };
            let ban = |user_id, until| {
                Op::Ban(wire::Ban { conversation_id: id, user_id, until, ..Default::default() })
            };
            done(owner.call(mute(0, FAR)));
            assert_eq!(refusal(member.call(say(id, "m1", "x"))), "MUTED");
            owner.say(id, "o1", "the owner may");
            done(owner.call(ban(3, FAR)));
            let banned = std::iter::repeat_with(|| outcast.next_entry())
                .find(|entry| matches!(chat::notice(entry), Kind::Banned(_)));
            assert!(banned.is_some(), "whoever is banned is told");
            assert_eq!(refusal(outcast.call(join(id, ""))), "BANNED");
            drop((owner, member, outcast));
            server.kill();
            server.restart();
            let mut owner = Client::session(&server, 1, encoding);
            let mut member = Client::session(&server, 2, encoding);
            let mut outcast = Client::session(&server, 3, encoding);
            assert_eq!(refusal(member.call(say(id, "m2", "x"))), "MUTED");
            assert_eq!(refusal(outcast.call(join(id, ""))), "BANNED");
            assert_eq!(listed(&mut owner, id, wire::members::List::Banned).len(), 1);
            done(owner.call(mute(0, 0)));
            done(owner.call(ban(3, 0)));
            member.say(id, "m3", "at last");
            done(outcast.call(join(id, "")));
        }
    }
}

#[test]
fn whoever_is_blocked_can_neither_begin_nor_continue_a_direct_conversation() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for (round, encoding) in (0_u64..).zip(ENCODINGS) {
            let users = [1, 2, 3].map(|user| 10 * round + user);
            let mut clients = users.map(|user| Client::session(&server, user, encoding));
            let [one, two, three] = &mut clients;
            let direct = id_of(&one.open_direct(users[1]));
            one.say(direct, "m1", "hello");
            let block = |user_id, remove| Op::Block(wire::Block { user_id, remove });
            done(two.call(block(users[0], false)));
            for client in [&mut *one, &mut *two] {
                assert_eq!(refusal(client.call(say(direct, "m2", "x"))), "BLOCKED");
            }
            let open = |user_id| Op::OpenDirect(wire::OpenDirect { user_id, ..Default::default() });
            assert_eq!(refusal(one.call(open(users[1]))), "BLOCKED", "as one that is not there");
            done(three.call(block(users[0], false)));
            assert_eq!(refusal(one.call(open(users[2]))), "BLOCKED");
            let listed = two.call(Op::Blocks(wire::Blocks::default()));
            let Ok(Outcome::BlocksPage(page)) = listed else { panic!("no page: {listed:?}") };
            assert_eq!(page.users.iter().map(|user| user.user_id).collect::<Vec<_>>(), [users[0]]);
            assert_eq!(refusal(two.call(block(users[1], false))), "INVALID_ARGUMENT");
            done(two.call(block(users[0], true)));
            assert!(!one.open_direct(users[1]).created);
            one.say(direct, "m3", "again");
        }
    }
}
