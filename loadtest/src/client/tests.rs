//! A user against hand-written server frames.

use ringwire_protocol::error::{CommandError, ErrorCode};
use ringwire_protocol::wire::{push, reply::Outcome, server_frame};

use super::*;
use crate::founding::Kind;
use crate::verify::{Ledger, SenderIndex};

const OWN: u64 = 11;
const PARTNER: u64 = 12;
const CONVERSATION: u64 = 5;
const RUN: u32 = 77;

struct Bench {
    user: User,
    ledger: Ledger,
    own: SenderIndex,
    partner: SenderIndex,
    events: Vec<Event>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Activity::default())
    }

    fn with(activity: Activity) -> Self {
        let mut ledger = Ledger::new();
        let (own, partner) = (ledger.add_sender("own"), ledger.add_sender("partner"));
        let settings = Settings {
            run: RUN,
            protocol: Protocol::Ringwire,
            acks: Acks::Server,
            encoding: Encoding::Protobuf,
            sizes: Sizes { min: 64, max: 64 },
            depth: 16,
            retry: true,
            converses: true,
            pairs: true,
            activity,
            draft: std::cell::RefCell::default(),
        };
        let identity = Identity {
            token: "token".to_owned(),
            device_id: "device".to_owned(),
            number: 0,
            member: 0,
            members: 2,
            first_member_id: OWN,
        };
        let user = User::new(Rc::new(settings), identity);
        Self { user, ledger, own, partner, events: Vec::new() }
    }

    /// A user with an open conversation whose head is `head`.
    fn live(head: Seq) -> Self {
        Self::new().go_live(head)
    }

    fn go_live(mut self, head: Seq) -> Self {
        let bench = &mut self;
        bench.user.connected();
        bench.connect(Vec::new());
        bench.user.found(Founding::new(Kind::Direct, RUN, PARTNER..PARTNER + 1));
        let id = bench.commands()[0].id;
        let conversation =
            wire::Conversation { conversation_id: CONVERSATION, ..Default::default() };
        let head =
            wire::Head { conversation: Some(conversation), head_seq: head, ..Default::default() };
        let opened = wire::ConversationOpened { head: Some(head), created: true };
        bench.reply(id, Outcome::ConversationOpened(opened));
        assert!(bench.user.is_live());
        bench.events.clear();
        self
    }

    /// Answers the `connect` that was written.
    fn connect(&mut self, sync: Vec<wire::SyncState>) {
        let commands = self.commands();
        assert!(matches!(commands[..], [wire::Command { op: Some(Op::Connect(_)), .. }]));
        let user = wire::User { user_id: OWN, ..Default::default() };
        let connected = wire::Connected { user: Some(user), sync, ..Default::default() };
        self.reply(commands[0].id, Outcome::Connected(connected));
    }

    /// What the user writes now.
    fn commands(&mut self) -> Vec<wire::Command> {
        self.commands_at(0)
    }

    fn commands_at(&mut self, now_us: u64) -> Vec<wire::Command> {
        let mut payload = BytesMut::new();
        self.user.poll_payload(now_us, &mut payload, &mut self.events);
        let commands: Result<_, _> = Encoding::Protobuf.decode(&payload).collect();
        commands.unwrap()
    }

    fn reply(&mut self, id: u64, outcome: Outcome) {
        let reply = wire::Reply { id, outcome: Some(outcome) };
        let frame = wire::ServerFrame { frame: Some(server_frame::Frame::Reply(reply)) };
        let payload = Encoding::Protobuf.encode_one(&frame);
        self.user.take_in(&payload, 0, &mut self.events).unwrap();
    }

    fn push(&mut self, event: push::Event) {
        let push = wire::Push { event: Some(event) };
        let frame = wire::ServerFrame { frame: Some(server_frame::Frame::Push(push)) };
        let payload = Encoding::Protobuf.encode_one(&frame);
        self.user.take_in(&payload, 0, &mut self.events).unwrap();
    }

    fn send(&mut self) -> u64 {
        let origin = self.ledger.invoke(self.own);
        self.user.due(origin, 0, Around::default(), &mut self.events);
        let commands = self.commands();
        assert!(matches!(commands[..], [wire::Command { op: Some(Op::Send(_)), .. }]));
        commands[0].id
    }

    fn sync_page(&mut self, id: u64, entries: Vec<wire::Entry>, head_seq: Seq, more: bool) {
        let conversation_id = CONVERSATION;
        let page = wire::SyncPage { conversation_id, entries, head_seq, more, trimmed_floor: 0 };
        self.reply(id, Outcome::SyncPage(page));
    }

    /// The id of the one `sync` the user writes, and from where it asks.
    fn sync_asked(&mut self) -> (u64, Seq) {
        match &self.commands()[..] {
            [wire::Command { id, op: Some(Op::Sync(sync)), .. }] => (*id, sync.seq),
            other => panic!("{other:?}"),
        }
    }

    fn received(&self) -> Vec<(Seq, Via, Option<u64>)> {
        let received = self.events.iter().filter_map(|event| match event {
            Event::Received { seq, via, delivered_due_us, .. } => {
                Some((*seq, *via, *delivered_due_us))
            }
            _ => None,
        });
        received.collect()
    }
}

