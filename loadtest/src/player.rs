//! A virtual user, whichever protocol it speaks: at home with Ringwire, or a guest of another server.
//!
//! ```text
//!   crew, driver ──► Player ──► client::User    ──► wire::Command, wire::ServerFrame
//!                         └───► guest::Guest    ──► Adapter
//! ```
//!
//! The driver moves bytes and the crew applies events; neither asks what they say.

use std::rc::Rc;

use bytes::BytesMut;
use ringwire_protocol::Seq;
use ringwire_protocol::websocket::MessageKind;

use crate::adapter::{Adapter, Place, Request, own_or_usual};
use crate::client::{Around, Event, Identity, Settings, User};
use crate::founding::Founding;
use crate::guest::Guest;
use crate::meeting::Opened;
use crate::scenario::{Foreign, Protocol};
use crate::verify::Origin;

/// A virtual user.
#[derive(Debug)]
pub(crate) enum Player {
    /// At Ringwire.
    Home(User),
    /// At another server.
    Guest(Guest, Request),
}

impl Player {
    /// A user who is offline. `path` is that of the server's URL.
    pub(crate) fn new(
        settings: Rc<Settings>,
        identity: Identity,
        foreign: &Foreign,
        path: &str,
    ) -> Self {
        let protocol = settings.protocol;
        let place = place(&settings, &identity, foreign);
        match Adapter::new(protocol, &place, foreign) {
            None => Self::Home(User::new(settings, identity)),
            Some(adapter) => {
                let request = Request::new(protocol, path, &place);
                Self::Guest(Guest::new(settings, identity, adapter), request)
            }
        }
    }

    /// How a WebSocket is asked for; `path` is that of the server's URL.
    pub(crate) fn request(&self, path: &str) -> Request {
        match self {
            Self::Home(user) => {
                let path = own_or_usual(path, Protocol::Ringwire).to_owned();
                Request { path, subprotocol: Some(user.subprotocol()) }
            }
            Self::Guest(_, request) => request.clone(),
        }
    }

    /// How frames travel.
    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Home(user) => user.kind(),
            Self::Guest(guest, _) => guest.kind(),
        }
    }

    /// The WebSocket is open.
    pub(crate) fn connected(&mut self, now_us: u64, events: &mut Vec<Event>) {
        match self {
            Self::Home(user) => user.connected(),
            Self::Guest(guest, _) => guest.connected(now_us, events),
        }
    }

    /// The connection is gone. Answers how many sends are given up with it.
    pub(crate) fn disconnected(&mut self) -> usize {
        match self {
            Self::Home(user) => {
                user.disconnected();
                0
            }
            Self::Guest(guest, _) => guest.disconnected(),
        }
    }

    /// All members exist: opens the conversation for them.
    pub(crate) fn found(&mut self, founding: Founding, events: &mut Vec<Event>) {
        match self {
            Self::Home(user) => user.found(founding),
            Self::Guest(guest, _) => guest.found(events),
        }
    }

    /// Somebody has opened the conversation.
    pub(crate) fn enter(&mut self, opened: Opened, events: &mut Vec<Event>) {
        match self {
            Self::Home(user) => user.enter(opened, events),
            Self::Guest(guest, _) => guest.enter(opened, events),
        }
    }

    /// A send is due, and with it what the user does around it.
    pub(crate) fn due(
        &mut self,
        origin: Origin,
        due_us: u64,
        around: Around,
        events: &mut Vec<Event>,
    ) {
        match self {
            Self::Home(user) => user.due(origin, due_us, around, events),
            Self::Guest(guest, _) => guest.due(origin, due_us, around, events),
        }
    }

    /// Asks once more for what may be missing; nothing is sent any more.
    pub(crate) fn finish(&mut self, read_log: bool) {
        match self {
            Self::Home(user) => user.finish(read_log),
            Self::Guest(guest, _) => guest.finish(),
        }
    }

    /// The user can send.
    pub(crate) fn is_live(&self) -> bool {
        match self {
            Self::Home(user) => user.is_live(),
            Self::Guest(guest, _) => guest.is_live(),
        }
    }

    /// Every send has its answer and no gap is known.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Home(user) => user.is_settled(),
            Self::Guest(guest, _) => guest.is_settled(),
        }
    }

    /// What [`Self::finish`] asked for is there.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Home(user) => user.is_finished(),
            Self::Guest(guest, _) => guest.is_finished(),
        }
    }

    /// How far the user has got: in the log, or, where there is none, in the number of messages.
    pub(crate) fn cursor(&self) -> Seq {
        match self {
            Self::Home(user) => user.cursor(),
            Self::Guest(guest, _) => guest.messages(),
        }
    }

    /// When the user has to be asked for output again although nothing happened.
    pub(crate) fn wake_us(&self) -> Option<u64> {
        match self {
            Self::Home(user) => user.wake_us(),
            Self::Guest(guest, _) => guest.wake_us(),
        }
    }

    /// Fills `payload` with one WebSocket message. `false`: there is nothing to write.
    pub(crate) fn poll_payload(
        &mut self,
        now_us: u64,
        payload: &mut BytesMut,
        events: &mut Vec<Event>,
    ) -> bool {
        match self {
            Self::Home(user) => user.poll_payload(now_us, payload, events),
            Self::Guest(guest, _) => guest.poll_payload(now_us, payload, events),
        }
    }

    /// Takes in a WebSocket message; the error says why it is none of the protocol's.
    pub(crate) fn take_in(
        &mut self,
        payload: &[u8],
        now_us: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), String> {
        match self {
            Self::Home(user) => {
                user.take_in(payload, now_us, events).map_err(|error| error.to_string())
            }
            Self::Guest(guest, _) => {
                guest.take_in(payload, now_us, events).map_err(|error| error.to_string())
            }
        }
    }
}

/// Who a user is at a foreign server.
fn place(settings: &Settings, identity: &Identity, foreign: &Foreign) -> Place {
    let template = match foreign.room.as_str() {
        "" => settings.protocol.room_template(),
        room => room,
    };
    let conversation = (identity.number - identity.member) / identity.members.max(1) + 1;
    let room = template
        .replace("{run}", &format!("{:08x}", settings.run))
        .replace("{conversation}", &conversation.to_string());
    let other = identity.first_member_id + u64::from(identity.member == 0);
    let partner = settings.pairs.then_some(other);
    Place {
        token: identity.token.clone(),
        user: identity.user_id().to_string(),
        partner: partner.map(|partner| partner.to_string()),
        room,
        converses: settings.converses,
    }
}
