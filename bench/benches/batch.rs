//! What a batch of entries costs on its way through the store's queue into an embedded database, and back: gathering,
//! one transaction, one commit with its fsync, the answers.
//!
//! The disk decides much of it, so compare sizes within a run: what a row costs falls with the size of its batch.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::append::{Append, Change, Completion, Outcome};
use ringwire_storage::{Database, Store, StoreConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An open store on a folder of its own, and what it answers.
struct Driven {
    store: Store,
    answers: Receiver<Vec<Completion>>,
    runtime: Runtime,
    seq: u64,
    _folder: TempDir,
}

impl Driven {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = StoreConfig::new(Database::Sqlite { dir: folder.path().to_owned() });
        let (sender, answers) = mpsc::channel();
        // Nobody listens any more when the benchmark has failed.
        let sink = Arc::new(move |_, completions| drop(sender.send(completions)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let store = runtime.block_on(Store::open(config, sink)).expect("a new database");
        Self { store, answers, runtime, seq: 0, _folder: folder }
    }

    /// Writes so many entries of one conversation.
    fn write(&mut self, rows: usize) {
        for _ in 0..rows {
            self.seq += 1;
            assert!(self.store.submit(entry(self.seq)).is_ok(), "the queue has room");
        }
        let mut committed = 0;
        while committed < rows {
            let answers = self.answers.recv().expect("the store is open");
            assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed));
            committed += answers.len();
        }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.shut_down(std::time::Duration::from_secs(5)));
    }
}

/// A message of 64 bytes, the next of its log.
fn entry(seq: u64) -> Append {
    Append {
        conversation_id: ConversationId::new(1).expect("an id"),
        seq,
        msg_no: seq,
        sender_id: UserId::new(1),
        created_at: 1_700_000_000_000,
        client_msg_id: format!("{seq:022}").into(),
        body: Bytes::from_static(&[b'm'; 70]),
        command_hash: 1,
        change: Change::None,
        check_base: false,
        head_confirmed_at: Instant::now(),
        origin: 0,
        token: seq,
        generation: 1,
    }
}

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(20);
    for rows in [1, 16, 256] {
        let mut driven = Driven::open();
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_with_input(BenchmarkId::new("SQLite", rows), &rows, |bencher, rows| {
            bencher.iter(|| driven.write(*rows));
        });
    }
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
