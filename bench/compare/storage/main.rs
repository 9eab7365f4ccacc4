//! `cargo xtask bench storage`: what a durable message costs, on a private Postgres and on SQLite.
//!
//! For each database, in turn and again in every round:
//! - *row by row*: one connection, one prepared single-row INSERT after the other, each its own commit: what a server
//!   does that thinks of nothing better;
//! - *append*: the same rows into the same table through the real [`Store`](ringwire_storage::Store), submitted over
//!   many conversations, so that batches form.
//!
//! Both are rated by the CPU of the threads that write and of all processes of the database. The thread that makes the
//! messages is not counted, but told, so that nobody has to believe that it did not hold up what is measured. Then come
//! fixed sizes of batches, and the latency at half of the highest rate with an open loop.

mod append;
mod contention;
mod cpu;
mod database;
mod machine;
mod messages;
mod report;
mod row_by_row;
mod ways;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use ringwire_storage::BatchLimits;

use append::{ClosedLoop, Limits};
use database::Database;
use messages::Messages;
use report::{
    Batch, Figures, HalfRate, Percentiles, Report, RowByRow, Through, WaysReport, median,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures what a durable message costs on Postgres and SQLite")]
struct Arguments {
    /// Databases to measure.
    #[arg(long, value_delimiter = ',', default_values = ["postgres", "sqlite"])]
    databases: Vec<String>,
    /// Rounds of row by row against append; medians count.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Length of one measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Sizes of batches, besides the default's.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 256, 4_096])]
    batches: Vec<usize>,
    /// Rounds over the sizes of batches.
    #[arg(long, default_value_t = 3)]
    batch_rounds: u32,
    /// Length of the open loop at half of the highest rate.
    #[arg(long, default_value_t = 8.0)]
    half_rate_s: f64,
    /// Instead of all that, compare the ways to write on Postgres; takes several minutes.
    #[arg(long)]
    ways: bool,
    /// Instead of all that, let two nodes meet in the same conversations on Postgres; `--ways` does so at its end.
    #[arg(long)]
    contention: bool,
    /// Numbers of writers to compare the ways with.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4])]
    writers: Vec<usize>,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut machine = machine::Machine::look();
    if arguments.ways || arguments.contention {
        let database = Database::start("postgres")?;
        let length = Duration::from_secs_f64(arguments.seconds);
        let sizes = (&*arguments.writers, &*arguments.batches);
        let ways = if arguments.ways {
            ways::compare(&database, sizes, arguments.rounds, length)?
        } else {
            Vec::new()
        };
        let contention = contention::compare(&database, arguments.rounds, length)?;
        machine.look_again();
        println!("{machine}");
        return write_report(&arguments, &WaysReport { machine, ways, contention });
    }
    let mut benches = Vec::new();
    for name in &arguments.databases {
        benches.push(Bench::new(name)?);
    }
    for _ in 0..arguments.rounds {
        for bench in &mut benches {
            bench.round(Duration::from_secs_f64(arguments.seconds))?;
        }
    }
    let mut sizes = arguments.batches.clone();
    sizes.push(BatchLimits::default().max_rows);
    sizes.sort_unstable();
    sizes.dedup();
    for bench in &mut benches {
        bench.batches = sizes.iter().map(|&size| (size, Vec::new())).collect();
    }
    for _ in 0..arguments.batch_rounds {
        for bench in &mut benches {
            bench.batch_round(Duration::from_secs_f64(arguments.seconds))?;
        }
    }
    let mut report = Report { machine, ..Report::default() };
    for bench in &mut benches {
        let figures = bench.finish(Duration::from_secs_f64(arguments.half_rate_s))?;
        figures.print(bench.database.name());
        match bench.database.name() {
            "postgres" => report.postgres = Some(figures),
            _ => report.sqlite = Some(figures),
        }
    }
    report.machine.look_again();
    println!("{}", report.machine);
    write_report(&arguments, &report)
}

fn write_report(arguments: &Arguments, report: &impl serde::Serialize) -> Result<()> {
    if let Some(path) = &arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(report)?)?;
    }
    Ok(())
}

/// One database with what was measured on it.
struct Bench {
    database: Database,
    messages: Messages,
    row_by_row: Vec<row_by_row::Measured>,
    append: Vec<ClosedLoop>,
    batches: Vec<(usize, Vec<ClosedLoop>)>,
    wal_bytes: u64,
    wal_rows: u64,
}