/// A message of the partner that was due at `seq` microseconds.
fn entry(seq: Seq) -> wire::Entry {
    let tag = Tag { run: RUN, number: seq as u32, due_us: seq };
    let message = wire::Message { text: tag.text(64), ..Default::default() };
    wire::Entry {
        conversation_id: CONVERSATION,
        seq,
        sender_id: PARTNER,
        client_msg_id: tag.client_msg_id(),
        body: Some(wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) }),
        ..Default::default()
    }
}

#[test]
fn pushes_and_acks_move_the_cursor_and_partners_messages_are_delivered_once() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Entry(entry(2)));
    let id = bench.send();
    bench.reply(id, Outcome::SendAck(wire::SendAck { seq: 3, ..Default::default() }));
    bench.push(push::Event::Entry(entry(4)));
    bench.push(push::Event::Entry(entry(4)));
    assert_eq!(bench.user.cursor(), 4);
    assert!(bench.user.is_settled());
    assert_eq!(
        bench.received(),
        [
            (2, Via::Push, Some(2)),
            (3, Via::Ack, None),
            (4, Via::Push, Some(4)),
            (4, Via::Push, None)
        ]
    );
}

#[test]
fn a_gap_is_asked_for_until_the_user_has_caught_up() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Entry(entry(4)));
    let (id, from) = bench.sync_asked();
    assert_eq!(from, 1);
    assert!(!bench.user.is_settled());
    bench.sync_page(id, vec![entry(2)], 4, true);
    let (id, from) = bench.sync_asked();
    assert_eq!(from, 2);
    // A push overtakes the page and is not in it: asked for once more.
    bench.push(push::Event::Entry(entry(5)));
    bench.sync_page(id, vec![entry(3), entry(4)], 4, false);
    let (id, from) = bench.sync_asked();
    assert_eq!(from, 4);
    bench.sync_page(id, vec![entry(5)], 5, false);
    assert!(bench.user.is_settled());
    let delivered: Vec<_> = bench.received().into_iter().filter_map(|(_, _, due)| due).collect();
    assert_eq!(delivered, [2, 3, 4, 5]);
}

#[test]
fn a_hole_the_server_cannot_fill_is_asked_for_once() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Entry(entry(3)));
    let (id, _) = bench.sync_asked();
    bench.sync_page(id, vec![entry(3)], 3, false);
    assert!(bench.user.is_settled());
    bench.push(push::Event::Entry(entry(9)));
    let (id, _) = bench.sync_asked();
    bench.sync_page(id, Vec::new(), 3, false);
    assert_eq!(bench.commands(), []);
    assert_eq!(bench.user.cursor(), 9);
}

#[test]
fn what_the_server_announces_as_lag_is_told() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Lag(wire::Lag { conversation_id: CONVERSATION, head_seq: 2 }));
    let (id, _) = bench.sync_asked();
    bench.sync_page(id, vec![entry(2)], 2, false);
    assert_eq!(bench.received(), [(2, Via::PullTold, Some(2))]);
}

