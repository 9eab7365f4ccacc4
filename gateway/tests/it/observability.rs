//! What a server tells about itself: figures that mean what they say, and traces.

// Counts are whole numbers, which an f64 holds exactly.
#![allow(clippy::float_cmp)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use serde_json::{Value, json};

use crate::support::chat::refusal;
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{PATIENCE, http};

/// A family of figures as it is told.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    /// By name and labels as written.
    samples: Vec<(String, f64)>,
}

/// Figures by the names of their families.
type Figures = BTreeMap<String, Family>;

fn scrape(server: &ServerProcess) -> Figures {
    let answer = http::get(server.address(), "/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("application/openmetrics-text"), "{}", answer.head);
    parse(&answer.body)
}

/// Reads OpenMetrics text strictly: every sample belongs to the family before it.
fn parse(text: &str) -> Figures {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let mut figures = Figures::new();
    let mut family = String::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (what, rest) = rest.split_once(' ').expect("a keyword");
            let (name, value) = rest.split_once(' ').expect("a name");
            if what == "HELP" {
                let earlier = figures.insert(name.to_owned(), Family::default());
                assert!(earlier.is_none(), "{name} is told twice");
                name.clone_into(&mut family);
            }
            assert_eq!(name, family, "{line}");
            let told = figures.get_mut(name).expect("HELP comes first");
            match what {
                "HELP" => value.clone_into(&mut told.help),
                "TYPE" => value.clone_into(&mut told.kind),
                "UNIT" => assert!(name.ends_with(value), "{line}"),
                _ => panic!("unknown: {line}"),
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        let told = figures.get_mut(&family).expect("a family");
        let suffix = name.split('{').next().and_then(|name| name.strip_prefix(&*family));
        let suffix = suffix.unwrap_or_else(|| panic!("{line} is not of {family}"));
        let allowed: &[&str] = match told.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            other => panic!("{family} is a {other}"),
        };
        assert!(allowed.contains(&suffix), "{line} in a {}", told.kind);
        told.samples.push((name.to_owned(), value));
    }
    figures
}

/// The sum of the samples of a name that have all of these labels.
fn sum(figures: &Figures, name: &str, labels: &[&str]) -> f64 {
    let is_meant = |sample: &str| {
        sample.split('{').next() == Some(name) && labels.iter().all(|label| sample.contains(label))
    };
    let samples = figures.values().flat_map(|family| &family.samples);
    samples.filter(|(sample, _)| is_meant(sample)).map(|(_, value)| value).sum()
}

