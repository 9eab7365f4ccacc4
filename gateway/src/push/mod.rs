//! Notifications to the devices of members who have not got a message.
//!
//! ```text
//!   push_outbox (written with the entry) ─ due ─► expand: who is away, wants it ─► a delivery a device
//!   delivery ─ due ─► what does it say now? ─► webhook | Web Push | FCM ─┬─► taken
//!                     nothing: done                                      ├─► later, with back-off; given up at last
//!                                                                        └─► device gone: its address is forgotten
//! ```
//!
//! Invariants: who has got a message is known from the cursors in the database, the same for every node, so a notification
//! waits until those are written; work is shared between nodes by leases; what goes out at once is bounded; a device is
//! notified at least once or given up, of the newest message of a conversation alone.

mod ecdh;
mod fcm;
mod notification;
mod vapid;
mod web_push;

use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::deliveries::PushDelivery;
use ringwire_storage::devices::{PushAddress, PushKind};
use ringwire_storage::push::PushRow;
use ringwire_storage::{Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::{Endpoint, PushConfig};
use crate::outbound::{self, Outcome, Outgoing, OutgoingMetrics, RequestError, pause_ms};
use crate::secret::SecretError;
use crate::{limits, secret};
use fcm::Fcm;
use notification::Notification;
pub use vapid::{VapidError, VapidKey};
pub(crate) use web_push::Subscription;
use web_push::WebPush;

/// The pause while nothing is due.
const POLL: Duration = Duration::from_millis(500);
/// The pause after the database failed.
const AWAY: Duration = Duration::from_secs(2);
/// How long what was taken is left alone: longer than a notification can take.
const LEASE_MS: i64 = 60_000;

/// Why notifications cannot begin. The program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The key of Web Push cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The key of Web Push cannot be used.
    #[error(transparent)]
    Vapid(#[from] VapidError),
    /// The service account of FCM cannot be used.
    #[error("push.fcm_account_file: {0}")]
    Account(&'static str),
}

/// What became of a request to a push service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It was taken.
    Taken,
    /// The device is not known there any more.
    Gone,
    /// Trying again may help, after a pause if one was asked for.
    Later(Option<Duration>),
    /// It will never be taken.
    Never,
}

/// The ways to devices that are configured.
struct Ways {
    outgoing: Outgoing,
    webhook: Option<Endpoint>,
    web_push: Option<WebPush>,
    fcm: Option<Fcm>,
}

struct Inner {
    store: Store,
    config: PushConfig,
    ways: Ways,
    metrics: OutgoingMetrics,
}

/// Notifies devices.
pub struct Pusher(Arc<Inner>);

impl Pusher {
    /// One for this configuration. `vapid` is there exactly if Web Push is configured.
    pub fn new(
        store: Store,
        config: PushConfig,
        vapid: Option<Arc<VapidKey>>,
        outgoing: Outgoing,
        metrics: OutgoingMetrics,
    ) -> Result<Self, PushError> {
        let web_push = config.web_push.as_ref().zip(vapid);
        let ways = Ways {
            web_push: web_push
                .map(|(web, key)| WebPush::new(key, web.subject.clone(), config.ttl_s)),
            webhook: config.webhook.clone(),
            fcm: fcm(&config)?,
            outgoing,
        };
        Ok(Self(Arc::new(Inner { store, config, ways, metrics })))
    }

    /// Notifies for as long as it is polled.
    pub async fn run(self) {
        tokio::join!(self.0.expand(), Arc::clone(&self.0).deliver());
    }
}

/// How FCM is spoken to, if it is.
fn fcm(config: &PushConfig) -> Result<Option<Fcm>, PushError> {
    let Some(fcm) = &config.fcm else { return Ok(None) };
    let account = secret::read_private(&fcm.account_file)?;
    Fcm::new(&account, &fcm.url, config.ttl_s).map(Some).map_err(PushError::Account)
}

/// Whether the files that the configuration names can be used; makes none.
pub fn check_files(config: &PushConfig) -> Result<(), PushError> {
    if let Some(web_push) = &config.web_push {
        VapidKey::check(&web_push.key_file)?;
    }
    fcm(config).map(drop)
}

impl Inner {
    /// Entries of the outbox become deliveries.
    async fn expand(&self) {
        loop {
            let limit = limits::PUSHES_TAKEN;
            match self.store.take_pushes(limit, LEASE_MS, self.config.max_tries).await {
                Ok(taken) => {
                    for push in &taken.given_up {
                        let (conversation, seq) = (push.conversation_id, push.seq);
                        tracing::warn!(%conversation, seq, "nobody could be notified of a message");
                    }
                    let all = taken.pushes.len();
                    for push in taken.pushes {
                        self.expand_one(push).await;
                    }
                    if all < limit as usize {
                        sleep(POLL).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the outbox cannot be read; trying again");
                    sleep(AWAY).await;
                }
            }
        }
    }

    async fn expand_one(&self, push: PushRow) {
        if let Err(error) = self.store.expand_push(push).await {
            tracing::debug!(%error, "a message is notified of later");
            // With the database away the lease ends by itself.
            drop(self.store.retry_push(push, pause_ms(push.tries)).await);
        }
    }

    /// Deliveries become notifications.
    async fn deliver(self: Arc<Self>) {
        let mut under_way = JoinSet::new();
        loop {
            let room = limits::PUSHES_AT_ONCE - under_way.len();
            let mut pause = POLL;
            if room > 0 {
                match self.store.take_deliveries(room as u32, LEASE_MS).await {
                    Ok(taken) => {
                        for delivery in taken {
                            let inner = Arc::clone(&self);
                            under_way.spawn(async move { inner.deliver_one(delivery).await });
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, "deliveries cannot be read; trying again");
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

    async fn deliver_one(&self, delivery: PushDelivery) {
        let Some(address) = delivery.address.clone() else {
            return self.finish(&delivery).await;
        };
        let kind = address.kind;
        if delivery.tries > self.config.max_tries {
            tracing::info!(user = %delivery.user_id, kind = kind.name(), "a device is not notified");
            self.metrics.notified(kind, Outcome::given_up);
            return self.finish(&delivery).await;
        }
        let notification = match self.store.notice(&delivery).await {
            Ok(Some(notice)) => Notification::of(&notice, self.config.preview),
            Ok(None) => {
                self.metrics.notified(kind, Outcome::obsolete);
                return self.finish(&delivery).await;
            }
            Err(error) => {
                tracing::debug!(%error, "a device is notified later");
                return self.retry(&delivery, None).await;
            }
        };
        let sent = self.ways.send(&address, &delivery, &notification).await;
        let outcome = match sent {
            Sent::Taken => Outcome::taken,
            Sent::Gone => Outcome::gone,
            Sent::Later(_) => Outcome::failed,
            Sent::Never => Outcome::given_up,
        };
        self.metrics.notified(kind, outcome);
        match sent {
            Sent::Taken | Sent::Never => self.finish(&delivery).await,
            Sent::Later(wait) => self.retry(&delivery, wait).await,
            Sent::Gone => match self.forget(&delivery, &address).await {
                Ok(()) => self.finish(&delivery).await,
                Err(_) => self.retry(&delivery, None).await,
            },
        }
    }

    async fn forget(&self, to: &PushDelivery, address: &PushAddress) -> Result<(), StoreError> {
        if self.store.forget_address(to.user_id, &to.device_id, address).await? {
            let kind = address.kind.name();
            tracing::info!(user = %to.user_id, kind, "a device is gone and not notified any more");
        }
        Ok(())
    }

    async fn finish(&self, delivery: &PushDelivery) {
        if let Err(error) = self.store.finish_delivery(delivery).await {
            // It will be tried again when its lease ends.
            tracing::debug!(%error, "a delivery that is done cannot be removed");
        }
    }

    async fn retry(&self, delivery: &PushDelivery, wait: Option<Duration>) {
        let asked = wait.map_or(0, |wait| wait.as_millis() as i64);
        let pause = pause_ms(delivery.tries).max(asked);
        // With the database away the lease ends by itself.
        drop(self.store.retry_delivery(delivery, pause).await);
    }
}

impl Ways {
    async fn send(
        &self,
        address: &PushAddress,
        delivery: &PushDelivery,
        notification: &Notification,
    ) -> Sent {
        match (address.kind, &self.webhook, &self.web_push, &self.fcm) {
            (PushKind::Webhook, Some(endpoint), ..) => {
                let json = notification.for_webhook(delivery, &address.token);
                let id = format!("push.{}.{}", delivery.conversation_id, delivery.seq);
                let id =
                    format!("{id}.{}.{}", delivery.user_id, delivery.device_id.escape_default());
                let request = self.outgoing.signed(endpoint, "push", &id, json);
                match request.send().await.map_err(RequestError::from) {
                    Ok(response) => webhook_answer(&response),
                    Err(error) => later("webhook", &error),
                }
            }
            (PushKind::WebPush, _, Some(web_push), _) => {
                web_push.send(&self.outgoing, &address.token, notification).await
            }
            (PushKind::Fcm, .., Some(fcm)) => {
                fcm.send(&self.outgoing, &address.token, notification).await
            }
            // It was configured when the device said so.
            _ => Sent::Never,
        }
    }
}

fn webhook_answer(response: &reqwest::Response) -> Sent {
    match response.status() {
        status if status.is_success() => Sent::Taken,
        reqwest::StatusCode::NOT_FOUND | reqwest::StatusCode::GONE => Sent::Gone,
        status => {
            tracing::debug!(%status, "the push webhook refused a notification");
            Sent::Later(outbound::retry_after(response))
        }
    }
}

/// A push service cannot be reached.
fn later(kind: &str, error: &RequestError) -> Sent {
    tracing::debug!(kind, %error, "a push service cannot be reached");
    Sent::Later(None)
}

/// Notifications with the same key replace each other.
fn collapse_key(id: ConversationId) -> String {
    format!("c{id}")
}
