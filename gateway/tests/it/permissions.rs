//! Who may do what, against a real server: every cell of the table in `permissions.rs`, and every id swapped.

use ringwire_gateway::permissions::{Caller, Operation, Verdict};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{
    self, GroupSettings, Role, command::Op, group_settings::JoinPolicy, reply::Outcome,
};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, say};
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};

/// Long after every test.
const FAR: i64 = 4_000_000_000_000;
const OWNER: u64 = 1;
const ADMIN: u64 = 2;
const MEMBER: u64 = 3;
const MUTED: u64 = 4;
const OUTSIDER: u64 = 5;
const BANNED: u64 = 6;
/// A member whom others lay hands on.
const SUBJECT: u64 = 7;
/// Somebody who asked to join.
const APPLICANT: u64 = 8;

/// Where a command is tried, and what it may name.
struct Stage {
    conversation: u64,
    /// A message of the caller, or of somebody where the caller said nothing.
    own: u64,
    /// A message of somebody else.
    other: u64,
}

/// One session of each user.
struct Cast {
    clients: Vec<Client>,
    next_pair: u64,
}

impl Cast {
    fn new(server: &ServerProcess, encoding: Encoding) -> Self {
        let clients = (1..=8).map(|user| Client::session(server, user, encoding)).collect();
        Self { clients, next_pair: if encoding == Encoding::Json { 1000 } else { 100_000 } }
    }

    fn of(&mut self, user: u64) -> &mut Client {
        &mut self.clients[user as usize - 1]
    }

    fn done(&mut self, user: u64, op: Op) -> Outcome {
        let shown = format!("{op:?}");
        self.of(user).call(op).unwrap_or_else(|error| panic!("{shown}: {error:?}"))
    }

    /// A group with everybody in their place, where each member has said something.
    fn group(&mut self, caller: u64, settings: GroupSettings) -> Stage {
        let create = wire::CreateGroup {
            kind: wire::ConversationKind::Group.into(),
            settings: Some(settings),
            user_ids: vec![ADMIN, MEMBER, MUTED, SUBJECT],
            ..Default::default()
        };
        let Outcome::ConversationOpened(opened) = self.done(OWNER, Op::CreateGroup(create)) else {
            panic!("no group");
        };
        let conversation = id_of(&opened);
        let members = [OWNER, ADMIN, MEMBER, MUTED, SUBJECT];
        let said = members.map(|user| (user, self.of(user).say(conversation, "m", "hi").seq));
        let of = |user| said.iter().find(|(by, _)| *by == user).map(|(_, seq)| *seq);
        self.done(OWNER, set_role(conversation, ADMIN, Role::Admin));
        self.done(OWNER, mute(conversation, MUTED, FAR));
        self.done(OWNER, ban(conversation, BANNED, FAR));
        let subject = of(SUBJECT).expect("the subject has spoken");
        Stage { conversation, own: of(caller).unwrap_or(subject), other: subject }
    }

    /// A direct conversation of two new users, the first of whom is the caller.
    fn direct(&mut self, server: &ServerProcess, blocked: bool) -> (Client, Stage) {
        let (caller, peer) = (self.next_pair, self.next_pair + 1);
        self.next_pair += 2;
        let encoding = self.of(OWNER).encoding;
        let mut clients = [caller, peer].map(|user| Client::session(server, user, encoding));
        let conversation = id_of(&clients[0].open_direct(peer));
        let [own, other] = [0, 1].map(|side| clients[side].say(conversation, "m", "hi").seq);
        let [client, mut peer] = clients;
        if blocked {
            let block = Op::Block(wire::Block { user_id: caller, remove: false });
            assert!(matches!(peer.call(block), Ok(Outcome::Done(_))));
        }
        (client, Stage { conversation, own, other })
    }
}

fn set_role(conversation_id: u64, user_id: u64, role: Role) -> Op {
    let role = role.into();
    Op::SetRole(wire::SetRole { conversation_id, user_id, role, ..Default::default() })
}

fn mute(conversation_id: u64, user_id: u64, until: i64) -> Op {
    Op::Mute(wire::Mute { conversation_id, user_id, until, ..Default::default() })
}

