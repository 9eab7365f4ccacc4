//! Connections: made, carried, split anywhere, and ended in every way.

use std::rc::Rc;

use ringwire_gateway::connection::driver::Application as _;
use ringwire_gateway::connection::endpoint::{Endpoint, Memory};
use ringwire_gateway::connection::flush::Pass;
use ringwire_gateway::connection::links::LinkKey;
use ringwire_gateway::limits;
use ringwire_gateway::placement::home_shard;
use ringwire_gateway::session::registry::NewSession;
use ringwire_protocol::connection::Connection;
use ringwire_protocol::websocket::{Limits, Role};

use crate::journal::Fnv;
use crate::socket::{Socket, SocketId};
use crate::world::{Event, World};

/// When an unread connection is looked at again.
const PAUSED_LOOK_MS: u64 = 20;

impl World {
    /// A device connects: what lies between the accepted socket and the session on its home shard is not played.
    pub(crate) fn connect(&mut self, device: usize) {
        if self.devices[device].socket.is_some() {
            return;
        }
        let epoch = self.epoch;
        let Some(node) = &self.node else { return self.connect_later(device) };
        let Some(admission) = node.shared.admit() else { return self.connect_later(device) };
        let (user, encoding) = (self.devices[device].user, self.devices[device].encoding);
        let shard = usize::from(home_shard(user, node.places.len()));
        if self.put_off(epoch, shard, || Event::Connect(device)) {
            return;
        }
        let Some(node) = &self.node else { return };
        let memory = Rc::new(Memory::new(self.plan.socket_room_bytes));
        let endpoint = Endpoint::Memory(Rc::clone(&memory));
        let place = &node.places[shard];
        place.shard.on_turn();
        let link = place.shard.open_session(endpoint, |link| NewSession {
            user,
            external: None,
            name_hint: None,
            link,
            encoding,
            login: None,
            expires_at: i64::MAX,
            address_rate: None,
        });
        let limits = Limits { max_message_bytes: limits::MAX_FRAME_BYTES };
        let machine = Connection::new(Role::Server, limits);
        let id = self.next_socket;
        self.next_socket += 1;
        self.sockets.insert(id, Socket::new(device, shard, link, memory, machine, admission));
        self.journal.note(format_args!("device-{device} connects to shard {shard} by socket {id}"));
        self.with_device(device, |device, with| device.opened(id, with));
    }

    pub(crate) fn connect_later(&mut self, device: usize) {
        let wait_ms = self.random.between(50, 1_500);
        self.after_ms(wait_ms, Event::Connect(device));
    }

    /// Moves what devices have written onto their way, and finds out which sockets have something to carry.
    pub(crate) fn look_at_sockets(&mut self) {
        let mut due = Vec::new();
        for (id, socket) in &mut self.sockets {
            let device = &mut self.devices[socket.device];
            if device.socket == Some(*id) {
                let output = device.output();
                socket.up.extend(output.iter());
                output.clear();
            }
            if socket.silent {
                continue;
            }
            if !socket.up_due && socket.is_readable() {
                socket.up_due = true;
                due.push(Event::Up(*id));
            }
            if !socket.down_due && !socket.told && socket.is_news() {
                socket.down_due = true;
                due.push(Event::Down(*id));
            }
        }
        for event in due {
            let delay_us = self.delay_us(self.plan.network_ms);
            self.after_us(delay_us, event);
        }
    }

    /// The server reads, if it does.
    pub(crate) fn up(&mut self, id: SocketId) {
        let epoch = self.epoch;
        let chunk = self.chunk();
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let shard = socket.shard;
        if self.put_off(epoch, shard, || Event::Up(id)) {
            return;
        }
        let (Some(node), Some(socket)) = (&self.node, self.sockets.get_mut(&id)) else { return };
        let place = &node.places[shard];
        if !place.reads(socket.link) {
            return self.after_ms(PAUSED_LOOK_MS, Event::Up(id));
        }
        socket.up_due = false;
        let (link, device) = (socket.link, socket.device);
        let open = socket.read(place, chunk);
        let left = socket.up.len();
        self.journal
            .note(format_args!("socket {id}: server read, {left} bytes left, open: {open}"));
        if open {
            let mut pass = Pass::default();
            place.shard.links().borrow_mut().flush_turn(link, &mut pass);
            self.after_pass(shard, pass);
        } else {
            self.sockets.remove(&id);
            if self.devices[device].socket == Some(id) {
                self.offline(device);
            }
        }
    }

