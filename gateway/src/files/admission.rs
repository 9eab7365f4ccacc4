//! Who may upload now: so many at a time in all and of one user, and so many of a user in the long run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ringwire_protocol::UserId;

use crate::config::CommandRate;
use crate::limits;
use crate::session::rate::Bucket;

/// Why an upload may not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Too many are under way.
    Busy,
    /// The user has begun too many; wait so many milliseconds.
    TooFast(u32),
}

/// Counts uploads.
#[derive(Debug)]
pub(crate) struct Admission {
    rate: CommandRate,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    users: HashMap<UserId, Uploader>,
}

#[derive(Debug)]
struct Uploader {
    bucket: Bucket,
    under_way: usize,
}

impl Admission {
    pub(super) fn new(rate: CommandRate) -> Self {
        Self { rate, began: Instant::now(), state: Mutex::default() }
    }

    fn now_ms(&self) -> i64 {
        self.began.elapsed().as_millis() as i64
    }

    pub(super) fn begin(this: &Arc<Self>, user: UserId) -> Result<UploadPlace, NoPlace> {
        let now = this.now_ms();
        let mut guard = this.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        if state.under_way >= limits::UPLOADS_AT_ONCE {
            return Err(NoPlace::Busy);
        }
        if state.users.len() >= limits::KNOWN_UPLOADERS && !state.users.contains_key(&user) {
            let rate = this.rate;
            state.users.retain(|_, user| user.under_way > 0 || !user.bucket.is_full(rate, now));
            if state.users.len() >= limits::KNOWN_UPLOADERS {
                return Err(NoPlace::Busy);
            }
        }
        let new = || Uploader { bucket: Bucket::new(this.rate, now), under_way: 0 };
        let uploader = state.users.entry(user).or_insert_with(new);
        if uploader.under_way >= limits::UPLOADS_OF_A_USER {
            return Err(NoPlace::Busy);
        }
        uploader.bucket.take(this.rate, now).map_err(NoPlace::TooFast)?;
        uploader.under_way += 1;
        state.under_way += 1;
        Ok(UploadPlace { admission: Arc::clone(this), user })
    }
}

/// The right to upload one file, until it is dropped.
#[derive(Debug)]
pub(crate) struct UploadPlace {
    admission: Arc<Admission>,
    user: UserId,
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut state = self.admission.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way = state.under_way.saturating_sub(1);
        if let Some(uploader) = state.users.get_mut(&self.user) {
            uploader.under_way = uploader.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    #[test]
    fn uploads_are_bounded_for_a_user_and_in_all_and_places_come_back() {
        let admission = Arc::new(Admission::new(CommandRate { per_s: 0, burst: 1 }));
        let of = |id| Admission::begin(&admission, user(id));
        let mut places: Vec<_> = (0..limits::UPLOADS_OF_A_USER).map(|_| of(1).unwrap()).collect();
        assert_eq!(of(1).unwrap_err(), NoPlace::Busy);
        for id in 2.. {
            match of(id) {
                Ok(place) => places.push(place),
                Err(error) => {
                    assert_eq!(error, NoPlace::Busy);
                    break;
                }
            }
        }
        assert_eq!(places.len(), limits::UPLOADS_AT_ONCE);
        drop(places);
        assert!(of(1).is_ok());
    }

    #[test]
    fn a_user_who_is_too_fast_is_told_how_long_to_wait() {
        let admission = Arc::new(Admission::new(CommandRate { per_s: 1, burst: 2 }));
        for _ in 0..2 {
            drop(Admission::begin(&admission, user(1)).unwrap());
        }
        let refused = Admission::begin(&admission, user(1)).unwrap_err();
        assert!(matches!(refused, NoPlace::TooFast(1..=1000)), "{refused:?}");
        assert!(Admission::begin(&admission, user(2)).is_ok());
    }
}
