//! Hand-made histories: correct ones stay clean, and each way of being wrong turns its own count red.

use super::*;
use crate::verify::{DeviceIndex, SenderIndex};

const START: Seq = 1;

/// Alice and Bob, each with one device; the conversation begins with a notice at seq 1.
struct Pair {
    ledger: Ledger,
    alice: SenderIndex,
    bob: SenderIndex,
    alices: DeviceIndex,
    bobs: DeviceIndex,
    log: Vec<(Seq, Content)>,
}

impl Pair {
    fn new() -> Self {
        let mut ledger = Ledger::new();
        let alice = ledger.add_sender("alice");
        let bob = ledger.add_sender("bob");
        let alices = ledger.add_device("alice's phone", START);
        let bobs = ledger.add_device("bob's phone", START);
        Self { ledger, alice, bob, alices, bobs, log: Vec::new() }
    }

    fn devices(&self, sender: SenderIndex) -> (DeviceIndex, DeviceIndex) {
        if sender == self.alice { (self.alices, self.bobs) } else { (self.bobs, self.alices) }
    }

    /// A message that is committed and acknowledged, but not pushed.
    fn commit(&mut self, sender: SenderIndex, seq: Seq) -> Content {
        let origin = self.ledger.invoke(sender);
        let content = Content::Message(origin);
        self.log.push((seq, content));
        self.ledger.acked(origin, seq);
        let (own, _) = self.devices(sender);
        self.ledger.received(own, seq, content, Via::Ack);
        content
    }

    /// A message that goes the whole way.
    fn send(&mut self, sender: SenderIndex, seq: Seq) -> Content {
        let content = self.commit(sender, seq);
        let (_, other) = self.devices(sender);
        self.ledger.received(other, seq, content, Via::Push);
        content
    }

    fn check(mut self) -> Findings {
        self.ledger.log_read(START, self.log);
        self.ledger.check()
    }
}

/// The counts that are not zero, so that a test also shows what is *not* found.
fn counts(findings: &Findings) -> Vec<(&'static str, u64)> {
    let all = [
        ("lost", findings.lost),
        ("phantom_acks", findings.phantom_acks),
        ("duplicated", findings.duplicated),
        ("reordered", findings.reordered),
        ("unexpected", findings.unexpected),
        ("gaps", findings.gaps),
        ("diverging", findings.diverging),
        ("unpushed", findings.unpushed),
    ];
    assert_eq!(findings.is_clean(), findings.examples.is_empty(), "{findings:?}");
    all.into_iter().filter(|&(_, count)| count > 0).collect()
}

#[test]
fn a_correct_history_is_clean() {
    let mut pair = Pair::new();
    for seq in 2..10 {
        let sender = if seq % 3 == 0 { pair.bob } else { pair.alice };
        pair.send(sender, seq);
    }
    assert_eq!(counts(&pair.check()), []);
}

#[test]
fn a_reconnect_with_repeats_and_an_unanswered_send_is_clean() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    // Committed, the answer lost: pushed to alice's next connection, then acknowledged again after her repeat.
    let origin = pair.ledger.invoke(pair.alice);
    pair.log.push((3, Content::Message(origin)));
    pair.ledger.received(pair.bobs, 3, Content::Message(origin), Via::Push);
    pair.ledger.reconnected(pair.alices);
    pair.ledger.received(pair.alices, 3, Content::Message(origin), Via::Push);
    pair.ledger.acked(origin, 3);
    pair.ledger.received(pair.alices, 3, Content::Message(origin), Via::Ack);
    // Bob's connection drops too, and what he had is sent again on the next.
    pair.ledger.reconnected(pair.bobs);
    pair.ledger.received(pair.bobs, 3, Content::Message(origin), Via::Push);
    // Never answered and never stored.
    pair.ledger.invoke(pair.alice);
    assert_eq!(counts(&pair.check()), []);
}

#[test]
fn entries_pulled_because_the_server_said_so_are_clean() {
    let mut pair = Pair::new();
    let content = pair.commit(pair.alice, 2);
    pair.ledger.received(pair.bobs, 2, content, Via::PullTold);
    assert_eq!(counts(&pair.check()), []);
}

