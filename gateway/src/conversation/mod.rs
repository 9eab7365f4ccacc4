//! The conversation: a pure state machine on its owner shard.
//!
//! ```text
//!                 ┌────────────────────── committed ◄──────────────────────┐
//!   submit ─► rules (committed + in flight) ─► in flight ─► Effect::Append ─► writer
//!       │                                          ▲                       │
//!       └─► waiting (loading, re-basing, the       └── validated again ◄── conflict, duplicate,
//!           answer depends on what is in flight        behind the tail     rejected
//!           or on what the store has to tell)
//! ```
//!
//! A command and the time go in, effects come out; there is no socket, store or clock in here. Invariants:
//!
//! 1. An ack or a push is only ever made from a committed entry.
//! 2. Entries in flight have the consecutive positions `head + 1 …`, in the order their commands were accepted. Where the
//!    writer put one behind messages of another node, all behind it move on as far, and are submitted again under a new
//!    generation as soon as the first of them comes back.
//! 3. One sender's commands are accepted in the order in which they came.
//! 4. Who receives an entry is decided when it commits, by the log up to it.
//! 5. Every submission is answered exactly once.

pub mod answer;
mod blocks;
pub mod cache;
pub mod change;
pub mod entry;
mod facts;
mod intake;
pub mod intent;
pub mod members;
mod pages;
mod reactions;
mod rebase;
mod receipts;
mod recent;
pub mod request;
mod ring;
mod roll;
mod rules;
pub mod settings;
mod state;
#[cfg(test)]
mod tests;
pub mod typing;
mod view;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, UnixMs, UserId, wire};
use ringwire_storage::append::{Append, Change, Completion, Outcome};
use ringwire_storage::model::{ConversationSnapshot, EntryRow, LogHead};

use crate::command::key::CommandKey;
use crate::refusals::Refusals;
use answer::{Ack, ReplyTo};
use blocks::Blocks;
use entry::EntryFrame;
use facts::Facts;
use members::{Members, Recipients};
use reactions::Reactions;
use receipts::{Ahead, Receipts};
use recent::{DedupeKey, Position, Recent};
use ring::Ring;
use state::{State, decides, lets_go};
use view::View;

pub use intent::{Intent, Mentions};
pub use rules::no_such_conversation;

/// A command for one conversation, on its way to becoming an entry.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who asks.
    pub from: UserId,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
    /// The sender's id for it, or one the server made.
    pub client_msg_id: Box<str>,
    /// What is asked.
    pub intent: Intent,
    /// Keyed hash of the command.
    pub command_hash: i64,
    /// Further tries of the same command that came while the first was in flight; answered with it.
    pub also: Vec<ReplyTo>,
}

impl Submission {
    fn answer(&self, answer: &Result<Ack, CommandError>, effects: &mut Vec<Effect>) {
        for reply_to in self.also.iter().chain([&self.reply_to]) {
            effects.push(Effect::Answer(*reply_to, answer.clone()));
        }
    }
}

/// Time as the machine sees it, and what makes generations unique.
#[derive(Debug)]
pub struct Moment<'a> {
    /// Unix time.
    pub unix_ms: UnixMs,
    /// Monotonic time.
    pub at: Instant,
    /// The shard's counter of generations.
    pub generation: &'a mut u64,
    /// What the deployment decided.
    pub terms: &'a Terms,
}

/// What the deployment decided for all conversations.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Home shards of users.
    pub shards: usize,
    /// Most members of a group that sets no bound of its own.
    pub max_group_members: u32,
    /// How long after it was sent a message may be edited; 0: for ever.
    pub edit_window_ms: u64,
    /// Likewise taken back by its sender.
    pub recall_window_ms: u64,
    /// No other process writes to this database.
    pub alone: bool,
    /// Makes join codes.
    pub key: CommandKey,
}

#[cfg(test)]
impl Terms {
    /// Small groups, and windows that never close.
    fn permissive(shards: usize) -> Self {
        Self {
            shards,
            max_group_members: 100,
            edit_window_ms: 0,
            recall_window_ms: 0,
            alone: false,
            key: CommandKey::new([7; 16]),
        }
    }
}

