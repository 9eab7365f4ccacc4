//! Two servers on one database: the log is the arbiter, so there is one order and nothing twice, with nothing else
//! between them.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{refusal, say, say_after};
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

fn two_nodes() -> [ServerProcess; 2] {
    let database = Database::postgres();
    [(); 2].map(|()| Setup::new().database(database.clone()).without_rates().start())
}

/// Sends everything in order, ten at a time, and repeats what is refused for now. The acks by id.
fn send_all(client: &mut Client, group: u64, ids: &[String]) -> HashMap<String, wire::SendAck> {
    let mut acks = HashMap::new();
    let mut next = 0;
    while next < ids.len() {
        let batch = &ids[next..ids.len().min(next + 10)];
        let mut after = if next == 0 { "" } else { &*ids[next - 1] };
        let commands: Vec<u64> = batch
            .iter()
            .map(|id| client.queue(say_after(group, id, id, std::mem::replace(&mut after, id))))
            .collect();
        client.flush().expect("writing");
        let answers: Vec<_> = commands.into_iter().map(|id| client.answer(id)).collect();
        for (id, answer) in batch.iter().zip(answers) {
            match answer {
                Ok(Outcome::SendAck(ack)) => {
                    acks.insert(id.clone(), ack);
                    next += 1;
                }
                Ok(other) => panic!("not an ack: {other:?}"),
                Err(error) => {
                    assert!(error.temporary, "{error:?}");
                    thread::sleep(Duration::from_millis(error.retry_after_ms.min(50).into()));
                    break;
                }
            }
        }
    }
    acks
}

#[test]
fn o1_writers_on_two_nodes_make_one_log() {
    const EACH: usize = 300;
    let nodes = two_nodes();
    let mut clients: Vec<Client> = (0..4_usize)
        .map(|number| Client::session(&nodes[number % 2], number as u64 + 1, ENCODINGS[number / 2]))
        .collect();
    let group = clients[0].create_group(&[2, 3, 4]);
    let writing: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, mut client)| {
            thread::spawn(move || {
                let ids: Vec<String> = (0..EACH).map(|place| format!("{number}.{place}")).collect();
                send_all(&mut client, group, &ids)
            })
        })
        .collect();
    let acks: Vec<_> = writing.into_iter().map(|writer| writer.join().expect("a writer")).collect();
    let log = Client::session(&nodes[1], 1, Encoding::Protobuf).log(group);
    assert_eq!(log.len(), 1 + 4 * EACH);
    for (number, acks) in acks.iter().enumerate() {
        let own: Vec<&wire::Entry> =
            log.iter().skip(1).filter(|entry| entry.sender_id == number as u64 + 1).collect();
        let ids: Vec<&str> = own.iter().map(|entry| &*entry.client_msg_id).collect();
        let expected: Vec<String> = (0..EACH).map(|place| format!("{number}.{place}")).collect();
        assert_eq!(ids, expected, "a sender's order is kept");
        for entry in own {
            let ack = &acks[&entry.client_msg_id];
            assert_eq!((ack.seq, ack.msg_no), (entry.seq, entry.msg_no));
        }
    }
    let numbers: Vec<u64> = log.iter().map(|entry| entry.msg_no).collect();
    assert_eq!(numbers, (0..=4 * EACH as u64).collect::<Vec<_>>());
    assert!(log.is_sorted_by_key(|entry| entry.created_at));
}

#[test]
fn o3_one_id_on_two_nodes_at_once_is_one_entry() {
    let nodes = two_nodes();
    let mut here = Client::session(&nodes[0], 1, Encoding::Json);
    let mut there = Client::session(&nodes[1], 1, Encoding::Protobuf);
    let group = here.create_group(&[]);
    for round in 0..50 {
        let id = format!("m{round}");
        let first = here.start(say(group, &id, "same"));
        let second = there.start(say(group, &id, "same"));
        assert_eq!(here.ack(first), there.ack(second), "round {round}");
        assert_eq!(refusal(here.call(say(group, &id, "other"))), "CONFLICT");
        assert_eq!(refusal(there.call(say(group, &id, "other"))), "CONFLICT");
    }
    assert_eq!(here.log(group).len(), 51);
}

#[test]
fn r3_what_connect_told_of_sync_has() {
    let nodes = two_nodes();
    let mut owner = Client::session(&nodes[0], 1, Encoding::Protobuf);
    let mut there = Client::session(&nodes[1], 2, Encoding::Json);
    drop(Client::session(&nodes[0], 3, Encoding::Protobuf));
    let group = owner.create_group(&[2, 3]);
    // The other node has it in memory, and reads it first.
    there.say(group, "there", "x");
    for round in 0..10 {
        // This node's head is fresh in its memory, and one behind the log.
        let cursor = owner.say(group, &format!("here {round}"), "x").seq;
        let head = there.say(group, &format!("there {round}"), "x").seq;
        let mut third = Client::session(&nodes[0], 3, Encoding::Protobuf);
        for seq in [cursor, cursor - 1] {
            let ask = wire::Sync { conversation_id: group, seq, limit: 0 };
            let Ok(Outcome::SyncPage(page)) = third.call(Op::Sync(ask)) else { panic!("no page") };
            assert_eq!(page.head_seq, head, "round {round}, behind {seq}");
            assert_eq!(page.entries.last().map(|entry| entry.seq), Some(head));
        }
    }
}

#[test]
fn z1_who_left_on_one_node_cannot_send_on_the_other() {
    let nodes = two_nodes();
    let mut owner = Client::session(&nodes[0], 1, Encoding::Protobuf);
    let mut here = Client::session(&nodes[0], 2, Encoding::Json);
    let mut there = Client::session(&nodes[1], 2, Encoding::Json);
    let groups: Vec<u64> = (0..10).map(|_| owner.create_group(&[2])).collect();
    for group in groups {
        // The other node has the conversation in memory, with the member in it.
        there.say(group, "while a member", "x");
        here.leave(group);
        assert_eq!(refusal(there.call(say(group, "no member any more", "x"))), "NOT_MEMBER");
        assert_eq!(owner.log(group).len(), 3);
    }
}