#[test]
fn a_reconnect_gives_the_cursor_and_repeats_what_was_unanswered() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Entry(entry(2)));
    bench.send();
    bench.user.disconnected();
    assert_eq!(bench.commands(), []);
    bench.user.connected();
    let commands = bench.commands();
    let Some(Op::Connect(connect)) = &commands[0].op else { panic!("{commands:?}") };
    let cursor = wire::SyncCursor { conversation_id: CONVERSATION, seq: 2 };
    assert_eq!(connect.cursors, [cursor]);
    let user = wire::User { user_id: OWN, ..Default::default() };
    let connected = wire::Connected { user: Some(user), ..Default::default() };
    bench.reply(commands[0].id, Outcome::Connected(connected));
    assert!(bench.events.contains(&Event::Reconnected));
    let commands = bench.commands();
    let Some(Op::Send(send)) = &commands[0].op else { panic!("{commands:?}") };
    assert_eq!(send.client_msg_id, Tag { run: RUN, number: 1, due_us: 0 }.client_msg_id());
    let sent = bench.events.iter().filter(|event| matches!(event, Event::Sent { .. })).count();
    assert_eq!(sent, 1, "a repeat is not another send");
}

#[test]
fn a_session_is_gone_on_with_and_the_answer_behind_what_it_missed_tells_when_it_has_all() {
    let mut bench = Bench::live(1);
    let connected = |resumed: bool| {
        let user = Some(wire::User { user_id: OWN, ..Default::default() });
        let session_id = "s".to_owned();
        Outcome::Connected(wire::Connected { user, session_id, resumed, ..Default::default() })
    };
    let asked_to_resume = |bench: &mut Bench| {
        bench.user.disconnected();
        bench.user.connected();
        let [wire::Command { id, op: Some(Op::Connect(connect)), .. }] = &bench.commands()[..]
        else {
            panic!("it introduces itself")
        };
        (*id, connect.resume.clone())
    };
    let (id, resume) = asked_to_resume(&mut bench);
    assert_eq!(resume, None, "the server has named no session");
    bench.reply(id, connected(false));
    bench.push(push::Event::Entry(entry(2)));
    bench.push(push::Event::Cursor(wire::Cursor::default()));
    bench.push(push::Event::Typing(wire::TypingPush::default()));

    let (id, resume) = asked_to_resume(&mut bench);
    assert_eq!(resume, Some(wire::Resume { session_id: "s".to_owned(), received: 2 }));
    bench.events.clear();
    bench.reply(id, connected(true));
    let [wire::Command { id, op: Some(Op::Ping(_)), .. }] = bench.commands()[..] else {
        panic!("it asks for an answer")
    };
    bench.push(push::Event::Entry(entry(3)));
    assert!(!bench.events.contains(&Event::CaughtUp));
    bench.reply(id, Outcome::Pong(wire::Pong::default()));
    assert!(bench.events.contains(&Event::CaughtUp) && bench.user.is_settled());
    assert_eq!(asked_to_resume(&mut bench).1.map(|resume| resume.received), Some(3));
}

#[test]
fn more_missed_than_was_pushed_after_connect_is_told_to_be_asked_for() {
    let mut bench = Bench::live(1);
    bench.user.disconnected();
    bench.user.connected();
    let state = wire::SyncState {
        conversation_id: CONVERSATION,
        head_seq: 3,
        pushed_seq: 2,
        ..Default::default()
    };
    bench.connect(vec![state]);
    bench.push(push::Event::Entry(entry(2)));
    let (id, _) = bench.sync_asked();
    bench.sync_page(id, vec![entry(2), entry(3)], 3, false);
    assert!(bench.user.is_settled());
    assert_eq!(bench.received(), [(2, Via::Push, Some(2)), (3, Via::PullTold, Some(3))]);
}

#[test]
fn a_control_command_refused_for_now_is_repeated_after_the_delay() {
    let mut bench = Bench::new();
    bench.user.connected();
    let id = bench.commands()[0].id;
    let busy = CommandError::retry(ErrorCode::Busy, "full", 100);
    bench.reply(id, Outcome::Error(busy.into()));
    assert_eq!(bench.user.wake_us(), Some(100_000));
    assert_eq!(bench.commands_at(99_999), []);
    assert!(matches!(bench.commands_at(100_000)[0].op, Some(Op::Connect(_))));
}

