//! What must be true in the end, when everything has healed, and of everything bounded at any time.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_gateway::connection::driver::Application as _;
use ringwire_gateway::conversation::entry::wire_entry;
use ringwire_gateway::limits;

use crate::device::Device;
use crate::socket::Socket;
use crate::world::{Event, World};

/// How far the end of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What was begun comes to its end.
    Settling,
    /// Somebody says a last word in each conversation, so that an owner who has missed something learns of it. Quiet since
    /// so many looks.
    LastWords(u32),
    /// Everything was checked.
    Over,
}

/// How long everything may take to become quiet; a connection that nobody hears of is given up after 75 s.
const PATIENCE_US: u64 = 400_000_000;
/// Quiet looks in a row, a second each, in which cursors are written behind.
const QUIET_LOOKS: u32 = 8;
/// What the replies that wait in an outbox may take beside pushes.
const REPLIES_BYTES: usize = (limits::MAX_QUERIES as usize + 4) * 2 * limits::PAGE_BYTES;

impl World {
    /// Looks whether everything has become quiet.
    pub(crate) fn judge(&mut self) {
        let restless = self.restless();
        match self.stage {
            Stage::Settling if restless.is_none() => {
                self.say_last_words();
                self.stage = Stage::LastWords(0);
            }
            Stage::LastWords(QUIET_LOOKS) => {
                self.check_everything();
                self.stage = Stage::Over;
            }
            Stage::LastWords(looks) => {
                let quiet = if restless.is_none() { looks + 1 } else { 0 };
                self.stage = Stage::LastWords(quiet);
            }
            Stage::Settling | Stage::Over => {}
        }
        let late = self.healed_at_us.is_some_and(|at_us| self.now_us() - at_us > PATIENCE_US);
        if let (true, Some(restless)) = (late, restless) {
            self.journal.find(format!("it never becomes quiet: {restless}"));
        }
        self.after_ms(1_000, Event::Judge);
    }

    /// Who still has something to do.
    fn restless(&self) -> Option<String> {
        let Some(node) = &self.node else { return Some("there is no node".to_owned()) };
        if !node.is_quiet() {
            return Some("something is under way in the node".to_owned());
        }
        let busy = self.devices.iter().find(|device| !device.is_idle());
        if let Some(Device { name, live, pending, views, .. }) = busy {
            return Some(format!("{name} (live: {live}) waits for {pending:?} and has {views:?}"));
        }
        let unread = |socket: &Socket| {
            let links = node.places[socket.shard].shard.links();
            socket.is_news() || links.borrow_mut().queued_bytes(socket.link) > 0
        };
        let left = self.sockets.iter().find(|(id, socket)| {
            let current = self.devices[socket.device].socket == Some(**id);
            socket.silent || !current || unread(socket)
        });
        left.map(|(id, _)| format!("socket {id} is left over, or not empty"))
    }

    fn say_last_words(&mut self) {
        let mut speakers = Vec::new();
        for log in self.database.logs.values() {
            let speaks = |device: &Device| log.roster().has(device.user);
            if let Some(device) = self.devices.iter().position(speaks) {
                speakers.push((device, log.id));
            }
        }
        for (device, id) in speakers {
            self.with_device(device, |device, with| {
                device.say_in(id, with);
                device.speak(with);
            });
        }
    }

    fn check_everything(&mut self) {
        let mut findings = Vec::new();
        for log in self.database.logs.values() {
            let id = log.id;
            let mut ids = BTreeSet::new();
            let mut last_message: BTreeMap<&str, u64> = BTreeMap::new();
            for row in &log.rows {
                if !ids.insert((row.sender_id, &row.client_msg_id)) {
                    findings.push(format!("{id}: {} is there twice", row.client_msg_id));
                }
                if let Some((device, number)) = row.client_msg_id.split_once(".m.") {
                    let number = number.parse().unwrap_or(0);
                    let last = last_message.insert(device, number);
                    if last.is_some_and(|last| last > number) {
                        findings.push(format!("{id}: {} overtook another", row.client_msg_id));
                    }
                }
            }
            for device in &self.devices {
                let Device { name, user, views, .. } = device;
                let view = views.get(&id);
                let entries = log.rows.iter().map(wire_entry);
                let member = log.roster().has(*user);
                if member && !view.is_some_and(|view| view.is_exactly(entries)) {
                    let cursor = view.map_or(0, |view| view.cursor);
                    let head = log.head().seq;
                    findings.push(format!(
                        "{name} has {id} up to {cursor}, not all {head}, or other entries"
                    ));
                }
                if view.is_some_and(|view| view.member) != member {
                    findings.push(format!("{name} does not know who belongs to {id}: {member}"));
                }
                let (saved, arrived) = self.database.cursor(*user, id);
                if view.is_some_and(|view| view.delivered_confirmed > arrived) {
                    findings.push(format!("{name} has {id} further than {arrived}"));
                }
                if view.is_some_and(|view| view.read_confirmed > saved) {
                    findings.push(format!("{name} has read {id} further than {saved}"));
                }
                let devices = self.devices.iter().filter(|other| other.user == *user);
                let asked = devices.filter_map(|device| device.views.get(&id)?.read_asked.into());
                let own = log.rows.iter().filter(|row| row.sender_id == Some(*user));
                if asked.chain(own.map(|row| row.seq)).max().unwrap_or(0) < saved {
                    findings.push(format!("{user} has not read {id} up to {saved}"));
                }
            }
        }
        for device in &self.devices {
            for ((id, client_msg_id), seq) in &device.acks {
                let log = self.database.logs.get(id);
                let row = log.and_then(|log| log.row(*seq));
                let kept = row.is_some_and(|row| {
                    row.client_msg_id == *client_msg_id && row.sender_id == Some(device.user)
                });
                if !kept {
                    findings
                        .push(format!("{client_msg_id} was acked at {id}/{seq}, and is not there"));
                }
            }
        }
        self.journal.find_all(findings);
        self.check_connections();
    }

    /// The shards have exactly the connections that there are.
    fn check_connections(&mut self) {
        let Some(node) = &self.node else { return };
        for (number, place) in node.places.iter().enumerate() {
            let there = self.sockets.values().filter(|socket| socket.shard == number).count();
            let known = place.shard.links().borrow().len();
            if known != there {
                self.journal.find(format!("shard {number} has {known} connections, not {there}"));
            }
        }
    }

    /// Nothing has grown beyond its bound.
    pub(crate) fn check_bounds(&mut self) {
        let Some(node) = &self.node else { return };
        let mut findings = Vec::new();
        let queued = node.writer.queue.lock().len();
        if queued > self.plan.writer_room {
            findings.push(format!("{queued} entries wait for the writer"));
        }
        for (number, place) in node.places.iter().enumerate() {
            let waiting = place.mailbox.len();
            if waiting > self.plan.mailbox_shared + self.plan.credits + 1 {
                findings.push(format!("{waiting} messages wait for shard {number}"));
            }
        }
        for (id, socket) in &self.sockets {
            let shard = &node.places[socket.shard].shard;
            let queued_bytes = shard.links().borrow_mut().queued_bytes(socket.link);
            if queued_bytes > limits::OUTBOX_FULL_BYTES + REPLIES_BYTES {
                findings.push(format!("{queued_bytes} bytes wait for socket {id}"));
            }
        }
        self.journal.find_all(findings);
    }
}