#[test]
fn what_happened_before_the_start_does_not_count() {
    let mut pair = Pair::new();
    pair.ledger.received(pair.bobs, 1, Content::Notice, Via::Push);
    pair.ledger.received(pair.bobs, 1, Content::Foreign, Via::Push);
    pair.send(pair.alice, 2);
    assert_eq!(counts(&pair.check()), []);
}

#[test]
fn a_device_that_left_answers_only_for_what_it_received() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.ledger.device_left(pair.bobs);
    pair.commit(pair.alice, 3);
    assert_eq!(counts(&pair.check()), []);

    let mut pair = Pair::new();
    pair.commit(pair.alice, 2);
    pair.send(pair.alice, 3);
    pair.ledger.device_left(pair.bobs);
    assert_eq!(counts(&pair.check()), [("lost", 1), ("gaps", 1)]);
}

#[test]
fn what_is_still_under_way_when_the_last_look_begins_need_not_be_found() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    let under_way = pair.ledger.invoke(pair.alice);
    pair.ledger.last_look_begins();
    // Pushed to Bob while the log, read before, ends at 2; the acknowledgement comes too late to be told.
    pair.ledger.received(pair.bobs, 3, Content::Message(under_way), Via::Push);
    assert_eq!(counts(&pair.check()), []);

    // But what was known by then is owed by all.
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.commit(pair.alice, 3);
    pair.ledger.last_look_begins();
    pair.log.pop();
    assert_eq!(counts(&pair.check()), [("lost", 1), ("phantom_acks", 1), ("gaps", 2)]);
}

#[test]
fn an_acknowledged_message_that_never_arrives_is_lost() {
    let mut pair = Pair::new();
    pair.commit(pair.alice, 2);
    pair.send(pair.alice, 3);
    // The log has it, the device does not: also a hole in the device's view.
    assert_eq!(counts(&pair.check()), [("lost", 1), ("gaps", 1)]);
}

#[test]
fn a_lost_last_message_is_found_as_well() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.commit(pair.bob, 3);
    assert_eq!(counts(&pair.check()), [("lost", 1), ("gaps", 1)]);
}

#[test]
fn an_acknowledged_message_that_the_log_forgot_is_lost_and_a_phantom() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.send(pair.alice, 3);
    pair.log.retain(|&(seq, _)| seq != 3);
    assert_eq!(counts(&pair.check()), [("lost", 1), ("phantom_acks", 1), ("gaps", 1)]);
}

#[test]
fn two_seqs_for_one_acknowledgement_are_a_phantom() {
    let mut pair = Pair::new();
    let Content::Message(origin) = pair.send(pair.alice, 2) else { unreachable!() };
    pair.ledger.acked(origin, 5);
    assert_eq!(counts(&pair.check()), [("phantom_acks", 1)]);
}

#[test]
fn a_message_stored_twice_is_duplicated() {
    let mut pair = Pair::new();
    let content = pair.send(pair.alice, 2);
    pair.log.push((3, content));
    for device in [pair.alices, pair.bobs] {
        pair.ledger.received(device, 3, content, Via::Push);
    }
    assert_eq!(counts(&pair.check()), [("duplicated", 1)]);
}

#[test]
fn a_message_pushed_twice_on_one_connection_is_duplicated() {
    let mut pair = Pair::new();
    let content = pair.send(pair.alice, 2);
    pair.ledger.received(pair.bobs, 2, content, Via::Push);
    assert_eq!(counts(&pair.check()), [("duplicated", 1)]);
}

#[test]
fn pushes_out_of_order_are_reordered() {
    let mut pair = Pair::new();
    let first = pair.commit(pair.alice, 2);
    let second = pair.commit(pair.alice, 3);
    pair.ledger.received(pair.bobs, 3, second, Via::Push);
    pair.ledger.received(pair.bobs, 2, first, Via::Push);
    assert_eq!(counts(&pair.check()), [("reordered", 1)]);
}

