//! What the reports of the drivers say about the targets.

use serde_json::Value;

use super::{Bound, Row};

/// Beyond this the machine was too busy for its latencies to say anything about the gateway.
const MOST_PROBE_P99_MS: f64 = 5.0;

/// A round in which others used more of a core says nothing about servers.
const MOST_OTHERS_CPU_SHARE: f64 = 0.1;
/// Of the sends beside a storm, with how many their generator may be late itself.
const MOST_LATE_SHARE: f64 = 0.01;
/// Sessions that a storm of reconnects cuts at least.
const CUT: f64 = 10_000.0;
/// Until all of them are back, in seconds.
const BACK_WITHIN_S: f64 = 5.0;

/// What the drivers wrote; null where one did not run.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// `compare_servers`: a list of tables.
    pub(crate) compare: Value,
    /// `idle_sessions`.
    pub(crate) idle: Value,
    /// `direct_rates`, the ladder of rates: on Postgres.
    pub(crate) direct: Value,
    /// `direct_rates` with nothing indexed for search, as is nothing of what is committed row by row.
    pub(crate) without_search: Value,
    /// `direct_rates` with 10,000 users at half of the highest rate, once a round.
    pub(crate) many_users: Vec<Value>,
    /// `storage_rates`.
    pub(crate) storage: Value,
    /// `reconnect_storm` with 10,000 sessions cut.
    pub(crate) reconnect: Value,
}

impl Reports {
    /// The highest rate of direct messages on Postgres that met its bound.
    pub(crate) fn best_rate_per_s(&self) -> Option<f64> {
        let met =
            on_postgres(&self.direct).filter(|row| row["met"] == true && row["at_once"].is_null());
        met.filter_map(|row| number(row, "/rate_per_s")).max_by(f64::total_cmp)
    }
}

/// Where everybody sent as fast as it was answered.
/// Nothing, if something went wrong in one of them: what is left would not be the lower of all.
fn closed_loops(direct: &Value) -> impl Iterator<Item = &Value> {
    let loops: Vec<&Value> = on_postgres(direct).filter(|row| row["at_once"].is_u64()).collect();
    let is_sound = loops.iter().all(|row| row["wrong"] == 0.0);
    loops.into_iter().filter(move |_| is_sound)
}

fn on_postgres(direct: &Value) -> impl Iterator<Item = &Value> {
    let rows = direct.as_array().map_or(&[][..], Vec::as_slice).iter();
    rows.filter(|row| row["database"] == "postgres")
}

/// All targets, in the order of a message and then of a session.
pub(crate) fn rows(reports: &Reports) -> Vec<Row> {
    let mut rows = servers(&reports.compare);
    rows.extend(idle(&reports.idle));
    rows.extend(direct(reports));
    rows.extend(storage(reports));
    rows.extend(latency(&reports.many_users));
    rows.extend(reconnect(&reports.reconnect));
    rows
}

fn servers(compare: &Value) -> Vec<Row> {
    let tables = compare.as_array().map_or(&[][..], Vec::as_slice);
    let table = |workload: &str| tables.iter().find(|table| table["workload"] == workload);
    let echo = table("echo");
    let raw = echo.and_then(|table| lowest_ratio(table, |name| name == "monoio_tcp", None));
    let mut rows = vec![
        Row::new(
            "echo, messages per server CPU-second beside a raw TCP echo: the lowest of the cells",
            Bound::AtLeast,
            0.95,
            raw,
        )
        .unit("×")
        .how("`cargo xtask bench compare --only echo`"),
        Row::new(
            "echo beside the fastest other WebSocket server here: the lowest of the cells",
            Bound::AtLeast,
            1.0,
            echo.and_then(|table| lowest_ratio(table, |name| name != "monoio_tcp", None)),
        )
        .unit("×")
        .how(&with_peers("echo", echo)),
    ];
    for (depth, name, target) in [
        (
            1,
            "fan-out, deliveries per server CPU-second beside the fastest other server here, one at a time",
            1.0,
        ),
        (16, "the same, 16 messages together", 1.15),
    ] {
        let ratio = table("fanout").and_then(|table| lowest_ratio(table, |_| true, Some(depth)));
        rows.push(
            Row::new(name, Bound::AtLeast, target, ratio)
                .unit("×")
                .how(&with_peers("fanout", table("fanout"))),
        );
    }
    rows
}

