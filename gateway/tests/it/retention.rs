//! Retention as clients meet it, also in a conversation that its owner has in memory.

use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::chat::id_of;
use crate::support::client::Client;
use crate::support::server::Setup;

#[test]
fn a_trimmed_log_says_so_and_goes_on() {
    let config = "[storage.retention]\ndirect_count = 2\npass_s = 1";
    let mut server = Setup::new().config(config).start();
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    let _bob = Client::session(&server, 2, Encoding::Protobuf);
    let direct = id_of(&ann.open_direct(2));
    for number in 1..=10 {
        ann.say(direct, &format!("m{number}"), "text");
    }
    // Each mark counts as settled at once, until all that may go has gone.
    let page = loop {
        server.change_sqlite("UPDATE retention_marks SET marked_at = 0");
        let page = ann.sync(direct, 0, 0);
        if page.trimmed_floor == 10 {
            break page;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let seqs = |entries: &[wire::Entry]| entries.iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!((seqs(&page.entries), page.head_seq), (vec![10, 11], 11));
    assert_eq!(ann.sync(direct, 9, 0).trimmed_floor, 0, "nothing behind this cursor is gone");
    let history = ann.history(direct, 0, 0);
    assert_eq!((seqs(&history.entries), history.more), (vec![10, 11], false));
    let head = ann.head(direct);
    assert_eq!((head.head_seq, head.msg_no), (11, 10));

    // The owner has it in memory: retries of what is left, and of what it remembers, are known; the log goes on.
    assert_eq!(ann.say(direct, "m10", "text").seq, 11);
    assert_eq!(ann.say(direct, "m3", "text").seq, 4);
    assert_eq!(ann.say(direct, "m11", "text").seq, 12);

    // A client that was away since entry 3.
    let cursors = vec![wire::SyncCursor { conversation_id: direct, seq: 3 }];
    let connect = wire::Connect { cursors, ..Default::default() };
    let (mut bob, connected) = Client::session_with(&server, 2, Encoding::Json, connect);
    let state = &connected.sync[0];
    assert!(state.trimmed_floor >= 10, "{state:?}");
    assert_eq!(bob.next_entry().seq, state.trimmed_floor);

    // A new start knows no more than the database: the id of a trimmed message is free again.
    server.terminate();
    server.wait();
    server.restart();
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    assert_eq!(ann.say(direct, "m11", "text").seq, 12);
    assert_eq!(ann.say(direct, "m3", "text").seq, 13);
    let ping = ann.call(Op::Ping(wire::Ping {}));
    assert!(matches!(ping, Ok(Outcome::Pong(_))), "{ping:?}");
}
