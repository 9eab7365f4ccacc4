//! What operators ask of a shard, and what they have it do: its sessions listed, ended, told something.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{CloseReason, UnixMs, UserId, wire};
use tokio::sync::oneshot;

use super::state::State;
use crate::connection::links::Links;
use crate::fanout::push_frame;
use crate::observe::kinds::PushKind;
use crate::session::registry::{Phase, SessionKey};

/// A question about the sessions of a shard.
#[derive(Debug)]
pub struct Look {
    /// Whose; `None`: everybody's.
    pub user: Option<UserId>,
    /// From this place on.
    pub from: u32,
    /// At most so many.
    pub limit: usize,
    /// Where the answer goes; dropped: nobody wants it any more.
    pub answer: oneshot::Sender<Looked>,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Looked {
    /// The sessions, by place.
    pub sessions: Vec<SessionView>,
    /// Where the next page begins; `None`: there are no more.
    pub next: Option<u32>,
}

/// A session as operators see it.
#[derive(Debug)]
pub struct SessionView {
    /// Its id for its client.
    pub session_id: String,
    /// Whose.
    pub user_id: UserId,
    /// As the client says.
    pub device_id: String,
    /// As the client says.
    pub device_class: String,
    /// As the client says.
    pub client_name: String,
    /// When its `connect` came; 0: it has not.
    pub connected_at: UnixMs,
    /// How its frames are written.
    pub encoding: Encoding,
    /// Whether it has a connection.
    pub live: bool,
    /// Bytes that wait to be sent.
    pub outbox_bytes: usize,
    /// Commands without an answer.
    pub unanswered: u32,
}

impl State {
    /// Answers a question about the sessions.
    pub(super) fn look(&mut self, look: Look, links: &mut Links) {
        let keys: Vec<(u32, SessionKey)> = match look.user {
            Some(user) => {
                self.registry.of_user(user).iter().map(|key| (key.place(), *key)).collect()
            }
            None => self.registry.from_place(look.from, look.limit + 1),
        };
        let mut keys: Vec<_> = keys.into_iter().filter(|(place, _)| *place >= look.from).collect();
        keys.sort_unstable_by_key(|(place, _)| *place);
        let next = keys.get(look.limit).map(|(place, _)| *place);
        keys.truncate(look.limit);
        let view = |(_, key): (u32, SessionKey)| self.view_session(key, links);
        let sessions = keys.into_iter().filter_map(view).collect();
        // Whoever asked may have gone.
        drop(look.answer.send(Looked { sessions, next }));
    }

    fn view_session(&mut self, key: SessionKey, links: &mut Links) -> Option<SessionView> {
        let session_id = self.registry.public_id(key);
        let session = self.registry.get(key)?;
        Some(SessionView {
            session_id,
            user_id: session.user,
            device_id: session.device.id.to_string(),
            device_class: session.device.class.to_string(),
            client_name: session.device.client_name.to_string(),
            connected_at: session.connected_at,
            encoding: session.encoding,
            live: !session.is_detached(),
            outbox_bytes: links.queued_bytes(session.link),
            unanswered: session.unanswered,
        })
    }

    /// Ends the session with this id, if it is one of this shard's; whose it was.
    pub(super) fn end_named(&mut self, session_id: &str, links: &mut Links) -> Option<UserId> {
        let key = self.registry.by_public_id(session_id)?;
        let user = self.registry.get(key)?.user;
        self.end_session(key, CloseReason::Kicked, links);
        Some(user)
    }

    /// Tells the users of a list something, or everybody. Whoever is not there misses it.
    pub(super) fn tell_notice(
        &mut self,
        notice: &wire::Notice,
        users: &[UserId],
        links: &mut Links,
    ) {
        let keys: Vec<SessionKey> = if users.is_empty() {
            self.registry.live_keys()
        } else {
            users.iter().flat_map(|user| self.registry.of_user(*user)).copied().collect()
        };
        let event = || wire::push::Event::Notice(notice.clone());
        let (mut protobuf, mut json) = (None, None);
        for key in keys {
            let Some(session) = self.registry.get(key) else { continue };
            if !matches!(session.phase, Phase::Live) {
                continue;
            }
            let frame = match session.encoding {
                Encoding::Protobuf => &mut protobuf,
                Encoding::Json => &mut json,
            };
            let frame = frame.get_or_insert_with(|| push_frame(session.encoding, event()));
            links.push(session.link, frame);
            self.figures.pushed(PushKind::Notice);
        }
    }
}
