//! A guest of a server against hand-written frames.

use super::*;
use crate::adapter::Place;
use crate::message::Sizes;
use crate::scenario::{Activity, Foreign, Protocol};

const RUN: u32 = 77;
/// The guest is the second of the third pair.
const NUMBER: u32 = 5;

struct Bench {
    guest: Guest,
    events: Vec<Event>,
    sends: u32,
}

impl Bench {
    fn new(protocol: Protocol) -> Self {
        let foreign = Foreign::default();
        let settings = Settings {
            run: RUN,
            protocol,
            acks: protocol.acks(&foreign),
            encoding: ringwire_protocol::codec::Encoding::Json,
            sizes: Sizes { min: 64, max: 64 },
            depth: 2,
            retry: true,
            converses: true,
            pairs: true,
            activity: Activity { receipts_every_s: 1.0, ..Activity::default() },
            draft: std::cell::RefCell::default(),
        };
        let identity = Identity {
            token: "token".to_owned(),
            device_id: "device".to_owned(),
            number: NUMBER,
            member: 1,
            members: 2,
            first_member_id: 104,
        };
        let place = Place {
            token: "token".to_owned(),
            user: "105".to_owned(),
            partner: Some("104".to_owned()),
            room: "3".to_owned(),
            converses: true,
        };
        let adapter = Adapter::new(protocol, &place, &foreign).unwrap();
        let guest = Guest::new(Rc::new(settings), identity, adapter);
        Self { guest, events: Vec::new(), sends: 0 }
    }

    /// A guest whose conversation has begun.
    fn live(protocol: Protocol, welcome: &str) -> Self {
        let mut bench = Self::new(protocol);
        bench.guest.connected(0, &mut bench.events);
        bench.frames(0);
        if !welcome.is_empty() {
            bench.hear(welcome);
        }
        assert_eq!(bench.events, [Event::Identified], "{protocol:?}");
        bench.guest.found(&mut bench.events);
        assert!(bench.guest.is_live());
        bench.events.clear();
        if !welcome.is_empty() {
            bench.hear(welcome);
            assert_eq!(bench.events, [], "{protocol:?}: what is said again changes nothing");
        }
        bench
    }

    fn hear(&mut self, frame: &str) {
        self.guest.take_in(frame.as_bytes(), 0, &mut self.events).unwrap();
    }

    fn due(&mut self) -> Origin {
        self.sends += 1;
        let origin = Origin { sender: SenderIndex::at(1), number: self.sends };
        self.guest.due(origin, 9, Around::default(), &mut self.events);
        origin
    }

    /// Everything that can be written now.
    fn frames(&mut self, now_us: u64) -> Vec<String> {
        let mut frames = Vec::new();
        let mut payload = BytesMut::new();
        while self.guest.poll_payload(now_us, &mut payload, &mut self.events) {
            frames.push(String::from_utf8(payload.to_vec()).unwrap());
            payload.clear();
        }
        frames
    }
}

fn text(run: u32, user: u32, number: u32) -> String {
    Stamp { tag: Tag { run, number, due_us: 9 }, user }.text(64)
}

#[test]
fn own_copies_acknowledge_and_the_depth_is_kept() {
    let mut bench = Bench::live(Protocol::Broadcast, "");
    let [one, two, three] = [bench.due(), bench.due(), bench.due()];
    assert_eq!(bench.frames(0), [text(RUN, NUMBER, 1), text(RUN, NUMBER, 2)]);
    bench.events.clear();
    bench.hear(&text(RUN, NUMBER, 2));
    let acked = Event::Acked { origin: two, due_us: 9, seq: None };
    assert_eq!(bench.events, [acked, own_message(two, Via::Push)]);
    assert_eq!(bench.frames(0), [text(RUN, NUMBER, three.number)]);
    bench.events.clear();
    // Once more: a duplicate, which is for the ledger to tell.
    bench.hear(&text(RUN, NUMBER, 2));
    assert!(matches!(bench.events[..], [Event::Received { via: Via::Push, .. }]));
    bench.hear(&text(RUN, NUMBER, one.number));
    assert!(!bench.guest.is_settled());
    assert_eq!(bench.guest.messages(), 2);
}