#[test]
fn a_bad_token_ends_the_user() {
    let mut bench = Bench::new();
    bench.user.connected();
    let id = bench.commands()[0].id;
    let refused = CommandError::new(ErrorCode::Unauthenticated, "bad signature");
    bench.reply(id, Outcome::Error(refused.into()));
    assert!(bench.events.iter().any(|event| matches!(event, Event::Failed(_))));
}

#[test]
fn altered_and_foreign_messages_are_told_apart() {
    let mut bench = Bench::live(1);
    let mut altered = entry(2);
    if let Some(wire::entry_body::Kind::Message(message)) =
        altered.body.as_mut().and_then(|body| body.kind.as_mut())
    {
        message.text.pop();
    }
    let stranger = wire::Entry { sender_id: 99, ..entry(3) };
    let renamed = wire::Entry { client_msg_id: "x".to_owned(), ..entry(4) };
    let notice = wire::Entry { body: None, ..entry(5) };
    for entry in [altered, stranger, renamed, notice, entry(6)] {
        bench.push(push::Event::Entry(entry));
    }
    let contents: Vec<_> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Received { content, .. } => Some(*content),
            _ => None,
        })
        .collect();
    let sound = Content::Message(Origin { sender: bench.partner, number: 6 });
    assert_eq!(
        contents,
        [Content::Foreign, Content::Foreign, Content::Foreign, Content::Notice, sound]
    );
    bench.push(push::Event::Entry(wire::Entry { conversation_id: 6, ..entry(7) }));
    assert_eq!(bench.events.last(), Some(&Event::Stray));
}

