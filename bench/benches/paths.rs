//! What each hot path costs in time: frames, both encodings, a token, a mailbox, a conversation, an entry's frames,
//! fan-out, and a whole message through real shards.
//!
//! Reported per message or delivery. What a run uses up is made before it and does not count.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../paths/mod.rs"]
mod paths;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn hot_paths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path");
    for mut path in paths::all() {
        group.throughput(Throughput::Elements(path.messages));
        group.bench_function(path.name, |bencher| {
            bencher.iter_custom(|runs| {
                let mut spent = Duration::ZERO;
                for _ in 0..runs {
                    path.prepare();
                    let began = Instant::now();
                    path.run();
                    spent += began.elapsed();
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hot_paths);
criterion_main!(benches);
