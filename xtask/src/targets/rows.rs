//! What the reports of the drivers say about the targets.

use serde_json::Value;

use super::{Bound, Row};

/// What the drivers wrote; null where one did not run.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// `compare_servers`: a list of tables.
    pub(crate) compare: Value,
    /// `idle_sessions`.
    pub(crate) idle: Value,
    /// `direct_rates`, the ladder of rates: on Postgres.
    pub(crate) direct: Value,
    /// `direct_rates` with 10,000 users at half of the highest rate, once a round.
    pub(crate) many_users: Vec<Value>,
    /// `storage_rates`.
    pub(crate) storage: Value,
    /// `connect_rates` with 10,000 sessions.
    pub(crate) connect: Value,
}

impl Reports {
    /// The highest rate of direct messages on Postgres that met its bound.
    pub(crate) fn best_rate_per_s(&self) -> Option<f64> {
        self.best_direct().and_then(|row| number(row, "/rate_per_s"))
    }

    fn best_direct(&self) -> Option<&Value> {
        let rows = self.direct.as_array()?.iter();
        let met = rows.filter(|row| row["met"] == true && row["database"] == "postgres");
        met.max_by(|a, b| {
            let rate = |row: &Value| number(row, "/rate_per_s").unwrap_or(0.0);
            rate(a).total_cmp(&rate(b))
        })
    }
}

/// All targets, in the order of a message and then of a session.
pub(crate) fn rows(reports: &Reports, direct_s: u32) -> Vec<Row> {
    let mut rows = servers(&reports.compare);
    rows.extend(idle(&reports.idle));
    rows.extend(direct(reports, direct_s));
    rows.extend(storage(reports));
    rows.extend(latency(&reports.many_users));
    let resumed = reports.connect.as_array().and_then(|steps| {
        let step = steps.iter().find(|step| step["name"] == "resume")?;
        (step["resumed"] == step["sessions"]).then(|| number(step, "/seconds"))?
    });
    rows.push(
        Row::new("10,000 sessions resumed at once, each of them", Bound::AtMost, 5.0, resumed)
            .unit("s")
            .how("`cargo xtask bench connect -- --sessions 10000`"),
    );
    rows
}

fn servers(compare: &Value) -> Vec<Row> {
    let tables = compare.as_array().map_or(&[][..], Vec::as_slice);
    let table = |workload: &str| tables.iter().find(|table| table["workload"] == workload);
    let echo = table("echo");
    let raw = echo.and_then(|table| lowest_ratio(table, |name| name == "monoio_tcp", None));
    let how = "`cargo xtask bench compare --only echo`";
    let mut rows = vec![
        Row::new(
            "echo, messages per server CPU-second beside a raw TCP echo: the lowest of the cells",
            Bound::AtLeast,
            0.95,
            raw,
        )
        .unit("×")
        .how(how),
        Row::new(
            "echo beside the fastest other WebSocket server here: the lowest of the cells",
            Bound::AtLeast,
            1.0,
            echo.and_then(|table| lowest_ratio(table, |name| name != "monoio_tcp", None)),
        )
        .unit("×")
        .how(how),
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
                .how("`cargo xtask bench compare --only fanout`"),
        );
    }
    rows
}

/// Ours beside the best of the servers that count, in the cell where that is lowest.
fn lowest_ratio(table: &Value, counts: impl Fn(&str) -> bool, depth: Option<u64>) -> Option<f64> {
    let names: Vec<&str> =
        table["servers"].as_array()?.iter().map(|name| name.as_str().unwrap_or_default()).collect();
    let cells = table["cells"].as_array()?.iter();
    let of_depth = cells.filter(|cell| depth.is_none() || cell["depth"].as_u64() == depth);
    let ratios = of_depth.filter_map(|cell| {
        let rate =
            |index: usize| number(cell, &format!("/servers/{index}/median_messages_per_cpu_s"));
        let ours = rate(names.iter().position(|name| *name == "ringwire")?)?;
        let others = (0..names.len()).filter(|index| names[*index] != "ringwire");
        let best = others.filter(|index| counts(names[*index])).filter_map(rate);
        Some(ours / best.max_by(f64::total_cmp)?)
    });
    ratios.min_by(f64::total_cmp)
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

fn direct(reports: &Reports, direct_s: u32) -> Vec<Row> {
    let best = reports.best_direct();
    let sent = reports.best_rate_per_s().map(|rate| rate * f64::from(direct_s));
    let gateway = best.and_then(|row| number(row, "/gateway_cpu_s"));
    let database = best.and_then(|row| number(row, "/database_cpu_s"));
    let row_by_row = number(&reports.storage, "/postgres/row_by_row_per_cpu_s");
    let how = "`cargo xtask bench direct`: at the highest rate that it meets on Postgres; the CPU of connecting and of \
               reading the logs back included";
    let acked = sent
        .zip(gateway.zip(database))
        .map(|(sent, (gateway, database))| sent / (gateway + database));
    vec![
        Row::new(
            "direct messages, deliveries per CPU-second of the gateway, Postgres",
            Bound::AtLeast,
            50_000.0,
            sent.zip(gateway).map(|(sent, gateway)| sent / gateway),
        )
        .unit("1/s")
        .how(how),
        Row::new(
            "durable sends per CPU-second of gateway and Postgres, beside one connection that commits row by row",
            Bound::AtLeast,
            3.0,
            acked.zip(row_by_row).map(|(acked, alone)| acked / alone),
        )
        .unit("×")
        .how("`cargo xtask bench direct` over `cargo xtask bench storage`"),
    ]
}

fn storage(reports: &Reports) -> Vec<Row> {
    let postgres = reports.storage.get("postgres").unwrap_or(&Value::Null);
    let raw = number(postgres, "/append/rows_per_s");
    let sustained = reports.best_rate_per_s().zip(raw).map(|(rate, raw)| rate / raw);
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
            .how("`cargo xtask bench direct` over `cargo xtask bench storage`"),
        Row::new(
            "ack p99 at half of the store's highest rate, beside the commit p99 of such batches",
            Bound::AtMost,
            2.0,
            ack_tail(postgres),
        )
        .unit("×")
        .how(how),
    ]
}