/// What the shard does next on the machine's behalf.
#[derive(Debug)]
pub enum Effect {
    /// Hand the entry to the writer. `fresh`: nobody was promised anything yet, so a full queue is answered BUSY
    /// through [`Conversation::withdraw`]; otherwise it is tried again.
    Append {
        /// The request.
        append: Append,
        /// Whether it may be refused.
        fresh: bool,
    },
    /// Answer a command.
    Answer(ReplyTo, Result<Ack, CommandError>),
    /// Send a committed entry to the members, but not to the session that is answered for it.
    Deliver {
        /// The entry.
        frame: Arc<EntryFrame>,
        /// Who gets it.
        recipients: Recipients,
        /// Who made it with this very connection.
        except: Option<ReplyTo>,
        /// When it went to the writer, if it is of this node.
        accepted: Option<Instant>,
    },
    /// Tell the members how far one of them is.
    CursorMoved {
        /// Whose it is; their own devices learn it from their home.
        user: UserId,
        /// The cursor.
        cursor: wire::Cursor,
        /// Who gets it.
        recipients: Recipients,
    },
    /// A member types, or has stopped: answer, and tell the members.
    Typing {
        /// Who.
        user: UserId,
        /// They have stopped.
        stopped: bool,
        /// Who is told; nobody in a large group.
        recipients: Option<Recipients>,
        /// Where the answer goes.
        reply_to: ReplyTo,
    },
    /// Read the entries behind this one and call [`Conversation::tail_loaded`].
    LoadTail {
        /// The last one known.
        after: Seq,
    },
    /// Read this entry and call [`Conversation::target_loaded`].
    LoadTarget {
        /// Which entry.
        seq: Seq,
        /// Returned with the answer.
        asked: u64,
    },
    /// Look whether one of the two blocks the other and call [`Conversation::blocks_loaded`].
    LoadBlocks {
        /// The two of a direct conversation.
        users: [UserId; 2],
        /// Returned with the answer.
        asked: u64,
    },
}

struct InFlight {
    token: u64,
    submission: Submission,
    row: EntryRow,
    change: Change,
    made_at: Instant,
}

/// One conversation in memory.
pub struct Conversation {
    id: ConversationId,
    state: State,
    head: LogHead,
    /// When what last confirmed the head, a load or an append, was asked for: a late answer tells of the past.
    confirmed_at: Instant,
    recent: Recent,
    facts: Facts,
    reactions: Reactions,
    blocks: Blocks,
    ring: Ring,
    refusals: Refusals,
    in_flight: VecDeque<InFlight>,
    in_flight_ids: HashMap<DedupeKey, u64>,
    next_token: u64,
    /// Entries in flight that decide what may be done next.
    changes_in_flight: usize,
    generation: u64,
    /// An entry of this generation went behind a tail, which was told with it: the next that comes back need not wait for
    /// the tail to be read.
    moved: bool,
    /// Since when the tail is being read.
    rebasing_since: Option<Instant>,
    /// The state cannot be brought up to the log entry by entry; it must be loaded anew.
    outdated: bool,
    waiting: VecDeque<Submission>,
    receipts: Receipts,
    /// Cursors beyond the head; there are none unless the tail is being read.
    ahead: Vec<Ahead>,
}

impl Conversation {
    /// A conversation as the store has it; `now` is when that was asked for.
    pub fn new(snapshot: ConversationSnapshot, now: &mut Moment<'_>) -> Self {
        use prost::Message as _;
        *now.generation += 1;
        let mut recent = Recent::default();
        for (key, position) in snapshot.recent.iter().filter_map(position_of) {
            recent.insert(key, position);
        }
        let settings = wire::GroupSettings::decode(snapshot.settings).unwrap_or_default();
        let members = Members::new(&snapshot.members, now.terms.shards);
        let blocks = Blocks::new(snapshot.state.blocked, now.at);
        Self {
            id: snapshot.conversation_id,
            state: State::new(snapshot.kind, settings, members, snapshot.state),
            head: snapshot.head,
            confirmed_at: now.at,
            recent,
            facts: Facts::new(&snapshot.recent),
            reactions: Reactions::new(&snapshot.recent),
            blocks,
            ring: Ring::behind(snapshot.head.seq),
            refusals: Refusals::default(),
            in_flight: VecDeque::new(),
            in_flight_ids: HashMap::new(),
            next_token: 0,
            changes_in_flight: 0,
            generation: *now.generation,
            moved: false,
            rebasing_since: None,
            outdated: false,
            waiting: VecDeque::new(),
            receipts: Receipts::default(),
            ahead: Vec::new(),
        }
    }

    /// The newest committed position.
    pub fn head(&self) -> LogHead {
        self.head
    }

    /// Everyone who gets what is said here.
    pub fn recipients(&mut self) -> Recipients {
        self.state.members.recipients()
    }

    /// Nothing is on its way, so it may be dropped from memory.
    pub fn is_quiet(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty() && self.rebasing_since.is_none()
    }

