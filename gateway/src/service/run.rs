//! The loop of the service thread.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId};
use ringwire_storage::{Store, StoreError};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::ask::{Ask, Call, Served};
use super::queries::{Queries, failed};
use crate::api::ApiServer;
use crate::hooks::Screener;
use crate::hooks::before_send::Screening;
use crate::limits;
use crate::placement::ShardId;
use crate::shard::handoff::HttpSocket;
use crate::shard::mail::Mail;
use crate::shard::shared::Shared;

/// What the service thread works with.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    store: Store,
    api: ApiServer,
    screener: Option<Screener>,
    places: Arc<Semaphore>,
}

impl Service {
    /// A service for the shards in `shared`.
    pub fn new(
        shared: Arc<Shared>,
        store: Store,
        api: ApiServer,
        screener: Option<Screener>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits::SERVICE_CONCURRENT));
        Self { shared, store, api, screener, places }
    }

    /// Serves calls until every shard is gone.
    pub async fn run(self, mut calls: mpsc::Receiver<Call>, mut http: mpsc::Receiver<HttpSocket>) {
        let api = self.api.clone();
        tokio::spawn(async move {
            while let Some(HttpSocket { stream, read, peer, admission }) = http.recv().await {
                let api = api.clone();
                tokio::spawn(async move {
                    api.serve(stream, read.freeze(), peer).await;
                    drop(admission);
                });
            }
        });
        while let Some(call) = calls.recv().await {
            let call = match call.ask {
                Ask::Screen(screening) => {
                    // Has places of its own: a slow hook holds up nobody who waits for the database.
                    tokio::spawn(self.clone().screen(call.shard, screening));
                    continue;
                }
                ask => Call { shard: call.shard, ask },
            };
            // Never closed, so there is always a permit sooner or later.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            let service = self.clone();
            tokio::spawn(async move {
                let shard = usize::from(call.shard);
                let served = service.serve(call.ask).await;
                service.shared.mailboxes[shard].send_reserved(Mail::Served(served));
                drop(place);
            });
        }
    }

    async fn screen(self, shard: ShardId, mut screening: Box<Screening>) {
        let allowed = match &self.screener {
            Some(screener) => limited(screener.screen(&mut screening)).await,
            None => Ok(()),
        };
        let served = Served::Screened { screening, allowed };
        self.shared.mailboxes[usize::from(shard)].send_reserved(Mail::Served(served));
    }

    async fn serve(&self, ask: Ask) -> Served {
        let queries = Queries {
            store: &self.store,
            config: &self.shared.config,
            key: self.shared.command_key,
            now_ms: unix_now_ms(),
        };
        match ask {
            Ask::Resolve { waiter, issuer, subject, name_hint } => {
                let user = limited(self.resolve(&issuer, &subject, &name_hint)).await;
                Served::Resolved { waiter, user }
            }
            Ask::OpenSession { session, request, dirty } => {
                let opened = queries.open_session(&request, &dirty);
                let opened = limited(opened).await.map(Box::new);
                Served::SessionOpened { session, opened }
            }
            Ask::Query { user, reply_to, query, dirty } => {
                match limited(queries.answer(user, query, &dirty)).await {
                    Ok((outcome, news)) => {
                        Served::Answered { reply_to, outcome: Ok(outcome), news }
                    }
                    Err(error) => Served::Answered { reply_to, outcome: Err(error), news: None },
                }
            }
            Ask::Identify(mut named) => {
                let users = limited(queries.identify(&mut named)).await;
                Served::Identified { named, users }
            }
            Ask::Screen(screening) => Served::Screened { screening, allowed: Ok(()) },
            Ask::LoadTarget { conversation_id: id, seq, asked } => {
                let load = async { self.store.load_entry(id, seq).await.map_err(failed) };
                Served::Target { id, seq, asked, row: limited(load).await }
            }
            Ask::LoadBlocks { conversation_id: id, users: [one, other], asked } => {
                let load =
                    async { self.store.is_blocked_either_way(one, other).await.map_err(failed) };
                Served::Blocks { id, asked, blocked: limited(load).await }
            }
            Ask::LoadConversation(id) => {
                let recent = limits::RECENT_ENTRIES as u32;
                let load = async {
                    let snapshot = self.store.load_conversation(id, recent).await;
                    Ok(snapshot.map_err(failed)?.map(Box::new))
                };
                Served::Conversation { id, snapshot: limited(load).await }
            }
            Ask::LoadTail { conversation_id: id, after } => {
                let load = async {
                    self.store.load_tail(id, after, limits::TAIL_PAGE).await.map_err(failed)
                };
                Served::Tail { id, tail: limited(load).await }
            }
            Ask::SeePresence { check, reply_to } => {
                let see = self.store.visible_presence(check.watcher, &check.users);
                let seen = limited(async { see.await.map_err(failed) }).await;
                Served::PresenceSeen { check, reply_to, seen }
            }
            Ask::SaveLastSeen(batch) => {
                let save = async { self.store.save_last_seen(&batch).await.map_err(failed) };
                let success = limited(save).await.is_ok();
                Served::LastSeenSaved { batch, success }
            }
            Ask::SaveCursors(batch) => {
                let save = async { self.store.save_cursors(&batch).await.map_err(failed) };
                let success = limited(save).await.is_ok();
                Served::CursorsSaved { batch, success }
            }
        }
    }

    async fn resolve(
        &self,
        issuer: &str,
        subject: &str,
        name_hint: &str,
    ) -> Result<UserId, CommandError> {
        let provision = self.shared.config.auth.provision_unknown_users.then_some(name_hint);
        let user = self.store.resolve_identity(issuer, subject, provision, unix_now_ms()).await;
        let unknown =
            || CommandError::new(ErrorCode::Unauthenticated, "the token's user is not known here");
        Ok(user.map_err(failed)?.ok_or_else(unknown)?.user_id)
    }
}

/// A call that nobody answers ends all the same, as a temporary error: a frozen database, or a proxy that hangs before
/// it, must not hold its caller, and a place among those served at once, for ever. Whatever it was may be asked again.
/// So does one that panics, as an internal error: what its shard keeps for the answer has to be given back.
async fn limited<T>(
    call: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let limit = Duration::from_secs(limits::SERVICE_CALL_S);
    let mut call = pin!(call);
    let caught = poll_fn(|context| {
        // It is not polled again after a panic.
        let poll = AssertUnwindSafe(|| call.as_mut().poll(context));
        catch_unwind(poll).unwrap_or_else(|_| {
            let message = "the call failed in a way that nobody thought of";
            Poll::Ready(Err(CommandError::new(ErrorCode::Internal, message)))
        })
    });
    timeout(limit, caught).await.unwrap_or_else(|_| {
        Err(failed(StoreError::Unavailable(format!("no answer within {limit:?}"))))
    })
}

fn unix_now_ms() -> UnixMs {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_epoch.as_millis() as UnixMs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_panics_is_answered_all_the_same() {
        let panics = limited::<()>(async {
            tokio::task::yield_now().await;
            panic!("nobody thought of this")
        });
        assert_eq!(panics.await.unwrap_err().code, ErrorCode::Internal);
        assert_eq!(limited(async { Ok(7) }).await, Ok(7));
    }
}