#[test]
fn texts_are_told_apart_by_what_they_say() {
    let mut bench = Bench::live(Protocol::Broadcast, "");
    let cases = [
        (text(RUN, 4, 7), "partner"),
        (text(RUN, 3, 7), "stray"),
        (text(RUN, 6, 7), "stray"),
        (text(RUN + 1, 4, 7), "earlier run"),
        ("good morning".to_owned(), "foreign"),
        (text(RUN, 4, 7) + ".", "foreign"),
    ];
    for (text, what) in cases {
        bench.events.clear();
        bench.hear(&text);
        let found = match &bench.events[..] {
            [Event::Received { content: Content::Message(_), delivered_due_us: Some(9), .. }] => {
                "partner"
            }
            [Event::Received { content: Content::Foreign, .. }] => "foreign",
            [Event::Stray] => "stray",
            [] => "earlier run",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, what, "{text}");
    }
}

#[test]
fn without_acknowledgements_a_send_counts_once_it_is_written() {
    let welcome = r#"{"type":"system","content":"Welcome!","from":"server","to":"105"}"#;
    let mut bench = Bench::live(Protocol::TypedStrings, welcome);
    let origins = [bench.due(), bench.due(), bench.due()];
    assert_eq!(bench.frames(0).len(), 3, "nothing is waited for");
    let taken = |event: &Event| matches!(event, Event::Taken { .. });
    assert_eq!(bench.events.iter().filter(|event| taken(event)).count(), origins.len());
    assert!(bench.guest.is_settled());
}

/// What was in flight when the connection ended goes again only where the server promises to take it once.
#[test]
fn a_lost_connection_repeats_nothing_that_could_double() {
    let beat = r#"{"type":99,"content":{}}"#;
    for (protocol, welcome, again) in [
        (Protocol::Numbered, beat, vec![1, 2]),
        (Protocol::Rooms, r#"{"type":"online_users","room_id":3,"data":{"users":[]}}"#, vec![3]),
    ] {
        let mut bench = Bench::live(protocol, welcome);
        bench.due();
        bench.due();
        bench.due();
        assert_eq!(bench.frames(0).len(), 2, "{protocol:?}");
        let given_up = bench.guest.disconnected();
        assert_eq!(given_up, if protocol == Protocol::Numbered { 0 } else { 2 });
        assert!(bench.frames(0).is_empty());
        bench.guest.connected(0, &mut bench.events);
        bench.frames(0);
        bench.events.clear();
        bench.hear(welcome);
        assert_eq!(bench.events, [Event::Reconnected, Event::CaughtUp]);
        let frames = bench.frames(0);
        assert_eq!(frames.len(), again.len(), "{protocol:?} {frames:?}");
        for (frame, number) in frames.iter().zip(again) {
            assert!(frame.contains(&text(RUN, NUMBER, number)), "{frame}");
        }
    }
}

#[test]
fn heartbeats_and_receipts_are_due_by_the_clock() {
    let mut bench = Bench::live(Protocol::Numbered, r#"{"type":99,"content":{}}"#);
    assert_eq!(bench.guest.wake_us(), Some(25_000_000));
    let content = text(RUN, 4, 1);
    bench.hear(&format!(
        r#"{{"message_id":"3-1","type":1,"from":"104","conversation_id":"3","content":{{"text":"{content}"}}}}"#
    ));
    assert_eq!(bench.guest.wake_us(), Some(0));
    let receipt = bench.frames(5);
    assert!(receipt.len() == 1 && receipt[0].contains(r#""message_id":"3-1""#), "{receipt:?}");
    assert_eq!(bench.guest.wake_us(), Some(25_000_000));
    assert_eq!(bench.frames(25_000_000), [r#"{"content":{},"type":99}"#]);
    assert_eq!(bench.guest.wake_us(), Some(50_000_000));
}

#[test]
fn a_refused_send_is_over_and_the_next_goes_on() {
    let mut bench = Bench::live(Protocol::Numbered, r#"{"type":99,"content":{}}"#);
    let origin = bench.due();
    bench.frames(0);
    bench.events.clear();
    let name = Tag { run: RUN, number: 1, due_us: 0 }.client_msg_id();
    bench.hear(&format!(r#"{{"message_id":"{name}","error":"muted"}}"#));
    let refused = Event::Refused { origin, code: 0 };
    assert_eq!(bench.events, [Event::Error("muted".to_owned()), refused]);
    bench.events.clear();
    bench.hear(&format!(r#"{{"type":30,"content":{{"message_id":"{name}","seq":1}}}}"#));
    assert_eq!(bench.events, [Event::Error(UNEXPECTED_REPLY.to_owned())], "answered already");
}
