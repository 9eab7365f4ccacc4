//! What a client missed lately comes from the memory of the conversation's owner.

use ringwire_protocol::wire::command::Op;

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, refusal, text};
use crate::support::client::Client;
use crate::support::server::Setup;
use ringwire_protocol::wire;

#[test]
fn what_was_missed_lately_needs_no_database() {
    let server = Setup::new().start();
    for (round, encoding) in ENCODINGS.into_iter().enumerate() {
        let (from, to) = (1 + 2 * round as u64, 2 + 2 * round as u64);
        Client::session(&server, to, encoding).close();
        let mut anna = Client::session(&server, from, encoding);
        let direct = id_of(&anna.open_direct(to));
        for number in 0..5 {
            anna.say(direct, &format!("m{number}"), &format!("text {number}"));
        }
        // Behind the server's back, which only memory can hide.
        let database = rusqlite::Connection::open(server.data_dir().join("ringwire.db")).unwrap();
        let gone = database
            .execute("DELETE FROM entries WHERE conversation_id = ?1 AND seq = 4", [direct as i64])
            .unwrap();
        assert_eq!(gone, 1);
        drop(database);

        let mut ben = Client::session(&server, to, encoding);
        let page = ben.sync(direct, 2, 3);
        let texts: Vec<_> = page.entries.iter().filter_map(text).collect();
        assert_eq!(texts, ["text 1", "text 2", "text 3"]);
        assert_eq!((page.head_seq, page.more, page.trimmed_floor), (6, true, 0));
        assert_eq!(ben.sync(direct, 6, 0).entries, []);

        // Older ones, and everything else that is read, come from the database.
        let seqs: Vec<u64> = ben.sync(direct, 0, 0).entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 5, 6]);
    }
}

#[test]
fn z2_memory_is_for_members_only() {
    let server = Setup::new().start();
    let mut anna = Client::session(&server, 1, ENCODINGS[0]);
    let mut ben = Client::session(&server, 2, ENCODINGS[0]);
    let mut carl = Client::session(&server, 3, ENCODINGS[1]);
    let group = anna.create_group(&[2]);
    anna.say(group, "a", "for members");
    let sync = |seq| Op::Sync(wire::Sync { conversation_id: group, seq, limit: 0 });
    assert_eq!(refusal(carl.call(sync(1))), "NOT_MEMBER");
    assert_eq!(ben.sync(group, 1, 0).entries.len(), 1);
    ben.leave(group);
    assert_eq!(refusal(ben.call(sync(1))), "NOT_MEMBER");
}
