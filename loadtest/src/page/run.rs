//! The page of one run.

use super::frame::{escape, facts, list, number, page as frame, section, table};
use super::plot::{Axis, MAX_SERIES, Plot, Series};
use crate::latency::{Packed, Percentiles};
use crate::report::{Report, mebibytes};
use crate::series::Interval;
use crate::threshold::Verdict;
use crate::verify::Level;

const PLOT_HEIGHT: f64 = 300.0;
const SMALL_PLOT_HEIGHT: f64 = 210.0;
/// Points of a curve by percentile, for each tenfold of what is left to 100 %.
const POINTS_PER_NINE: u32 = 20;

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut body = head(report);
    body += &tiles(report);
    body += &section("Why it is no pass", &list(&report.reasons));
    body += &section("What the ledgers found", &list(&report.findings));
    body += &section("Latency by percentile", &percentiles(report));
    body += &section("Latency", &latencies(report));
    body += &section("Latency over time", &latency_over_time(report));
    body += &section("Messages over time", &rates_over_time(report));
    body += &section("Connected users over time", &users_over_time(report));
    if report.intervals.iter().any(|interval| interval.server_cpu_s.is_some()) {
        body += &section("Server: processors in use over time", &processors_over_time(report));
        body += &section("Server: memory over time", &memory_over_time(report));
    }
    body += &section("Counts", &counts(report));
    body += &section("Run", &about(report));
    body += &section("Configuration", &configuration(report));
    body += "<footer>Latency counts from the moment a send was due, not from when it was written: what waits behind a slow \
             answer waits in these figures too. What was due in the warm-up (shaded) is left out.</footer>\n";
    frame(&report.scenario, &body)
}

fn head(report: &Report) -> String {
    let class = match report.verdict {
        Verdict::Pass => "good",
        Verdict::Fail => "bad",
        Verdict::InsufficientEvidence => "weak",
    };
    let verdict = report.verdict.name().replace('_', " ");
    format!(
        "<h1>{}<span class=\"verdict {class}\">{verdict}</span></h1>\n<p class=\"sub\">{} users · {} for {} s · {}</p>\n",
        escape(&report.scenario),
        report.users,
        escape(&format!("{}/s", number(report.offered_per_s))),
        number(report.duration_s),
        escape(&report.url),
    )
}

fn tiles(report: &Report) -> String {
    let broken = report.lost
        + report.duplicated
        + report.reordered
        + report.unexpected
        + report.gaps
        + report.diverging
        + report.phantom_acks
        + report.unpushed;
    let seconds = report.duration_s.max(0.001);
    let ms = |figures: &Percentiles, figure: f64| match figures.count {
        0 => "–".to_owned(),
        _ => format!("{} ms", number(figure)),
    };
    let (ack, deliver) = (&report.ack_ms, &report.deliver_ms);
    let mut tiles = vec![
        (number(report.delivered_meanwhile() as f64 / seconds), "delivered per second".to_owned()),
        (ms(deliver, deliver.p50), "deliver p50".to_owned()),
        (ms(deliver, deliver.p99), "deliver p99".to_owned()),
        (ms(deliver, deliver.p999), "deliver p99.9".to_owned()),
        (ms(ack, ack.p99), "ack p99".to_owned()),
        (number(broken as f64), "broken promises".to_owned()),
    ];
    if let Some(server) = &report.server {
        let per_cpu_s = report.delivered_meanwhile() as f64 / server.cpu_s.max(0.001);
        tiles.push((number(per_cpu_s), "deliveries per CPU-second".to_owned()));
    }
    let tiles = tiles.iter().map(|(value, name)| {
        format!("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escape(value), escape(name))
    });
    format!("<div class=\"tiles\">\n{}</div>\n", tiles.collect::<String>())
}

/// What a kind of latency is from and to.
fn kind(name: &str) -> &'static str {
    match name {
        "ack" => "send → acknowledged",
        "deliver" => "send → delivered",
        "connect" => "connection due → user known",
        "recover" => "cut off → caught up",
        "bystander" => "send → acknowledged, of those who stayed meanwhile",
        _ => "history due → read",
    }
}

/// Of every kind that was recorded, as far as there are colours.
fn percentiles(report: &Report) -> String {
    let recorded = report.histograms.recorded();
    let records: Vec<_> = recorded
        .into_iter()
        .take(MAX_SERIES)
        .map(|(name, record)| (kind(name).to_owned(), record.clone()))
        .collect();
    if records.is_empty() { String::new() } else { by_percentile(&records) }
}

