//! Full-text search of messages, for their members.
//!
//! ```text
//!   writers ─► committed lately ─┐
//!   a look at all conversations ─┴► behind? ─► a step: entries after the position ─► words ─► index, position
//!   search ─► words of the query ─► index ∩ memberships, newest first ─► entries
//! ```
//!
//! Invariants:
//! - The append path does nothing for the index of new entries; a background job follows behind it, in small transactions.
//!   Edits and recalls change the rows of what they are about in their own transaction.
//! - Every committed message is found sooner or later: a conversation's position moves in the transaction that indexes,
//!   what the writers commit is only a hint where to look, and all conversations are looked at after every start and
//!   every hour. So neither a crash nor another node's commits are missed.
//! - The memberships are read by the statement that searches.
//! - An index row goes or changes with its entry, in the same transaction; what was written past the store is mended by
//!   [`Store::reindex`].
//! - FTS5 keeps the words of removed rows until it merges the pieces of its index, so after each look at everything they
//!   are merged, if there are any, in small steps.
//! - While search is off, or bodies are sealed, the index is emptied: it would be a plain copy of them.

mod active;
mod words;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio::sync::Semaphore;

use crate::error::StoreError;
use crate::model::EntryRow;
use crate::store::{Store, either};

pub(crate) use active::Active;
pub use words::SearchQuery;
pub(crate) use words::{tsvector, words};

/// What of a body is searched; `None`: nothing. The store itself does not read bodies.
pub type SearchText = fn(&[u8]) -> Option<String>;

/// Conversations taken up in one step.
const STEP_CONVERSATIONS: usize = 32;
/// Entries indexed of one conversation in one step.
pub(crate) const STEP_ENTRIES: usize = 64;
/// Conversations in one page of the look at all.
pub(crate) const PAGE: i64 = 200;
/// Rows removed in one step while the index is emptied.
pub(crate) const ERASED: i64 = 1_000;
/// Searches at a time: they take longer than other reads, which must not wait for them. One whose caller went away counts
/// until the database has ended it.
const SEARCHES: usize = 2;
/// How often all conversations are looked at.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Where the next page of results begins: before this entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchAfter {
    /// Its time.
    pub created_at: UnixMs,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its position.
    pub seq: Seq,
}

/// Where a page begins and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) user: UserId,
    pub(crate) only: Option<ConversationId>,
    pub(crate) after: Option<SearchAfter>,
    /// One more than asked for.
    pub(crate) limit: i64,
}

impl Slice {
    /// The key below which results lie.
    pub(crate) fn before(&self) -> (i64, i64, i64) {
        self.after.map_or((i64::MAX, i64::MAX, i64::MAX), |at| {
            (at.created_at, at.conversation_id.as_i64(), i64::try_from(at.seq).unwrap_or(i64::MAX))
        })
    }
}

/// What became of one step.
#[derive(Debug)]
pub(crate) enum Indexed {
    /// Another node is at it.
    Elsewhere,
    /// Done; in these conversations more is left.
    Left(Vec<ConversationId>),
}

/// The search of one store.
#[derive(Debug)]
pub(crate) struct Search {
    text: Option<SearchText>,
    active: Arc<Active>,
    plan: Mutex<Plan>,
    places: Arc<Semaphore>,
}

/// What is still to be indexed.
#[derive(Debug)]
struct Plan {
    waiting: VecDeque<ConversationId>,
    /// So many of them are taken one by one, because a step with them failed.
    singly: usize,
    /// Where the look at all conversations stands; `None`: it is over.
    look_from: Option<i64>,
    next_look: Instant,
    /// Removed words are still to be merged away, and whether that has begun.
    merge: Option<bool>,
}