fn ban(conversation_id: u64, user_id: u64, until: i64) -> Op {
    Op::Ban(wire::Ban { conversation_id, user_id, until, ..Default::default() })
}

fn remove(conversation_id: u64, user: u64) -> Op {
    Op::Remove(wire::Remove { conversation_id, user_ids: vec![user], ..Default::default() })
}

fn invite(conversation_id: u64, user: u64) -> Op {
    Op::Invite(wire::Invite { conversation_id, user_ids: vec![user], ..Default::default() })
}

fn join(conversation_id: u64, join_code: &str) -> Op {
    let join_code = join_code.to_owned();
    Op::Join(wire::Join { conversation_id, join_code, ..Default::default() })
}

fn update(conversation_id: u64, settings: GroupSettings) -> Op {
    let settings = Some(settings);
    Op::UpdateGroup(wire::UpdateGroup { conversation_id, settings, ..Default::default() })
}

fn policy(policy: JoinPolicy) -> GroupSettings {
    GroupSettings { join_policy: Some(policy.into()), ..Default::default() }
}

fn edit(conversation_id: u64, target_seq: u64) -> Op {
    let message = Some(wire::Message { text: "better".to_owned(), ..Default::default() });
    Op::Edit(wire::Edit { conversation_id, target_seq, message, ..Default::default() })
}

fn recall(conversation_id: u64, target_seq: u64) -> Op {
    Op::Recall(wire::Recall { conversation_id, target_seq, ..Default::default() })
}

/// The command for an operation; `None`: it is about no conversation. A new operation does not compile without one.
fn command(operation: Operation, stage: &Stage) -> Option<Op> {
    let Stage { conversation: conversation_id, own, other } = *stage;
    let title = GroupSettings { title: Some("new".to_owned()), ..Default::default() };
    Some(match operation {
        Operation::Connect
        | Operation::Refresh
        | Operation::Ping
        | Operation::SetStatus
        | Operation::Block
        | Operation::EndSession
        | Operation::WatchPresence
        | Operation::Heads
        | Operation::Blocks
        | Operation::Sessions
        | Operation::OpenDirect
        | Operation::CreateGroup => return None,
        Operation::Send => say(conversation_id, "said", "x"),
        Operation::MentionAll => {
            let message =
                wire::Message { text: "all".to_owned(), mention_all: true, ..Default::default() };
            let message = Some(message);
            Op::Send(wire::Send { conversation_id, message, ..Default::default() })
        }
        Operation::Edit => edit(conversation_id, own),
        Operation::Recall => recall(conversation_id, own),
        Operation::React => Op::React(wire::React {
            conversation_id,
            target_seq: other,
            reaction: "👍".to_owned(),
            ..Default::default()
        }),
        Operation::Pin => {
            Op::Pin(wire::Pin { conversation_id, target_seq: other, ..Default::default() })
        }
        Operation::Hide => Op::Hide(wire::Hide { conversation_id, seqs: vec![other] }),
        Operation::Read => Op::Read(wire::Read { conversation_id, seq: 1 }),
        Operation::Delivered => Op::Delivered(wire::Delivered { conversation_id, seq: 1 }),
        Operation::Typing => Op::Typing(wire::Typing { conversation_id, stopped: false }),
        Operation::Sync => Op::Sync(wire::Sync { conversation_id, ..Default::default() }),
        Operation::History => Op::History(wire::History { conversation_id, ..Default::default() }),
        Operation::Members => Op::Members(wire::Members { conversation_id, ..Default::default() }),
        Operation::MembersKept => {
            let list = wire::members::List::Banned.into();
            Op::Members(wire::Members { conversation_id, list, ..Default::default() })
        }
        Operation::ReadBy => {
            Op::ReadBy(wire::ReadBy { conversation_id, seq: other, ..Default::default() })
        }
        Operation::UpdateGroup => update(conversation_id, title),
        Operation::Join => join(conversation_id, ""),
        Operation::Leave => Op::Leave(wire::Leave { conversation_id, ..Default::default() }),
        Operation::Invite => invite(conversation_id, APPLICANT),
        Operation::Remove => remove(conversation_id, SUBJECT),
        Operation::SetRole => set_role(conversation_id, SUBJECT, Role::Admin),
        Operation::Mute => mute(conversation_id, SUBJECT, FAR),
        Operation::Ban => ban(conversation_id, SUBJECT, FAR),
        Operation::ResolveJoin => {
            let user_id = APPLICANT;
            Op::ResolveJoin(wire::ResolveJoin { conversation_id, user_id, ..Default::default() })
        }
        Operation::Dissolve => {
            Op::Dissolve(wire::Dissolve { conversation_id, ..Default::default() })
        }
    })
}

