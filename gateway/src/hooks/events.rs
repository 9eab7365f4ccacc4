//! Events for webhooks: each told until its webhook took it, of one conversation in order.
//!
//! Invariants: a webhook waits for no other; an event is told at least once, under the same id each time, or counted as a
//! dead letter when it has become too old; what is told at once is bounded. Only where an entry is waits in the outbox: what
//! it holds is read when it is told, so nothing that was edited or recalled since leaves the server.

use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::UserId;
use ringwire_storage::hooks::HookEvent;
use ringwire_storage::{Store, StoreError};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::{EventsConfig, WebhookConfig};
use crate::conversation::entry::wire_entry;
use crate::limits;
use crate::outbound::{self, Outcome, Outgoing, OutgoingMetrics, RequestError, pause_ms};
use crate::service::rows;

/// The pause while nothing is due.
const POLL: Duration = Duration::from_millis(250);
/// The pause after the database failed.
const AWAY: Duration = Duration::from_secs(2);
/// How long what was taken is left alone: longer than a request can take.
const LEASE_MS: i64 = 30_000;
/// How often old events are looked for, and the outboxes measured.
const LOOK: Duration = Duration::from_secs(15);
/// Old events removed at a time.
const EXPIRED: u32 = 1_000;

struct Inner {
    store: Store,
    outgoing: Outgoing,
    metrics: OutgoingMetrics,
    keep_ms: i64,
}

/// Tells webhooks of events.
pub struct Events {
    inner: Arc<Inner>,
    webhooks: Vec<WebhookConfig>,
}

impl Events {
    /// For the webhooks of this configuration.
    pub fn new(
        store: Store,
        config: &EventsConfig,
        outgoing: Outgoing,
        metrics: OutgoingMetrics,
    ) -> Self {
        let keep_ms = i64::from(config.keep_s) * 1_000;
        let inner = Arc::new(Inner { store, outgoing, metrics, keep_ms });
        Self { inner, webhooks: config.webhooks.clone() }
    }

    /// Tells for as long as it is polled.
    pub async fn run(self) {
        let mut all = JoinSet::new();
        for webhook in self.webhooks {
            all.spawn(Arc::clone(&self.inner).tell(Arc::new(webhook)));
        }
        self.inner.look_after().await;
    }
}

impl Inner {
    /// Everything one webhook hears.
    async fn tell(self: Arc<Self>, webhook: Arc<WebhookConfig>) {
        let mut under_way = JoinSet::new();
        loop {
            let room = limits::EVENTS_AT_ONCE - under_way.len();
            let mut pause = POLL;
            if room > 0 {
                match self.store.take_events(&webhook.name, room as u32, LEASE_MS).await {
                    Ok(taken) => {
                        for event in taken {
                            let (inner, webhook) = (Arc::clone(&self), Arc::clone(&webhook));
                            under_way.spawn(async move { inner.tell_one(&webhook, event).await });
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, "events cannot be read; trying again");
                        pause = AWAY;
                    }
                }
            }
            tokio::select! {
                Some(_) = under_way.join_next() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn tell_one(&self, webhook: &WebhookConfig, event: HookEvent) {
        let name = webhook.name.as_str();
        let (body, id) = match self.body(event).await {
            Ok(Some(told)) => told,
            Ok(None) => {
                self.metrics.told(name, Outcome::obsolete);
                return self.finish(name, event).await;
            }
            Err(error) => {
                tracing::debug!(%error, webhook = name, "an event is told later");
                return self.retry(name, event, None).await;
            }
        };
        let request = self.outgoing.signed(&webhook.endpoint, event.kind.name(), &id, body);
        let wait = match request.send().await.map_err(RequestError::from) {
            Ok(response) if response.status().is_success() => {
                self.metrics.told(name, Outcome::taken);
                return self.finish(name, event).await;
            }
            Ok(response) => {
                let status = response.status();
                tracing::debug!(webhook = name, %status, "a webhook did not take an event");
                outbound::retry_after(&response)
            }
            Err(error) => {
                tracing::debug!(webhook = name, %error, "a webhook cannot be reached");
                None
            }
        };
        self.metrics.told(name, Outcome::failed);
        self.retry(name, event, wait).await;
    }

    /// What a webhook is told, and its id. `None`: the user is gone.
    async fn body(&self, event: HookEvent) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let (id, about) = if let Some(conversation) = event.conversation_id {
            let entry = self.store.event_entry(conversation, event.seq).await?;
            // Without an entry, retention was faster: that it happened is told all the same.
            let entry = entry.map(|row| wire_entry(&row));
            let about = json!({
                "conversation_id": conversation.to_string(),
                "seq": event.seq.to_string(),
                "entry": entry,
            });
            (format!("entry.{conversation}.{}", event.seq), about)
        } else {
            let Some(user) = UserId::new(event.seq) else { return Ok(None) };
            let Some(row) = self.store.user(user).await? else { return Ok(None) };
            (format!("user.{user}"), json!({ "user": rows::user(&row) }))
        };
        let mut told = json!({
            "id": id,
            "type": event.kind.name(),
            "noted_at": event.created_at.to_string(),
        });
        if let (Value::Object(told), Value::Object(about)) = (&mut told, about) {
            told.extend(about);
        }
        Ok(Some((told.to_string().into_bytes(), id)))
    }

    async fn finish(&self, webhook: &str, event: HookEvent) {
        if let Err(error) = self.store.finish_event(webhook, event).await {
            // It will be told again when its lease ends.
            tracing::debug!(%error, webhook, "an event that was told cannot be removed");
        }
    }

    async fn retry(&self, webhook: &str, event: HookEvent, wait: Option<Duration>) {
        let asked = wait.map_or(0, |wait| wait.as_millis() as i64);
        let pause = pause_ms(event.tries).max(asked);
        // With the database away the lease ends by itself.
        drop(self.store.retry_event(webhook, event, pause).await);
    }

    /// Drops what is too old, and measures what waits.
    async fn look_after(&self) {
        loop {
            match self.store.expire_events(self.keep_ms, EXPIRED).await {
                Ok(0) => {}
                Ok(dropped) => {
                    self.metrics.dropped(dropped);
                    tracing::warn!(dropped, "events were dropped that no webhook took in time");
                }
                Err(error) => tracing::debug!(%error, "old events are looked for later"),
            }
            if let Ok(depth) = self.store.outbox_depth().await {
                self.metrics.waiting(depth);
            }
            sleep(LOOK).await;
        }
    }
}
