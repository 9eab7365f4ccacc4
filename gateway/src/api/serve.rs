//! One HTTP connection from its first to its last request, or until it turns out to be a WebSocket.
//!
//! Bounds: connections at a time; time for a request's head, for a request, and for the whole connection (browsers
//! open a new one without anybody noticing); size of heads and bodies.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use axum::response::IntoResponse;
use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ringwire_protocol::{CommandError, ErrorCode};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use super::error::ApiError;
use super::files::{is_transfer, upload_time};
use super::metrics::Peer;
use super::prefixed::Prefixed;
use super::unread::Lender;
use super::upgrade::{UpgradedSocket, is_upgrade, write_head};
use super::{ServiceState, router};
use crate::limits;

/// Time for the head of a request, the pause before it included: also how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Time for a request from its head to the head of its answer.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long a connection is kept while the server drains: whoever is about to ask over it still gets an answer.
const DRAIN_IDLE: Duration = Duration::from_secs(1);
/// How long a drain waits for connections.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// After this time a connection ends with the request it is at.
const CONNECTION_TIME: Duration = Duration::from_mins(5);
/// And after this much more it ends at once.
const CONNECTION_GRACE: Duration = Duration::from_secs(30);
/// Or, if a file travels over it, after this much more.
const TRANSFER_GRACE: Duration = Duration::from_secs(limits::TRANSFER_S);
/// How long the rest of a body is read that was refused before its end, so that its client hears of it.
const LINGER: Duration = Duration::from_secs(5);
/// The largest head of a request, in bytes; hyper needs 8 KiB at least.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// What BUSY tells the client to wait, in milliseconds.
const BUSY_RETRY_MS: u32 = 1_000;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;
type OnUpgrade = dyn Fn(UpgradedSocket) + Send + Sync;

/// Serves HTTP connections. A handle: clones share everything.
#[derive(Clone)]
pub struct ApiServer {
    router: Router,
    pub(super) places: Arc<Semaphore>,
    drain: watch::Sender<bool>,
    on_upgrade: Option<Arc<OnUpgrade>>,
}

impl fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.places.available_permits();
        f.debug_struct("ApiServer").field("free_places", &free).finish_non_exhaustive()
    }
}

impl ApiServer {
    /// A server of the whole API and page for at most `max_connections` at a time.
    pub fn new(state: ServiceState, max_connections: usize) -> Self {
        Self::with_router(router(state), max_connections)
    }

    pub(super) fn with_router(router: Router, max_connections: usize) -> Self {
        let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Self { router, places, drain: watch::Sender::new(false), on_upgrade: None }
    }

    /// Where WebSocket upgrades go. Without it they are answered 426.
    #[must_use]
    pub fn on_upgrade(mut self, take: impl Fn(UpgradedSocket) + Send + Sync + 'static) -> Self {
        self.on_upgrade = Some(Arc::new(take));
        self
    }

    /// Idle connections end in a moment, the others end with the request they are at.
    pub fn begin_drain(&self) {
        self.drain.send_replace(true);
    }

    /// Completes when no connection is left that was there when the drain began, or it has waited long enough.
    pub async fn ended(&self) {
        // Each connection is subscribed for as long as it lasts.
        drop(tokio::time::timeout(DRAIN_TIME, self.drain.closed()).await);
    }

    /// Serves one connection to its end. `already_read`: what others have read from it.
    pub async fn serve(&self, stream: TcpStream, already_read: Bytes, peer: SocketAddr) {
        if let Err(error) = self.serve_until_end(stream, already_read, peer).await {
            // Clients come and go; what they do wrong is no news.
            tracing::debug!(%peer, "HTTP connection ended: {error}");
        }
    }

