//! How often each hot path asks the allocator for memory: the counts are exact, and a change of one is a decision.
//!
//! Counted on the thread that runs the path, after it ran often enough for everything that is kept to be there. What
//! the table says is for a batch, since a batch shares some of it.

#[path = "../paths/mod.rs"]
mod paths;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what one thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Nothing is counted where a thread is being taken apart.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Before anything counts.
const WARM_UP_RUNS: usize = 16;
/// All alike.
const RUNS: usize = 8;

/// Of each path the messages, or deliveries, of a run, and the allocations of that run.
const EXPECTED: [(&str, u64, u64); 17] = [
    ("receive, 64 B", 16, 0),
    ("receive, text, 1 KiB", 16, 0),
    ("send, 64 B", 16, 0),
    ("decode, Protobuf", 16, 16 * 2),
    ("encode, Protobuf", 16, 0),
    ("decode, JSON", 16, 16 * 2),
    ("encode, JSON", 16, 16 * 5),
    ("verify a token, HS256", 16, 16 * 8),
    ("mailbox, one wake a batch", 16, 0),
    ("conversation, send to commit", 16, 16 * 12),
    ("entry frame, Protobuf", 16, 16 * 3),
    ("entry frame, JSON", 16, 16 * 18),
    ("fan-out of a frame, and flush", 256, 0),
    // 17 or 37 for each message; the rest is once a batch: the writer's list of answers, and what the recipient has not
    // confirmed grows from nothing (five times).
    ("direct message, Protobuf", 16, 16 * 17 + 6),
    ("direct message, JSON", 16, 16 * 37 + 6),
    // The same, and each of 63 further recipients has such a list.
    ("message to 64 others, Protobuf", 16, 16 * 17 + 6 + 63 * 5),
    ("message to 64 others, JSON", 16, 16 * 37 + 6 + 63 * 5),
];

/// Allocations of one run.
fn allocations_of(path: &mut paths::Path) -> u64 {
    path.prepare();
    let before = ASKED.get();
    path.run();
    ASKED.get() - before
}

#[test]
fn each_hot_path_allocates_as_often_as_written_here() {
    let mut counted = Vec::new();
    for mut path in paths::all() {
        for _ in 0..WARM_UP_RUNS {
            allocations_of(&mut path);
        }
        let first = allocations_of(&mut path);
        for _ in 1..RUNS {
            assert_eq!(allocations_of(&mut path), first, "{}: runs differ", path.name);
        }
        counted.push((path.name, path.messages, first));
    }
    if cfg!(debug_assertions) {
        assert_eq!(counted, EXPECTED);
    } else {
        // The optimizer may do without some.
        for ((name, messages, count), expected) in counted.iter().zip(EXPECTED) {
            assert_eq!((*name, *messages), (expected.0, expected.1));
            assert!(*count <= expected.2, "{name}: {count}, at most {} expected", expected.2);
        }
        assert_eq!(counted.len(), EXPECTED.len());
    }
}