impl Search {
    pub(crate) fn new(text: Option<SearchText>) -> Self {
        let next_look = Instant::now() + LOOK_EVERY;
        Self {
            text,
            active: Arc::new(Active::new(text.is_some())),
            plan: Mutex::new(Plan {
                waiting: VecDeque::new(),
                singly: 0,
                look_from: Some(0),
                next_look,
                merge: None,
            }),
            places: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// Where writers leave word.
    pub(crate) fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The conversations of the next step, or where to look for some.
    fn next(&self) -> Next {
        let mut plan = self.plan();
        let mut missed = false;
        if plan.waiting.is_empty() {
            let (active, some_missed) = self.active.take();
            plan.waiting.extend(active);
            missed = some_missed;
        }
        if missed || plan.next_look <= Instant::now() {
            plan.look_from = Some(0);
            plan.next_look = Instant::now() + LOOK_EVERY;
        }
        let most = if plan.singly > 0 { 1 } else { STEP_CONVERSATIONS };
        let ids: Vec<_> = plan.waiting.iter().copied().take(most).collect();
        match plan.look_from {
            _ if !ids.is_empty() => Next::Index(ids),
            Some(from) => Next::Look(from),
            None => plan.merge.map_or(Next::Nothing, |begun| Next::Merge { begun }),
        }
    }

    /// The first of those waiting are done, but for these.
    fn done(&self, taken: usize, left: Vec<ConversationId>) -> bool {
        let mut plan = self.plan();
        plan.waiting.drain(..taken);
        plan.singly = plan.singly.saturating_sub(taken);
        plan.waiting.extend(left);
        !plan.waiting.is_empty() || plan.look_from.is_some() || plan.merge.is_some()
    }

    /// A step failed for a reason that stays. One damaged log must not keep the others from being indexed: it is left to
    /// the next look.
    fn failed(&self, taken: usize) {
        if taken == 1 {
            self.done(1, Vec::new());
        } else {
            self.plan().singly = taken;
        }
    }

    fn looked(&self, behind: Vec<ConversationId>, next: Option<i64>) -> bool {
        let mut plan = self.plan();
        plan.waiting.extend(behind);
        plan.look_from = next;
        if next.is_none() {
            plan.merge = Some(false);
        }
        true
    }

    fn merged(&self, more: bool) -> bool {
        self.plan().merge = more.then_some(true);
        more
    }
}

enum Next {
    Index(Vec<ConversationId>),
    Look(i64),
    Merge { begun: bool },
    Nothing,
}

impl Store {
    fn search_of(&self) -> &Search {
        match self {
            Self::Postgres(store) => &store.search,
            Self::Sqlite(store) => &store.search,
        }
    }

    /// What makes text of bodies; `None`: search is off.
    fn search_text(&self) -> Option<SearchText> {
        self.search_of().text
    }

    /// Entries with all that is asked for in conversations of this user, newest first, and whether there are more.
    /// `only`: in this one alone. [`StoreError::SearchOff`] where nothing is indexed.
    pub async fn search(
        &self,
        user: UserId,
        query: &SearchQuery,
        only: Option<ConversationId>,
        after: Option<SearchAfter>,
        limit: u32,
    ) -> Result<(Vec<EntryRow>, bool), StoreError> {
        if self.search_text().is_none() {
            return Err(StoreError::SearchOff);
        }
        let places = Arc::clone(&self.search_of().places);
        let place = places.acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let slice = Slice { user, only, after, limit: i64::from(limit) + 1 };
        let mut found = either!(self, store => store.search(query, slice, place).await?);
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok((found, more))
    }

    /// Does a bounded piece of indexing; whether there is more to do at once.
    pub async fn index_step(&self) -> Result<bool, StoreError> {
        let Some(text) = self.search_text() else {
            return either!(self, store => store.erase_index().await);
        };
        let search = self.search_of();
        match search.next() {
            Next::Nothing => Ok(false),
            Next::Look(from) => {
                let (behind, next) = either!(self, store => store.behind_index(from).await?);
                Ok(search.looked(behind, next))
            }
            Next::Merge { begun } => match self {
                Self::Sqlite(store) => Ok(search.merged(store.merge_index(begun).await?)),
                // There a removed row takes its words along, as far as vacuuming has come.
                Self::Postgres(_) => Ok(search.merged(false)),
            },
            Next::Index(ids) => {
                let taken = ids.len();
                match either!(self, store => store.index(ids, text).await) {
                    Ok(Indexed::Elsewhere) => Ok(false),
                    Ok(Indexed::Left(left)) => Ok(search.done(taken, left)),
                    Err(error) => {
                        if !error.is_temporary() {
                            search.failed(taken);
                        }
                        Err(error)
                    }
                }
            }
        }
    }

    /// Brings the index in line with these entries as they are now: edited, recalled or gone. May be repeated.
    pub async fn reindex(&self, id: ConversationId, seqs: &[Seq]) -> Result<(), StoreError> {
        let Some(text) = self.search_text() else { return Ok(()) };
        let seqs: Vec<i64> = seqs.iter().filter_map(|&seq| i64::try_from(seq).ok()).collect();
        either!(self, store => store.reindex(id, seqs, text).await)
    }
}
