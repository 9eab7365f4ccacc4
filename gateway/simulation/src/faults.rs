//! What goes wrong.

use prost::Message as _;
use ringwire_protocol::{ConversationId, UserId, wire};
use ringwire_storage::append::{Append, Change, Outcome};

use crate::world::{Event, World};

/// Something that goes wrong now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Reset,
    Silence,
    Stall,
    Restart,
    Outage,
    Freeze,
    Clock,
    Rival,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Reset,
        Self::Silence,
        Self::Stall,
        Self::Restart,
        Self::Outage,
        Self::Freeze,
        Self::Clock,
        Self::Rival,
    ];
}

impl World {
    pub(crate) fn schedule_faults(&mut self) {
        for fault in Fault::ALL {
            self.fault_later(fault);
        }
    }

    fn fault_later(&mut self, fault: Fault) {
        let faults = &self.plan.faults;
        let every_ms = match fault {
            Fault::Reset => faults.reset,
            Fault::Silence => faults.silence,
            Fault::Stall => faults.stall,
            Fault::Restart => faults.restart,
            Fault::Outage => faults.outage,
            Fault::Freeze => faults.freeze,
            Fault::Clock => faults.clock,
            Fault::Rival => faults.rival,
        };
        if let Some(every_ms) = every_ms {
            let wait_ms = self.random.between(every_ms / 2, every_ms * 3 / 2);
            self.after_ms(wait_ms, Event::Fault(fault));
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        if self.healed_at_us.is_some() {
            return;
        }
        self.fault_later(fault);
        self.journal.note(format_args!("fault: {fault:?}"));
        let sockets: Vec<_> = self.sockets.keys().copied().collect();
        let socket = self.random.pick(&sockets).copied();
        let now_us = self.now_us();
        match (fault, socket) {
            (Fault::Reset, Some(id)) => self.reset(id),
            (Fault::Silence, Some(id)) => {
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.silent = true;
                }
            }
            (Fault::Stall, _) => {
                let device = self.random.below(self.devices.len() as u64) as usize;
                let until_ms = self.now_ms() + self.random.between(500, 14_000);
                self.devices[device].stalled_until_ms = until_ms;
            }
            (Fault::Restart, _) => self.restart(),
            (Fault::Outage, _) => {
                self.outage_until_us = now_us + 1_000 * self.random.between(200, 6_000);
            }
            (Fault::Freeze, _) => {
                let until_us = now_us + 1_000 * self.random.between(50, 2_000);
                let shard = self.random.below(self.plan.shards as u64) as usize;
                if let Some(node) = &mut self.node {
                    node.places[shard].frozen_until_us = until_us;
                }
            }
            (Fault::Clock, _) => {
                let step_ms = self.random.between(1, 3_600_000).cast_signed();
                let back = self.random.percent(50);
                self.wall_offset_ms += if back { -step_ms } else { step_ms };
            }
            (Fault::Rival, _) => self.rival(),
            (Fault::Reset | Fault::Silence, None) => {}
        }
    }

    /// The node ends: all memory is lost. A write that was under way may reach the database later, or never.
    fn restart(&mut self) {
        let Some(node) = self.node.take() else { return };
        self.journal.met("restart");
        let under_way: Vec<Append> = node.writer.queue.lock().drain(..).collect();
        let written = self.random.below(under_way.len() as u64 + 1) as usize;
        let batch: Vec<Append> = under_way.into_iter().take(written.min(3)).collect();
        let delay_us = self.random.between(0, 50_000);
        self.after_us(delay_us, Event::Ghost(batch));
        drop(node);
        self.sockets.clear();
        for device in 0..self.devices.len() {
            if self.devices[device].socket.is_some() {
                self.offline(device);
            }
            for view in self.devices[device].views.values_mut() {
                // A crash may lose the last moves of a cursor.
                view.read_confirmed = 0;
                view.delivered_confirmed = 0;
            }
        }
        let wait_ms = self.random.between(10, 3_000);
        self.after_ms(wait_ms, Event::Start);
    }

    /// See [`Self::restart`].
    pub(crate) fn ghost(&mut self, batch: &[Append]) {
        // One transaction: what comes behind an entry that is not written is not written either.
        let mut stopped = Vec::new();
        for append in batch {
            if stopped.contains(&append.conversation_id) {
                continue;
            }
            let outcome = self.database.insert(append, true, true);
            self.journal.note(format_args!("a late write: {outcome:?}"));
            if outcome != Outcome::Committed {
                stopped.push(append.conversation_id);
            }
        }
    }

    /// From now on nothing goes wrong, and nobody does anything new.
    pub(crate) fn heal(&mut self) {
        self.journal.note(format_args!("everything heals"));
        self.healed_at_us = Some(self.now_us());
        self.outage_until_us = self.now_us();
        for device in &mut self.devices {
            device.stalled_until_ms = 0;
        }
        self.after_ms(1_000, Event::Judge);
    }

    /// Another node writes: a message of its own, or the retry of a client that went there.
    fn rival(&mut self) {
        let retried = self.node.as_ref().and_then(|node| {
            let queue = node.writer.queue.lock();
            queue.front().filter(|append| append.change == Change::None).cloned()
        });
        // Whoever tries again elsewhere begins with the oldest: later ones would overtake it.
        let retried = retried.filter(|append| {
            let id = &append.conversation_id;
            let mut lines = self.devices.iter().filter_map(|device| device.outgoing.get(id));
            lines.any(|line| line.is_next(&append.client_msg_id))
        });
        let logs: Vec<ConversationId> = self.database.logs.keys().copied().collect();
        let id = self.random.pick(&logs).copied();
        let fresh = self.random.percent(60);
        let append = match (retried, id) {
            (Some(append), _) if !fresh => Some(append),
            (_, Some(id)) => self.rival_message(id),
            _ => None,
        };
        let Some(append) = append else { return };
        let Some(log) = self.database.logs.get(&append.conversation_id) else { return };
        let head = log.head();
        if !append.sender_id.is_some_and(|sender| log.roster().has(sender)) {
            return;
        }
        let append = Append {
            seq: head.seq + 1,
            msg_no: head.msg_no + 1,
            created_at: head.created_at.max(append.created_at),
            ..append
        };
        let outcome = self.database.insert(&append, false, true);
        self.journal.note(format_args!("another node: {}: {outcome:?}", append.client_msg_id));
    }

    fn rival_message(&mut self, id: ConversationId) -> Option<Append> {
        let members: Vec<UserId> =
            self.database.logs.get(&id)?.roster().members.keys().copied().collect();
        let sender = *self.random.pick(&members)?;
        let number = self.random.next();
        let message = wire::Message { text: format!("from afar {number}"), ..Default::default() };
        let kind = wire::entry_body::Kind::Message(message);
        Some(Append {
            conversation_id: id,
            seq: 0,
            msg_no: 0,
            sender_id: Some(sender),
            created_at: self.unix_ms(),
            client_msg_id: format!("afar.{number:x}").into(),
            body: wire::EntryBody { kind: Some(kind) }.encode_to_vec().into(),
            command_hash: 0,
            change: Change::None,
            head_confirmed_at: self.at(),
            check_base: false,
            origin: 0,
            token: 0,
            generation: 0,
        })
    }
}