#[test]
fn the_log_is_read_page_by_page_and_again_after_a_reconnect() {
    let mut bench = Bench::live(1);
    bench.push(push::Event::Entry(entry(2)));
    bench.user.finish(true);
    let commands = bench.commands();
    assert_eq!(commands.len(), 2);
    bench.user.disconnected();
    bench.user.connected();
    bench.connect(Vec::new());
    let commands = bench.commands();
    let [catch_up, log] = &commands[..] else { panic!("{commands:?}") };
    bench.sync_page(catch_up.id, Vec::new(), 2, false);
    bench.sync_page(log.id, vec![entry(2)], 3, true);
    assert!(!bench.user.is_finished());
    let (id, from) = bench.sync_asked();
    assert_eq!(from, 2);
    bench.sync_page(id, vec![entry(3)], 3, false);
    assert!(bench.user.is_finished());
    let Some(Event::LogRead { start: 1, entries }) = bench.events.last() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(entries.iter().map(|&(seq, _)| seq).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_member_enters_what_somebody_else_has_opened() {
    let mut bench = Bench::new();
    bench.user.connected();
    bench.connect(Vec::new());
    // Entries of the opening come before the user knows of it.
    bench.push(push::Event::Entry(entry(2)));
    let opened = Opened { conversation_id: CONVERSATION, head: 2 };
    bench.user.enter(opened, &mut bench.events);
    assert!(bench.user.is_live());
    assert!(bench.events.contains(&Event::Entered(2)));
    bench.push(push::Event::Entry(entry(3)));
    assert_eq!(bench.received(), [(3, Via::Push, Some(3))]);
}

#[test]
fn an_opening_that_lost_its_connection_goes_on() {
    let mut bench = Bench::new();
    bench.user.connected();
    bench.connect(Vec::new());
    bench.user.found(Founding::new(Kind::Room, RUN, PARTNER..PARTNER + 300));
    let commands = bench.commands();
    let Some(Op::CreateGroup(first)) = commands[0].op.clone() else { panic!("{commands:?}") };
    bench.user.disconnected();
    bench.user.connected();
    bench.connect(Vec::new());
    let commands = bench.commands();
    assert_eq!(commands[0].op, Some(Op::CreateGroup(first)));
    let conversation = wire::Conversation { conversation_id: CONVERSATION, ..Default::default() };
    let head = wire::Head { conversation: Some(conversation), head_seq: 1, ..Default::default() };
    let opened = wire::ConversationOpened { head: Some(head), created: true };
    bench.reply(commands[0].id, Outcome::ConversationOpened(opened));
    let commands = bench.commands();
    assert!(matches!(&commands[0].op, Some(Op::Invite(invite)) if invite.user_ids.len() == 100));
    bench.reply(commands[0].id, Outcome::SendAck(wire::SendAck { seq: 2, ..Default::default() }));
    assert!(bench.user.is_live());
    let founded = Event::Founded(Opened { conversation_id: CONVERSATION, head: 2 });
    assert!(bench.events.contains(&founded), "{:?}", bench.events);
}

#[test]
fn a_reconnected_user_has_caught_up_when_it_has_everything_there_was() {
    let mut bench = Bench::live(1);
    bench.user.disconnected();
    bench.user.connected();
    let state = wire::SyncState {
        conversation_id: CONVERSATION,
        head_seq: 3,
        pushed_seq: 3,
        ..Default::default()
    };
    bench.connect(vec![state]);
    bench.push(push::Event::Entry(entry(2)));
    assert!(!bench.events.contains(&Event::CaughtUp));
    bench.push(push::Event::Entry(entry(3)));
    assert!(bench.events.contains(&Event::CaughtUp));
}

#[test]
fn around_a_send_come_typing_and_history_and_receipts_have_their_pace() {
    let activity = Activity { receipts_every_s: 2.0, ..Activity::default() };
    let mut bench = Bench::with(activity).go_live(1);
    let origin = bench.ledger.invoke(bench.own);
    let around = Around { typing: true, history: true };
    bench.user.due(origin, 7, around, &mut bench.events);
    let commands = bench.commands();
    let [history, typing, send] = &commands[..] else { panic!("{commands:?}") };
    assert!(matches!(&history.op, Some(Op::History(look)) if look.limit == 50));
    assert!(matches!(&typing.op, Some(Op::Typing(_))));
    assert!(matches!(&send.op, Some(Op::Send(_))));
    bench.reply(history.id, Outcome::HistoryPage(wire::HistoryPage::default()));
    bench.reply(typing.id, Outcome::Done(wire::Done {}));
    assert!(bench.events.contains(&Event::HistoryRead { due_us: 7 }));

    bench.push(push::Event::Entry(entry(2)));
    let commands = bench.commands_at(1);
    assert!(matches!(&commands[0].op, Some(Op::Read(read)) if read.seq == 2), "{commands:?}");
    bench.push(push::Event::Entry(entry(3)));
    assert_eq!(bench.commands_at(2), []);
    assert_eq!(bench.user.wake_us(), Some(2_000_001));
    let commands = bench.commands_at(2_000_001);
    assert!(matches!(&commands[0].op, Some(Op::Read(read)) if read.seq == 3), "{commands:?}");
}

#[test]
fn what_is_not_needed_is_left_out_when_too_much_of_it_is_unanswered() {
    let mut bench = Bench::live(1);
    for _ in 0..=MAX_EXTRAS {
        let origin = bench.ledger.invoke(bench.own);
        let around = Around { typing: true, history: false };
        bench.user.due(origin, 0, around, &mut bench.events);
    }
    let typing = bench.commands();
    let typing = typing.iter().filter(|command| matches!(command.op, Some(Op::Typing(_))));
    assert_eq!(typing.count(), MAX_EXTRAS);
    assert!(bench.events.contains(&Event::Error(EXTRA_LEFT_OUT.to_owned())));
}

#[test]
fn a_user_known_under_another_id_cannot_go_on() {
    let mut bench = Bench::new();
    bench.user.connected();
    let id = bench.commands()[0].id;
    let user = wire::User { user_id: OWN + 7, ..Default::default() };
    let connected = wire::Connected { user: Some(user), ..Default::default() };
    bench.reply(id, Outcome::Connected(connected));
    assert!(bench.events.iter().any(|event| matches!(event, Event::Failed(_))));
}