/// Scrapes until something is so: shards post their numbers every second.
fn await_figures(server: &ServerProcess, what: &str, holds: impl Fn(&Figures) -> bool) -> Figures {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let figures = scrape(server);
        if holds(&figures) {
            return figures;
        }
        assert!(Instant::now() < deadline, "never: {what}: {figures:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn figures_have_names_units_and_meanings_and_move_with_what_happens() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut ann = Client::session(&server, 1, Encoding::Json);
        let mut bob = Client::session(&server, 2, Encoding::Protobuf);
        let group = ann.create_group(&[2]);
        for n in 0..5 {
            ann.say(group, &format!("m{n}"), "hello");
        }
        bob.read_up_to(group, 6);
        let nowhere = Op::Send(wire::Send { conversation_id: 999, ..Default::default() });
        refusal(bob.call(nowhere));
        http::get(server.address(), "/api/v1/account/export");
        http::get(server.address(), "/no/such/path");

        let figures = await_figures(&server, "everything was posted", |figures| {
            sum(figures, "ringwire_commands_total", &["kind=\"send\""]) >= 6.0
                && sum(figures, "ringwire_entries_committed_total", &[]) >= 5.0
                && sum(figures, "ringwire_deliver_latency_seconds_count", &[]) >= 5.0
                && sum(figures, "ringwire_connections", &[]) >= 2.0
                && sum(figures, "ringwire_refusals_total", &[]) >= 1.0
        });
        assert_sound(&figures);
        let count = |name: &str, labels: &[&str]| sum(&figures, name, labels);
        assert_eq!(count("ringwire_connections", &["encoding=\"json\""]), 1.0);
        assert_eq!(count("ringwire_connections", &["encoding=\"protobuf\""]), 1.0);
        assert_eq!(count("ringwire_sessions", &["state=\"connected\""]), 2.0);
        assert_eq!(count("ringwire_sessions", &["state=\"detached\""]), 0.0);
        assert_eq!(count("ringwire_commands_total", &["kind=\"connect\""]), 2.0);
        assert_eq!(count("ringwire_ack_latency_seconds_count", &[]), 5.0);
        // Two users got each of them.
        assert_eq!(count("ringwire_fan_out_users_sum", &[]), 10.0);
        assert!(count("ringwire_pushes_total", &["kind=\"entry\""]) >= 5.0);
        assert!(count("ringwire_shard_sent_bytes_total", &[]) > 0.0);
        assert!(count("ringwire_shard_received_bytes_total", &[]) > 0.0);
        assert!(count("ringwire_memory_per_session_bytes", &[]) > 0.0);
        assert_eq!(count("ringwire_queue_capacity", &["queue=\"service\""]), 16384.0);
        let exports = ["route=\"/api/v1/account/export\"", "method=\"GET\"", "status=\"401\""];
        assert_eq!(count("ringwire_http_requests_total", &exports), 1.0);
        let nothing = ["route=\"none\"", "status=\"404\""];
        assert_eq!(count("ringwire_http_requests_total", &nothing), 1.0);
        let threads = &figures["ringwire_thread_cpu_seconds"].samples;
        for name in ["shard-0", "shard-1", "writer-0"] {
            assert!(threads.iter().any(|(sample, _)| sample.contains(name)), "{threads:?}");
        }

        // A connection that breaks leaves a session behind, one that says goodbye leaves none.
        bob.close();
        drop(ann);
        await_figures(&server, "one session is left, without a connection", |figures| {
            sum(figures, "ringwire_connections", &[]) == 0.0
                && sum(figures, "ringwire_sessions", &["state=\"connected\""]) == 0.0
                && sum(figures, "ringwire_sessions", &["state=\"detached\""]) == 1.0
        });
    }
}

#[test]
fn commands_of_sockets_and_http_are_counted_alike_and_messages_by_kind() {
    let server = Setup::new().start();
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    let group = ann.create_group(&[]);
    ann.say(group, "m", "over a socket");
    let path = format!("/api/v1/conversations/{group}/messages");
    let give = |body: &Value| {
        http::give_as(server.address(), &server.token(1), "POST", &path, &[], body).status
    };
    let picture = json!({"url": "https://a.example/b.png", "mime_type": "image/png"});
    let bodies = [
        json!({"message": {"text": "over HTTP"}}),
        json!({"message": {"kind": "IMAGE", "attachments": [picture]}}),
    ];
    for body in &bodies {
        assert_eq!(give(body), 201);
    }
    assert_eq!(give(&json!({"message": {"text": ""}})), 400);
    let figures = await_figures(&server, "everything was posted", |figures| {
        sum(figures, "ringwire_messages_total", &[]) >= 3.0
            && sum(figures, "ringwire_refusals_total", &["code=\"EMPTY_MESSAGE\""]) >= 1.0
    });
    let count = |name: &str, label: &str| sum(&figures, name, &[label]);
    assert_eq!(count("ringwire_commands_total", "kind=\"send\""), 4.0);
    assert_eq!(count("ringwire_messages_total", "kind=\"text\""), 2.0);
    assert_eq!(count("ringwire_messages_total", "kind=\"image\""), 1.0);
    assert_eq!(count("ringwire_messages_total", "kind=\"voice\""), 0.0);
    assert_eq!(count("ringwire_refusals_total", "code="), 1.0);
    assert!(count("ringwire_thread_waits_total", "thread=\"shard-0\"") > 0.0);
}

