//! Small servers of other protocols, each with a thread per connection, written from the protocols' descriptions and
//! sharing no code with the adapters they are played against. They deliver soundly, or break one promise on request.
//!
//! ```text
//!   accept ──► Session (user, room) ──► dialect: what a frame asks for ──► hub: deliver to whom, faults ──► sockets
//! ```

mod dialects;
mod protobuf;
mod runs;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ringwire_loadtest::scenario::Protocol;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::fake;

/// Which promise is broken, at which message (counted over all from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The sender's server says that all is well, and nobody else gets it.
    Drop {
        at: u64,
    },
    /// Everybody else gets it twice.
    Twice {
        at: u64,
    },
    /// Everybody else gets it behind the next one.
    Late {
        at: u64,
    },
    /// Refused, where the protocol can say so.
    Refuse {
        at: u64,
    },
}

/// A running server; it ends with the process.
pub(crate) struct Server {
    address: SocketAddr,
    hub: Arc<Hub>,
}

/// All who are connected, and what was said.
pub(crate) struct Hub {
    protocol: Protocol,
    fault: Fault,
    sessions: Mutex<HashMap<u64, Session>>,
    next: AtomicU64,
    /// Messages so far.
    messages: AtomicU64,
    late: Mutex<Vec<(u64, Message)>>,
    /// What channels remember: the data of every publication.
    log: Mutex<HashMap<String, Vec<String>>>,
    /// Ids of messages that were seen.
    seen: Mutex<HashMap<String, u64>>,
    /// Heartbeats and pings that were answered.
    pub(crate) pongs: AtomicU64,
    /// Typing signals and receipts that came.
    pub(crate) signals: AtomicU64,
}

/// Who is connected.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) user: String,
    pub(crate) room: String,
    socket: Arc<Mutex<WebSocket<TcpStream>>>,
}

impl Session {
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.send(Message::text(text.into()));
    }

    pub(crate) fn send(&self, message: Message) {
        // The client may be gone already.
        let _ = lock(&self.socket).send(message);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub(crate) fn start(protocol: Protocol, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let hub = Arc::new(Hub {
            protocol,
            fault,
            sessions: Mutex::default(),
            next: AtomicU64::new(1),
            messages: AtomicU64::new(0),
            late: Mutex::default(),
            log: Mutex::default(),
            seen: Mutex::default(),
            pongs: AtomicU64::new(0),
            signals: AtomicU64::new(0),
        });
        let shared = Arc::clone(&hub);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let hub = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &hub));
            }
        });
        Self { address, hub }
    }

    /// Without a path: the protocol's usual one.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

fn serve(stream: TcpStream, hub: &Hub) {
    stream.set_nodelay(true).unwrap();
    let raw = stream.try_clone().unwrap();
    let mut uri = String::new();
    #[allow(clippy::result_large_err)]
    let choose = |request: &Request, mut response: Response| {
        uri = request.uri().to_string();
        if let Some(offered) = request.headers().get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", offered.clone());
        }
        Ok(response)
    };
    let Ok(mut reader) = tungstenite::accept_hdr(stream, choose) else { return };
    let socket = WebSocket::from_raw_socket(raw, Role::Server, None);
    let mut session = Session {
        number: hub.next.fetch_add(1, Relaxed),
        user: parameter(&uri, "token").map(user_of).unwrap_or_default(),
        room: String::new(),
        socket: Arc::new(Mutex::new(socket)),
    };
    dialects::opened(hub, &mut session, &uri);
    while let Ok(message) = reader.read() {
        if message.is_close() || !dialects::heard(hub, &mut session, &message) {
            break;
        }
    }
    lock(&hub.sessions).remove(&session.number);
}

/// A parameter of the query.
pub(crate) fn parameter<'a>(uri: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = uri.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The user a token is for; nobody comes in with one that is not signed.
pub(crate) fn user_of(token: &str) -> String {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["ringwire"]);
    validation.set_audience(&["ringwire"]);
    let key = DecodingKey::from_secret(fake::SECRET);
    let token = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).unwrap();
    token.claims["sub"].as_str().unwrap().to_owned()
}

impl Hub {
    /// The session is one that others can reach from now on.
    pub(crate) fn join(&self, session: &Session) {
        lock(&self.sessions).insert(session.number, session.clone());
    }

    /// Numbers a new message; `None`: it is refused.
    pub(crate) fn number(&self) -> Option<u64> {
        let at = self.messages.fetch_add(1, Relaxed) + 1;
        (self.fault != Fault::Refuse { at }).then_some(at)
    }

    /// Gives message `at` to everybody but its sender of whom `is_for` is true.
    pub(crate) fn deliver(
        &self,
        at: u64,
        from: &Session,
        is_for: impl Fn(&Session) -> bool,
        message: &Message,
    ) {
        let sessions = lock(&self.sessions);
        let others = sessions.values().filter(|session| session.number != from.number);
        others
            .filter(|session| is_for(session))
            .for_each(|session| self.give(at, session, message));
    }

    /// Gives message `at` to somebody, unless that is the fault.
    pub(crate) fn give(&self, at: u64, session: &Session, message: &Message) {
        let mut late = lock(&self.late);
        match self.fault {
            Fault::Drop { at: number } if number == at => {}
            Fault::Late { at: number } if number == at => {
                late.push((session.number, message.clone()));
            }
            _ => session.send(message.clone()),
        }
        if self.fault == (Fault::Twice { at }) {
            session.send(message.clone());
        }
        if !matches!(self.fault, Fault::Late { at: number } if number == at) {
            let due = late.extract_if(.., |(number, _)| *number == session.number);
            due.for_each(|(_, message)| session.send(message));
        }
    }
}