impl Bench {
    /// Rows that are there before anything is measured, so that nobody writes into an empty index.
    const PRELOADED: u64 = 200_000;

    fn new(name: &str) -> Result<Self> {
        let database = Database::start(name)?;
        let mut messages = Messages::new();
        append::preload(&database, &mut messages, Self::PRELOADED)?;
        Ok(Self {
            database,
            messages,
            row_by_row: Vec::new(),
            append: Vec::new(),
            batches: Vec::new(),
            wal_bytes: 0,
            wal_rows: 0,
        })
    }

    fn round(&mut self, length: Duration) -> Result<()> {
        self.row_by_row.push(row_by_row::measure(&self.database, &mut self.messages, length)?);
        let wal = self.database.wal_position()?;
        let rows = self.messages.made();
        let limits = Limits::default();
        self.append.push(append::closed_loop(&self.database, &mut self.messages, &limits, length)?);
        self.wal_bytes += self.database.wal_position()? - wal;
        self.wal_rows += self.messages.made() - rows;
        Ok(())
    }

    fn batch_round(&mut self, length: Duration) -> Result<()> {
        for (size, measured) in &mut self.batches {
            let limits = Limits::of_rows(*size);
            measured.push(append::closed_loop(
                &self.database,
                &mut self.messages,
                &limits,
                length,
            )?);
        }
        Ok(())
    }

    fn finish(&mut self, half_rate: Duration) -> Result<Figures> {
        let rows_per_s = median(self.append.iter().map(|m| m.rows_per_s));
        let half = append::open_loop(
            &self.database,
            &mut self.messages,
            &Limits::default(),
            rows_per_s / 2.0,
            half_rate,
        )?;
        let old_segments_left = self.database.old_segments_left()?;
        let row_by_row_per_cpu_s =
            median(self.row_by_row.iter().map(row_by_row::Measured::rows_per_cpu_s));
        let append_per_cpu_s = median(self.append.iter().map(ClosedLoop::rows_per_cpu_s));
        let ratios = self.row_by_row.iter().zip(&self.append);
        let batches = self.batches.iter().map(|(size, measured)| Batch {
            rows: *size,
            is_default: *size == BatchLimits::default().max_rows,
            rows_per_s: median(measured.iter().map(|m| m.rows_per_s)),
            rows_per_cpu_s: median(measured.iter().map(ClosedLoop::rows_per_cpu_s)),
            mean_rows: median(measured.iter().map(|m| m.mean_batch)),
            generator_cpu_share: median(measured.iter().map(|m| m.generator_cpu_share)),
            commit_ms: Percentiles::of_all(measured.iter().map(|m| &m.intervals)),
        });
        Ok(Figures {
            row_by_row_per_cpu_s,
            append_per_cpu_s,
            ratio: median(
                ratios.map(|(row, append)| append.rows_per_cpu_s() / row.rows_per_cpu_s()),
            ),
            row_by_row: RowByRow {
                rows_per_s: median(self.row_by_row.iter().map(|m| m.rows_per_s)),
                commit_ms: Percentiles::of_all(self.row_by_row.iter().map(|m| &m.latencies)),
            },
            append: Through {
                rows_per_s,
                mean_batch: median(self.append.iter().map(|m| m.mean_batch)),
                writer_cpu_us_per_row: median(
                    self.append.iter().map(ClosedLoop::writer_cpu_us_per_row),
                ),
                server_cpu_us_per_row: median(
                    self.append.iter().map(ClosedLoop::server_cpu_us_per_row),
                ),
                generator_cpu_share: median(self.append.iter().map(|m| m.generator_cpu_share)),
            },
            batches: batches.collect(),
            half_rate: HalfRate {
                rate_per_s: half.rate_per_s,
                mean_batch: half.mean_batch,
                ack_ms: Percentiles::of_all([&half.latencies]),
                generator_cpu_share: half.generator_cpu_share,
                generator_late_p99_ms: half.late_p99_ms,
                old_segments_left,
            },
            wal_bytes_per_message: match self.database {
                Database::Postgres(_) => self.wal_bytes as f64 / self.wal_rows as f64,
                Database::Sqlite(_) => {
                    let batch = median(self.append.iter().map(|m| m.mean_batch));
                    self.database.log_bytes_per_row(&mut self.messages, batch as usize)?
                }
            },
            table_bytes_per_message: self.database.table_bytes()? as f64
                / self.messages.made() as f64,
        })
    }
}