    /// It must be dropped from memory and loaded again.
    pub fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// Takes the writer's answer.
    pub fn complete(
        &mut self,
        completion: &Completion,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if completion.generation != self.generation {
            // It was validated and submitted again since.
            return;
        }
        let Some(place) = self.in_flight.iter().position(|entry| entry.token == completion.token)
        else {
            return;
        };
        match &completion.outcome {
            Outcome::Committed => {
                debug_assert_eq!(place, 0, "entries of a conversation commit in order");
                if let Some(entry) = self.in_flight.remove(place) {
                    self.forget(&entry);
                    self.commit(entry, effects);
                }
            }
            Outcome::Moved { seq, msg_no, created_at, tail } => {
                debug_assert_eq!(place, 0, "entries of a conversation commit in order");
                let head = LogHead { seq: *seq, msg_no: *msg_no, created_at: *created_at };
                self.complete_behind(head, tail, now, effects);
            }
            Outcome::Duplicate { seq, msg_no, created_at, command_hash } => {
                if let Some(entry) = self.in_flight.remove(place) {
                    self.forget(&entry);
                    let position = Position {
                        seq: *seq,
                        msg_no: *msg_no,
                        created_at: *created_at,
                        command_hash: *command_hash,
                    };
                    self.answer_known(&entry.submission, position, effects);
                }
                self.start_rebase(now.at, effects);
            }
            Outcome::Rejected { reason } => {
                if let Some(entry) = self.in_flight.remove(place) {
                    tracing::error!(conversation = %self.id, seq = entry.row.seq, reason, "the database rejects an entry");
                    self.forget(&entry);
                    let error =
                        CommandError::new(ErrorCode::Internal, "the entry could not be stored");
                    self.refuse(&entry.submission, error, effects);
                }
                self.start_rebase(now.at, effects);
            }
            Outcome::Conflict if self.moved && self.rebasing_since.is_none() => {
                self.resubmit(now, effects);
            }
            Outcome::Conflict => self.start_rebase(now.at, effects),
        }
        if self.changes_in_flight == 0 && self.rebasing_since.is_none() {
            self.admit_waiting(now, effects);
        }
    }

    /// An entry is durable: the state follows it, then the sender is answered, then the members hear of it.
    fn commit(&mut self, entry: InFlight, effects: &mut Vec<Effect>) {
        let InFlight { submission, row, change, made_at, .. } = entry;
        let recipients = self.apply(&row, &change, made_at);
        submission.answer(&Ok(Ack::entry(&row, &submission.intent)), effects);
        effects.push(Effect::Deliver {
            frame: self.framed(&row, made_at),
            recipients,
            // Without a reply there is no ack either, so the push is how this session learns of it.
            except: (submission.reply_to.command_id != 0).then_some(submission.reply_to),
            accepted: Some(made_at),
        });
    }

    /// The push of a committed entry, which is also remembered for those who miss it.
    fn framed(&mut self, row: &EntryRow, at: Instant) -> Arc<EntryFrame> {
        let frame = EntryFrame::new(row);
        self.ring.push(row.seq, frame.entry(), at);
        Arc::new(frame)
    }

    /// Brings the committed state up to `row`; returns who receives it: those who are members before or after it.
    fn apply(&mut self, row: &EntryRow, change: &Change, asked_at: Instant) -> Recipients {
        let says = row.msg_no > self.head.msg_no;
        self.head = row.head();
        self.confirmed_at = asked_at;
        if let Some((key, position)) = position_of(row) {
            // Another node may have accepted what this one refused.
            self.refusals.forgive(self.id, key.0, &key.1);
            if says {
                self.receipts.said(key.0, row.seq, asked_at);
            }
            self.recent.insert(key, position);
        }
        let before = lets_go(change).then(|| self.state.members.recipients());
        self.state.apply(row.sender_id, change, row.created_at);
        self.facts.push(row);
        self.facts.apply(change);
        self.reactions.apply(row.sender_id, change);
        match change {
            Change::Edit { target_seq, .. } | Change::React { target_seq, .. } => {
                self.ring.drop_through(*target_seq);
            }
            // Edits of it are gone as well, wherever they are.
            Change::Recall { .. } => self.ring.drop_through(row.seq),
            Change::Dissolve => self.outdated = true,
            _ => {}
        }
        if let Some(before) = before {
            self.receipts.keep(&self.state.members);
            return before;
        }
        match change {
            Change::RefuseJoin { user_id } => self.state.members.recipients_and(*user_id),
            _ => self.state.members.recipients(),
        }
    }

    /// A block was made or ended between users, after which it was so: that is asked again before a send is decided by it.
    pub fn forget_blocks(&mut self, blocked: bool) {
        self.blocks.forget(blocked);
    }

    /// Somebody sees entries up to this one differently from now on.
    pub fn forget_encoded(&mut self, through: Seq) {
        self.ring.drop_through(through);
    }

    /// What commands are judged by.
    fn view(&self) -> View<'_> {
        View::new(&self.state, &self.in_flight, self.changes_in_flight > 0)
    }

    fn forget(&mut self, entry: &InFlight) {
        self.in_flight_ids.remove(&(entry.submission.from, entry.submission.client_msg_id.clone()));
        self.changes_in_flight -= usize::from(decides(&entry.change));
    }
}

/// What a retry of the entry's command is recognised by; the server's own entries have none.
fn position_of(row: &EntryRow) -> Option<(DedupeKey, Position)> {
    let position = Position {
        seq: row.seq,
        msg_no: row.msg_no,
        created_at: row.created_at,
        command_hash: row.command_hash,
    };
    Some(((row.sender_id?, row.client_msg_id.as_str().into()), position))
}
