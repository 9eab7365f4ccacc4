//! What clients do of their own accord.

use ringwire_protocol::{ConversationId, wire};
use wire::command::Op;

use crate::database::POISON;
use crate::device::{Asked, Device, Surroundings};
use crate::world::{Event, World};

/// Messages a device has waiting at most.
const MOST_SAYINGS: u64 = 4;

impl World {
    pub(crate) fn act_later(&mut self, device: usize) {
        let think_ms = self.random.between(10, 2 * self.plan.think_ms);
        self.after_ms(think_ms, Event::Act(device));
    }

    pub(crate) fn act(&mut self, device: usize) {
        if self.healed_at_us.is_some() {
            return;
        }
        self.act_later(device);
        if !self.devices[device].live {
            return;
        }
        match self.random.below(100) {
            0..50 => self.with_device(device, Device::say),
            50..65 => self.with_device(device, Device::read),
            65..75 => self.with_device(device, Device::look),
            75..80 => self.with_device(device, Device::come_or_go),
            80..83 => self.with_device(device, Device::found_group),
            83..88 => self.with_device(device, Device::type_on),
            88..93 => self.hang_up(device),
            93..95 => self.devices[device].close(),
            _ => {}
        }
    }
}

impl Device {
    fn any_conversation(&self, with: &mut Surroundings<'_>) -> Option<ConversationId> {
        let member = |id: &&ConversationId| self.views.get(id).is_some_and(|view| view.member);
        let known: Vec<_> = self.views.keys().filter(member).copied().collect();
        with.random.pick(&known).copied()
    }

    /// Says something, perhaps several things in a row.
    fn say(&mut self, with: &mut Surroundings<'_>) {
        let Some(conversation) = self.any_conversation(with) else { return };
        for _ in 0..with.random.between(1, MOST_SAYINGS) {
            self.say_in(conversation, with);
        }
        self.speak(with);
    }

    /// Has one more message to send.
    pub(crate) fn say_in(&mut self, conversation: ConversationId, with: &mut Surroundings<'_>) {
        let id = self.fresh_id("m");
        let poison = with.random.percent(with.plan.faults.poison) && !with.healed;
        let text = match (poison, with.random.percent(30)) {
            (true, _) => format!("{POISON} {id}"),
            (false, true) => format!("{id} {}", "x".repeat(with.plan.text_bytes)),
            (false, false) => id.clone(),
        };
        self.outgoing.entry(conversation).or_default().push(id, text);
    }

    /// Says how far it is.
    fn read(&mut self, with: &mut Surroundings<'_>) {
        let Some(conversation) = self.any_conversation(with) else { return };
        let Some(view) = self.views.get_mut(&conversation) else { return };
        let seq = with.random.between(0, view.cursor);
        if with.random.percent(40) {
            let delivered = wire::Delivered { conversation_id: conversation.get(), seq };
            let asked = Asked::Delivered { conversation, seq };
            return self.ask(Op::Delivered(delivered), asked, with);
        }
        view.read_asked = view.read_asked.max(seq);
        let read = wire::Read { conversation_id: conversation.get(), seq };
        self.ask(Op::Read(read), Asked::Read { conversation, seq }, with);
    }

    fn type_on(&mut self, with: &mut Surroundings<'_>) {
        let Some(conversation) = self.any_conversation(with) else { return };
        let stopped = with.random.percent(30);
        let typing = wire::Typing { conversation_id: conversation.get(), stopped };
        self.ask(Op::Typing(typing), Asked::Typing, with);
    }

    /// Looks at old pages, or at the list.
    fn look(&mut self, with: &mut Surroundings<'_>) {
        let Some(conversation) = self.any_conversation(with) else { return };
        if with.random.percent(30) {
            return self.ask(Op::Heads(wire::Heads::default()), Asked::Query, with);
        }
        let head = self.views.get(&conversation).map_or(0, |view| view.cursor);
        for _ in 0..with.random.between(1, 6) {
            let history = wire::History {
                conversation_id: conversation.get(),
                before_seq: with.random.between(1, head + 1),
                ..Default::default()
            };
            self.ask(Op::History(history), Asked::Query, with);
        }
    }

    /// Joins a room, or leaves it. Rooms have odd numbers.
    fn come_or_go(&mut self, with: &mut Surroundings<'_>) {
        let rooms: Vec<_> =
            (1..=with.plan.conversations).step_by(2).filter_map(ConversationId::new).collect();
        let Some(conversation) = with.random.pick(&rooms).copied() else { return };
        let id = self.fresh_id("x");
        let member = self.views.get(&conversation).is_some_and(|view| view.member);
        self.join_or_leave(conversation, id, member, with);
    }

    fn found_group(&mut self, with: &mut Surroundings<'_>) {
        let create = wire::CreateGroup {
            kind: wire::ConversationKind::Group.into(),
            user_ids: (1..=with.plan.users).collect(),
            client_msg_id: self.fresh_id("g"),
            ..Default::default()
        };
        self.ask(Op::CreateGroup(create), Asked::CreateGroup, with);
    }
}