/// Curves of latency by percentile: a straight line is an exponential tail, a step is a stall.
pub(super) fn by_percentile(records: &[(String, Packed)]) -> String {
    let most = records.iter().map(|(_, record)| record.count()).max().unwrap_or(0);
    // Up to the share of the longest single one.
    let nines = (most.max(10) as f64).log10();
    let steps = (nines * f64::from(POINTS_PER_NINE)).ceil() as u32;
    let shares: Vec<f64> = (0..=steps)
        .map(|step| 1.0 - 10_f64.powf(-f64::from(step) / f64::from(POINTS_PER_NINE)))
        .collect();
    let series = records.iter().map(|(name, record)| Series {
        name: name.clone(),
        points: shares.iter().map(|&share| (share, record.quantile_ms(share))).collect(),
    });
    Plot {
        x: Axis::Percentile,
        y: Axis::Logarithmic,
        x_name: "percentile",
        y_unit: "ms",
        height: PLOT_HEIGHT,
        series: series.collect(),
        shade: None,
        limit: None,
    }
    .draw()
}

fn latencies(report: &Report) -> String {
    let row = |name: &str, figures: &Percentiles| {
        let values =
            [figures.p50, figures.p90, figures.p99, figures.p999, figures.max, figures.mean];
        let values = values.iter().map(|&value| number(value));
        [name.to_owned()].into_iter().chain(values).chain([number(figures.count as f64)]).collect()
    };
    let all = [
        ("ack", &report.ack_ms),
        ("deliver", &report.deliver_ms),
        ("connect", &report.connect_ms),
        ("recover", &report.recover_ms),
        ("bystander", &report.bystander_ms),
        ("history", &report.history_ms),
    ];
    let measured = all.iter().filter(|(_, figures)| figures.count > 0);
    let rows: Vec<Vec<String>> = measured.map(|(name, figures)| row(kind(name), figures)).collect();
    table(&["ms", "p50", "p90", "p99", "p99.9", "max", "mean", "count"], &rows)
}

