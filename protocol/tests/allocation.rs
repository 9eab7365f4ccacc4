//! Promise F2: nothing is allocated for what a header merely claims, and nothing at all per message on the fast path.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use flate2::{Compress, Compression, FlushCompress};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::deflate::{Deflater, Inflater};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
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
    assert!(size_of::<Connection>() <= 88, "{}", size_of::<Connection>());
}

/// A compressed message, in the frame of a server, that holds this many million times the same byte.
fn bomb(millions: usize) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut million = Vec::with_capacity(2_000);
    compress.compress_vec(&vec![b'a'; 1_000_000], &mut million, FlushCompress::Full).unwrap();
    assert_eq!(compress.total_in(), 1_000_000);
    // Behind a full flush nothing refers to what was before, so it can be repeated.
    let deflated = million.repeat(millions);
    let mut out = bytes::BytesMut::new();
    frame::put_server_frame(MessageKind::Text, &deflated[..deflated.len() - 4], &mut out);
    out[0] |= 0x40;
    out.to_vec()
}

#[test]
fn f2_a_bomb_is_refused_at_the_limit_and_allocates_little_more() {
    // 10 KB for 10 MB and 100 KB for 100 MB: deflate gets no further.
    for (millions, limit) in [(10, 64 * 1024), (10, 100_000), (100, 1 << 20)] {
        let mut bytes = bomb(millions);
        assert!(bytes.len() < millions * 1_050, "{}", bytes.len());
        let mut pieces = bytes.clone();
        for (bytes, size) in [(&mut bytes, usize::MAX), (&mut pieces, 1_000)] {
            let limits = Limits { max_message_bytes: limit };
            let mut client = Connection::new_client(1, limits).with_deflate();
            let arrived_bytes = bytes.len();
            let mut inflater = Inflater::default();
            let (_, peak_bytes) = measure(|| {
                let mut refused = None;
                for piece in bytes.chunks_mut(size) {
                    let mut input = Input::with_inflater(piece, &mut inflater);
                    refused = refused.or(client.poll(&mut input).err());
                }
                assert_eq!(refused.expect("a refusal").close_code(), 1009);
            });
            // The inflater itself, a buffer and the smaller one it grew from, and what waited for the last piece.
            let most_bytes = 64 * 1024 + limit + limit / 2 + 3 * arrived_bytes;
            assert!(peak_bytes < most_bytes, "{peak_bytes} for a limit of {limit}");
        }
    }
}

#[test]
fn f2_an_inflater_serves_all_connections_without_an_allocation_and_keeps_little() {
    let limits = Limits { max_message_bytes: 10_000_000 };
    let mut deflater = Deflater::default();
    let mut small = bytes::BytesMut::new();
    for _ in 0..100 {
        let payload = [b'a'; 2_000];
        frame::put_smaller_server_frame(MessageKind::Text, &payload, &mut deflater, &mut small);
    }
    let mut large = bomb(5);
    let mut inflater = Inflater::default();
    let mut read = |bytes: &mut [u8]| {
        let mut client = Connection::new_client(1, limits).with_deflate();
        let mut input = Input::with_inflater(bytes, &mut inflater);
        let mut messages = 0;
        while let Some(event) = client.poll(&mut input).unwrap() {
            messages += usize::from(matches!(event, Event::Message { .. }));
        }
        messages
    };
    let mut first = small.to_vec();
    assert_eq!(read(&mut first), 100);
    let before = LIVE_BYTES.get();
    let (allocations, _) = measure(|| assert_eq!(read(&mut small), 100));
    assert_eq!(allocations, 0);
    assert_eq!(read(&mut large), 1);
    assert!(LIVE_BYTES.get() <= before, "the buffer of the large message is given back");
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
