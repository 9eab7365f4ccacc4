//! `--ways`: the ways to bring a set of rows into Postgres in one transaction, side by side.
//!
//! Each writer is a thread with a connection and conversations of its own, and writes one set after the other. What is
//! timed is what a writer of the store does too: from the sorted entries to the server's word that they are committed.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::future::{LocalBoxFuture, join_all, try_join};
use futures_util::{SinkExt as _, pin_mut};
use hdrhistogram::Histogram;
use ringwire_protocol::UserId;
use ringwire_storage::append::Append;
use serde::Serialize;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

use crate::append::new_histogram;
use crate::cpu::seconds_of_threads;
use crate::database::{Database, PostgresServer};
use crate::messages::Messages;
use crate::report::{Percentiles, median};
use crate::row_by_row::{INSERT_POSTGRES, insert_postgres};

const COLUMNS: [Type; 8] = [
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::BYTEA,
];

const COPY: &str = "COPY entries
    (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
    FROM STDIN (FORMAT binary)";

const UNNEST: &str = "INSERT INTO entries
        (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
    SELECT * FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::text[], $7::int8[],
            $8::bytea[])
        AS u (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)";

/// How a set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// `INSERT … SELECT … FROM UNNEST(arrays)`, in the order given.
    Unnest,
    /// The same with `ORDER BY conversation_id, seq`.
    UnnestSorted,
    /// Binary COPY, written by tokio-postgres.
    CopyLibrary,
    /// Binary COPY, written into one buffer.
    Copy,
    /// `BEGIN`, single-row statements, `COMMIT`, sent without waiting in between.
    Pipelined,
}

impl Way {
    const ALL: [Self; 5] =
        [Self::Unnest, Self::UnnestSorted, Self::CopyLibrary, Self::Copy, Self::Pipelined];
}

/// One cell of the table.
#[derive(Serialize)]
pub(crate) struct Cell {
    way: Way,
    writers: usize,
    batch: usize,
    rows_per_s: f64,
    rows_per_cpu_s: f64,
    commit_ms: Percentiles,
}

