//! What it costs to seal the body of an entry for the database, and to open it again.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::encryption::{ActiveKey, BodyKeys, Place, new_key_line};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn bodies(criterion: &mut Criterion) {
    let line = new_key_line(1).expect("random bytes");
    let keys = BodyKeys::parse(&line, ActiveKey::Highest).expect("a line of a key");
    let place = Place {
        conversation_id: ConversationId::new(77).expect("an id"),
        seq: 1_000_000,
        sender_id: UserId::new(5),
        body_version: 0,
    };
    let mut group = criterion.benchmark_group("body");
    for bytes in [64, 1024] {
        let body = Bytes::from(vec![7; bytes]);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("seal {bytes}"), |bencher| {
            bencher.iter(|| keys.seal(black_box(&place), &body).map(|stored| stored.body.len()));
        });
        let stored = keys.seal(&place, &body).expect("sealed");
        assert_eq!(keys.open(&place, stored.key_id, &stored.body), Ok(body));
        group.bench_function(format!("open {bytes}"), |bencher| {
            bencher.iter(|| keys.open(black_box(&place), stored.key_id, &stored.body));
        });
    }
    group.finish();
}

criterion_group!(benches, bodies);
criterion_main!(benches);