#[test]
fn what_goes_out_is_counted_from_nothing_on_where_a_way_is_configured() {
    let names = [
        "ringwire_push_notifications_total",
        "ringwire_webhook_events_total",
        "ringwire_hook_questions_total",
    ];
    let series = |server: &ServerProcess| {
        let figures = scrape(server);
        names.map(|name| {
            let all = figures.values().flat_map(|family| &family.samples);
            let told: Vec<f64> = all
                .filter(|(sample, _)| sample.starts_with(name))
                .map(|(_, value)| *value)
                .collect();
            assert!(told.iter().all(|value| *value == 0.0), "{told:?}");
            told.len()
        })
    };
    assert_eq!(series(&Setup::new().start()), [0, 0, 0]);
    let secrets = "secrets = [\"a secret of the tests\"]";
    let config = format!(
        "[push]\nwebhook_url = \"http://127.0.0.1:9/\"\nwebhook_{secrets}\n\
         [hook]\nurl = \"http://127.0.0.1:9/\"\n{secrets}\n\
         [[events.webhooks]]\nname = \"one\"\nurl = \"http://127.0.0.1:9/\"\n{secrets}\nevents = [\"*\"]"
    );
    assert_eq!(series(&Setup::new().config(&config).start()), [5, 3, 4]);
}

/// Names and help as Prometheus advises, histograms that add up, and few labels.
fn assert_sound(figures: &Figures) {
    let labels = BTreeSet::from([
        "le", "shard", "kind", "code", "encoding", "state", "queue", "thread", "route", "method",
        "status",
    ]);
    for (name, family) in figures {
        assert!(name.starts_with("ringwire_") || name.starts_with("process_"), "{name}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(is_plain) && !name.ends_with("_total"), "{name}");
        assert!(family.help.split(' ').count() >= 2 || name == "ringwire_sessions", "{name}");
        for wrong in ["_ms", "_us", "_milliseconds", "_kib", "_percent"] {
            assert!(!name.ends_with(wrong), "{name} is not in a base unit");
        }
        assert!(family.samples.len() < 400, "{name} has {} series", family.samples.len());
        for (sample, value) in &family.samples {
            assert!(value.is_finite() && *value >= 0.0, "{sample} {value}");
            let Some((_, written)) = sample.split_once('{') else { continue };
            for label in written.trim_end_matches('}').split(',') {
                let label = label.split('=').next().expect("a name");
                assert!(labels.contains(label), "{sample}");
            }
        }
        if family.kind == "histogram" {
            assert_adds_up(name, family);
        }
    }
}

fn assert_adds_up(name: &str, family: &Family) {
    // By the labels beside the bound.
    let mut series: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (sample, value) in &family.samples {
        let Some((before, bound)) = sample.split_once("le=\"") else { continue };
        let (_, after) = bound.split_once('"').expect("the end of a bound");
        let rest = after.trim_matches([',', '}']);
        series.entry(format!("{before}{rest}")).or_default().push(*value);
    }
    assert!(!series.is_empty() || family.samples.is_empty(), "{name} has no buckets");
    let all: f64 = series
        .values()
        .map(|buckets| {
            assert!(buckets.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {buckets:?}");
            buckets.last().expect("a bucket")
        })
        .sum();
    let counts = family.samples.iter().filter(|(sample, _)| sample.contains("_count"));
    assert_eq!(all, counts.map(|(_, count)| count).sum::<f64>(), "{name}");
}

#[test]
fn readiness_tells_of_shards_that_do_nothing() {
    let server = Setup::new().start();
    let answer = http::get(server.address(), "/health/ready");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["stuck_shards"], serde_json::json!([]));
}

/// A collector that takes everything and hands it on.
fn collector() -> (SocketAddr, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || serve(stream.expect("a connection"), &sender));
        }
    });
    (address, received)
}

