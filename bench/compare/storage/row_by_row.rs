//! The yardstick: one connection, one prepared single-row INSERT after the other, each committed by itself.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use ringwire_protocol::UserId;
use ringwire_storage::append::Append;
use tokio_postgres::{Client, NoTls};

use crate::append::new_histogram;
use crate::cpu::seconds_of_this_thread;
use crate::database::Database;
use crate::messages::Messages;

/// Before anything counts.
const WARM_UP: Duration = Duration::from_millis(200);

/// One measurement.
pub(crate) struct Measured {
    pub(crate) rows_per_s: f64,
    cpu_us_per_row: f64,
    /// Of one commit, in microseconds.
    pub(crate) latencies: Histogram<u64>,
}

impl Measured {
    pub(crate) fn rows_per_cpu_s(&self) -> f64 {
        1e6 / self.cpu_us_per_row
    }
}

/// The client is the store's (tokio-postgres on a runtime of one thread, rusqlite), so that the way of writing makes
/// the whole difference. Making the messages happens on the same thread and costs it a fraction of a microsecond each.
pub(crate) fn measure(
    database: &Database,
    messages: &mut Messages,
    length: Duration,
) -> Result<Measured> {
    match database {
        Database::Postgres(server) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
                tokio::spawn(connection);
                let statement = client.prepare(INSERT_POSTGRES).await?;
                let mut timing = Timing::begin(database, length)?;
                while timing.goes_on()? {
                    insert_postgres(&client, &statement, &messages.next()).await?;
                }
                timing.end()
            })
        }
        Database::Sqlite(_) => {
            let connection = database.sqlite()?;
            let mut timing = Timing::begin(database, length)?;
            while timing.goes_on()? {
                insert_sqlite(&connection, &messages.next())?;
            }
            timing.end()
        }
    }
}

pub(crate) const INSERT_POSTGRES: &str = "INSERT INTO entries
        (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(crate) async fn insert_postgres(
    client: &Client,
    statement: &tokio_postgres::Statement,
    entry: &Append,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            statement,
            &[
                &entry.conversation_id.as_i64(),
                &(entry.seq as i64),
                &(entry.msg_no as i64),
                &entry.sender_id.map_or(0, UserId::as_i64),
                &entry.created_at,
                &&*entry.client_msg_id,
                &entry.command_hash,
                &&*entry.body,
            ],
        )
        .await?;
    Ok(())
}

pub(crate) fn insert_sqlite(connection: &rusqlite::Connection, entry: &Append) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
                 command_hash, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            entry.conversation_id.as_i64(),
            entry.seq as i64,
            entry.msg_no as i64,
            entry.sender_id.map_or(0, UserId::as_i64),
            entry.created_at,
            &*entry.client_msg_id,
            entry.command_hash,
            &*entry.body,
        ))?;
    Ok(())
}

/// Counts the rows between the end of the warm-up and the end, with the CPU they cost.
struct Timing<'a> {
    database: &'a Database,
    begun_at: Instant,
    length: Duration,
    counting: Option<(Instant, f64)>,
    last: Instant,
    latencies: Histogram<u64>,
}

impl<'a> Timing<'a> {
    fn begin(database: &'a Database, length: Duration) -> Result<Self> {
        let now = Instant::now();
        let latencies = new_histogram()?;
        Ok(Self { database, begun_at: now, length, counting: None, last: now, latencies })
    }

    /// Called before each row.
    fn goes_on(&mut self) -> Result<bool> {
        let now = Instant::now();
        let took = now.duration_since(std::mem::replace(&mut self.last, now));
        match self.counting {
            None if now.duration_since(self.begun_at) >= WARM_UP => {
                self.counting = Some((now, self.cpu_s()?));
                self.last = Instant::now();
            }
            None => {}
            Some((since, _)) => {
                self.latencies.saturating_record(took.as_micros() as u64);
                return Ok(now.duration_since(since) < self.length);
            }
        }
        Ok(true)
    }

    fn cpu_s(&self) -> Result<f64> {
        Ok(seconds_of_this_thread() + self.database.cpu_seconds()?)
    }

    fn end(self) -> Result<Measured> {
        let (since, cpu_s) = self.counting.unwrap_or((self.begun_at, 0.0));
        let rows = self.latencies.len() as f64;
        Ok(Measured {
            rows_per_s: rows / self.last.duration_since(since).as_secs_f64(),
            cpu_us_per_row: (self.cpu_s()? - cpu_s) * 1e6 / rows,
            latencies: self.latencies,
        })
    }
}