/// A plot over the time of the run. `shade`: the warm-up does not count.
fn over_time(
    report: &Report,
    y: Axis,
    y_unit: &'static str,
    height: f64,
    curves: &[Curve<'_>],
) -> Plot {
    let series = curves.iter().map(|(name, value)| Series {
        name: (*name).to_owned(),
        points: report.intervals.iter().map(|interval| (interval.at_s, value(interval))).collect(),
    });
    Plot {
        x: Axis::Linear,
        y,
        x_name: "seconds after the first send",
        y_unit,
        height,
        series: series.collect(),
        shade: Some((0.0, report.warmup_s)).filter(|_| report.warmup_s > 0.0),
        limit: None,
    }
}

/// A name, and what of an interval it stands for.
type Curve<'a> = (&'static str, &'a dyn Fn(&Interval) -> Option<f64>);

fn latency_over_time(report: &Report) -> String {
    if report.ack_ms.count + report.deliver_ms.count == 0 {
        return String::new();
    }
    let mut plot = over_time(
        report,
        Axis::Logarithmic,
        "ms",
        PLOT_HEIGHT,
        &[
            ("deliver p50", &|interval| interval.deliver.quantile_ms(0.5)),
            ("deliver p99", &|interval| interval.deliver.quantile_ms(0.99)),
            ("deliver max", &|interval| interval.deliver.quantile_ms(1.0)),
            ("ack p50", &|interval| interval.ack.quantile_ms(0.5)),
            ("ack p99", &|interval| interval.ack.quantile_ms(0.99)),
        ],
    );
    plot.limit = report.configuration.thresholds.deliver_p99_ms;
    plot.draw()
}

fn rates_over_time(report: &Report) -> String {
    fn rate(count: u64, interval: &Interval) -> f64 {
        count as f64 / interval.seconds.max(0.001)
    }
    over_time(
        report,
        Axis::Linear,
        "per second",
        PLOT_HEIGHT,
        &[
            ("offered", &|interval| Some(rate(interval.counts.offered, interval))),
            ("acknowledged", &|interval| Some(rate(interval.counts.acked, interval))),
            ("delivered", &|interval| Some(rate(interval.counts.delivered, interval))),
            ("late sends", &|interval| Some(rate(interval.counts.late_sends, interval))),
            ("errors", &|interval| Some(rate(interval.counts.errors, interval))),
        ],
    )
    .draw()
}

fn users_over_time(report: &Report) -> String {
    over_time(
        report,
        Axis::Linear,
        "users",
        SMALL_PLOT_HEIGHT,
        &[("connected", &|interval| Some(interval.live as f64))],
    )
    .draw()
}

fn processors_over_time(report: &Report) -> String {
    over_time(
        report,
        Axis::Linear,
        "processors",
        SMALL_PLOT_HEIGHT,
        &[("server", &|interval| Some(interval.server_cpu_s? / interval.seconds.max(0.001)))],
    )
    .draw()
}

fn memory_over_time(report: &Report) -> String {
    over_time(
        report,
        Axis::Linear,
        "MiB",
        SMALL_PLOT_HEIGHT,
        &[("server", &|interval| interval.server_resident_bytes.map(mebibytes))],
    )
    .draw()
}

fn counts(report: &Report) -> String {
    let row = |name: &str, count: u64| vec![escape(name), number(count as f64)];
    let mut rows = vec![
        row("offered", report.offered),
        row("sent", report.sent),
        row("acknowledged", report.acked),
        row("delivered", report.delivered),
        row("refused", report.refused),
        row("unanswered", report.unanswered),
        row("late sends (over 10 ms)", report.late_sends),
        row("reconnects", report.reconnects),
        row("connections ended on purpose", report.cuts),
        row("lost", report.lost),
        row("duplicated", report.duplicated),
        row("reordered", report.reordered),
        row("unexpected", report.unexpected),
        row("gaps", report.gaps),
        row("diverging", report.diverging),
        row("phantom acks", report.phantom_acks),
        row("unpushed", report.unpushed),
    ];
    rows.extend(report.errors.iter().map(|(name, &count)| row(&format!("error: {name}"), count)));
    table(&["what", "count"], &rows)
}

fn about(report: &Report) -> String {
    let machine = &report.machine;
    let server = report.server.as_ref();
    let unmeasured = || {
        let reason = report.server_unmeasured.as_ref();
        reason.map_or(String::new(), |reason| format!("not measured: {reason}"))
    };
    let mut pairs = vec![
        ("Server", report.url.clone()),
        ("Protocol", report.spoken().to_owned()),
        ("A send is acknowledged by", report.acks.meaning().to_owned()),
        (
            "What the server used",
            server.map_or_else(unmeasured, |server| {
                format!(
                    "{} CPU s from the first send to the last; memory {} MiB before, {} MiB after ({})",
                    number(server.cpu_s),
                    number(mebibytes(server.resident_bytes_before)),
                    number(mebibytes(server.resident_bytes_after)),
                    server.source
                )
            }),
        ),
        (
            "Generator",
            format!(
                "{} {} · {} process(es) · {} CPU s · {} · stood still {} ms at most",
                machine.version,
                machine.commit,
                report.processes,
                number(report.generator_cpu_s),
                lateness(report),
                number(report.standstill_ms)
            ),
        ),
        (
            "Machine",
            format!(
                "{} · {} processors · {} MiB · {} · load before {}",
                machine.processor,
                machine.cores,
                number(mebibytes(machine.memory_bytes)),
                machine.kernel,
                number(machine.load_percent as f64 / 100.0)
            ),
        ),
        ("Started", format!("{:.0} s of Unix time", report.started_at_s)),
        ("Verification", verification(report)),
    ];
    pairs.extend(report.labels.iter().map(|(key, value)| (key.as_str(), value.clone())));
    facts(&pairs)
}

/// Where nothing was due, nothing was late.
fn lateness(report: &Report) -> String {
    if report.offered == 0 {
        return "no sends".to_owned();
    }
    let slip = report.send_slip_ms;
    format!("own lateness p99 {} ms, max {} ms", number(slip.p99), number(slip.max))
}

fn verification(report: &Report) -> String {
    let level = match report.verified {
        Level::Ledger => "every send and every arrival",
        Level::Counters => "every send, and hashes of what arrived",
        Level::Off => return "none: messages were only counted".to_owned(),
    };
    let share = match report.verified_one_in {
        0 | 1 => String::new(),
        many => format!(" of one conversation in {many}"),
    };
    let log = if report.log_verified { "read back and compared" } else { "not read back" };
    format!("{level}{share}; the server's log was {log}")
}

fn configuration(report: &Report) -> String {
    let toml = toml::to_string_pretty(&report.configuration).unwrap_or_default();
    format!("<pre>{}</pre>\n", escape(&toml))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::assert_well_formed;
    use crate::report::sample_report;

    #[test]
    fn the_page_is_well_formed_and_holds_its_plots_and_figures() {
        let mut report = sample_report(1.0);
        report.warmup_s = 2.0;
        report.errors.insert("<script>alert(1)</script>".to_owned(), 3);
        report.reasons.push("ack p99: 9 ms & more".to_owned());
        report.labels.insert("server".to_owned(), "main".to_owned());
        let page = page(&report);
        assert_well_formed(&page);
        assert_eq!(page.matches("<svg").count(), 6);
        for heading in
            ["Latency by percentile", "Latency over time", "Messages over time", "memory over time"]
        {
            assert!(page.contains(heading), "{heading}");
        }
        assert!(page.contains("99.9 %") && page.contains("class=\"shade\""));
        assert!(page.contains("deliver_p99_ms") || page.contains("users = "), "the configuration");
        assert!(page.contains("a &lt;b&gt; &amp; c"));
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("src="));
        let curves = page.matches("class=\"curve").count();
        assert_eq!(curves, 2 + 5 + 5 + 1 + 1 + 1);
    }

    #[test]
    fn a_run_that_ended_before_it_began_has_a_page_as_well() {
        let mut report = sample_report(1.0);
        report.intervals.clear();
        report.histograms = crate::report::Histograms::default();
        report.server = None;
        assert_well_formed(&page(&report));
    }
}