    async fn serve_until_end(
        &self,
        stream: TcpStream,
        already_read: Bytes,
        peer: SocketAddr,
    ) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        // Latency over packets: answers are written whole anyway.
        stream.set_nodelay(true)?;
        let mut stream = tokio::net::TcpStream::from_std(stream)?;
        let Ok(_place) = self.places.try_acquire() else {
            stream.write_all(busy().as_bytes()).await?;
            return stream.shutdown().await;
        };
        let takeover = Arc::new(Takeover::default());
        // Whether the request it is at may carry a file.
        let transfers = AtomicBool::new(false);
        // Whether something of the last request's body was not read.
        let unread = Arc::new(AtomicBool::new(false));
        let io = Prefixed::new(stream, already_read, takeover.flushed.clone());
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(
                TokioIo::new(io),
                service_fn(|request| self.answer(request, peer, &takeover, &transfers, &unread)),
            );
        let mut drain = self.drain.subscribe();
        let drained = async {
            drop(drain.wait_for(|draining| *draining).await);
            tokio::time::sleep(DRAIN_IDLE).await;
        };
        let mut ending = pin!(async {
            tokio::select! {
                () = drained => CONNECTION_GRACE,
                () = tokio::time::sleep(CONNECTION_TIME) => {
                    if transfers.load(Ordering::Relaxed) { TRANSFER_GRACE } else { CONNECTION_GRACE }
                }
            }
        });
        let mut grace: Option<Pin<Box<tokio::time::Sleep>>> = None;
        let mut is_done = false;
        let taken_over = poll_fn(|cx| {
            if !is_done {
                match connection.poll_without_shutdown(cx) {
                    Poll::Ready(result) => is_done = result.map(|()| true)?,
                    Poll::Pending if takeover.is_complete() => return Poll::Ready(Ok(true)),
                    Poll::Pending => {}
                }
            }
            // A request that is refused before its body came is done before the refusal has left.
            if is_done && let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(result.map(|()| false));
            }
            if let Some(grace) = &mut grace {
                return grace.as_mut().poll(cx).map(|()| Ok(false));
            }
            if let Poll::Ready(most) = ending.as_mut().poll(cx) {
                Pin::new(&mut connection).graceful_shutdown();
                grace = Some(Box::pin(tokio::time::sleep(most)));
                // The connection has to learn about it, and the new timer wants to be polled.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
        .map_err(io::Error::other)?;

        let parts = connection.into_parts();
        let (mut stream, prefix) = parts.io.into_inner().into_parts();
        if !taken_over {
            // Done by hyper already, unless it ran out of time.
            drop(stream.shutdown().await);
            if transfers.load(Ordering::Relaxed) || unread.load(Ordering::Relaxed) {
                // A close before all is read would take the answer with it.
                let mut nowhere = tokio::io::sink();
                let rest = tokio::io::copy(&mut stream, &mut nowhere);
                drop(tokio::time::timeout(LINGER, rest).await);
            }
            return Ok(());
        }
        let mut unread = BytesMut::from(takeover.take_head().as_ref());
        unread.extend_from_slice(&parts.read_buf);
        unread.extend_from_slice(&prefix);
        if let Some(take) = &self.on_upgrade {
            take(UpgradedSocket { stream: stream.into_std()?, unread: unread.freeze(), peer });
        }
        Ok(())
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        takeover: &Takeover,
        transfers: &AtomicBool,
        unread: &Arc<AtomicBool>,
    ) -> Answer {
        if self.on_upgrade.is_some() && is_upgrade(&request) {
            takeover.begin(write_head(&request));
            // Never answered here: the connection is taken apart as soon as earlier answers have left.
            return Box::pin(std::future::pending());
        }
        let path = request.uri().path();
        let limit = upload_time(request.method(), path).unwrap_or(REQUEST_TIME);
        transfers.store(is_transfer(path), Ordering::Relaxed);
        request.extensions_mut().insert(Peer(peer));
        let (lender, request) = Lender::lend(request);
        let answer = self.router.clone().oneshot(request);
        let unread = Arc::clone(unread);
        Box::pin(async move {
            let mut answer = match tokio::time::timeout(limit, catch_panic(answer)).await {
                Ok(Some(Ok(answer))) => answer,
                Ok(None) => internal(),
                Err(_) => {
                    let message = "the request took too long";
                    let error = CommandError::retry(ErrorCode::Busy, message, BUSY_RETRY_MS);
                    ApiError::from(error).into_response()
                }
            };
            if !lender.settle().await {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                unread.store(true, Ordering::Relaxed);
            }
            Ok(answer)
        })
    }
}

/// Between the service, which sees the upgrade, and the loop, which owns the socket.
#[derive(Default)]
struct Takeover {
    head: Mutex<Option<Bytes>>,
    flushed: Arc<AtomicBool>,
}

impl Takeover {
    fn begin(&self, head: Bytes) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        self.flushed.store(false, Ordering::Relaxed);
    }

    fn is_complete(&self) -> bool {
        self.flushed.load(Ordering::Relaxed)
            && self.head.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take_head(&self) -> Bytes {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

/// `None` if the future panicked: a bug, but this request's alone.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

fn internal() -> Response<Body> {
    ApiError::new(ErrorCode::Internal, "the server failed; the failure is in its log")
        .into_response()
}

/// The answer to a connection for which there is no place, written without reading a request.
fn busy() -> String {
    let message = "too many HTTP connections at this moment";
    let error = ApiError::from(CommandError::retry(ErrorCode::Busy, message, BUSY_RETRY_MS));
    let body = error.to_json();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