fn code(answer: Result<Outcome, wire::Error>) -> String {
    answer.map_or_else(|error| error.name, |_| "ok".to_owned())
}

/// What the table says, where everything a cell depends on is as `group` and `direct` make it.
fn expected(operation: Operation, caller: Caller) -> String {
    let (role, restriction) = match caller {
        Caller::Muted => (Caller::Member, Some(caller)),
        Caller::Blocked => (Caller::Direct, Some(caller)),
        _ => (caller, None),
    };
    match operation.verdict(role, restriction) {
        Verdict::No(code) => code.name().to_owned(),
        // The group does not say that members may.
        Verdict::IfMembersMayInvite => "FORBIDDEN".to_owned(),
        _ => "ok".to_owned(),
    }
}

#[test]
fn z1_every_operation_is_decided_by_the_table_for_every_caller() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut cast = Cast::new(&server, encoding);
        for row in Operation::TABLE.iter().filter(|row| !row.of_caller_alone) {
            let operation = row.operation;
            for caller in Caller::ALL {
                let user = match caller {
                    Caller::Owner => OWNER,
                    Caller::Admin => ADMIN,
                    Caller::Member => MEMBER,
                    Caller::Muted => MUTED,
                    Caller::Outsider => OUTSIDER,
                    Caller::Banned => BANNED,
                    Caller::Direct | Caller::Blocked => 0,
                };
                let answer = if user == 0 {
                    let (mut client, stage) = cast.direct(&server, caller == Caller::Blocked);
                    command(operation, &stage).map(|op| client.call(op))
                } else {
                    let stage = cast.group(user, policy(JoinPolicy::ByApproval));
                    cast.done(APPLICANT, join(stage.conversation, ""));
                    command(operation, &stage).map(|op| cast.of(user).call(op))
                };
                let answer = answer.unwrap_or_else(|| panic!("no command for {}", row.name));
                let cell = format!("{} by {}, {encoding:?}", row.name, caller.title());
                assert_eq!(code(answer), expected(operation, caller), "{cell}");
            }
        }
    }
}