/// Every way with every number of writers and size of batch, `rounds` times in turn.
pub(crate) fn compare(
    database: &Database,
    (writers, batches): (&[usize], &[usize]),
    rounds: u32,
    length: Duration,
) -> Result<Vec<Cell>> {
    let Database::Postgres(server) = database else { return Ok(Vec::new()) };
    let mut cells = Vec::new();
    println!("\nways                writers  batch    rows/s  per CPU s  commit p50     p99 ms");
    for &writers in writers {
        let mut messages: Vec<_> = (1..=writers as u64).map(Messages::apart).collect();
        for &batch in batches {
            // Each cell begins with the same small table.
            server.execute("TRUNCATE entries")?;
            let mut measured: Vec<(Way, Vec<Measured>)> =
                Way::ALL.iter().map(|&way| (way, Vec::new())).collect();
            for _ in 0..rounds {
                for (way, measured) in &mut measured {
                    measured.push(measure(server, database, *way, batch, &mut messages, length)?);
                }
            }
            for (way, measured) in measured {
                let cell = Cell {
                    way,
                    writers,
                    batch,
                    rows_per_s: median(measured.iter().map(|m| m.rows_per_s)),
                    rows_per_cpu_s: median(measured.iter().map(|m| m.rows_per_cpu_s)),
                    commit_ms: Percentiles::of_all(measured.iter().map(|m| &m.latencies)),
                };
                println!(
                    "{:<20} {:>6} {:>6} {:>9.0} {:>10.0} {:>11.2} {:>7.2}",
                    format!("{way:?}"),
                    writers,
                    batch,
                    cell.rows_per_s,
                    cell.rows_per_cpu_s,
                    cell.commit_ms.p50,
                    cell.commit_ms.p99
                );
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

struct Measured {
    rows_per_s: f64,
    rows_per_cpu_s: f64,
    latencies: Histogram<u64>,
}

fn measure(
    server: &PostgresServer,
    database: &Database,
    way: Way,
    batch: usize,
    messages: &mut [Messages],
    length: Duration,
) -> Result<Measured> {
    let (ready, over) = (Barrier::new(messages.len() + 1), AtomicBool::new(false));
    let finished = Barrier::new(messages.len() + 1);
    let url = server.url();
    let (ready, over, finished, url) = (&ready, &over, &finished, &*url);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for messages in messages {
            let write = move || -> Result<(usize, Histogram<u64>)> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let session = runtime.block_on(Session::open(url));
                ready.wait();
                let result = session.and_then(|session| {
                    runtime.block_on(session.write(way, batch, messages, over))
                });
                // The thread's CPU time can be read until it ends.
                finished.wait();
                finished.wait();
                result
            };
            threads.push(thread::Builder::new().name("way".to_owned()).spawn_scoped(scope, write)?);
        }
        ready.wait();
        let begun = Instant::now();
        let cpu_s = seconds_of_threads("way")? + database.cpu_seconds()?;
        thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        finished.wait();
        let seconds = begun.elapsed().as_secs_f64();
        let cpu_s = seconds_of_threads("way")? + database.cpu_seconds()? - cpu_s;
        finished.wait();
        let mut rows = 0;
        let mut latencies = new_histogram()?;
        for thread in threads {
            let (written, of_writer) = thread.join().ok().context("a writer panicked")??;
            rows += written;
            latencies.add(of_writer)?;
        }
        Ok(Measured {
            rows_per_s: rows as f64 / seconds,
            rows_per_cpu_s: rows as f64 / cpu_s,
            latencies,
        })
    })
}

/// A writer's connection.
struct Session {
    client: Client,
    unnest: Statement,
    unnest_sorted: Statement,
    insert: Statement,
    copy: Statement,
}

impl Session {
    async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
        Ok(Self {
            unnest: client.prepare(UNNEST).await?,
            unnest_sorted: client
                .prepare(&format!("{UNNEST} ORDER BY u.conversation_id, u.seq"))
                .await?,
            insert: client.prepare(INSERT_POSTGRES).await?,
            copy: client.prepare(COPY).await?,
            client,
        })
    }

    async fn write(
        &self,
        way: Way,
        batch: usize,
        messages: &mut Messages,
        over: &AtomicBool,
    ) -> Result<(usize, Histogram<u64>)> {
        let mut latencies = new_histogram()?;
        let mut rows = 0;
        while !over.load(Ordering::Relaxed) {
            let mut entries: Vec<_> = (0..batch).map(|_| messages.next()).collect();
            entries.sort_by_key(|entry| entry.conversation_id);
            let begun = Instant::now();
            match way {
                Way::Unnest => self.unnest(&self.unnest, &entries).await?,
                Way::UnnestSorted => self.unnest(&self.unnest_sorted, &entries).await?,
                Way::CopyLibrary => self.copy_by_library(&entries).await?,
                Way::Copy => self.copy(&entries).await?,
                Way::Pipelined => self.pipeline(&entries).await?,
            }
            latencies.saturating_record(begun.elapsed().as_micros() as u64);
            rows += batch;
        }
        Ok((rows, latencies))
    }

    async fn unnest(&self, statement: &Statement, entries: &[Append]) -> Result<()> {
        let conversations: Vec<i64> = entries.iter().map(|e| e.conversation_id.as_i64()).collect();
        let seqs: Vec<i64> = entries.iter().map(|e| e.seq as i64).collect();
        let msg_nos: Vec<i64> = entries.iter().map(|e| e.msg_no as i64).collect();
        let senders: Vec<i64> = entries.iter().map(sender).collect();
        let times: Vec<i64> = entries.iter().map(|e| e.created_at).collect();
        let ids: Vec<&str> = entries.iter().map(|e| &*e.client_msg_id).collect();
        let hashes: Vec<i64> = entries.iter().map(|e| e.command_hash).collect();
        let bodies: Vec<&[u8]> = entries.iter().map(|e| &*e.body).collect();
        self.client
            .execute(
                statement,
                &[&conversations, &seqs, &msg_nos, &senders, &times, &ids, &hashes, &bodies],
            )
            .await?;
        Ok(())
    }

    /// COPY in a transaction of its own: the driver reports its end before an implicit one has committed.
    async fn copy_by_library(&self, entries: &[Append]) -> Result<()> {
        let begin = self.client.batch_execute("BEGIN");
        let ((), sink) = try_join(begin, self.client.copy_in(&self.copy)).await?;
        let writer = BinaryCopyInWriter::new(sink, &COLUMNS);
        pin_mut!(writer);
        for entry in entries {
            writer
                .as_mut()
                .write(&[
                    &entry.conversation_id.as_i64(),
                    &(entry.seq as i64),
                    &(entry.msg_no as i64),
                    &sender(entry),
                    &entry.created_at,
                    &&*entry.client_msg_id,
                    &entry.command_hash,
                    &&*entry.body,
                ])
                .await?;
        }
        let commit = self.client.batch_execute("COMMIT");
        try_join(writer.finish(), commit).await?;
        Ok(())
    }

    async fn copy(&self, entries: &[Append]) -> Result<()> {
        let begin = self.client.batch_execute("BEGIN");
        let ((), sink) = try_join(begin, self.client.copy_in(&self.copy)).await?;
        pin_mut!(sink);
        sink.send(encode(entries)).await?;
        try_join(sink.finish(), self.client.batch_execute("COMMIT")).await?;
        Ok(())
    }

    async fn pipeline(&self, entries: &[Append]) -> Result<()> {
        if let [entry] = entries {
            return Ok(insert_postgres(&self.client, &self.insert, entry).await?);
        }
        // Polled, and so sent, in this order.
        let mut steps: Vec<LocalBoxFuture<'_, Result<(), tokio_postgres::Error>>> =
            vec![Box::pin(self.client.batch_execute("BEGIN"))];
        for entry in entries {
            steps.push(Box::pin(insert_postgres(&self.client, &self.insert, entry)));
        }
        steps.push(Box::pin(self.client.batch_execute("COMMIT")));
        for result in join_all(steps).await {
            result?;
        }
        Ok(())
    }
}

fn sender(entry: &Append) -> i64 {
    entry.sender_id.map_or(0, UserId::as_i64)
}

/// The whole of a binary COPY: header, tuples, trailer.
fn encode(entries: &[Append]) -> Bytes {
    let mut buffer = BytesMut::with_capacity(entries.len() * 256);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    buffer.put_u32(0);
    buffer.put_u32(0);
    for entry in entries {
        let number = |buffer: &mut BytesMut, value: i64| {
            buffer.put_u32(8);
            buffer.put_i64(value);
        };
        buffer.put_u16(8);
        number(&mut buffer, entry.conversation_id.as_i64());
        number(&mut buffer, entry.seq as i64);
        number(&mut buffer, entry.msg_no as i64);
        number(&mut buffer, sender(entry));
        number(&mut buffer, entry.created_at);
        buffer.put_u32(entry.client_msg_id.len() as u32);
        buffer.put_slice(entry.client_msg_id.as_bytes());
        number(&mut buffer, entry.command_hash);
        buffer.put_u32(entry.body.len() as u32);
        buffer.put_slice(&entry.body);
    }
    buffer.put_i16(-1);
    buffer.freeze()
}
