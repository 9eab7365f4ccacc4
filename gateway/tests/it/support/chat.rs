//! What people do, as one call each: commands whose success a test takes for granted.

use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use super::client::Client;

/// The code of an error, or what came instead.
pub(crate) fn refusal(answer: Result<Outcome, wire::Error>) -> String {
    match answer {
        Err(error) => error.name,
        Ok(outcome) => panic!("this was to be refused: {outcome:?}"),
    }
}

/// The command that says `text` under an id.
pub(crate) fn say(conversation_id: u64, client_msg_id: &str, text: &str) -> Op {
    say_after(conversation_id, client_msg_id, text, "")
}

/// The same, behind an earlier one.
pub(crate) fn say_after(conversation_id: u64, client_msg_id: &str, text: &str, after: &str) -> Op {
    Op::Send(wire::Send {
        conversation_id,
        client_msg_id: client_msg_id.to_owned(),
        message: Some(wire::Message { text: text.to_owned(), ..Default::default() }),
        after: after.to_owned(),
    })
}

/// The text of a message; `None` for other entries.
pub(crate) fn text(entry: &wire::Entry) -> Option<&str> {
    match entry.body.as_ref()?.kind.as_ref()? {
        wire::entry_body::Kind::Message(message) => Some(&message.text),
        _ => None,
    }
}

/// What an entry that is no message says.
pub(crate) fn notice(entry: &wire::Entry) -> &wire::entry_body::Kind {
    entry.body.as_ref().and_then(|body| body.kind.as_ref()).expect("an entry has a body")
}

fn ack(outcome: Outcome) -> wire::SendAck {
    match outcome {
        Outcome::SendAck(ack) => ack,
        other => panic!("not an ack: {other:?}"),
    }
}

fn opened(outcome: Outcome) -> wire::ConversationOpened {
    match outcome {
        Outcome::ConversationOpened(opened) => opened,
        other => panic!("no conversation: {other:?}"),
    }
}

impl Client {
    /// Says something and waits until it is committed.
    pub(crate) fn say(&mut self, conversation: u64, id: &str, text: &str) -> wire::SendAck {
        ack(self.call(say(conversation, id, text)).expect("an ack"))
    }

    /// The ack of a command that was started before.
    pub(crate) fn ack(&mut self, id: u64) -> wire::SendAck {
        ack(self.answer(id).expect("an ack"))
    }

    /// The direct conversation with a user.
    pub(crate) fn open_direct(&mut self, user_id: u64) -> wire::ConversationOpened {
        let open = wire::OpenDirect { user_id, username: String::new() };
        opened(self.call(Op::OpenDirect(open)).expect("a direct conversation"))
    }

    /// A new group with these members; its id. Its first entry has been received.
    pub(crate) fn create_group(&mut self, user_ids: &[u64]) -> u64 {
        let group = wire::CreateGroup {
            kind: wire::ConversationKind::Group.into(),
            user_ids: user_ids.to_vec(),
            ..Default::default()
        };
        self.create(group)
    }

    /// A new group or room; its id. Its first entry has been received.
    pub(crate) fn create(&mut self, group: wire::CreateGroup) -> u64 {
        let opened = opened(self.call(Op::CreateGroup(group)).expect("a group"));
        let id = id_of(&opened);
        let first = self.next_entry();
        assert_eq!((first.conversation_id, first.seq), (id, 1));
        id
    }

    /// Becomes a member.
    pub(crate) fn join(&mut self, conversation_id: u64) -> wire::SendAck {
        let join = wire::Join { conversation_id, ..Default::default() };
        ack(self.call(Op::Join(join)).expect("an ack"))
    }

    /// Ceases to be one.
    pub(crate) fn leave(&mut self, conversation_id: u64) -> wire::SendAck {
        let leave = wire::Leave { conversation_id, ..Default::default() };
        ack(self.call(Op::Leave(leave)).expect("an ack"))
    }

    /// Has seen everything up to here.
    pub(crate) fn read_up_to(&mut self, conversation_id: u64, seq: u64) {
        let done = self.call(Op::Read(wire::Read { conversation_id, seq }));
        assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
    }

    /// One page of what came after a position.
    pub(crate) fn sync(&mut self, conversation_id: u64, seq: u64, limit: u32) -> wire::SyncPage {
        match self.call(Op::Sync(wire::Sync { conversation_id, seq, limit })) {
            Ok(Outcome::SyncPage(page)) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    /// One page of what was before a position; 0: the newest.
    pub(crate) fn history(
        &mut self,
        conversation_id: u64,
        before_seq: u64,
        limit: u32,
    ) -> wire::HistoryPage {
        self.window(wire::History { conversation_id, before_seq, limit, ..Default::default() })
    }

    /// One page of any stretch of a log.
    pub(crate) fn window(&mut self, history: wire::History) -> wire::HistoryPage {
        match self.call(Op::History(history)) {
            Ok(Outcome::HistoryPage(page)) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    /// The whole log, oldest first, with its positions checked to be free of gaps. Read from the database: an owner
    /// answers `sync` from memory, which on Postgres may be a second behind what another node wrote.
    pub(crate) fn log(&mut self, conversation_id: u64) -> Vec<wire::Entry> {
        let mut entries: Vec<wire::Entry> = Vec::new();
        loop {
            let seq = entries.last().map_or(0, |entry| entry.seq);
            let history =
                wire::History { conversation_id, after_seq: Some(seq), ..Default::default() };
            let page = self.window(history);
            entries.extend(page.entries);
            if !page.newer {
                break;
            }
        }
        let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=entries.len() as u64).collect::<Vec<_>>(), "the log has a gap");
        entries
    }

    /// The user's sessions.
    pub(crate) fn sessions(&mut self) -> Vec<wire::SessionInfo> {
        match self.call(Op::Sessions(wire::Sessions {})) {
            Ok(Outcome::SessionList(list)) => list.sessions,
            other => panic!("no list: {other:?}"),
        }
    }

    /// The user's conversations, one page.
    pub(crate) fn heads(&mut self, page_token: &str, limit: u32) -> wire::HeadsPage {
        let heads = wire::Heads { page_token: page_token.to_owned(), limit, ..Default::default() };
        match self.call(Op::Heads(heads)) {
            Ok(Outcome::HeadsPage(page)) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    /// One conversation as the user's list shows it.
    pub(crate) fn head(&mut self, conversation_id: u64) -> wire::Head {
        let heads = wire::Heads { conversation_ids: vec![conversation_id], ..Default::default() };
        match self.call(Op::Heads(heads)) {
            Ok(Outcome::HeadsPage(mut page)) => page.heads.pop().expect("a head"),
            other => panic!("no page: {other:?}"),
        }
    }
}

/// The id of a conversation that was opened.
pub(crate) fn id_of(opened: &wire::ConversationOpened) -> u64 {
    let head = opened.head.as_ref().expect("a head");
    head.conversation.as_ref().expect("a conversation").conversation_id
}
