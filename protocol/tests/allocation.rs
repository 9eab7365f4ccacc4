//! Promise F2: nothing is allocated for what a header merely claims, and nothing at all per message on the fast path.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, MessageKind, Role};
use ringwire_protocol::wire;

/// Counts per thread, for tests run side by side.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counters are plain cells without
// destructors, so they neither allocate nor outlive their thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add(layout.size()));
        PEAK_BYTES.set(PEAK_BYTES.get().max(LIVE_BYTES.get()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations made and bytes held at most, while `work` runs.
fn measure(work: impl FnOnce()) -> (usize, usize) {
    let (allocations, live_bytes) = (ALLOCATIONS.get(), LIVE_BYTES.get());
    PEAK_BYTES.set(live_bytes);
    work();
    (ALLOCATIONS.get() - allocations, PEAK_BYTES.get() - live_bytes)
}

const LIMITS: Limits = Limits { max_message_bytes: 1 << 40 };

/// Gives bytes to a connection; answers how many messages came out.
fn feed(connection: &mut Connection, bytes: &mut [u8]) -> usize {
    let mut input = Input::new(bytes);
    let mut messages = 0;
    while let Ok(Some(event)) = connection.poll(&mut input) {
        messages += usize::from(matches!(event, Event::Message { .. }));
    }
    messages
}

/// What a client writes.
fn written(write: impl FnOnce(&mut Connection)) -> Vec<u8> {
    let mut client = Connection::new_client(1, LIMITS);
    write(&mut client);
    client.output().to_vec()
}

#[test]
fn f2_whole_messages_are_delivered_without_an_allocation() {
    let mut bytes = written(|client| {
        for _ in 0..100 {
            client.send(MessageKind::Text, &[b'a'; 64]);
            client.send(MessageKind::Binary, &[0; 1_024]);
        }
    });
    let mut server = Connection::new(Role::Server, LIMITS);
    let (allocations, _) = measure(|| assert_eq!(feed(&mut server, &mut bytes), 200));
    assert_eq!(allocations, 0);
}

#[test]
fn f2_a_claimed_length_allocates_nothing() {
    // Binary, masked, 2^39 bytes, of which 100 arrive one by one.
    let mut bytes = [&[0x82, 0xff, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 2, 3, 4][..], &[7; 100]].concat();
    let mut server = Connection::new(Role::Server, LIMITS);
    let (_, peak_bytes) = measure(|| {
        for byte in &mut bytes {
            assert_eq!(feed(&mut server, std::slice::from_mut(byte)), 0);
        }
    });
    assert!(peak_bytes < 1_024, "{peak_bytes}");
}

#[test]
fn f2_what_is_pending_holds_little_more_than_what_has_arrived() {
    let mut bytes = written(|client| client.send(MessageKind::Text, &vec![b'a'; 100_000]));
    let mut server = Connection::new(Role::Server, LIMITS);
    let (_, peak_bytes) = measure(|| {
        for piece in bytes[..60_000].chunks_mut(1_000) {
            feed(&mut server, piece);
        }
    });
    // A buffer doubles, and for a moment the old one stands beside the new.
    assert!(peak_bytes < 3 * 65_536, "{peak_bytes}");
}

#[test]
fn f2_a_connection_at_rest_holds_no_buffer() {
    let mut bytes = written(|client| {
        client.send(MessageKind::Binary, &vec![0; 100_000]);
        client.ping(b"x");
        client.send(MessageKind::Text, b"end");
    });
    let mut server = Connection::new(Role::Server, LIMITS);
    let before = LIVE_BYTES.get();
    for piece in bytes.chunks_mut(333) {
        feed(&mut server, piece);
    }
    *server.output() = bytes::BytesMut::new();
    assert_eq!(LIVE_BYTES.get(), before);
    assert!(size_of::<Connection>() <= 96, "{}", size_of::<Connection>());
}

#[test]
fn f2_frames_of_the_schema_allocate_no_more_than_they_are() {
    // A command whose token claims 2^32 bytes, and one whose list of cursors claims as many.
    let claims: [&[u8]; 2] = [
        &[12, 0x52, 10, 0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, b'a', b'b', b'c', b'd'],
        &[12, 0x52, 10, 0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f, 8, 1, 16, 1],
    ];
    for payload in claims {
        let (_, peak_bytes) = measure(|| {
            let frames = Encoding::Protobuf.decode::<wire::Command>(payload);
            assert!(frames.into_iter().all(|frame| frame.is_err()));
        });
        assert!(peak_bytes < 1_024, "{peak_bytes}");
    }
}

#[test]
fn f4_deep_nesting_costs_no_stack_and_no_more_than_the_input() {
    let nested = format!(r#"{{"id":1,"x":{}"#, "[".repeat(1 << 20));
    let (_, peak_bytes) = measure(|| {
        let mut frames = Encoding::Json.decode::<wire::Command>(nested.as_bytes());
        assert!(matches!(frames.next(), Some(Err(_))));
    });
    // The parser of unknown fields keeps a byte per level on the heap, never a stack frame.
    assert!(peak_bytes < 2 * nested.len(), "{peak_bytes}");
}
