//! What the machine does in the cases that matter, told step by step.

use ringwire_protocol::ErrorCode;
use ringwire_storage::model::LogPage;

use super::Violation;
use super::store::POISON;
use super::world::{Fault, Reading, World, joining, saying};
use crate::conversation::Intent;
use crate::conversation::answer::Ack;
use crate::limits;

type Told = Result<(), Violation>;

/// The two nodes.
const HERE: usize = 0;
const THERE: usize = 1;
/// The conversation that anyone may join.
const ROOM: usize = 0;

impl World {
    /// The position a command was acked with, or the code it was refused with; `None`: no answer yet.
    fn outcome(&self, command: usize) -> Option<Result<u64, ErrorCode>> {
        self.ledger.asked[command].answer.as_ref().map(|answer| match answer {
            Ok(Ack::Entry { seq, .. }) => Ok(*seq),
            Ok(Ack::Cursor { cursor, .. }) => Ok(cursor.read_seq),
            Ok(Ack::Done) => Ok(0),
            Err(error) => Err(error.code),
        })
    }

    fn send_after(
        &mut self,
        from: u64,
        id: &str,
        text: &str,
        after: &str,
    ) -> Result<usize, Violation> {
        self.ask(HERE, ROOM, from, id, saying(text, after))
    }

    /// A node's writer takes everything and the node hears of it.
    fn write_and_hear(&mut self, node: usize) -> Told {
        self.write(node, ROOM, usize::from(u8::MAX), false)?;
        self.hear(node, ROOM, usize::from(u8::MAX))
    }
}

fn world() -> World {
    World::new(Fault::None)
}

#[test]
fn nothing_is_answered_before_it_is_committed() -> Told {
    let mut world = world();
    let command = world.send(HERE, ROOM, 1, "m1", "hello")?;
    assert_eq!(world.outcome(command), None);
    world.write_and_hear(HERE)?;
    assert_eq!(world.outcome(command), Some(Ok(2)));
    world.settle()
}

#[test]
fn a_quiet_conversation_keeps_no_room_for_what_is_in_flight() -> Told {
    let mut world = world();
    world.send(HERE, ROOM, 1, "m1", "hello")?;
    world.command(HERE, ROOM, |machine, now, _| {
        machine.expire(now.at);
        assert_eq!(machine.in_flight.len(), 1, "it is not forgotten");
    })?;
    world.write_and_hear(HERE)?;
    world.command(HERE, ROOM, |machine, now, _| {
        assert!(machine.in_flight.capacity() > 0, "what is in flight may be followed by more");
        machine.expire(now.at);
        let room = [machine.in_flight.capacity(), machine.in_flight_ids.capacity()];
        assert_eq!(room, [0, 0]);
    })?;
    world.settle()
}

#[test]
fn a_conflict_puts_what_was_in_flight_behind_the_tail() -> Told {
    let mut world = world();
    let first = world.send(HERE, ROOM, 1, "m1", "late")?;
    let second = world.send(HERE, ROOM, 1, "m2", "later")?;
    world.send(THERE, ROOM, 2, "m1", "early")?;
    world.write_and_hear(THERE)?;
    world.write_and_hear(HERE)?;
    assert_eq!(world.outcome(first), None, "it waits for the tail");
    world.settle()?;
    assert_eq!(world.logs[ROOM].texts(), ["early", "late", "later"]);
    assert_eq!((world.outcome(first), world.outcome(second)), (Some(Ok(3)), Some(Ok(4))));
    Ok(())
}

#[test]
fn two_hot_nodes_need_no_reading_to_go_on() -> Told {
    let mut world = world();
    world.send(HERE, ROOM, 1, "m1", "one")?;
    world.send(THERE, ROOM, 2, "m1", "early")?;
    world.write_and_hear(THERE)?;
    world.write_and_hear(HERE)?;
    world.tail(HERE, ROOM, Reading::Happens(9))?;
    world.tail(HERE, ROOM, Reading::Happens(9))?;
    // This node has collided once; from now on its messages go behind what the other one writes.
    world.send(THERE, ROOM, 2, "m2", "there")?;
    world.send(THERE, ROOM, 2, "m3", "there too")?;
    world.write_and_hear(THERE)?;
    let mut commands = vec![world.send(HERE, ROOM, 1, "m2", "two")?];
    commands.push(world.send(HERE, ROOM, 1, "m3", "three")?);
    world.write(HERE, ROOM, 1, false)?;
    commands.push(world.send(HERE, ROOM, 1, "m4", "four")?);
    world.hear(HERE, ROOM, 9)?;
    assert_eq!(world.outcome(commands[1]), Some(Ok(7)));
    // What was submitted before that was known comes back once, and no tail has to be read.
    commands.push(world.send(HERE, ROOM, 1, "m5", "five")?);
    world.write_and_hear(HERE)?;
    world.write_and_hear(HERE)?;
    let seqs: Vec<_> = commands.iter().map(|command| world.outcome(*command)).collect();
    assert_eq!(seqs, [5, 6, 7, 8].map(|seq| Some(Ok(seq + 1))));
    assert!(world.seen.contains("moved"));
    world.settle()
}

