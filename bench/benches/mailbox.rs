//! What a message through a shard's mailbox costs, and what the coalesced wake saves.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringwire_gateway::shard::mailbox::{Bounds, MailboxReceiver, MailboxSender, mailbox};

const BATCH: u64 = 256;

fn pair() -> (MailboxSender<u64>, MailboxReceiver<u64>) {
    mailbox(Bounds { shared: 1_024, reserved: 1_024, producers: 1 }).expect("descriptors are left")
}

/// Drains all; the sum proves that every value came through.
fn drained_sum(receiver: &mut MailboxReceiver<u64>) -> u64 {
    let mut sum = 0;
    receiver.acknowledge_wake();
    while receiver.drain(64, |value| sum += value) {}
    sum
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mailbox");

    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("one wake for a batch", |bencher| {
        let (sender, mut receiver) = pair();
        bencher.iter(|| {
            (0..BATCH).for_each(|value| sender.try_send(value).expect("there is room"));
            assert_eq!(drained_sum(&mut receiver), BATCH * (BATCH - 1) / 2);
        });
    });
    group.bench_function("reserved answers", |bencher| {
        let (sender, mut receiver) = pair();
        bencher.iter(|| {
            (0..BATCH).for_each(|value| sender.send_reserved(value));
            assert_eq!(drained_sum(&mut receiver), BATCH * (BATCH - 1) / 2);
        });
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("one wake for one message", |bencher| {
        let (sender, mut receiver) = pair();
        bencher.iter(|| {
            sender.try_send(7).expect("there is room");
            assert_eq!(drained_sum(&mut receiver), 7);
        });
    });
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