fn serve(mut stream: TcpStream, sender: &mpsc::Sender<(String, Value)>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let mut reader = BufReader::new(stream.try_clone().expect("the same socket"));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").map(|length| length.trim().parse::<usize>())
        });
        let mut body = vec![0; length.expect("a length").expect("a number")];
        reader.read_exact(&mut body).expect("the body");
        let body = serde_json::from_slice(&body).expect("JSON");
        let path = head.split(' ').nth(1).expect("a path").to_owned();
        if sender.send((path, body)).is_err() {
            return;
        }
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).expect("an answer");
    }
}

#[test]
fn sampled_messages_are_traced_from_their_way_to_the_writer_to_the_sockets() {
    let (collector, received) = collector();
    let config = format!("[tracing]\notlp_endpoint = \"http://{collector}\"\nsample_ratio = 1.0");
    let server = Setup::new().config(&config).start();
    // Homes on both shards, whoever owns the conversation.
    let mut people: Vec<_> =
        (1..=6).map(|user| Client::session(&server, user, Encoding::Json)).collect();
    let group = people[0].create_group(&[2, 3, 4, 5, 6]);
    let said = "canary of a message";
    let seq = people[0].say(group, "m", said).seq;

    let mut spans: Vec<Value> = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    let is_whole = |spans: &[Value]| {
        spans.iter().filter(|span| span["name"] == "flush").count() >= 2
            && spans.iter().any(|span| span["name"] == "message")
    };
    while !is_whole(&spans) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (path, body) = received.recv_timeout(left).expect("spans arrive");
        assert_eq!(path, "/v1/traces");
        assert!(!body.to_string().contains("canary"), "{body}");
        let resource = body["resourceSpans"][0]["resource"]["attributes"].to_string();
        assert!(resource.contains("service.name"), "{resource}");
        let more = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.extend(more.as_array().expect("spans").iter().cloned());
    }
    let root = spans.iter().find(|span| span["name"] == "message").expect("a root");
    let attributes = root["attributes"].to_string();
    assert!(attributes.contains(&format!("\"intValue\":\"{seq}\"")), "{attributes}");
    let trace = root["traceId"].as_str().expect("an id");
    assert_eq!((trace.len(), root["spanId"].as_str().map(str::len)), (32, Some(16)));
    assert!(root.get("parentSpanId").is_none());
    let of_trace: Vec<&Value> =
        spans.iter().filter(|span| span["traceId"] == trace && *span != root).collect();
    let time = |span: &Value, key: &str| -> u64 {
        span[key].as_str().and_then(|time| time.parse().ok()).expect("nanoseconds")
    };
    for span in &of_trace {
        assert_eq!(span["parentSpanId"], root["spanId"]);
        assert!(time(span, "startTimeUnixNano") <= time(span, "endTimeUnixNano"));
        assert!(time(span, "startTimeUnixNano") >= time(root, "startTimeUnixNano"));
    }
    let mut names: Vec<_> = of_trace.iter().filter_map(|span| span["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["commit", "fan_out", "flush", "flush"]);
    let figures = await_figures(&server, "spans are counted", |figures| {
        sum(figures, "ringwire_trace_spans_exported_total", &[]) >= 5.0
    });
    assert_eq!(sum(&figures, "ringwire_trace_spans_dropped_total", &[]), 0.0);
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    // Bound and never accepted: no other program answers there.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let config = format!("[tracing]\notlp_endpoint = \"http://{address}\"\nsample_ratio = 1.0");
    let server = Setup::new().config(&config).start();
    let mut ann = Client::session(&server, 1, Encoding::Json);
    let group = ann.create_group(&[]);
    ann.say(group, "m", "hello");
    await_figures(&server, "dropped spans are counted", |figures| {
        sum(figures, "ringwire_trace_spans_dropped_total", &[]) >= 3.0
    });
    ann.assert_answers_ping();
}