#[test]
fn whoever_left_elsewhere_cannot_send_here() -> Told {
    let mut world = world();
    let command = world.send(HERE, ROOM, 2, "m1", "too late")?;
    world.ask(THERE, ROOM, 2, "l1", Intent::Leave)?;
    world.write_and_hear(THERE)?;
    world.settle()?;
    assert_eq!(world.outcome(command), Some(Err(ErrorCode::NotMember)));
    Ok(())
}

#[test]
fn a_retry_joins_the_entry_in_flight() -> Told {
    let mut world = world();
    let first = world.send(HERE, ROOM, 1, "m1", "once")?;
    let again = world.send(HERE, ROOM, 1, "m1", "once")?;
    let other = world.send(HERE, ROOM, 1, "m1", "another text")?;
    assert_eq!(world.queued(HERE, ROOM).len(), 1);
    assert_eq!(world.outcome(other), Some(Err(ErrorCode::Conflict)));
    world.settle()?;
    assert_eq!((world.outcome(first), world.outcome(again)), (Some(Ok(2)), Some(Ok(2))));
    Ok(())
}

#[test]
fn a_retry_at_another_node_finds_the_first_entry() -> Told {
    let mut world = world();
    let first = world.send(HERE, ROOM, 1, "m1", "once")?;
    world.write(HERE, ROOM, 1, false)?;
    let again = world.send(THERE, ROOM, 1, "m1", "once")?;
    world.write_and_hear(THERE)?;
    assert_eq!(world.outcome(again), Some(Ok(2)));
    world.settle()?;
    assert_eq!(world.outcome(first), Some(Ok(2)));
    assert_eq!(world.logs[ROOM].texts(), ["once"]);
    Ok(())
}

#[test]
fn a_refusal_that_depends_on_what_is_in_flight_waits_for_it() -> Told {
    let mut world = world();
    world.ask(HERE, ROOM, 4, "j1", joining())?;
    let twice = world.ask(HERE, ROOM, 4, "j2", joining())?;
    assert_eq!(world.outcome(twice), None);
    world.write_and_hear(HERE)?;
    assert_eq!(world.outcome(twice), Some(Err(ErrorCode::AlreadyMember)));
    world.settle()
}

#[test]
fn what_comes_after_a_refused_send_is_refused() -> Told {
    let mut world = world();
    world.set_room(HERE, ROOM, 0);
    let refused = world.send(HERE, ROOM, 1, "m1", "one")?;
    assert_eq!(world.outcome(refused), Some(Err(ErrorCode::Busy)));
    world.set_room(HERE, ROOM, 8);
    let next = world.send_after(1, "m2", "two", "m1")?;
    assert_eq!(world.outcome(next), Some(Err(ErrorCode::OutOfOrder)));
    world.send(HERE, ROOM, 1, "m1", "one")?;
    world.send_after(1, "m2", "two", "m1")?;
    world.settle()?;
    assert_eq!(world.logs[ROOM].texts(), ["one", "two"]);
    Ok(())
}

#[test]
fn what_was_refused_here_and_accepted_elsewhere_may_be_followed() -> Told {
    let mut world = world();
    world.set_room(HERE, ROOM, 0);
    world.send(HERE, ROOM, 1, "m1", "one")?;
    world.set_room(HERE, ROOM, 8);
    world.send(THERE, ROOM, 1, "m1", "one")?;
    world.write_and_hear(THERE)?;
    world.send(HERE, ROOM, 2, "m1", "brings the tail")?;
    world.settle()?;
    let next = world.send_after(1, "m2", "two", "m1")?;
    world.settle()?;
    assert_eq!(world.outcome(next), Some(Ok(4)));
    Ok(())
}

#[test]
fn a_rejected_entry_fails_alone() -> Told {
    let mut world = world();
    let poison = world.send(HERE, ROOM, 1, "m1", POISON)?;
    let bystander = world.send(HERE, ROOM, 2, "m1", "fine")?;
    let follower = world.send_after(1, "m2", "after the poison", "m1")?;
    world.settle()?;
    assert_eq!(world.outcome(poison), Some(Err(ErrorCode::Internal)));
    assert_eq!(world.outcome(bystander), Some(Ok(2)));
    assert_eq!(world.outcome(follower), Some(Err(ErrorCode::OutOfOrder)));
    Ok(())
}

