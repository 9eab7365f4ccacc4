//! Those who give commands outside of any session: requests over HTTP, and the service itself.
//!
//! ```text
//!   question ─► insert: a place and a key ─► the command goes its way ─► take: the one answer, and the place is free
//!                                                │ whoever asked has gone away ─► the place is free when another needs it
//! ```
//!
//! Invariants: the key of a caller is no session's, and no later caller has it; callers of a shard and of one user are
//! bounded, and one who went away keeps nobody out.

use std::collections::HashMap;

use ringwire_protocol::wire::reply::Outcome;
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use slab::Slab;
use tokio::sync::oneshot;

use super::registry::SessionKey;
use crate::limits;

/// What a caller is answered.
pub type Answer = Result<Outcome, CommandError>;

/// Places of sessions lie below this, those of callers from here on.
const FIRST_PLACE: u32 = 1 << 31;

#[derive(Debug)]
struct Caller {
    generation: u32,
    user: UserId,
    answer: oneshot::Sender<Answer>,
}

/// The callers of one shard.
#[derive(Debug, Default)]
pub struct Callers {
    slab: Slab<Caller>,
    of_user: HashMap<UserId, u32>,
    last_generation: u32,
}

impl SessionKey {
    /// Whether it is a caller's, and no session's.
    pub const fn is_caller(self) -> bool {
        self.index >= FIRST_PLACE
    }
}

impl Callers {
    /// Takes a caller in. With no place for one the way to answer is given back, with the reason.
    pub fn insert(
        &mut self,
        user: UserId,
        answer: oneshot::Sender<Answer>,
    ) -> Result<SessionKey, (oneshot::Sender<Answer>, CommandError)> {
        let is_full = |this: &Self| this.slab.len() >= limits::CALLERS;
        let has_many = |this: &Self| this.of_user.get(&user) >= Some(&limits::CALLERS_OF_USER);
        if is_full(self) || has_many(self) {
            self.forget_gone();
        }
        if has_many(self) {
            let message = "too many unanswered commands of this user";
            let wait_ms = limits::BUSY_RETRY_MS;
            let error = CommandError::retry(ErrorCode::TooManyUnanswered, message, wait_ms);
            return Err((answer, error));
        }
        if is_full(self) {
            let message = "too many commands are under way";
            let error = CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS);
            return Err((answer, error));
        }
        self.last_generation = self.last_generation.wrapping_add(1);
        let generation = self.last_generation;
        let place = self.slab.insert(Caller { generation, user, answer });
        *self.of_user.entry(user).or_default() += 1;
        Ok(SessionKey { index: FIRST_PLACE | place as u32, generation })
    }

    /// Whose command it is; `None`: there is no such caller any more.
    pub fn user(&self, key: SessionKey) -> Option<UserId> {
        let caller = self.slab.get(place(key)?)?;
        (caller.generation == key.generation).then_some(caller.user)
    }

    /// Where the answer goes; the caller is forgotten.
    pub fn take(&mut self, key: SessionKey) -> Option<oneshot::Sender<Answer>> {
        self.user(key)?;
        self.remove(place(key)?)
    }

    /// Frees the places of those who went away. Answers to them find nobody.
    fn forget_gone(&mut self) {
        let is_gone =
            |(place, caller): (usize, &Caller)| caller.answer.is_closed().then_some(place);
        let gone: Vec<usize> = self.slab.iter().filter_map(is_gone).collect();
        for place in gone {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: usize) -> Option<oneshot::Sender<Answer>> {
        let caller = self.slab.try_remove(place)?;
        if let Some(count) = self.of_user.get_mut(&caller.user) {
            *count -= 1;
            if *count == 0 {
                self.of_user.remove(&caller.user);
            }
        }
        Some(caller.answer)
    }
}

fn place(key: SessionKey) -> Option<usize> {
    key.is_caller().then_some((key.index & !FIRST_PLACE) as usize)
}

#[cfg(test)]
mod tests {
    use ringwire_protocol::wire;

    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    const DONE: Answer = Ok(Outcome::Done(wire::Done {}));

    #[test]
    fn an_answer_reaches_its_caller_once_and_no_later_one_in_the_same_place() {
        let mut callers = Callers::default();
        let (sender, mut receiver) = oneshot::channel();
        let key = callers.insert(user(1), sender).unwrap();
        assert!(key.is_caller() && callers.user(key) == Some(user(1)));
        callers.take(key).unwrap().send(DONE).unwrap();
        assert_eq!(receiver.try_recv().unwrap(), DONE);
        assert!(callers.take(key).is_none() && callers.user(key).is_none());
        let (sender, _receiver) = oneshot::channel();
        let next = callers.insert(user(2), sender).unwrap();
        assert_eq!(next.index, key.index);
        assert!(callers.take(key).is_none() && callers.take(next).is_some());
        assert!(callers.of_user.is_empty() && callers.slab.is_empty());
        assert!(callers.take(SessionKey::numbered(0)).is_none(), "a session's");
    }

    #[test]
    fn callers_are_bounded_for_each_user_and_together_and_those_that_left_make_room() {
        let mut callers = Callers::default();
        let mut waiting = Vec::new();
        let mut insert = |callers: &mut Callers, id| {
            let (sender, receiver) = oneshot::channel();
            let inserted = callers.insert(user(id), sender);
            waiting.push(receiver);
            inserted.map(drop).map_err(|(_, error)| error.code)
        };
        for _ in 0..limits::CALLERS_OF_USER {
            assert_eq!(insert(&mut callers, 1), Ok(()));
        }
        assert_eq!(insert(&mut callers, 1), Err(ErrorCode::TooManyUnanswered));
        let others = limits::CALLERS as u64 - u64::from(limits::CALLERS_OF_USER);
        for id in 0..others {
            assert_eq!(insert(&mut callers, 2 + id), Ok(()));
        }
        assert_eq!(insert(&mut callers, 2 + others), Err(ErrorCode::Busy));
        drop(waiting.swap_remove(0));
        assert!(callers.insert(user(1), oneshot::channel().0).is_ok());
    }
}
