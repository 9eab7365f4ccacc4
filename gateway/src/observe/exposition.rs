//! The board and the process in the words of Prometheus, read at every scrape.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use ringwire_protocol::ErrorCode;

use super::board::Board;
use super::exporter::Exported;
use super::figures::{FIGURES, Figure, Figures, Rises, SPREADS, Spread};
use super::kinds::{COMMANDS, MESSAGES, PUSHES};
use super::process::{self, Thread, Usage};

/// Has the registry tell of everything here. `ringwire` is the part of it whose names begin so.
pub fn register(all: &mut Registry, board: &Arc<Board>, exported: Option<Exported>) {
    all.register_collector(Box::new(ProcessFigures));
    let ringwire = all.sub_registry_with_prefix("ringwire");
    ringwire.register_collector(Box::new(ShardFigures { board: Arc::clone(board) }));
    if let Some(Exported { sent, dropped }) = exported {
        ringwire.register("trace_spans_exported", "Spans that the collector took", sent);
        let help = "Spans dropped because the queue was full or the collector did not take them";
        ringwire.register("trace_spans_dropped", help, dropped);
    }
}

#[derive(Debug)]
struct ShardFigures {
    board: Arc<Board>,
}

impl Collector for ShardFigures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shards = self.board.read();
        let mut all = Figures::default();
        for shard in &shards {
            all.merge(shard);
        }
        numbers(&mut encoder, &shards)?;
        let commands = COMMANDS.iter().copied().zip(all.commands());
        let help = "Commands that came, over sockets and HTTP, by kind";
        family(&mut encoder, "commands", help, "kind", commands)?;
        let codes = ErrorCode::ALL.iter().map(|code| code.name()).zip(all.refusals());
        let help = "Commands that were refused, by code";
        family(&mut encoder, "refusals", help, "code", codes)?;
        let pushes = PUSHES.iter().copied().zip(all.pushes());
        let help = "Pushes to sessions, by kind: sent, kept for a resume, or noted as left out";
        family(&mut encoder, "pushes", help, "kind", pushes)?;
        let messages = MESSAGES.iter().copied().zip(all.messages());
        let help = "Messages committed, by kind";
        family(&mut encoder, "messages", help, "kind", messages)?;
        for spread in [Spread::FanOut, Spread::Ack, Spread::Deliver] {
            distribution(&mut encoder, &all, spread)?;
        }
        self.queues(&mut encoder)?;
        let usage = process::usage();
        memory(&mut encoder, &usage, &all)?;
        threads(&mut encoder, &usage)?;
        let uptime = self.board.age(Instant::now()).as_secs_f64();
        let help = "How long the server has been running";
        gauge(&mut encoder, "uptime_seconds", help)?.encode_gauge(&uptime)
    }
}

impl ShardFigures {
    fn queues(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let labels = |queue: &super::board::Queue| {
            let shard = queue.shard.map(|shard| ("shard", shard.to_string()));
            let mut labels = vec![("queue", queue.name.to_owned())];
            labels.extend(shard);
            labels
        };
        let help = "What waits in a queue between threads";
        let mut waiting = gauge(encoder, "queue_waiting", help)?;
        for queue in self.board.queues() {
            let length = (queue.waiting)() as u64;
            waiting.encode_family(&labels(queue))?.encode_gauge(&length)?;
        }
        let mut capacity =
            gauge(encoder, "queue_capacity", "What a queue holds before it refuses")?;
        for queue in self.board.queues() {
            capacity.encode_family(&labels(queue))?.encode_gauge(&(queue.capacity as u64))?;
        }
        Ok(())
    }
}

fn numbers(encoder: &mut DescriptorEncoder<'_>, shards: &[Figures]) -> fmt::Result {
    let mut place = 0;
    while let Some(first) = FIGURES.get(place) {
        let kind = match first.rises {
            Rises::Counter => MetricType::Counter,
            Rises::Gauge => MetricType::Gauge,
        };
        let mut metric = encoder.encode_descriptor(first.name, first.help, None, kind)?;
        for (shard, figures) in shards.iter().enumerate() {
            let same = FIGURES[place..].iter().take_while(|figure| figure.name == first.name);
            for (more, figure) in same.enumerate() {
                let value = figures.number(place + more);
                let mut labels = vec![("shard", shard.to_string())];
                labels.extend(figure.label.map(|(name, value)| (name, value.to_owned())));
                let mut metric = metric.encode_family(&labels)?;
                match figure.rises {
                    Rises::Counter => metric.encode_counter::<NoLabelSet, _, f64>(&value, None)?,
                    Rises::Gauge => metric.encode_gauge(&value)?,
                }
            }
        }
        place += FIGURES[place..].iter().take_while(|figure| figure.name == first.name).count();
    }
    Ok(())
}

fn family<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl Iterator<Item = (&'static str, &'a u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in values {
        let labels = [(label, value)];
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(count, None)?;
    }
    Ok(())
}

fn distribution(
    encoder: &mut DescriptorEncoder<'_>,
    figures: &Figures,
    spread: Spread,
) -> fmt::Result {
    let described = &SPREADS[spread as usize];
    let (buckets, sum) = figures.spread(spread);
    let bounds = described.bounds.iter().map(|bound| *bound as f64 / described.scale);
    let told: Vec<(f64, u64)> =
        bounds.chain([f64::INFINITY]).zip(buckets.iter().copied()).collect();
    let count = buckets.iter().sum();
    let mut metric =
        encoder.encode_descriptor(described.name, described.help, None, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(sum as f64 / described.scale, count, &told, None)
}

fn memory(encoder: &mut DescriptorEncoder<'_>, usage: &Usage, all: &Figures) -> fmt::Result {
    let sessions = all.get(Figure::SessionsConnected) + all.get(Figure::SessionsDetached);
    let help = "Memory of the process in use, divided by its sessions; 0 without one";
    let share = usage.resident_bytes.checked_div(sessions).unwrap_or(0);
    gauge(encoder, "memory_per_session_bytes", help)?.encode_gauge(&share)
}

fn threads(encoder: &mut DescriptorEncoder<'_>, usage: &Usage) -> fmt::Result {
    type Number = fn(&Thread) -> f64;
    let told: [(&str, &str, Number); 3] = [
        ("thread_cpu_seconds", "Processor time of the threads there are, by name", |thread| {
            thread.cpu_seconds
        }),
        (
            "thread_waits",
            "Times that threads waited in the kernel, by name; of a shard: for its ring, or epoll, with nothing to do",
            |thread| thread.waits as f64,
        ),
        (
            "thread_preemptions",
            "Times that threads had more to do and the kernel gave their processor to others, by name",
            |thread| thread.preemptions as f64,
        ),
    ];
    for (name, help, number) in told {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (name, thread) in &usage.threads {
            let (labels, value) = ([("thread", name.as_str())], number(thread));
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
    }
    Ok(())
}

fn gauge<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)
}

/// Under the names that all programs use.
#[derive(Debug)]
struct ProcessFigures;

impl Collector for ProcessFigures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let usage = process::usage();
        let help = "Processor time of the process";
        encoder
            .encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, f64>(&usage.cpu_seconds, None)?;
        let help = "When the process started, in seconds of Unix time";
        gauge(&mut encoder, "process_start_time_seconds", help)?.encode_gauge(&usage.started_at)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use", usage.resident_bytes),
            ("process_virtual_memory_bytes", "Address space", usage.virtual_bytes),
            ("process_open_fds", "Open descriptors", usage.descriptors),
        ] {
            gauge(&mut encoder, name, help)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}