#[test]
fn a_tail_cut_by_retention_makes_the_machine_outdated() -> Told {
    let mut world = world();
    for number in 0..3 {
        world.send(THERE, ROOM, 2, &format!("m{number}"), "old")?;
        world.write_and_hear(THERE)?;
    }
    world.sleep(700);
    world.send(THERE, ROOM, 2, "m3", "young")?;
    world.write_and_hear(THERE)?;
    world.trim(ROOM);
    let command = world.send(HERE, ROOM, 1, "m1", "far behind")?;
    assert!(world.doubts_next(HERE, ROOM), "nobody confirmed the head for long");
    world.settle()?;
    assert!(world.seen.contains("outdated"));
    assert_eq!(world.outcome(command), Some(Err(ErrorCode::Busy)));
    let again = world.send(HERE, ROOM, 1, "m1", "far behind")?;
    world.settle()?;
    assert_eq!(world.outcome(again), Some(Ok(6)));
    Ok(())
}

#[test]
fn a_log_that_ends_before_the_head_makes_the_machine_outdated() -> Told {
    let mut world = world();
    world.send(HERE, ROOM, 1, "m1", "lost by a failover")?;
    world.write_and_hear(HERE)?;
    let shorter =
        LogPage { head: world.logs[ROOM].history[0].head(), ..world.logs[ROOM].tail(2, 1) };
    world.send(THERE, ROOM, 2, "m1", "collides")?;
    let command = world.send(HERE, ROOM, 1, "m2", "two")?;
    world.command(HERE, ROOM, |machine, now, effects| {
        machine.start_rebase(now.at, effects);
        machine.tail_loaded(Some(shorter), now, effects);
        assert!(machine.is_outdated());
    })?;
    assert_eq!(world.outcome(command), Some(Err(ErrorCode::Busy)));
    Ok(())
}

#[test]
fn a_conversation_that_is_gone_refuses_everything() -> Told {
    let mut world = world();
    let sent = world.send(HERE, ROOM, 1, "m1", "in flight")?;
    world.command(HERE, ROOM, |machine, now, effects| machine.start_rebase(now.at, effects))?;
    let waiting = world.send(HERE, ROOM, 2, "m1", "waiting")?;
    world.ledger.gone = true;
    world.command(HERE, ROOM, |machine, now, effects| machine.tail_loaded(None, now, effects))?;
    for command in [sent, waiting] {
        assert_eq!(world.outcome(command), Some(Err(ErrorCode::NotMember)));
    }
    Ok(())
}

#[test]
fn an_heir_who_is_leaving_does_not_inherit() -> Told {
    let mut world = world();
    world.ask(HERE, ROOM, 3, "l1", Intent::Leave)?;
    world.ask(HERE, ROOM, 1, "l1", Intent::Leave)?;
    world.ask(HERE, ROOM, 2, "l1", Intent::Leave)?;
    // Judged by the model: user 2 inherits from user 1, and nobody is left to inherit from user 2.
    world.settle()?;
    assert!(world.logs[ROOM].group(4).members.is_empty());
    Ok(())
}

#[test]
fn a_re_base_keeps_the_order_of_a_sender() -> Told {
    let mut world = world();
    world.ask(HERE, ROOM, 4, "j1", joining())?;
    world.ask(THERE, ROOM, 2, "l1", Intent::Leave)?;
    world.write_and_hear(THERE)?;
    // Refused by what the tail brings, but only when the membership in flight is decided.
    let leave = world.ask(HERE, ROOM, 2, "l2", Intent::Leave)?;
    let join = world.ask(HERE, ROOM, 2, "j2", joining())?;
    world.settle()?;
    assert_eq!(world.outcome(leave), Some(Err(ErrorCode::NotMember)));
    assert_eq!(world.outcome(join), Some(Ok(4)));
    Ok(())
}

#[test]
fn what_waited_is_not_lost_when_the_queue_is_full() -> Told {
    let mut world = world();
    world.ask(HERE, ROOM, 4, "j1", joining())?;
    let waits = world.ask(HERE, ROOM, 4, "j2", joining())?;
    let behind: Vec<usize> = (0..3)
        .map(|number| world.send(HERE, ROOM, 4, &format!("m{number}"), "behind"))
        .collect::<Result<_, _>>()?;
    world.set_room(HERE, ROOM, 1);
    world.write_and_hear(HERE)?;
    assert_eq!(world.outcome(waits), Some(Err(ErrorCode::AlreadyMember)));
    world.settle()?;
    let outcomes: Vec<_> = behind.iter().map(|command| world.outcome(*command)).collect();
    assert_eq!(outcomes, [Some(Ok(3)), Some(Ok(4)), Some(Ok(5))]);
    Ok(())
}

