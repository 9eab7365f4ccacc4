//! What a client knows of one conversation: commands to be written come out, frames of the server go in.
use std::{collections::VecDeque, io, thread, time::Duration};

use ringwire_protocol::codec::Encoding::Protobuf;
use ringwire_protocol::wire::{self, command::Op, entry_body::Kind, push::Event, reply::Outcome};

pub(crate) struct Conversation {
    /// With the cursor, and for resume the session and how many durable pushes of it came.
    connect: wire::Connect,
    id: u64,
    /// Everything up to here was shown, without a gap; the newest position heard of.
    seq: u64,
    head: u64,
    /// The oldest is under way: one at a time keeps the order.
    unsent: VecDeque<(u64, wire::Send)>,
    syncing: bool,
    pub(crate) output: bytes::BytesMut,
    pub(crate) wait_ms: u64,
}

impl Conversation {
    pub(crate) fn new(id: u64, token: &str, texts: &[String]) -> Self {
        let device_id = format!("{:016x}", getrandom::u64().expect("chance")); // to be kept
        let sends = texts.iter().zip(10..).map(|(text, number)| {
            let message = Some(wire::Message { text: text.clone(), ..Default::default() });
            // The same at every try, so that a retry is never a second copy.
            let client_msg_id = format!("{device_id}-{number}");
            let send =
                wire::Send { conversation_id: id, client_msg_id, message, ..Default::default() };
            (number, send)
        });
        let (unsent, token) = (sends.collect(), token.to_owned());
        let connect = wire::Connect { token, device_id, ..Default::default() };
        let (output, wait_ms) = (bytes::BytesMut::new(), 100);
        Self { connect, id, seq: 0, head: 0, unsent, syncing: false, output, wait_ms }
    }

    pub(crate) fn begin(&mut self) {
        self.output.clear();
        self.connect.cursors = vec![wire::SyncCursor { conversation_id: self.id, seq: self.seq }];
        self.command(1, Op::Connect(self.connect.clone()));
    }

    fn command(&mut self, id: u64, op: Op) {
        let received = self.connect.resume.as_ref().map_or(0, |resume| resume.received);
        Protobuf.encode(&wire::Command { id, received, op: Some(op) }, &mut self.output);
    }

    pub(crate) fn on_frame(&mut self, frame: wire::ServerFrame) -> io::Result<()> {
        use wire::server_frame::Frame;
        match frame.frame {
            Some(Frame::Push(push)) => self.on_push(push.event),
            Some(Frame::Reply(reply)) => self.on_reply(reply)?,
            None => {} // of a newer version of the protocol
        }
        if self.head > self.seq && !self.syncing {
            self.syncing = true;
            let sync = wire::Sync { conversation_id: self.id, seq: self.seq, limit: 0 };
            self.command(2, Op::Sync(sync));
        }
        Ok(())
    }

    fn on_push(&mut self, event: Option<Event>) {
        if let Some(Event::Entry(_) | Event::Cursor(_) | Event::ViewChanged(_)) = event {
            let resume = self.connect.resume.get_or_insert_default();
            resume.received += 1;
            if resume.received.is_multiple_of(64) {
                self.command(3, Op::Ping(wire::Ping {})); // tells the count
            }
        }
        match event {
            Some(Event::Entry(entry)) => self.take(entry.conversation_id, entry.seq, entry.body),
            Some(Event::Lag(lag)) => self.hear_of(lag.conversation_id, lag.head_seq),
            Some(Event::GoAway(away)) => self.wait_ms = away.delay_ms.into(),
            _ => {}
        }
    }

    fn on_reply(&mut self, reply: wire::Reply) -> io::Result<()> {
        let sent = self.unsent.front().is_some_and(|(id, _)| *id == reply.id);
        match reply.outcome {
            Some(Outcome::Connected(connected)) => self.on_connected(connected),
            Some(Outcome::SyncPage(page)) => {
                (self.syncing, self.seq) =
                    (false, self.seq.max(page.trimmed_floor.saturating_sub(1)));
                for entry in page.entries {
                    self.take(entry.conversation_id, entry.seq, entry.body);
                }
            }
            Some(Outcome::SendAck(ack)) if sent => {
                // Committed. The session that sent it gets no push of it.
                let message = self.unsent.pop_front().and_then(|(_, send)| send.message);
                let body =
                    message.map(|message| wire::EntryBody { kind: Some(Kind::Message(message)) });
                self.take(ack.conversation_id, ack.seq, body);
                self.send_oldest();
            }
            Some(Outcome::Error(error)) if sent => {
                thread::sleep(Duration::from_millis(error.retry_after_ms.into()));
                if !error.temporary {
                    eprintln!("refused: {}: {:?}", error.message, self.unsent.pop_front());
                }
                self.send_oldest();
            }
            // No session or no page: begin again with another connection.
            Some(Outcome::Error(error)) => return Err(io::Error::other(error.message)),
            _ => {}
        }
        Ok(())
    }

    fn on_connected(&mut self, connected: wire::Connected) {
        eprintln!("{}", if connected.resumed { "resumed" } else { "new session" });
        if !connected.resumed {
            let session_id = connected.session_id;
            self.connect.resume = Some(wire::Resume { session_id, received: 0 });
        }
        (self.syncing, self.wait_ms) = (false, 100);
        for state in connected.sync.iter().filter(|state| state.pushed_seq < state.head_seq) {
            self.hear_of(state.conversation_id, state.head_seq); // the rest has to be asked for
        }
        self.send_oldest();
    }

    fn hear_of(&mut self, conversation_id: u64, seq: u64) {
        self.head = self.head.max(if conversation_id == self.id { seq } else { 0 });
    }

    /// Shows the next entry. Older ones were shown already; beyond a gap, `sync` comes first.
    fn take(&mut self, conversation_id: u64, seq: u64, body: Option<wire::EntryBody>) {
        self.hear_of(conversation_id, seq);
        if (conversation_id, seq) == (self.id, self.seq + 1) {
            self.seq = seq;
            if let Some(Kind::Message(message)) = body.and_then(|body| body.kind) {
                println!("{seq}\t{}", message.text);
            }
        }
    }

    fn send_oldest(&mut self) {
        if let Some((id, send)) = self.unsent.front().cloned() {
            self.command(id, Op::Send(send));
        }
    }
}
