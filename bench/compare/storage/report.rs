//! The figures, as JSON and as a table.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::contention::Line;
use crate::machine::Machine;
use crate::ways::Cell;

#[derive(Default, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) postgres: Option<Figures>,
    pub(crate) sqlite: Option<Figures>,
}

/// What `--ways` and `--contention` measured.
#[derive(Serialize)]
pub(crate) struct WaysReport {
    pub(crate) machine: Machine,
    pub(crate) ways: Vec<Cell>,
    pub(crate) contention: Vec<Line>,
}

/// What was measured on one database. Rows are messages; CPU is that of the writing threads and of the database.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) row_by_row_per_cpu_s: f64,
    pub(crate) append_per_cpu_s: f64,
    /// Median of the rounds' ratios.
    pub(crate) ratio: f64,
    pub(crate) row_by_row: RowByRow,
    pub(crate) append: Through,
    pub(crate) batches: Vec<Batch>,
    pub(crate) half_rate: HalfRate,
    pub(crate) wal_bytes_per_message: f64,
    /// Table and indexes.
    pub(crate) table_bytes_per_message: f64,
}

#[derive(Serialize)]
pub(crate) struct RowByRow {
    pub(crate) rows_per_s: f64,
    pub(crate) commit_ms: Percentiles,
}

/// The store with its defaults.
#[derive(Serialize)]
pub(crate) struct Through {
    pub(crate) rows_per_s: f64,
    pub(crate) mean_batch: f64,
    pub(crate) writer_cpu_us_per_row: f64,
    pub(crate) server_cpu_us_per_row: f64,
    /// Of one core.
    pub(crate) generator_cpu_share: f64,
}

/// The store with batches of a fixed size.
#[derive(Serialize)]
pub(crate) struct Batch {
    #[serde(rename = "batch")]
    pub(crate) rows: usize,
    /// Whether that is the default bound.
    pub(crate) is_default: bool,
    pub(crate) mean_rows: f64,
    pub(crate) rows_per_s: f64,
    pub(crate) rows_per_cpu_s: f64,
    pub(crate) generator_cpu_share: f64,
    /// From one batch's answers to the next's of the same writer.
    pub(crate) commit_ms: Percentiles,
}

/// The store with its defaults at half of its highest rate, open loop.
#[derive(Serialize)]
pub(crate) struct HalfRate {
    pub(crate) rate_per_s: f64,
    pub(crate) mean_batch: f64,
    /// From the intended time to the answer.
    pub(crate) ack_ms: Percentiles,
    pub(crate) generator_cpu_share: f64,
    pub(crate) generator_late_p99_ms: f64,
    /// Of Postgres's log, afterwards. With none it has filled new ones with zeros meanwhile, which is not the store's tail.
    pub(crate) old_segments_left: Option<u64>,
}

#[derive(Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// How many values: with fewer than 1,000 the last percentile is the largest of them.
    pub(crate) count: u64,
}

impl Percentiles {
    /// Of several histograms of microseconds, taken together.
    pub(crate) fn of_all<'a>(histograms: impl IntoIterator<Item = &'a Histogram<u64>>) -> Self {
        let mut histograms = histograms.into_iter();
        let mut all = histograms
            .next()
            .cloned()
            .unwrap_or_else(|| Histogram::new(3).expect("three digits are allowed"));
        for histogram in histograms {
            all.add(histogram).expect("all have the same bounds");
        }
        let ms = |quantile| all.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999), count: all.len() }
    }
}

impl Figures {
    pub(crate) fn print(&self, database: &str) {
        let Self { row_by_row, append, half_rate, .. } = self;
        println!("\n{database}");
        println!(
            "  row by row {:>9.0} rows per CPU second ({:.0}/s, commit p50 {:.2} p99 {:.2} ms)",
            self.row_by_row_per_cpu_s,
            row_by_row.rows_per_s,
            row_by_row.commit_ms.p50,
            row_by_row.commit_ms.p99,
        );
        println!(
            "  append     {:>9.0} rows per CPU second ({:.0}/s, {:.0} a batch, CPU a row: \
             writer {:.2} us, database {:.2} us; generator {:.0} % of a core)",
            self.append_per_cpu_s,
            append.rows_per_s,
            append.mean_batch,
            append.writer_cpu_us_per_row,
            append.server_cpu_us_per_row,
            append.generator_cpu_share * 100.0,
        );
        println!("  ratio      {:>9.1}", self.ratio);
        println!("      batch    rows/s  per CPU s  commit p50     p99   p99.9 ms  generator");
        for batch in &self.batches {
            println!(
                "  {:>7}{} {:>9.0} {:>10.0} {:>11.2} {:>7.2} {:>8.2} {:>10.0} %",
                batch.rows,
                if batch.is_default { "*" } else { " " },
                batch.rows_per_s,
                batch.rows_per_cpu_s,
                batch.commit_ms.p50,
                batch.commit_ms.p99,
                batch.commit_ms.p999,
                batch.generator_cpu_share * 100.0,
            );
        }
        println!(
            "  half rate {:.0}/s: {:.0} a batch, ack p50 {:.2} p99 {:.2} p99.9 {:.2} ms (generator late p99 {:.2} ms, \
             {:.0} % of a core)",
            half_rate.rate_per_s,
            half_rate.mean_batch,
            half_rate.ack_ms.p50,
            half_rate.ack_ms.p99,
            half_rate.ack_ms.p999,
            half_rate.generator_late_p99_ms,
            half_rate.generator_cpu_share * 100.0,
        );
        if half_rate.old_segments_left == Some(0) {
            println!(
                "  THE LOG RAN OUT OF OLD SEGMENTS: the latencies at half rate are no evidence"
            );
        }
        println!(
            "  bytes a message: log {:.0}, table and indexes {:.0}",
            self.wal_bytes_per_message, self.table_bytes_per_message
        );
    }
}

/// The middle value; of none, not a number.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
