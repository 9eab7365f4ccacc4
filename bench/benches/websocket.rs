//! What the WebSocket layer costs in memory: masked messages in, the same messages framed out.

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, MessageKind, Role};

const MESSAGES: usize = 16;
const LIMITS: Limits = Limits { max_message_bytes: 64 * 1_024 };

/// The bytes of `MESSAGES` masked messages, as one read might bring them.
fn burst(kind: MessageKind, payload: &[u8]) -> Vec<u8> {
    let mut client = Connection::new_client(1, LIMITS);
    for _ in 0..MESSAGES {
        client.send(kind, payload);
    }
    client.output().to_vec()
}

/// Echoes a burst; returns how many messages there were.
fn echo(machine: &mut Connection, bytes: &mut [u8], output: &mut BytesMut) -> usize {
    let mut input = Input::new(bytes);
    let mut count = 0;
    while let Some(event) = machine.poll(&mut input).expect("the peer keeps to the protocol") {
        if let Event::Message { kind, payload } = event {
            ringwire_protocol::websocket::frame::put_server_frame(kind, payload, output);
            count += 1;
        }
    }
    count
}

fn echoes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("websocket echo");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    for (name, kind) in [("binary", MessageKind::Binary), ("text", MessageKind::Text)] {
        for size_bytes in [64, 1_024] {
            let burst = burst(kind, &vec![b'x'; size_bytes]);
            group.bench_function(format!("{name} {size_bytes} B"), |bencher| {
                let mut machine = Connection::new(Role::Server, LIMITS);
                let mut output = BytesMut::with_capacity(burst.len());
                bencher.iter_batched_ref(
                    || burst.clone(),
                    |bytes| {
                        output.clear();
                        assert_eq!(echo(&mut machine, bytes, &mut output), MESSAGES);
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, echoes);
criterion_main!(benches);
