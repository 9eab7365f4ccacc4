//! The forms of a report that other programs read.
//!
//! ```text
//!   .hgrm          latency by percentile, as the tools of HdrHistogram print and plot it
//!   interval log   one histogram per interval, as HistogramLogProcessor reads it
//!   CSV            one line per interval
//! ```

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::latency::Packed;
use crate::report::Report;

/// How finely `.hgrm` goes through the percentiles: lines for each halving of what is left to 100 %.
const TICKS_PER_HALF: u32 = 5;
const US_PER_MS: f64 = 1000.0;

/// Latency by percentile of one kind, in milliseconds, as HdrHistogram's tools print it.
pub fn hgrm(latency: &Packed) -> String {
    let histogram = latency.unpacked();
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut seen = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        seen += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to() as f64 / US_PER_MS;
        // Writing to a String cannot fail.
        let _ = if quantile < 1.0 {
            writeln!(text, "{value:12.3} {quantile:2.12} {seen:10} {:14.2}", 1.0 / (1.0 - quantile))
        } else {
            writeln!(text, "{value:12.3} {quantile:2.12} {seen:10}")
        };
    }
    let _ = writeln!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n#[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.mean() / US_PER_MS,
        histogram.stdev() / US_PER_MS,
        histogram.max() as f64 / US_PER_MS,
        histogram.len(),
        histogram.buckets(),
        histogram.distinct_values(),
    );
    text
}

/// One histogram in microseconds per interval and kind, tagged `ack` and `deliver`.
pub fn interval_log(report: &Report) -> io::Result<Vec<u8>> {
    let started_at = UNIX_EPOCH + Duration::from_secs_f64(report.started_at_s.max(0.0));
    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment(&format!("[Histogram log format version 1.3] {}", report.scenario))
        .with_start_time(started_at)
        .with_base_time(started_at)
        .with_max_value_divisor(US_PER_MS)
        .begin_log_with(&mut log, &mut serializer)?;
    for interval in report.intervals.iter().filter(|interval| interval.at_s > 0.0) {
        let begin = Duration::from_secs_f64((interval.at_s - interval.seconds).max(0.0));
        let length = Duration::from_secs_f64(interval.seconds.max(0.0));
        for (name, latency) in [("ack", &interval.ack), ("deliver", &interval.deliver)] {
            writer
                .write_histogram(&latency.unpacked(), begin, length, Tag::new(name))
                .map_err(|error| io::Error::other(error.to_string()))?;
        }
    }
    drop(writer);
    Ok(log)
}

/// One line per interval. Rates are per second, latencies in milliseconds; what is not known is empty.
pub fn csv(report: &Report) -> String {
    let mut text = "at_s,seconds,users,offered_per_s,sent_per_s,acked_per_s,delivered_per_s,refused,errors,late_sends,\
                    reconnects,ack_p50_ms,ack_p99_ms,ack_p999_ms,ack_max_ms,deliver_p50_ms,deliver_p99_ms,\
                    deliver_p999_ms,deliver_max_ms,server_cores,server_resident_bytes\n"
        .to_owned();
    for interval in &report.intervals {
        let counts = &interval.counts;
        let seconds = interval.seconds.max(0.001);
        let _ = write!(text, "{:.3},{:.3},{}", interval.at_s, interval.seconds, interval.live);
        for count in [counts.offered, counts.sent, counts.acked, counts.delivered] {
            let _ = write!(text, ",{:.1}", count as f64 / seconds);
        }
        for count in [counts.refused, counts.errors, counts.late_sends, counts.reconnects] {
            let _ = write!(text, ",{count}");
        }
        for latency in [&interval.ack, &interval.deliver] {
            for quantile in [0.5, 0.99, 0.999, 1.0] {
                text.push(',');
                if let Some(value) = latency.quantile_ms(quantile) {
                    let _ = write!(text, "{value:.3}");
                }
            }
        }
        let cores = interval.server_cpu_s.map(|cpu_s| format!("{:.3}", cpu_s / seconds));
        let memory = interval.server_resident_bytes.map(|bytes| bytes.to_string());
        let _ = writeln!(text, ",{},{}", cores.unwrap_or_default(), memory.unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::report::sample_report;

    #[test]
    fn hgrm_goes_from_the_least_to_all() {
        let report = sample_report(1.0);
        let text = hgrm(&report.histograms.ack);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .take_while(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|word| word.parse().unwrap()).collect())
            .collect();
        assert!(rows.len() > 10, "{text}");
        assert!(
            rows.is_sorted_by(|one, two| one[0] <= two[0] && one[1] <= two[1] && one[2] <= two[2]),
            "{text}"
        );
        let last = rows.last().unwrap();
        assert!((last[1] - 1.0).abs() < 1e-9);
        assert_eq!(last[2] as u64, report.histograms.ack.count());
        assert!(text.contains("Total count"));
        assert!(hgrm(&Packed::default()).contains("Total count    =            0"));
    }

    #[test]
    fn the_interval_log_reads_back_as_the_intervals() {
        use base64::Engine as _;
        let report = sample_report(1.0);
        let log = interval_log(&report).unwrap();
        let mut read = 0;
        for entry in IntervalLogIterator::new(&log) {
            let LogEntry::Interval(entry) = entry.unwrap() else { continue };
            let interval = &report.intervals[1 + read / 2];
            let expected = if read % 2 == 0 { &interval.ack } else { &interval.deliver };
            assert_eq!(
                entry.tag().unwrap().as_str(),
                if read % 2 == 0 { "ack" } else { "deliver" }
            );
            assert_eq!(entry.start_timestamp(), Duration::from_secs(read as u64 / 2));
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(entry.encoded_histogram())
                .unwrap();
            let histogram: Histogram<u64> =
                Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
            assert_eq!(histogram, expected.unpacked());
            read += 1;
        }
        assert_eq!(read, (report.intervals.len() - 1) * 2);
    }

    #[test]
    fn csv_has_one_complete_line_per_interval() {
        let report = sample_report(1.0);
        let text = csv(&report);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), report.intervals.len() + 1);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
        let column = |name| lines[0].iter().position(|&column| column == name).unwrap();
        assert_eq!(lines[2][column("acked_per_s")], "100.0");
        assert_eq!(lines[1][column("ack_p50_ms")], "");
        assert_eq!(lines[2][column("server_cores")], "0.500");
    }
}