fn ack_tail(postgres: &Value) -> Option<f64> {
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

fn latency(runs: &[Value]) -> Vec<Row> {
    let rows = [("p50", "p50", 2.0), ("p99", "p99", 10.0), ("p99.9", "p999", 25.0)];
    let row = |(name, field, target): (&str, &str, f64)| {
        let of_runs = runs.iter().filter_map(|run| number(run, &format!("/0/deliver_{field}_ms")));
        let mut of_runs: Vec<f64> = of_runs.collect();
        of_runs.sort_by(f64::total_cmp);
        let median = of_runs.get(of_runs.len() / 2).copied();
        let name =
            format!("send to delivery at 10,000 connections and half of the highest rate, {name}");
        Row::new(&name, Bound::AtMost, target, median).unit("ms").how(
            "`cargo xtask bench direct -- --databases postgres --users 10000 --rates HALF --duration-s 60`, median of the \
             rounds; what the machine itself adds is not subtracted",
        )
    };
    rows.map(row).into()
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
        let rows = rows(&Reports::default(), 10);
        assert_eq!(rows.len(), 15);
        assert!(rows.iter().all(|row| row.measured.is_none() && !row.met));
        assert!(rows.iter().all(|row| !row.how.is_empty() && !row.unit.is_empty()));
    }

    #[test]
    fn the_lowest_cell_and_the_best_peer_count() {
        // One of them is not here, and has no figure.
        let cell = |depth: u32, rates: [Option<f64>; 5]| {
            let servers = rates.map(|rate| json!({"median_messages_per_cpu_s": rate}));
            json!({"depth": depth, "servers": servers})
        };
        let names = ["ringwire", "monoio_tcp", "tokio_tungstenite", "uwebsockets", "node_ws"];
        let cells = [
            cell(1, [Some(90.0), Some(100.0), Some(60.0), None, Some(9.0)]),
            cell(16, [Some(80.0), Some(100.0), Some(30.0), None, Some(100.0)]),
        ];
        let compare = json!([{"workload": "echo", "servers": names, "cells": cells}]);
        let rows = rows(&Reports { compare, ..Reports::default() }, 10);
        assert_eq!(measured(&rows, "beside a raw TCP echo"), (Some(0.8), false));
        assert_eq!(measured(&rows, "fastest other WebSocket"), (Some(0.8), false));
    }

    #[test]
    fn figures_of_whole_servers_are_put_together() {
        let row = |rate: u32, met: bool| json!({"database": "postgres", "rate_per_s": rate, "met": met, "gateway_cpu_s": 2.0, "database_cpu_s": 3.0});
        let postgres = json!({
            "ratio": 30.0, "row_by_row_per_cpu_s": 4_000.0, "append": {"rows_per_s": 40_000.0},
            "half_rate": {"mean_batch": 20.0, "ack_ms": {"p99": 30.0}},
            "batches": [{"mean_rows": 1.0, "commit_ms": {"p99": 1.0}}, {"mean_rows": 16.0, "commit_ms": {"p99": 20.0}}],
        });
        let reports = Reports {
            direct: json!([row(8_000, true), row(16_000, true), row(20_000, false)]),
            storage: json!({ "postgres": postgres }),
            many_users: [3.0, 1.0, 2.0].map(|p50| json!([{"deliver_p50_ms": p50}])).into(),
            connect: json!([{"name": "resume", "sessions": 9, "resumed": 9, "seconds": 1.5}]),
            ..Reports::default()
        };
        let rows = rows(&reports, 10);
        assert_eq!(
            measured(&rows, "deliveries per CPU-second of the gateway"),
            (Some(80_000.0), true)
        );
        assert_eq!(measured(&rows, "durable sends"), (Some(8.0), true));
        assert_eq!(measured(&rows, "sustained"), (Some(0.4), true));
        assert_eq!(measured(&rows, "ack p99"), (Some(1.5), true));
        assert_eq!(measured(&rows, "highest rate, p50"), (Some(2.0), true));
        assert_eq!(measured(&rows, "resumed"), (Some(1.5), true));
    }
}
