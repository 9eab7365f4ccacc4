//! Looks at each ack when it arrives: is its entry in the database at that moment?

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use ringwire_testkit::Observer;

use super::participant::Watch;

/// Counts acks that name an entry which is not in the database at that moment.
pub(crate) fn count_early_acks(observer: Observer) -> (Arc<AtomicU64>, Watch) {
    let early = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&early);
    let observer = Mutex::new(observer);
    let watch: Watch = Box::new(move |conversation, ack| {
        let observer = observer.lock().expect("no watcher panics");
        let there = observer.holds(conversation, ack.seq, &ack.client_msg_id).expect("an answer");
        counter.fetch_add(u64::from(!there), SeqCst);
    });
    (early, watch)
}
