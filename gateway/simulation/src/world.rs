//! The world: one queue of events in virtual time, and what each of them does.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use ringwire_gateway::service::ask::{Call, Served};
use ringwire_gateway::shard::clock::Time;
use ringwire_gateway::shard::mail::Mail;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::append::{Append, Completion};
use ringwire_storage::model::{ConversationKind, Role};

use crate::Report;
use crate::check::Stage;
use crate::database::Database;
use crate::device::{Device, Surroundings};
use crate::faults::Fault;
use crate::journal::Journal;
use crate::node::Node;
use crate::plan::Plan;
use crate::random::Random;
use crate::roster::Roster;
use crate::sabotage::Sabotage;
use crate::service;
use crate::socket::{Socket, SocketId};

/// Where the wall clock begins.
const START_MS: i64 = 1_700_000_000_000;
/// A trace that does not end by itself is a finding.
const MOST_EVENTS: u64 = 3_000_000;

/// Something that happens at its time. Those of a node carry its number: they are void when it is gone.
pub(crate) enum Event {
    /// A device connects.
    Connect(usize),
    /// A device does something of its own accord.
    Act(usize),
    /// A device looks after what is due.
    Tick(usize),
    /// Bytes arrive at the server.
    Up(SocketId),
    /// Bytes arrive at the device.
    Down(SocketId),
    /// A shard takes a turn with its mailbox.
    Mail(u64, usize),
    /// A shard flushes.
    Flush(u64, usize),
    /// A second passes on a shard.
    Second(u64, usize),
    /// The writer writes.
    Write(u64),
    /// Its answers arrive.
    Written(u64, Vec<(u16, Completion)>),
    /// The service reads.
    Serve(u64, Box<Call>),
    /// Its answer arrives.
    Served(u64, u16, Box<Served>),
    /// Something goes wrong.
    Fault(Fault),
    /// A node starts.
    Start,
    /// A write of a node that is gone reaches the database all the same.
    Ghost(Vec<Append>),
    /// From now on nothing goes wrong any more.
    Heal,
    /// Is everything quiet?
    Judge,
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) journal: Journal,
    pub(crate) sabotage: Sabotage,
    pub(crate) database: Database,
    pub(crate) devices: Vec<Device>,
    pub(crate) sockets: BTreeMap<SocketId, Socket>,
    pub(crate) next_socket: SocketId,
    pub(crate) node: Option<Node>,
    /// How many nodes there have been.
    pub(crate) epoch: u64,
    /// The database cannot be reached before this.
    pub(crate) outage_until_us: u64,
    pub(crate) wall_offset_ms: i64,
    pub(crate) healed_at_us: Option<u64>,
    pub(crate) stage: Stage,
    time: Rc<Cell<Time>>,
    started: Instant,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Sabotage, print: bool) -> Result<Self> {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let started = Instant::now();
        let time = Rc::new(Cell::new(Time { at: started, unix_ms: START_MS }));
        let mut world = Self {
            plan,
            random,
            journal: Journal::new(print),
            sabotage,
            database: Database::default(),
            devices: Vec::new(),
            sockets: BTreeMap::new(),
            next_socket: 1,
            node: None,
            epoch: 0,
            outage_until_us: 0,
            wall_offset_ms: 0,
            healed_at_us: None,
            stage: Stage::Settling,
            time,
            started,
            queue: BTreeMap::new(),
            events: 0,
        };
        world.database.forgets_twins = sabotage == Sabotage::NoDedupe;
        let plan = format!("{:?}", world.plan);
        world.journal.note(format_args!("seed {seed}: {plan}"));
        world.populate();
        world.start_node()?;
        world.schedule_faults();
        let heal_ms = world.plan.chaos_ms;
        world.after_ms(heal_ms, Event::Heal);
        Ok(world)
    }

    fn populate(&mut self) {
        for number in 1..=self.plan.conversations {
            let Some(id) = ConversationId::new(number) else { continue };
            let kind =
                if number % 2 == 1 { ConversationKind::Room } else { ConversationKind::Group };
            let mut roster = Roster::default();
            let owner = self.random.between(1, self.plan.users);
            for user in (1..=self.plan.users).filter_map(UserId::new) {
                if user.get() == owner {
                    roster.add(user, Role::Owner, START_MS);
                } else if kind == ConversationKind::Group || self.random.percent(70) {
                    roster.add(user, Role::Member, START_MS);
                }
            }
            let Some(owner) = UserId::new(owner) else { continue };
            let created = service::created(id, owner, &roster, "made", START_MS);
            self.database.create(id, kind, roster, created);
        }
        for user in (1..=self.plan.users).filter_map(UserId::new) {
            for _ in 0..self.random.between(1, self.plan.max_devices) {
                let json = self.random.percent(40);
                let encoding = if json { Encoding::Json } else { Encoding::Protobuf };
                let number = self.devices.len();
                self.devices.push(Device::new(user, number, encoding));
                let (connect_ms, tick_ms) = (self.random.below(500), self.random.below(500));
                self.after_ms(connect_ms, Event::Connect(number));
                self.after_ms(tick_ms, Event::Tick(number));
                self.act_later(number);
            }
        }
    }

    /// A node begins with nothing in memory.
    pub(crate) fn start_node(&mut self) -> Result<()> {
        self.epoch += 1;
        let mut node = Node::start(&self.plan, &mut self.random, &self.time)?;
        node.writer.lies = self.sabotage == Sabotage::AckBeforeCommit;
        self.journal.note(format_args!("node {} starts", self.epoch));
        for shard in 0..node.places.len() {
            self.after_ms(1_000, Event::Second(self.epoch, shard));
        }
        self.node = Some(node);
        Ok(())
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.journal.now_us
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us() / 1_000
    }

    pub(crate) fn unix_ms(&self) -> i64 {
        START_MS + self.now_ms().cast_signed() + self.wall_offset_ms
    }

    pub(crate) fn at(&self) -> Instant {
        self.started + Duration::from_micros(self.now_us())
    }

    pub(crate) fn after_us(&mut self, delay_us: u64, event: Event) {
        self.events += 1;
        self.queue.insert((self.now_us() + delay_us, self.events), event);
    }

    pub(crate) fn after_ms(&mut self, delay_ms: u64, event: Event) {
        self.after_us(delay_ms * 1_000, event);
    }

    /// Up to so long, and sometimes much longer.
    pub(crate) fn delay_us(&mut self, most_ms: u64) -> u64 {
        let factor = if self.random.percent(3) { 10 } else { 1 };
        self.random.between(10, most_ms * 1_000 * factor)
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Result<Report> {
        while let Some(((at_us, _), event)) = self.queue.pop_first() {
            self.journal.now_us = at_us;
            self.time.set(Time { at: self.at(), unix_ms: self.unix_ms() });
            self.happen(event)?;
            self.look_around();
            let findings = std::mem::take(&mut self.database.findings);
            self.journal.find_all(findings);
            if self.events > MOST_EVENTS {
                self.journal.find("it does not end".to_owned());
            }
            if self.stage == Stage::Over || !self.journal.findings.is_empty() {
                break;
            }
        }
        Ok(Report {
            virtual_us: self.now_us(),
            trace_hash: self.journal.hash(),
            findings: self.journal.findings,
            met: self.journal.met,
        })
    }

    fn happen(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Connect(device) => self.connect(device),
            Event::Act(device) => self.act(device),
            Event::Tick(device) => self.tick(device),
            Event::Up(socket) => self.up(socket),
            Event::Down(socket) => self.down(socket),
            Event::Mail(epoch, shard) => self.mail(epoch, shard),
            Event::Flush(epoch, shard) => self.flush(epoch, shard),
            Event::Second(epoch, shard) => self.second(epoch, shard),
            Event::Write(epoch) => self.write(epoch),
            Event::Written(epoch, answers) => self.written(epoch, answers),
            Event::Serve(epoch, call) => self.serve(epoch, *call),
            Event::Served(epoch, shard, served) => {
                if let Some(node) = self.node.as_mut().filter(|_| epoch == self.epoch) {
                    node.shared.mailboxes[usize::from(shard)].send_reserved(Mail::Served(*served));
                }
            }
            Event::Fault(fault) => self.fault(fault),
            Event::Start => self.start_node()?,
            Event::Ghost(batch) => self.ghost(&batch),
            Event::Heal => self.heal(),
            Event::Judge => self.judge(),
        }
        Ok(())
    }

    /// Has a device do something; `false`: it gives up its connection.
    pub(crate) fn with_device<R>(
        &mut self,
        device: usize,
        act: impl FnOnce(&mut Device, &mut Surroundings<'_>) -> R,
    ) -> R {
        let mut surroundings = Surroundings {
            now_ms: self.journal.now_us / 1_000,
            database: &self.database,
            journal: &mut self.journal,
            random: &mut self.random,
            plan: &self.plan,
            sabotage: self.sabotage,
            healed: self.healed_at_us.is_some(),
        };
        act(&mut self.devices[device], &mut surroundings)
    }

    fn tick(&mut self, device: usize) {
        if !self.with_device(device, Device::tick) {
            self.hang_up(device);
        }
        let next_ms = self.random.between(300, 700);
        self.after_ms(next_ms, Event::Tick(device));
    }

    fn mail(&mut self, epoch: u64, shard: usize) {
        let most = self.random.between(1, 64) as usize;
        if self.put_off(epoch, shard, || Event::Mail(epoch, shard)) {
            return;
        }
        let Some(node) = &mut self.node else { return };
        let place = &mut node.places[shard];
        place.mail_due = false;
        // What is left is seen to by the look around.
        let _ = place.shard.mail_turn(&mut place.mailbox, most);
    }

    fn write(&mut self, epoch: u64) {
        let at = self.at();
        if epoch != self.epoch {
            return;
        }
        if self.outage_until_us > self.now_us() {
            let wait_us = self.outage_until_us - self.now_us();
            return self.after_us(wait_us, Event::Write(epoch));
        }
        let lost =
            self.healed_at_us.is_none() && self.random.percent(self.plan.faults.lost_answers);
        let batch = self.random.between(1, 8);
        let delay_us = self.delay_us(self.plan.database_ms);
        let Some(node) = &mut self.node else { return };
        let mut answers = Vec::new();
        for _ in 0..batch {
            answers.extend(node.writer.write(&mut self.database, at, lost));
        }
        for (_, completion) in &answers {
            let (id, seq, outcome) =
                (completion.conversation_id, completion.seq, &completion.outcome);
            let outcome = name(outcome);
            self.journal.met(outcome);
            self.journal.note(format_args!("writer: {id}/{seq} {outcome}"));
        }
        self.after_us(delay_us, Event::Written(epoch, answers));
    }

    fn written(&mut self, epoch: u64, answers: Vec<(u16, Completion)>) {
        let Some(node) = self.node.as_mut().filter(|_| epoch == self.epoch) else { return };
        node.write_due = false;
        let mut by_origin: BTreeMap<u16, Vec<Completion>> = BTreeMap::new();
        for (origin, completion) in answers {
            by_origin.entry(origin).or_default().push(completion);
        }
        for (origin, completions) in by_origin {
            let mailbox = &node.shared.mailboxes[usize::from(origin)];
            mailbox.send_reserved(Mail::Completed(completions));
        }
    }

    fn serve(&mut self, epoch: u64, call: Call) {
        if epoch != self.epoch {
            return;
        }
        let away = self.outage_until_us > self.now_us();
        let unlucky =
            self.healed_at_us.is_none() && self.random.percent(self.plan.faults.failing_calls);
        let unix_ms = self.unix_ms();
        let served = service::serve(&mut self.database, call.ask, away || unlucky, unix_ms);
        let delay_us = self.delay_us(self.plan.database_ms);
        self.after_us(delay_us, Event::Served(epoch, call.shard, Box::new(served)));
    }

    /// Finds out what has become due by what just happened.
    fn look_around(&mut self) {
        self.look_at_sockets();
        let epoch = self.epoch;
        let Some(node) = &mut self.node else { return };
        let mut due = Vec::new();
        while let Ok(call) = node.calls.try_recv() {
            due.push((self.plan.database_ms, Event::Serve(epoch, Box::new(call))));
        }
        if !node.write_due && !node.writer.queue.lock().is_empty() {
            node.write_due = true;
            due.push((self.plan.database_ms, Event::Write(epoch)));
        }
        for (shard, place) in node.places.iter_mut().enumerate() {
            if !place.mail_due && !place.mailbox.is_empty() {
                place.mail_due = true;
                due.push((1, Event::Mail(epoch, shard)));
            }
            if !place.flush_due && place.is_dirty() {
                place.flush_due = true;
                due.push((1, Event::Flush(epoch, shard)));
            }
        }
        for (most_ms, event) in due {
            let delay_us = self.delay_us(most_ms);
            self.after_us(delay_us, event);
        }
    }

    /// Whether a shard does nothing at present, so that the event comes later; also `true` if it is no more.
    pub(crate) fn put_off(
        &mut self,
        epoch: u64,
        shard: usize,
        again: impl FnOnce() -> Event,
    ) -> bool {
        let Some(node) = self.node.as_ref().filter(|_| epoch == self.epoch) else { return true };
        let frozen_until_us = node.places[shard].frozen_until_us;
        let frozen = frozen_until_us > self.now_us();
        if frozen {
            let wait_us = frozen_until_us - self.now_us();
            self.after_us(wait_us, again());
        }
        frozen
    }
}

fn name(outcome: &ringwire_storage::append::Outcome) -> &'static str {
    use ringwire_storage::append::Outcome;
    match outcome {
        Outcome::Committed => "committed",
        Outcome::Moved { .. } => "moved",
        Outcome::Conflict => "conflict",
        Outcome::Duplicate { .. } => "duplicate",
        Outcome::Rejected { .. } => "rejected",
    }
}
