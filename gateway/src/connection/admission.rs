//! How many connections the process takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A connection's place among those of the process; given back when dropped.
#[derive(Debug)]
pub struct Admission(Arc<AtomicUsize>);

impl Admission {
    /// Takes a place; `None`: all are taken.
    pub fn take(places: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let admission = Self(Arc::clone(places));
        // The place is counted first and dropped again if it was one too many.
        (places.fetch_add(1, Ordering::Relaxed) < most).then_some(admission)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