#[test]
fn a_senders_messages_stored_in_another_order_are_reordered() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 3);
    pair.send(pair.alice, 2);
    let findings = pair.check();
    // The log, the pushes and the sender's order each show it.
    assert_eq!(counts(&findings), [("reordered", 3)]);
}

#[test]
fn a_message_nobody_sent_is_unexpected() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.log.push((3, Content::Foreign));
    for device in [pair.alices, pair.bobs] {
        pair.ledger.received(device, 3, Content::Foreign, Via::Push);
    }
    assert_eq!(counts(&pair.check()), [("unexpected", 1)]);
}

#[test]
fn a_refused_message_that_is_stored_is_unexpected() {
    let mut pair = Pair::new();
    let origin = pair.ledger.invoke(pair.alice);
    pair.ledger.refused(origin, 2);
    pair.log.push((2, Content::Message(origin)));
    for device in [pair.alices, pair.bobs] {
        pair.ledger.received(device, 2, Content::Message(origin), Via::Push);
    }
    assert_eq!(counts(&pair.check()), [("unexpected", 1)]);
}

#[test]
fn a_number_that_was_never_invoked_is_unexpected() {
    let mut pair = Pair::new();
    let content = Content::Message(Origin { sender: pair.alice, number: 9 });
    pair.log.push((2, content));
    for device in [pair.alices, pair.bobs] {
        pair.ledger.received(device, 2, content, Via::Push);
    }
    assert_eq!(counts(&pair.check()), [("unexpected", 1)]);
}

#[test]
fn a_seq_that_nobody_saw_is_a_gap_everywhere() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.send(pair.bob, 4);
    assert_eq!(counts(&pair.check()), [("gaps", 3)]);
}

#[test]
fn devices_that_disagree_are_diverging() {
    let mut pair = Pair::new();
    let one = pair.commit(pair.alice, 2);
    let two = pair.commit(pair.alice, 3);
    // Bob sees them the other way round, in rising seqs.
    pair.ledger.received(pair.bobs, 2, two, Via::Push);
    pair.ledger.received(pair.bobs, 3, one, Via::Push);
    assert_eq!(counts(&pair.check()), [("diverging", 2)]);
}

#[test]
fn an_entry_the_device_had_to_ask_for_is_unpushed() {
    let mut pair = Pair::new();
    let content = pair.commit(pair.alice, 2);
    pair.ledger.received(pair.bobs, 2, content, Via::PullUntold);
    assert_eq!(counts(&pair.check()), [("unpushed", 1)]);
}

#[test]
fn without_a_log_devices_are_held_against_each_other() {
    let mut pair = Pair::new();
    pair.commit(pair.alice, 2);
    pair.send(pair.alice, 3);
    assert_eq!(counts(&pair.ledger.check()), [("lost", 1), ("gaps", 1)]);
}

#[test]
fn outcomes_are_counted() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.ledger.invoke(pair.alice);
    let refused = pair.ledger.invoke(pair.bob);
    pair.ledger.refused(refused, 2);
    assert_eq!(pair.ledger.outcomes(), (1, 1, 1));
    assert_eq!(pair.ledger.outcome(refused), Some(Outcome::Refused(2)));
}

#[test]
fn an_acknowledgement_that_names_the_place_of_another_message_is_a_phantom() {
    let mut pair = Pair::new();
    let origin = pair.ledger.invoke(pair.alice);
    pair.log.push((2, Content::Message(origin)));
    pair.ledger.received(pair.bobs, 2, Content::Message(origin), Via::Push);
    pair.ledger.received(pair.alices, 2, Content::Message(origin), Via::Push);
    pair.send(pair.bob, 3);
    pair.ledger.acked(origin, 3);
    assert_eq!(counts(&pair.check()), [("phantom_acks", 1)]);
}

#[test]
fn a_message_that_was_shown_and_never_stored_is_a_gap_everywhere_else() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    // Never answered, so it may be nowhere, but not in one place only.
    let origin = pair.ledger.invoke(pair.alice);
    pair.ledger.received(pair.bobs, 3, Content::Message(origin), Via::Push);
    assert_eq!(counts(&pair.check()), [("gaps", 2)]);
}