    /// The device reads.
    pub(crate) fn down(&mut self, id: SocketId) {
        let chunk = self.chunk();
        let now_ms = self.now_ms();
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let device = socket.device;
        let current = self.devices[device].socket == Some(id);
        let stalled_until_ms = self.devices[device].stalled_until_ms;
        if current && stalled_until_ms > now_ms {
            return self.after_ms(stalled_until_ms - now_ms, Event::Down(id));
        }
        socket.down_due = false;
        if socket.silent {
            return;
        }
        let bytes = socket.memory.take(chunk);
        let ended = socket.memory.is_empty() && socket.memory.ending().is_some();
        socket.told |= ended;
        let (shard, link) = (socket.shard, socket.link);
        if std::mem::take(&mut socket.blocked)
            && let Some(node) = &self.node
        {
            node.places[shard].shard.links().borrow_mut().unblocked(link, &Ok(()));
        }
        if !current {
            return;
        }
        let mut hash = Fnv::new();
        hash.take(&bytes);
        let (length, hash) = (bytes.len(), hash.0);
        self.journal.note(format_args!("socket {id}: device read {length} bytes {hash:016x}"));
        let open = self.with_device(device, |device, with| device.received(&bytes, with));
        if !open || ended {
            self.hang_up(device);
        }
    }

    /// A device ends its connection in the usual way: what it sent before still arrives.
    pub(crate) fn hang_up(&mut self, device: usize) {
        let Some(id) = self.devices[device].socket else { return };
        if let Some(socket) = self.sockets.get_mut(&id) {
            let output = self.devices[device].output();
            socket.up.extend(output.iter());
            socket.left = true;
        }
        self.offline(device);
    }

    /// A connection ends without a word: bytes are lost in both directions, at any point.
    pub(crate) fn reset(&mut self, id: SocketId) {
        let keep = self.random.next();
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let keep = keep as usize % (socket.up.len() + 1);
        socket.up.truncate(keep);
        socket.left = true;
        let device = socket.device;
        self.journal.note(format_args!("socket {id} is reset"));
        if self.devices[device].socket == Some(id) {
            self.offline(device);
        }
    }

    pub(crate) fn offline(&mut self, device: usize) {
        self.devices[device].closed(&mut self.journal);
        self.connect_later(device);
    }

    pub(crate) fn flush(&mut self, epoch: u64, shard: usize) {
        if self.put_off(epoch, shard, || Event::Flush(epoch, shard)) {
            return;
        }
        let Some(node) = &mut self.node else { return };
        node.places[shard].flush_due = false;
        let mut pass = Pass::default();
        node.places[shard].shard.links().borrow_mut().flush_pass(&mut pass);
        self.after_pass(shard, pass);
    }

    fn after_pass(&mut self, shard: usize, pass: Pass) {
        for (link, _) in pass.blocked {
            if let Some(socket) = self.socket_of(shard, link) {
                socket.blocked = true;
            }
        }
        let Some(node) = &self.node else { return };
        for link in pass.drained {
            node.places[shard].shard.on_drained(link);
        }
    }

    fn socket_of(&mut self, shard: usize, link: LinkKey) -> Option<&mut Socket> {
        self.sockets.values_mut().find(|socket| socket.shard == shard && socket.link == link)
    }

    /// A second passes on a shard.
    pub(crate) fn second(&mut self, epoch: u64, shard: usize) {
        if self.put_off(epoch, shard, || Event::Second(epoch, shard)) {
            return;
        }
        let Some(node) = &self.node else { return };
        let place = &node.places[shard].shard;
        let overdue = place.links().borrow_mut().sweep();
        place.on_second(overdue);
        self.after_ms(1_000, Event::Second(epoch, shard));
        self.check_bounds();
        // A socket that the shard ended is read to its end, though nothing comes.
        for socket in self.sockets.values_mut() {
            if socket.memory.ending().is_some() {
                socket.silent = false;
            }
        }
    }

    /// How much is carried at once.
    fn chunk(&mut self) -> usize {
        match self.random.below(10) {
            0 => self.random.between(1, 8) as usize,
            1 | 2 => self.random.between(1, 200) as usize,
            _ => usize::MAX,
        }
    }
}
