//! L1: overload sheds with an error and never dies.
//!
//! What the server takes in one go is known: while its writer stands still that is what its queue holds. Offered twice
//! and five times as much it takes no less than when it is offered just that, answers everything else with an error, and
//! goes on.

use ringwire_testkit::Observer;

use crate::support::flood::{Flood, SESSION_WINDOW, Tally};
use crate::support::server::Setup;
use crate::support::store::Database;

/// Entries that wait for one writer at most, as the server has it.
const CAPACITY: usize = 16_384;
/// Entries in the batch that the writer has taken already, at most.
const BATCH: usize = 4_096;
/// Sessions that offer what may be taken; those behind them hear refusals at once.
const FIRST: usize = (CAPACITY + BATCH).div_ceil(SESSION_WINDOW) + 1;
const OTHERS: usize = 4;

/// Offers so many times what the queue holds before the writer goes on; what became of it.
fn offer(flood: &mut Flood, observer: &Observer, times: usize) -> Tally {
    observer.stop_writers().expect("a lock");
    let offered = times * CAPACITY;
    let first = offered.min(CAPACITY + BATCH);
    flood.fill(0..FIRST, first, "overload");
    let mut tally = Tally::default();
    let mut left = offered - first;
    for turn in 0.. {
        let now = left.min(SESSION_WINDOW);
        if now == 0 {
            break;
        }
        tally.add(flood.send(FIRST + turn % OTHERS, now, "overload"));
        left -= now;
    }
    assert_eq!(tally.acked, 0, "nothing is written yet");
    observer.let_write().expect("the lock goes");
    tally.add(flood.answers());
    assert_eq!(tally.acked + tally.busy, offered, "every send is answered once");
    tally
}

#[test]
fn l1_overload_is_refused_with_a_code_and_takes_nothing_from_what_is_accepted() {
    let config = "[storage]\nwriters = 1";
    let server = Setup::new().without_rates().config(config).database(Database::Sqlite).start();
    let mut flood = Flood::start(&server, FIRST + OTHERS);
    let observer = server.observer(None);
    let alone = offer(&mut flood, &observer, 1);
    assert_eq!(alone, Tally { acked: CAPACITY, busy: 0 });
    let mut acked = alone.acked;
    for times in [2, 5] {
        let tally = offer(&mut flood, &observer, times);
        assert!(tally.acked * 10 >= alone.acked * 8, "{times} times: {tally:?}");
        assert_eq!(flood.ping(0..FIRST + OTHERS), FIRST + OTHERS);
        acked += tally.acked;
    }
    assert_eq!(flood.logged(), acked, "what was accepted is there, and nothing else");
}