#[test]
fn a_log_that_is_read_back_out_of_order_or_twice_is_found() {
    let mut pair = Pair::new();
    pair.send(pair.alice, 2);
    pair.send(pair.bob, 3);
    pair.log.swap(0, 1);
    assert_eq!(counts(&pair.check()), [("reordered", 1)]);

    let mut pair = Pair::new();
    let content = pair.send(pair.alice, 2);
    pair.log.push((2, content));
    assert_eq!(counts(&pair.check()), [("duplicated", 1)]);
}

/// One thing that goes wrong with one message of a long correct history.
#[derive(Clone, Copy, Debug)]
enum Damage {
    None,
    LogForgets,
    LogSwaps,
    LogRepeats,
    LogReplaces,
    NotPushed,
    PushedTwice,
    PushedLate,
    AckChanges,
    RefusedYetStored,
}

fn damaged(damage: Damage, at: Seq) -> Findings {
    const LAST: Seq = 20;
    let mut pair = Pair::new();
    let mut late = None;
    for seq in 2..=LAST {
        let sender = if seq % 3 == 0 { pair.bob } else { pair.alice };
        let (_, other) = pair.devices(sender);
        let hit = seq == at;
        let content = match damage {
            Damage::NotPushed | Damage::PushedLate if hit => pair.commit(sender, seq),
            _ => pair.send(sender, seq),
        };
        let Content::Message(origin) = content else { unreachable!("only messages are sent") };
        if let Some((device, seq, content)) = late.take() {
            // After an entry that the same device did get.
            pair.ledger.received(device, at + 1, content_of(&pair, at + 1), Via::Push);
            pair.ledger.received(device, seq, content, Via::Push);
        }
        match damage {
            Damage::PushedTwice if hit => {
                pair.ledger.received(other, seq, content, Via::Push);
            }
            Damage::PushedLate if hit => late = Some((other, seq, content)),
            Damage::AckChanges if hit => pair.ledger.acked(origin, seq + 1),
            Damage::RefusedYetStored if hit => pair.ledger.refused(origin, 2),
            _ => {}
        }
    }
    let place = pair.log.iter().position(|&(seq, _)| seq == at).expect("it is in the log");
    match damage {
        Damage::LogForgets => drop(pair.log.remove(place)),
        Damage::LogSwaps => {
            let content = pair.log[place].1;
            pair.log[place].1 = std::mem::replace(&mut pair.log[place + 1].1, content);
        }
        Damage::LogRepeats => pair.log.push((LAST + 1, pair.log[place].1)),
        Damage::LogReplaces => pair.log[place].1 = Content::Foreign,
        _ => {}
    }
    pair.check()
}

fn content_of(pair: &Pair, seq: Seq) -> Content {
    pair.log.iter().find(|&&(at, _)| at == seq).expect("it is in the log").1
}

#[test]
fn one_damaged_message_is_found_wherever_it_is() {
    type Count = fn(&Findings) -> u64;
    assert_eq!(counts(&damaged(Damage::None, 2)), []);
    let damages: [(Damage, Count); 9] = [
        (Damage::LogForgets, |findings| findings.lost),
        (Damage::LogSwaps, |findings| findings.diverging),
        (Damage::LogRepeats, |findings| findings.duplicated),
        (Damage::LogReplaces, |findings| findings.unexpected),
        (Damage::NotPushed, |findings| findings.lost),
        (Damage::PushedTwice, |findings| findings.duplicated),
        (Damage::PushedLate, |findings| findings.reordered),
        (Damage::AckChanges, |findings| findings.phantom_acks),
        (Damage::RefusedYetStored, |findings| findings.unexpected),
    ];
    for (damage, count) in damages {
        for at in 2..20 {
            let findings = damaged(damage, at);
            assert!(count(&findings) > 0, "{damage:?} at {at}: {findings:?}");
        }
    }
}
