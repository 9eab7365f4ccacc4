//! More messages than the server can hold: many users, each alone in a group, so that nothing is delivered and only
//! the way to the database fills.

use std::ops::Range;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::reply::Outcome;

use super::chat::say;
use super::client::Client;
use super::server::ServerProcess;

/// Sends without an answer that one session may have, with one place left for a ping.
pub(crate) const SESSION_WINDOW: usize = 255;

/// Apart from the users of a crowd.
const FIRST_USER: u64 = 1_001;

/// The sessions, one for each user.
pub(crate) struct Flood {
    sessions: Vec<Session>,
}

struct Session {
    client: Client,
    group: u64,
    sent: usize,
    /// Commands whose answer was not looked at, and the ids they carry.
    open: Vec<(u64, String)>,
}

/// What became of sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Committed.
    pub(crate) acked: usize,
    /// Told to try again.
    pub(crate) busy: usize,
}

impl Flood {
    /// So many users; each has its group in the server's memory.
    pub(crate) fn start(server: &ServerProcess, users: usize) -> Self {
        let session = |number| {
            let user = FIRST_USER + number as u64;
            let mut client = Client::session(server, user, Encoding::Protobuf);
            let group = client.create_group(&[]);
            client.say(group, "first", "first");
            Session { client, group, sent: 0, open: Vec::new() }
        };
        Self { sessions: (0..users).map(session).collect() }
    }

    /// Sends `count` messages from these sessions, as far as their windows go, without waiting for answers. They are
    /// where they wait when this returns.
    pub(crate) fn fill(&mut self, from: Range<usize>, mut count: usize, text: &str) {
        for session in &mut self.sessions[from] {
            let now = count.min(SESSION_WINDOW - session.open.len());
            session.send(now, text);
            session.client.assert_answers_ping();
            count -= now;
        }
        assert_eq!(count, 0, "there are not enough sessions");
    }

    /// Sends one message under an id of the caller's.
    pub(crate) fn send_as(&mut self, number: usize, id: &str, text: &str) {
        self.sessions[number].send_as(id.to_owned(), text);
        self.sessions[number].client.assert_answers_ping();
    }

    /// Sends from one session and waits for the answers.
    pub(crate) fn send(&mut self, number: usize, count: usize, text: &str) -> Tally {
        let session = &mut self.sessions[number];
        assert!(session.open.is_empty(), "the session has answers to come");
        let mut tally = Tally::default();
        let mut left = count;
        while left > 0 {
            let now = left.min(SESSION_WINDOW);
            session.send(now, text);
            tally.add(session.answers());
            left -= now;
        }
        tally
    }

    /// Pings so many sessions; every one is answered.
    pub(crate) fn ping(&mut self, sessions: Range<usize>) -> usize {
        let count = sessions.len();
        self.sessions[sessions].iter_mut().for_each(|session| session.client.assert_answers_ping());
        count
    }

    /// Waits for all answers that are open.
    pub(crate) fn answers(&mut self) -> Tally {
        let mut tally = Tally::default();
        for session in &mut self.sessions {
            tally.add(session.answers());
        }
        tally
    }

    /// Waits for the open answers of one session: by id, the position or the name of the error.
    pub(crate) fn answers_of(&mut self, number: usize) -> Vec<(String, Result<u64, String>)> {
        let session = &mut self.sessions[number];
        let open = std::mem::take(&mut session.open);
        let answer = |(command, id)| match session.client.answer(command) {
            Ok(Outcome::SendAck(ack)) => (id, Ok(ack.seq)),
            Ok(other) => panic!("an odd answer to a send: {other:?}"),
            Err(error) => (id, Err(error.name)),
        };
        open.into_iter().map(answer).collect()
    }

    /// The ids in a session's log behind its first two entries, in order.
    pub(crate) fn log_of(&mut self, number: usize) -> Vec<String> {
        let session = &mut self.sessions[number];
        let log = session.client.log(session.group);
        log.into_iter().skip(2).map(|entry| entry.client_msg_id).collect()
    }

    /// Messages in all logs, without those that made the groups known.
    pub(crate) fn logged(&mut self) -> usize {
        (0..self.sessions.len()).map(|number| self.log_of(number).len()).sum()
    }
}

impl Tally {
    /// Both together.
    pub(crate) fn add(&mut self, other: Self) {
        self.acked += other.acked;
        self.busy += other.busy;
    }
}

impl Session {
    fn send(&mut self, count: usize, text: &str) {
        for _ in 0..count {
            self.sent += 1;
            self.send_as(format!("m{}", self.sent), text);
        }
        self.client.flush().expect("writing");
    }

    fn send_as(&mut self, id: String, text: &str) {
        self.open.push((self.client.queue(say(self.group, &id, text)), id));
    }

    fn answers(&mut self) -> Tally {
        let mut tally = Tally::default();
        for (command, _) in std::mem::take(&mut self.open) {
            match self.client.answer(command) {
                Ok(Outcome::SendAck(_)) => tally.acked += 1,
                Err(error) if error.name == "BUSY" && error.temporary => tally.busy += 1,
                other => panic!("an odd answer to a send: {other:?}"),
            }
        }
        tally
    }
}