#[test]
fn a_late_answer_does_not_make_an_old_head_look_fresh() -> Told {
    let mut world = world();
    world.send(HERE, ROOM, 1, "m1", "answered late")?;
    world.write(HERE, ROOM, 1, false)?;
    world.sleep(700);
    world.hear(HERE, ROOM, 1)?;
    world.send(HERE, ROOM, 1, "m2", "next")?;
    assert!(world.doubts_next(HERE, ROOM));
    world.settle()
}

#[test]
fn a_late_tail_does_not_make_an_old_head_look_fresh() -> Told {
    let mut world = world();
    world.send(THERE, ROOM, 2, "m1", "there")?;
    world.write_and_hear(THERE)?;
    world.send(HERE, ROOM, 1, "m1", "here")?;
    world.write_and_hear(HERE)?;
    world.tail(HERE, ROOM, Reading::Happens(9))?;
    world.sleep(700);
    world.tail(HERE, ROOM, Reading::Fails)?;
    assert!(world.doubts_next(HERE, ROOM));
    world.settle()
}

#[test]
fn an_entry_that_a_writer_held_for_long_needs_its_base() -> Told {
    let mut world = world();
    let held = world.send(HERE, ROOM, 1, "m1", "held")?;
    for number in 0..3 {
        world.send(THERE, ROOM, 2, &format!("m{number}"), "meanwhile")?;
        world.write_and_hear(THERE)?;
    }
    world.sleep(700);
    world.send(THERE, ROOM, 2, "m3", "young")?;
    world.write_and_hear(THERE)?;
    // Position 2 is free again, but what was written behind it was real.
    world.trim(ROOM);
    world.settle()?;
    assert_eq!(world.outcome(held), Some(Err(ErrorCode::Busy)));
    Ok(())
}

#[test]
fn what_is_in_flight_and_what_waits_is_bounded() -> Told {
    let mut world = world();
    world.set_room(HERE, ROOM, usize::MAX);
    for (most, rebase) in
        [(limits::IN_FLIGHT_PER_CONVERSATION, false), (limits::WAITING_PER_CONVERSATION, true)]
    {
        if rebase {
            world.command(HERE, ROOM, |machine, now, effects| {
                machine.start_rebase(now.at, effects);
            })?;
        }
        let kind = if rebase { "w" } else { "f" };
        for number in 0..most {
            let command = world.send(HERE, ROOM, 1, &format!("{kind}{number}"), "one of many")?;
            assert_eq!(world.outcome(command), None);
        }
        let command = world.send(HERE, ROOM, 2, kind, "one too many")?;
        assert_eq!(world.outcome(command), Some(Err(ErrorCode::Busy)));
    }
    Ok(())
}

#[test]
fn what_was_read_at_another_node_is_judged_by_the_tail() -> Told {
    let mut world = world();
    let read = |world: &mut World, seq| {
        world.read(HERE, ROOM, 1, seq)?;
        Ok::<_, Violation>(world.ledger.asked.len() - 1)
    };
    world.send(THERE, ROOM, 2, "m1", "there")?;
    world.write_and_hear(THERE)?;
    let there = read(&mut world, 2)?;
    let nowhere = read(&mut world, 9)?;
    assert_eq!(world.outcome(there), None);
    world.tail(HERE, ROOM, Reading::Happens(9))?;
    // The tail is read, and has not come.
    world.send(THERE, ROOM, 2, "m2", "later")?;
    world.write_and_hear(THERE)?;
    let late = read(&mut world, 3)?;
    world.tail(HERE, ROOM, Reading::Happens(9))?;
    assert_eq!([there, late].map(|command| world.outcome(command)), [Some(Ok(2)), None]);
    world.settle()?;
    assert_eq!(world.outcome(late), Some(Ok(3)));
    assert_eq!(world.outcome(nowhere), Some(Err(ErrorCode::InvalidArgument)));
    Ok(())
}

#[test]
fn a_failed_reading_is_repeated_and_a_long_tail_is_read_in_pages() -> Told {
    let mut world = world();
    for number in 0..5 {
        world.send(THERE, ROOM, 2, &format!("m{number}"), "there")?;
    }
    world.write_and_hear(THERE)?;
    let command = world.send(HERE, ROOM, 1, "m1", "here")?;
    world.write_and_hear(HERE)?;
    world.tail(HERE, ROOM, Reading::Fails)?;
    for _page in 0..3 {
        world.tail(HERE, ROOM, Reading::Happens(2))?;
        world.tail(HERE, ROOM, Reading::Happens(2))?;
    }
    assert_eq!(world.machine(HERE, ROOM).head().seq, 6);
    world.settle()?;
    assert_eq!(world.outcome(command), Some(Ok(7)));
    Ok(())
}
