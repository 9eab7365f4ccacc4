//! What came of requests that the server made, and how much waits.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use ringwire_storage::devices::PushKind;
use ringwire_storage::hooks::OutboxDepth;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;

/// The figures. A handle: clones share everything.
#[derive(Clone, Debug, Default)]
pub struct OutgoingMetrics {
    notifications: Family<NotificationLabels, Counter>,
    events: Family<EventLabels, Counter>,
    dead_letters: Counter,
    questions: Family<QuestionLabels, Counter>,
    depth: Family<OutboxLabels, Gauge>,
}

/// What became of a notification or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "this is how it is written in the label")]
pub(crate) enum Outcome {
    /// The other side took it.
    taken,
    /// It is to be tried again.
    failed,
    /// The other side will never take it, or was tried too often.
    given_up,
    /// The device is not known there any more.
    gone,
    /// There was nothing to tell any more.
    obsolete,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::taken, Self::failed, Self::given_up, Self::gone, Self::obsolete];
}

/// What the hook said to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "this is how it is written in the label")]
pub(crate) enum Answer {
    /// As it is.
    allowed,
    /// Not at all.
    denied,
    /// Otherwise.
    rewritten,
    /// Nothing, or nothing that could be understood.
    failed,
}

impl Answer {
    const ALL: [Self; 4] = [Self::allowed, Self::denied, Self::rewritten, Self::failed];
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NotificationLabels {
    kind: &'static str,
    result: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    webhook: String,
    result: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuestionLabels {
    result: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutboxLabels {
    outbox: &'static str,
}

impl OutgoingMetrics {
    /// The figures of a server that is configured so: each way there is begins at 0.
    pub(crate) fn new(config: &Config) -> Self {
        let metrics = Self::default();
        for kind in config.push.ways() {
            for result in Outcome::ALL {
                metrics.notification(kind, result);
            }
        }
        for webhook in &config.events.webhooks {
            // Of the others none can happen: an event is tried until it is taken or too old.
            for result in [Outcome::taken, Outcome::failed, Outcome::obsolete] {
                metrics.event(&webhook.name, result);
            }
        }
        if config.hook.endpoint.is_some() {
            for result in Answer::ALL {
                metrics.question(result);
            }
        }
        metrics
    }

    /// Adds the figures.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "push_notifications",
            "Notifications to devices",
            self.notifications.clone(),
        );
        registry.register("webhook_events", "Events told to webhooks", self.events.clone());
        registry.register(
            "webhook_dead_letters",
            "Events that no webhook took in time",
            self.dead_letters.clone(),
        );
        registry.register(
            "hook_questions",
            "Messages that the hook was asked about",
            self.questions.clone(),
        );
        registry.register(
            "outbox_rows",
            "What waits to be told, counted up to 10000",
            self.depth.clone(),
        );
    }

    pub(crate) fn notified(&self, kind: PushKind, result: Outcome) {
        self.notification(kind, result).inc();
    }

    fn notification(&self, kind: PushKind, result: Outcome) -> Counter {
        let labels = NotificationLabels { kind: kind.name(), result };
        self.notifications.get_or_create_owned(&labels)
    }

    pub(crate) fn told(&self, webhook: &str, result: Outcome) {
        self.event(webhook, result).inc();
    }

    fn event(&self, webhook: &str, result: Outcome) -> Counter {
        let labels = EventLabels { webhook: webhook.to_owned(), result };
        self.events.get_or_create_owned(&labels)
    }

    pub(crate) fn dropped(&self, count: u64) {
        self.dead_letters.inc_by(count);
    }

    pub(crate) fn asked(&self, result: Answer) {
        self.question(result).inc();
    }

    fn question(&self, result: Answer) -> Counter {
        self.questions.get_or_create_owned(&QuestionLabels { result })
    }

    pub(crate) fn waiting(&self, depth: OutboxDepth) {
        let OutboxDepth { pushes, deliveries, events } = depth;
        for (outbox, rows) in [("entries", pushes), ("devices", deliveries), ("webhooks", events)] {
            self.depth.get_or_create(&OutboxLabels { outbox }).set(rows.cast_signed());
        }
    }

    /// The figures as operators look at them: what waits, and what became of what went out by each way there is.
    pub(crate) fn stats(&self, pushes: &[PushKind], webhooks: &[&str]) -> OutgoingStats {
        let waiting = |outbox: &'static str| {
            self.depth.get(&OutboxLabels { outbox }).map_or(0, |depth| depth.get().cast_unsigned())
        };
        let devices = pushes.iter().map(|kind| {
            let kind = kind.name();
            let count = |result| {
                let labels = NotificationLabels { kind, result };
                self.notifications.get(&labels).map_or(0, |counter| counter.get())
            };
            way(Receiver::Devices, kind, count)
        });
        let programs = webhooks.iter().map(|name| {
            let count = |result| {
                let labels = EventLabels { webhook: (*name).to_owned(), result };
                self.events.get(&labels).map_or(0, |counter| counter.get())
            };
            way(Receiver::Webhooks, name, count)
        });
        OutgoingStats {
            waiting: Waiting {
                entries: waiting("entries"),
                devices: waiting("devices"),
                webhooks: waiting("webhooks"),
            },
            ways: devices.chain(programs).collect(),
            dead_letters: self.dead_letters.get(),
        }
    }
}

fn way(to: Receiver, name: &str, count: impl Fn(Outcome) -> u64) -> Way {
    Way {
        to,
        name: name.to_owned(),
        delivered: count(Outcome::taken),
        failed: count(Outcome::failed),
        given_up: count(Outcome::given_up) + count(Outcome::gone),
    }
}

/// What goes to devices and webhooks, as operators look at it: since the start, but for what waits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OutgoingStats {
    #[schema(inline)]
    waiting: Waiting,
    #[schema(inline)]
    ways: Vec<Way>,
    /// Events that no webhook took in time.
    dead_letters: u64,
}

/// Counted up to 10000.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Waiting {
    /// To be looked at.
    entries: u64,
    devices: u64,
    webhooks: u64,
}

/// One way out.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Way {
    #[schema(inline)]
    to: Receiver,
    /// The kind of push, or the webhook's name.
    name: String,
    delivered: u64,
    /// Tries; the last one of some was taken.
    failed: u64,
    /// Also to devices that are gone.
    given_up: u64,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Receiver {
    Devices,
    Webhooks,
}