/// The command, and which other servers were there.
fn with_peers(workload: &str, table: Option<&Value>) -> String {
    let command = format!("`cargo xtask bench compare --only {workload} --uwebsockets FOLDER`");
    let Some(table) = table else { return command };
    let names = table["servers"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let first = &table["cells"][0]["servers"];
    let present = names.enumerate().filter(|(index, name)| {
        first[index]["samples"].as_array().is_some_and(|samples| !samples.is_empty())
            && !["ringwire", "monoio_tcp"].contains(&name.as_str().unwrap_or_default())
    });
    let present: Vec<String> =
        present.map(|(_, name)| name.as_str().unwrap_or_default().replace('_', " ")).collect();
    format!("{command}, beside {}", present.join(", "))
}

/// Ours beside the best of the servers that count, in the cell where that is lowest.
fn lowest_ratio(table: &Value, counts: impl Fn(&str) -> bool, depth: Option<u64>) -> Option<f64> {
    let names: Vec<&str> =
        table["servers"].as_array()?.iter().map(|name| name.as_str().unwrap_or_default()).collect();
    let ours = names.iter().position(|name| *name == "ringwire")?;
    let cells = table["cells"].as_array()?.iter();
    let of_depth = cells.filter(|cell| depth.is_none() || cell["depth"].as_u64() == depth);
    let ratios = of_depth.filter_map(|cell| {
        let others = (0..names.len()).filter(|&index| index != ours && counts(names[index]));
        others.filter_map(|other| ratio_of_rounds(cell, ours, other)).min_by(f64::total_cmp)
    });
    ratios.min_by(f64::total_cmp)
}

/// The median of one server's figures by another's of the same rounds: the machine is not as fast in each. Rounds in which
/// others used it are no evidence.
fn ratio_of_rounds(cell: &Value, ours: usize, other: usize) -> Option<f64> {
    let samples = |index: usize| cell["servers"][index]["samples"].as_array();
    let rounds = samples(ours)?.iter().zip(samples(other)?);
    let quiet = rounds.filter(|(ours, other)| {
        [ours, other].iter().all(|sample| {
            number(sample, "/others_cpu_share").is_some_and(|share| share <= MOST_OTHERS_CPU_SHARE)
        })
    });
    let rate = |sample| number(sample, "/messages_per_cpu_s");
    let ratios = quiet.filter_map(|(ours, other)| Some(rate(ours)? / rate(other)?));
    median(ratios.collect())
}

/// The middle one; of an even number, the lower.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

fn idle(idle: &Value) -> Vec<Row> {
    let rss = number(idle, "/rss_bytes_per_session");
    let kernel = number(idle, "/kernel_bytes_per_session");
    let how = "`cargo xtask bench idle`: the slope from 2,000 to 18,000 sessions";
    vec![
        Row::new("idle session, resident memory", Bound::AtMost, 4_096.0, rss)
            .unit("bytes")
            .how(how),
        Row::new(
            "the same with the kernel's memory",
            Bound::AtMost,
            8_192.0,
            rss.zip(kernel).map(|(rss, kernel)| rss + kernel),
        )
        .unit("bytes")
        .how(how),
    ]
}

fn direct(reports: &Reports) -> Vec<Row> {
    let lowest = |direct, of: fn(&Value) -> Option<f64>| {
        closed_loops(direct).filter_map(of).min_by(f64::total_cmp)
    };
    let delivered = lowest(&reports.direct, |row| number(row, "/deliveries_per_gateway_cpu_s"));
    let acked = lowest(&reports.without_search, |row| {
        let cpu_s = number(row, "/gateway_cpu_s")? + number(row, "/database_cpu_s")?;
        Some(number(row, "/delivered")? / cpu_s)
    });
    let row_by_row = number(&reports.storage, "/postgres/row_by_row_per_cpu_s");
    let generator = lowest(&reports.direct, |row| {
        Some(number(row, "/gateway_cpu_s")? / number(row, "/generator_cpu_s")?)
    });
    vec![
        Row::new(
            "direct messages, deliveries per CPU-second of the gateway, Postgres: the lower of 1 and 16 at once",
            Bound::AtLeast,
            50_000.0,
            delivered,
        )
        .unit("1/s")
        .how("`cargo xtask bench direct -- --databases postgres --shards 1`"),
        Row::new(
            "durable sends per CPU-second of gateway and Postgres, beside one connection that commits row by row, with the same indexes",
            Bound::AtLeast,
            3.0,
            acked.zip(row_by_row).map(|(acked, alone)| acked / alone),
        )
        .unit("×")
        .how("the same command with `--without-search` over `cargo xtask bench storage`"),
        Row::new(
            "the load generator's messages per CPU-second beside the gateway's: the lower of the same two",
            Bound::AtLeast,
            2.0,
            generator,
        )
        .unit("×")
        .how("`cargo xtask bench direct -- --databases postgres --shards 1`; alone, against an echo: `cargo xtask bench generator`"),
    ]
}

fn storage(reports: &Reports) -> Vec<Row> {
    let postgres = reports.storage.get("postgres").unwrap_or(&Value::Null);
    let raw = number(postgres, "/append/rows_per_s");
    let fastest = closed_loops(&reports.direct).filter_map(|row| number(row, "/rate_per_s"));
    let sustained = fastest.max_by(f64::total_cmp).zip(raw).map(|(rate, raw)| rate / raw);
    let how = "`cargo xtask bench storage`";
    vec![
        Row::new(
            "the store alone, rows per CPU-second of writers and Postgres, beside the same connection",
            Bound::AtLeast,
            3.0,
            number(postgres, "/ratio"),
        )
        .unit("×")
        .how(how),
        Row::new("sustained direct messages beside the store's append loop", Bound::AtLeast, 0.3, sustained)
            .unit("×")
            .how("`cargo xtask bench direct -- --databases postgres --shards 1` over `cargo xtask bench storage`"),
        Row::new(
            "ack p99 at half of the store's highest rate, beside the commit p99 of such batches",
            Bound::AtMost,
            2.0,
            ack_tail(&reports.storage),
        )
        .unit("×")
        .how(how),
    ]
}

/// Says nothing of the store where Postgres filled new segments of its log meanwhile, or where the machine itself was slow for
/// longer than the slowest per cent.
fn ack_tail(storage: &Value) -> Option<f64> {
    let postgres = storage.get("postgres")?;
    let new_segments = number(postgres, "/half_rate/old_segments_left") == Some(0.0);
    let unsteady = number(storage, "/machine/slow_share").is_some_and(|share| share > 0.01);
    if new_segments || unsteady {
        return None;
    }
    let ack = number(postgres, "/half_rate/ack_ms/p99")?;
    let mean = number(postgres, "/half_rate/mean_batch")?;
    let batches = postgres["batches"].as_array()?.iter();
    let distance = |batch: &Value| {
        // Sizes rise by factors, so their logarithms are compared.
        number(batch, "/mean_rows").map_or(f64::INFINITY, |rows| (rows.ln() - mean.ln()).abs())
    };
    let nearest = batches.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    Some(ack / number(nearest, "/commit_ms/p99")?)
}

/// Each percentile without what a byte over raw TCP took beside it. Runs beside which even that was slow tell nothing.
fn latency(runs: &[Value]) -> Vec<Row> {
    let rows = [("p50", "p50", 2.0), ("p99", "p99", 10.0), ("p99.9", "p999", 25.0)];
    let row = |(name, field, target): (&str, &str, f64)| {
        let of_runs = runs.iter().filter_map(|run| {
            let own = number(run, &format!("/0/deliver_{field}_ms"))?;
            let probe = number(run, &format!("/0/probe_{field}_ms"))?;
            let tells = number(run, "/0/probe_p99_ms")? <= MOST_PROBE_P99_MS
                && run[0]["verdict"] != "insufficient_evidence"
                && run[0]["wrong"] == 0.0;
            tells.then_some((own - probe).max(0.0))
        });
        let of_runs: Vec<f64> = of_runs.collect();
        // Fewer than half of the runs are no evidence.
        let median = (of_runs.len() * 2 >= runs.len()).then(|| median(of_runs)).flatten();
        let name =
            format!("send to delivery at 10,000 connections and half of the highest rate, {name}");
        Row::new(&name, Bound::AtMost, target, median).unit("ms").how(
            "`cargo xtask bench direct -- --databases postgres --shards 1 --users 10000 --rates HALF --open-only --duration-s 60`, \
             median of the rounds, less a byte over raw TCP beside it",
        )
    };
    rows.map(row).into()
}

fn reconnect(reconnect: &Value) -> Vec<Row> {
    // A storm in which something went wrong was not withstood, however fast it was, and a smaller one is another.
    let storms = reconnect["storms"].as_array().map_or(&[][..], Vec::as_slice);
    let storm = |at_once: bool| {
        storms.iter().find(|storm| {
            (storm["spread_s"] == 0.0) == at_once
                && storm["wrong"] == 0.0
                && storm["cut"].as_f64() >= Some(CUT)
        })
    };
    let back_s = |storm: Option<&Value>| number(storm?, "/recover_max_ms").map(|ms| ms / 1000.0);
    // Nothing can be said of the others where their own generator was late, or where those who were cut took more than
    // their time. That the one that cuts is late only makes a recovery look longer.
    let is_told = |storm: &&Value| {
        number(storm, "/others_late_share").is_some_and(|share| share <= MOST_LATE_SHARE)
            && back_s(Some(storm)).is_some_and(|back_s| back_s <= BACK_WITHIN_S)
    };
    let others = storm(false).filter(is_told).and_then(|storm| number(storm, "/others_ratio"));
    let how = "`cargo xtask bench reconnect`; nothing lost, doubled or reordered";
    vec![
        Row::new(
            "10,000 sessions cut at once, all back at once, until the last has caught up",
            Bound::AtMost,
            BACK_WITHIN_S,
            back_s(storm(true)),
        )
        .unit("s")
        .how(how),
        Row::new(
            "ack p99 of 2,000 others while 10,000 come back spread over 4.8 s (all within 5 s), beside theirs before the cut",
            Bound::AtMost,
            2.0,
            others,
        )
        .unit("×")
        .how(how),
    ]
}

fn number(value: &Value, pointer: &str) -> Option<f64> {
    value.pointer(pointer).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measured(rows: &[Row], name: &str) -> (Option<f64>, bool) {
        let row = rows.iter().find(|row| row.name.contains(name)).expect("there is such a row");
        (row.measured, row.met)
    }

    #[test]
    fn what_was_not_measured_is_a_row_without_a_figure() {
        let rows = rows(&Reports::default());
        assert_eq!(rows.len(), 17);
        assert!(rows.iter().all(|row| row.measured.is_none() && !row.met));
        assert!(rows.iter().all(|row| !row.how.is_empty() && !row.unit.is_empty()));
    }

    #[test]
    fn the_lowest_cell_and_the_best_peer_count_in_quiet_rounds() {
        // One of them is not here, and has no figure.
        let round = |rate: f64, others: f64| json!({"messages_per_cpu_s": rate, "others_cpu_share": others});
        let cell = |depth: u32, rates: [Option<f64>; 5]| {
            // As fast, twice as fast, and while others used the machine.
            let rounds = |rate: f64| [round(rate, 0.0), round(rate * 2.0, 0.0), round(1.0, 0.5)];
            let servers = rates
                .map(|rate| json!({"samples": rate.map_or(vec![], |rate| rounds(rate).into())}));
            json!({"depth": depth, "servers": servers})
        };
        let names = ["ringwire", "monoio_tcp", "tokio_tungstenite", "uwebsockets", "node_ws"];
        let cells = [
            cell(1, [Some(90.0), Some(100.0), Some(60.0), None, Some(9.0)]),
            cell(16, [Some(80.0), Some(100.0), Some(30.0), None, Some(100.0)]),
        ];
        let compare = json!([{"workload": "echo", "servers": names, "cells": cells}]);
        let rows = rows(&Reports { compare, ..Reports::default() });
        assert_eq!(measured(&rows, "beside a raw TCP echo"), (Some(0.8), false));
        assert_eq!(measured(&rows, "fastest other WebSocket"), (Some(0.8), false));
    }

    #[test]
    fn figures_of_whole_servers_are_put_together() {
        let open = |rate: u32, met: bool| json!({"database": "postgres", "at_once": null, "rate_per_s": rate, "met": met});
        let closed = |at_once: u32, rate: u32, delivered: u32| {
            json!({
                "database": "postgres", "at_once": at_once, "rate_per_s": rate, "delivered": delivered, "wrong": 0.0,
                "gateway_cpu_s": 2.0, "database_cpu_s": 3.0, "generator_cpu_s": 0.8, "deliveries_per_gateway_cpu_s": delivered / 2,
            })
        };
        let postgres = json!({
            "ratio": 30.0, "row_by_row_per_cpu_s": 4_000.0, "append": {"rows_per_s": 40_000.0},
            "half_rate": {"mean_batch": 20.0, "ack_ms": {"p99": 30.0}},
            "batches": [{"mean_rows": 1.0, "commit_ms": {"p99": 1.0}}, {"mean_rows": 16.0, "commit_ms": {"p99": 20.0}}],
        });
        let reports = Reports {
            without_search: json!([closed(1, 9_000, 180_000), closed(16, 16_000, 320_000)]),
            direct: json!([
                open(8_000, true),
                open(12_000, true),
                open(20_000, false),
                closed(1, 9_000, 160_000),
                closed(16, 16_000, 320_000)
            ]),
            storage: json!({ "postgres": postgres }),
            many_users: [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0), (0.5, 9.0)]
                .map(|(p50, probe_p99)| {
                    json!([{"deliver_p50_ms": p50, "probe_p50_ms": 0.5, "probe_p99_ms": probe_p99, "wrong": 0.0, "verdict": "pass"}])
                })
                .into(),
            reconnect: storms(0.0, 10_000, 0.005, 3.0),
            ..Reports::default()
        };
        let rows = rows(&reports);
        assert_eq!(
            measured(&rows, "deliveries per CPU-second of the gateway"),
            (Some(80_000.0), true)
        );
        assert_eq!(measured(&rows, "durable sends"), (Some(9.0), true));
        assert_eq!(measured(&rows, "generator"), (Some(2.5), true));
        assert_eq!(measured(&rows, "sustained"), (Some(0.4), true));
        assert_eq!(measured(&rows, "ack p99"), (Some(1.5), true));
        let tail = |old_segments: u32, slow_share: f64| {
            ack_tail(&json!({
                "machine": {"slow_share": slow_share},
                "postgres": {
                    "half_rate": {"mean_batch": 20.0, "ack_ms": {"p99": 30.0}, "old_segments_left": old_segments},
                    "batches": [{"mean_rows": 16.0, "commit_ms": {"p99": 20.0}}],
                },
            }))
        };
        assert_eq!((tail(1, 0.0), tail(0, 0.0), tail(1, 0.02)), (Some(1.5), None, None));
        assert_eq!(measured(&rows, "highest rate, p50"), (Some(1.5), true));
        assert_eq!(measured(&rows, "until the last"), (Some(1.5), true));
        assert_eq!(measured(&rows, "2,000 others"), (Some(3.0), false));
        for (wrong, cut, late_share, recovered) in
            [(1.0, 10_000, 0.0, None), (0.0, 500, 0.0, None), (0.0, 10_000, 0.02, Some(1.5))]
        {
            let reconnect = storms(wrong, cut, late_share, 1.0);
            let rows = super::rows(&Reports { reconnect, ..Reports::default() });
            assert_eq!(measured(&rows, "until the last").0, recovered);
            assert_eq!(measured(&rows, "2,000 others"), (None, false));
        }
    }

    /// Back at once, in time, and spread.
    fn storms(wrong: f64, cut: u32, late_share: f64, others_ratio: f64) -> Value {
        let storm = |spread_s: f64, late_share: f64| {
            json!({
                "spread_s": spread_s, "wrong": wrong, "cut": cut, "others_late_share": late_share,
                "recover_max_ms": 1_500.0 + spread_s * 800.0, "others_ratio": others_ratio,
            })
        };
        json!({"storms": [storm(0.0, 0.3), storm(4.0, late_share)]})
    }
}
