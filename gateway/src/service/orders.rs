//! Orders of operators: looked for in the database, carried out by the shards of this node, once.
//!
//! ```text
//!   given here: at once ─┐
//!   given elsewhere: ────┴─ every few seconds ─► new ones ─► mail to the shards ─► no room: again at the next look
//! ```
//!
//! A look reaches back over a while, because numbers are seen in another order than they are given; what was there when
//! the server started is not carried out, nor is anything twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::{CloseReason, UnixMs, UserId, wire};
use ringwire_storage::Store;
use ringwire_storage::moderation::{OrderKind, OrderRow};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::cli::unix_now_ms;
use crate::placement::{ShardId, home_shard};
use crate::shard::mail::Mail;
use crate::shard::mailbox::MailboxSender;

/// How often orders of other nodes are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How far back a look reaches: a node may be away from its database for so long and miss nothing.
const BACK_MS: UnixMs = 10 * 60 * 1000;
/// How long an order is remembered, longer than that.
const REMEMBERED: Duration = Duration::from_mins(30);

/// Looks for orders, and has them carried out.
pub(crate) struct Orders {
    store: Store,
    mailboxes: Vec<MailboxSender<Mail>>,
    given: Arc<Notify>,
    /// Those that were seen, and when first.
    seen: BTreeMap<i64, Instant>,
    /// What shards had no room for.
    waiting: Vec<(ShardId, Mail)>,
}

impl Orders {
    /// `given` is raised when one was given on this node.
    pub(crate) fn new(
        store: Store,
        mailboxes: Vec<MailboxSender<Mail>>,
        given: Arc<Notify>,
    ) -> Self {
        Self { store, mailboxes, given, seen: BTreeMap::new(), waiting: Vec::new() }
    }

    /// Works for as long as it is polled.
    pub(crate) async fn run(mut self) {
        // Those of before the start are not for this one.
        let mut before_start = true;
        loop {
            match self.store.orders(BACK_MS).await {
                Ok(orders) => {
                    let now = Instant::now();
                    for order in orders {
                        let is_new = self.seen.insert(order.id, now).is_none();
                        if is_new && !before_start {
                            self.split(&order);
                        }
                    }
                    self.seen.retain(|_, at| now.duration_since(*at) < REMEMBERED);
                    before_start = false;
                }
                Err(error) => tracing::warn!(%error, "orders of operators are looked for later"),
            }
            self.send();
            // Over sooner when there is something new here.
            drop(timeout(LOOK_EVERY, self.given.notified()).await);
        }
    }

    /// An order as mail to the shards it concerns.
    fn split(&mut self, order: &OrderRow) {
        let shards = self.mailboxes.len();
        let reason = match order.kind {
            OrderKind::Notice => return self.split_notice(order),
            OrderKind::Kick => CloseReason::Kicked,
            OrderKind::Ban => CloseReason::Banned,
        };
        for user in &order.users {
            let mail = Mail::EndSessions(*user, reason);
            self.waiting.push((home_shard(*user, shards), mail));
        }
    }

    fn split_notice(&mut self, order: &OrderRow) {
        let notice = wire::Notice { text: order.text.clone(), sent_at: unix_now_ms() };
        let notice = Arc::new(notice);
        let shards = self.mailboxes.len();
        for shard in 0..shards as ShardId {
            let is_here = |user: &&UserId| home_shard(**user, shards) == shard;
            let users: Arc<[UserId]> = order.users.iter().filter(is_here).copied().collect();
            if order.users.is_empty() || !users.is_empty() {
                self.waiting.push((shard, Mail::Notice(Arc::clone(&notice), users)));
            }
        }
    }

    /// Sends what there is room for.
    fn send(&mut self) {
        for (shard, mail) in std::mem::take(&mut self.waiting) {
            if let Err(mail) = self.mailboxes[usize::from(shard)].try_send(mail) {
                self.waiting.push((shard, mail));
            }
        }
    }
}
