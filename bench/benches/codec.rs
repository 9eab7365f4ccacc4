//! What a chat message costs to encode and to decode, in both encodings.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{Command, Message, Send, command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn chat_message() -> Command {
    let message = Message { text: "x".repeat(64), ..Message::default() };
    let send = Send {
        conversation_id: 1 << 40,
        client_msg_id: "m-0123456789".into(),
        message: Some(message),
        ..Send::default()
    };
    Command { id: 7, op: Some(command::Op::Send(send)), ..Command::default() }
}

fn encodings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    let command = chat_message();
    for (name, encoding) in [("protobuf", Encoding::Protobuf), ("json", Encoding::Json)] {
        group.bench_function(format!("encode {name}"), |bencher| {
            let mut payload = BytesMut::with_capacity(1_024);
            bencher.iter(|| {
                payload.clear();
                encoding.encode(black_box(&command), &mut payload);
            });
        });
        let payload = encoding.encode_one(&command);
        let decoded: Vec<_> = encoding.decode::<Command>(&payload).collect();
        assert_eq!(decoded, [Ok(command.clone())]);
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| encoding.decode::<Command>(black_box(&payload)).next());
        });
    }
    group.finish();
}

criterion_group!(benches, encodings);
criterion_main!(benches);