#[test]
fn z1_what_a_cell_depends_on_decides_both_ways() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut cast = Cast::new(&server, encoding);
        let stage = cast.group(MEMBER, GroupSettings::default());
        let (id, other) = (stage.conversation, stage.other);
        let mut tries = Vec::new();
        // Own: nobody edits for somebody else; only owner and admins take back what others said.
        tries.extend([OWNER, ADMIN, MEMBER].map(|user| (user, edit(id, other), "FORBIDDEN")));
        tries.push((MEMBER, recall(id, other), "FORBIDDEN"));
        tries.push((ADMIN, recall(id, stage.own), "ok"));
        // Lower: admins touch neither each other nor the owner, and nobody themselves.
        for op in [remove, |id, user| mute(id, user, FAR), |id, user| ban(id, user, FAR)] {
            tries.push((ADMIN, op(id, OWNER), "FORBIDDEN"));
            tries.push((ADMIN, op(id, ADMIN), "INVALID_ARGUMENT"));
        }
        tries.push((OWNER, set_role(id, MEMBER, Role::Admin), "ok"));
        for op in [remove, |id, user| mute(id, user, FAR), |id, user| ban(id, user, FAR)] {
            tries.push((ADMIN, op(id, MEMBER), "FORBIDDEN"));
        }
        tries.push((OWNER, set_role(id, MEMBER, Role::Member), "ok"));
        // Settings.
        let announcements =
            |on| GroupSettings { announcement_only: Some(on), ..Default::default() };
        let invites = |on| GroupSettings { members_may_invite: Some(on), ..Default::default() };
        tries.extend([
            (OWNER, update(id, announcements(true)), "ok"),
            (MEMBER, say(id, "a1", "x"), "FORBIDDEN"),
            (MEMBER, edit(id, stage.own), "FORBIDDEN"),
            (ADMIN, say(id, "a1", "x"), "ok"),
            (OWNER, update(id, announcements(false)), "ok"),
            (MEMBER, say(id, "a2", "x"), "ok"),
            (MEMBER, invite(id, APPLICANT), "FORBIDDEN"),
            (OWNER, update(id, invites(true)), "ok"),
            (MEMBER, invite(id, APPLICANT), "ok"),
            (MEMBER, invite(id, BANNED), "FORBIDDEN"),
        ]);
        // The join policy.
        tries.extend([
            (OUTSIDER, join(id, ""), "CONVERSATION_NOT_FOUND"),
            (OWNER, update(id, policy(JoinPolicy::Open)), "ok"),
            (BANNED, join(id, ""), "BANNED"),
            (OUTSIDER, join(id, ""), "ok"),
            (OUTSIDER, say(id, "a3", "x"), "ok"),
        ]);
        for (number, (user, op, expected)) in tries.into_iter().enumerate() {
            let shown = format!("{number}: {user} {op:?}, {encoding:?}");
            assert_eq!(code(cast.of(user).call(op)), expected, "{shown}");
        }
    }
}

#[test]
fn z2_what_is_not_ones_own_looks_like_what_is_not_there() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut cast = Cast::new(&server, encoding);
        let closed = cast.group(OWNER, GroupSettings::default());
        let (_peer, direct) = cast.direct(&server, false);
        let none = Stage { conversation: 9_000_000_000_000, own: 2, other: 3 };
        for row in Operation::TABLE.iter().filter(|row| !row.of_caller_alone) {
            let mut answers = [&closed, &direct, &none].into_iter().map(|stage| {
                let op = command(row.operation, stage).expect("it is about a conversation");
                let error = cast.of(OUTSIDER).call(op).expect_err(row.name);
                (error.name, error.message)
            });
            let first = answers.next();
            assert!(answers.all(|answer| Some(answer) == first), "{}, {encoding:?}", row.name);
        }
    }
}

#[test]
fn z2_ids_of_others_open_nothing() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut cast = Cast::new(&server, encoding);
        let stage = cast.group(OWNER, GroupSettings::default());
        let id = stage.conversation;
        // Entries that are no messages, or of another conversation whose log is longer.
        for seq in [1, stage.other + 3, 9_999, u64::MAX >> 1] {
            for op in [edit(id, seq), recall(id, seq)] {
                assert_eq!(code(cast.of(OWNER).call(op)), "ENTRY_NOT_FOUND", "{seq} {encoding:?}");
            }
        }
        let nobody = 8_000_000_000_000;
        let resolve = |user_id| {
            Op::ResolveJoin(wire::ResolveJoin {
                conversation_id: id,
                user_id,
                ..Default::default()
            })
        };
        let cases = [
            (remove(id, OUTSIDER), "USER_NOT_FOUND"),
            (mute(id, OUTSIDER, FAR), "USER_NOT_FOUND"),
            (set_role(id, OUTSIDER, Role::Admin), "USER_NOT_FOUND"),
            (resolve(OUTSIDER), "USER_NOT_FOUND"),
            (ban(id, OUTSIDER, 0), "NOT_FOUND"),
            (invite(id, nobody), "USER_NOT_FOUND"),
            (ban(id, nobody, FAR), "USER_NOT_FOUND"),
            (mute(id, MEMBER, 1), "INVALID_ARGUMENT"),
            (invite(id, 0), "INVALID_ARGUMENT"),
            (invite(id, MEMBER), "ALREADY_MEMBER"),
        ];
        for (op, expected) in cases {
            let shown = format!("{op:?}, {encoding:?}");
            assert_eq!(code(cast.of(OWNER).call(op)), expected, "{shown}");
        }
    }
}
