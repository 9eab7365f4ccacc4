//! What the WebSocket layer costs in memory: payloads masked; messages parsed, unmasked, checked and delivered; frames
//! written.
//!
//! Each benchmark takes a batch of messages, as one read brings them, and is reported per message. Parsing unmasks
//! the batch in place, so every round begins with a copy of it; `copy` shows what that adds.
//! `cargo bench -p ringwire-bench --bench frame`

use std::hint::black_box;
use std::io::Cursor;

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
use tungstenite::protocol::frame::FrameHeader;

/// One read of a busy connection.
const BATCH_MESSAGES: usize = 64;
const LIMITS: Limits = Limits { max_message_bytes: 1 << 20 };
const SIZES_BYTES: [usize; 2] = [64, 1_024];

/// What a client writes in one go.
fn client_batch(kind: MessageKind, payload: &[u8]) -> BytesMut {
    let mut client = Connection::new_client(1, LIMITS);
    for _ in 0..BATCH_MESSAGES {
        client.send(kind, payload);
    }
    client.output().split()
}

/// The mask alone, which is the same on and off.
fn mask(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask");
    for size_bytes in [16, 64, 1_024, 65_536] {
        let mut payload = vec![b'a'; size_bytes];
        group.throughput(Throughput::Bytes(size_bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(size_bytes), |bencher| {
            bencher.iter(|| frame::apply_mask(black_box(&mut payload), black_box([1, 2, 3, 4])));
        });
    }
    group.finish();
}

fn receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Elements(BATCH_MESSAGES as u64));
    for size_bytes in SIZES_BYTES {
        let payload = vec![b'a'; size_bytes];
        let batch = client_batch(MessageKind::Text, &payload);
        let mut buffer = batch.clone();
        group.bench_with_input(BenchmarkId::new("copy", size_bytes), &batch, |bencher, batch| {
            bencher.iter(|| black_box(&mut buffer).copy_from_slice(black_box(batch)));
        });
        for kind in [MessageKind::Binary, MessageKind::Text] {
            let batch = client_batch(kind, &payload);
            let mut buffer = batch.clone();
            let mut server = Connection::new(Role::Server, LIMITS);
            let name = format!("{kind:?}");
            group.bench_with_input(BenchmarkId::new(name, size_bytes), &batch, |bencher, batch| {
                bencher.iter(|| {
                    buffer.copy_from_slice(batch);
                    let mut input = Input::new(&mut buffer);
                    let mut messages = 0;
                    while let Ok(Some(Event::Message { payload, .. })) = server.poll(&mut input) {
                        black_box(payload);
                        messages += 1;
                    }
                    assert_eq!(messages, BATCH_MESSAGES);
                });
            });
        }
    }
    group.finish();
}

fn send(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("send");
    group.throughput(Throughput::Elements(BATCH_MESSAGES as u64));
    for size_bytes in SIZES_BYTES {
        let payload = vec![b'a'; size_bytes];
        for role in [Role::Server, Role::Client] {
            let mut connection = Connection::new(role, LIMITS);
            let name = format!("{role:?}");
            group.bench_with_input(
                BenchmarkId::new(name, size_bytes),
                &payload,
                |bencher, payload| {
                    bencher.iter(|| {
                        for _ in 0..BATCH_MESSAGES {
                            connection.send(MessageKind::Binary, payload);
                        }
                        black_box(connection.output()).clear();
                    });
                },
            );
        }
    }
    group.finish();
}

/// The header alone, beside tungstenite's parser, which checks less: why ours is our own.
fn header(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("header");
    let batch = frame::server_frame(MessageKind::Binary, &[]).repeat(BATCH_MESSAGES);
    group.throughput(Throughput::Elements(BATCH_MESSAGES as u64));
    let mut client = Connection::new(Role::Client, LIMITS);
    let mut buffer = batch.clone();
    group.bench_function("ours, with everything around it", |bencher| {
        bencher.iter(|| {
            let mut input = Input::new(black_box(&mut buffer));
            while let Ok(Some(event)) = client.poll(&mut input) {
                black_box(event);
            }
        });
    });
    group.bench_function("tungstenite's parser alone", |bencher| {
        bencher.iter(|| {
            let mut cursor = Cursor::new(black_box(&batch[..]));
            while let Ok(Some(header)) = FrameHeader::parse(&mut cursor) {
                black_box(header);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, mask, receive, send, header);
criterion_main!(benches);
