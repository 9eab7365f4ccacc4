//! One TCP connection between a device and a node.
//!
//! ```text
//!   device ─► up ──(delay, split anywhere)──► server's machine ─► shard
//!   device ◄──(delay, split anywhere)── memory ◄── outbox of the link
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ringwire_gateway::connection::admission::Admission;
use ringwire_gateway::connection::driver::{self, Application};
use ringwire_gateway::connection::endpoint::Memory;
use ringwire_gateway::connection::links::LinkKey;
use ringwire_gateway::limits;
use ringwire_protocol::connection::{Connection, Event, Input};

use crate::node::Place;

/// Its number in the world.
pub(crate) type SocketId = u64;

/// Both ends and what is between them.
pub(crate) struct Socket {
    /// Index of the device.
    pub(crate) device: usize,
    pub(crate) shard: usize,
    pub(crate) link: LinkKey,
    pub(crate) memory: Rc<Memory>,
    machine: RefCell<Connection>,
    /// On its way to the server.
    pub(crate) up: VecDeque<u8>,
    pub(crate) up_due: bool,
    pub(crate) down_due: bool,
    /// The shard found the socket full.
    pub(crate) blocked: bool,
    /// Nothing gets through any more, and nobody is told.
    pub(crate) silent: bool,
    /// The device has ended it: the server reads the end behind what is on its way.
    pub(crate) left: bool,
    /// The device was told that it ended.
    pub(crate) told: bool,
    _admission: Admission,
}

impl Socket {
    pub(crate) fn new(
        device: usize,
        shard: usize,
        link: LinkKey,
        memory: Rc<Memory>,
        machine: Connection,
        admission: Admission,
    ) -> Self {
        Self {
            device,
            shard,
            link,
            memory,
            machine: RefCell::new(machine),
            up: VecDeque::new(),
            up_due: false,
            down_due: false,
            blocked: false,
            silent: false,
            left: false,
            told: false,
            _admission: admission,
        }
    }

    /// The server has something to read: bytes, or the end.
    pub(crate) fn is_readable(&self) -> bool {
        let ended = self.left || self.memory.ending().is_some();
        ended || !self.up.is_empty()
    }

    /// The device has something to read: bytes, or the end.
    pub(crate) fn is_news(&self) -> bool {
        !self.memory.is_empty() || self.memory.ending().is_some()
    }

    /// What the shard's task of this connection does when the socket is readable, with at most so many bytes; `false`:
    /// the connection has ended, and the shard has forgotten it.
    pub(crate) fn read(&mut self, place: &Place, most: usize) -> bool {
        let shard = &place.shard;
        let most = most.min(limits::READ_BUFFER_BYTES).min(self.up.len());
        let mut bytes: Vec<u8> = self.up.drain(..most).collect();
        let closing = shard.links().borrow_mut().is_closing(self.link);
        let open = if bytes.is_empty() || self.memory.ending().is_some() {
            false
        } else if closing {
            self.wait_for_close(&mut bytes)
        } else {
            shard.links().borrow_mut().heard(self.link);
            shard.on_turn();
            driver::feed(shard, self.link, &mut self.machine.borrow_mut(), &mut bytes)
        };
        if !open {
            shard.links().borrow_mut().remove(self.link);
            shard.on_gone(self.link);
        }
        open
    }

    /// Behind its own close frame the shard reads on until the other one comes.
    fn wait_for_close(&self, bytes: &mut [u8]) -> bool {
        let mut machine = self.machine.borrow_mut();
        let mut input = Input::new(bytes);
        loop {
            match machine.poll(&mut input) {
                Ok(Some(Event::Close { .. })) => return false,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return true,
            }
        }
    }
}
