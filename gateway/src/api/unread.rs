//! What of a request's body nobody has read when its answer is ready: most often because the request was refused.
//!
//! ```text
//!   body, lent ─► handler ─┬─ read to its end ──────────────────────────────────────────► as ever
//!                          └─ dropped before: it comes back ─► little, and there soon? ─► read, as ever
//!                                                                               else ───► `Connection: close`
//! ```
//!
//! Invariants: where an answer does not say that it closes the connection, the body is read, so the next request is found
//! (RFC 9112 section 9.6); an answer waits for a body no longer than [`PATIENCE`], and not at all for a client that waits
//! for the answer itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

/// The longest rest that is read, in bytes.
const MAX_REST_BYTES: u64 = 64 * 1024;
/// How long an answer waits for the rest.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where the body of a request is.
#[derive(Debug)]
enum Place {
    /// With whoever answers.
    Lent,
    /// All of it was read.
    Read,
    /// It came back.
    Back(Incoming),
}

/// Knows what became of a body.
#[derive(Debug)]
pub(super) struct Lender {
    place: Arc<Mutex<Place>>,
    /// The client sends nothing before it is told to.
    waits: bool,
}

/// A body that comes back if it is dropped before its end.
#[derive(Debug)]
struct Lent {
    body: Option<Incoming>,
    place: Arc<Mutex<Place>>,
}

fn put(place: &Mutex<Place>, now: Place) -> Place {
    std::mem::replace(&mut *place.lock().unwrap_or_else(PoisonError::into_inner), now)
}

impl Lender {
    /// The request with its body lent.
    pub(super) fn lend(request: Request<Incoming>) -> (Self, Request<Body>) {
        let place = Arc::new(Mutex::new(Place::Lent));
        let waits = request.headers().contains_key(header::EXPECT);
        let lender = Self { place: Arc::clone(&place), waits };
        (lender, request.map(|body| Body::new(Lent { body: Some(body), place })))
    }

    /// Reads what is left if that is little; whether everything was read in the end.
    pub(super) async fn settle(&self) -> bool {
        let mut body = match put(&self.place, Place::Lent) {
            Place::Read => return true,
            Place::Lent => return false,
            Place::Back(body) => body,
        };
        if self.waits || body.size_hint().lower() > MAX_REST_BYTES {
            return false;
        }
        let rest = async {
            let mut left = MAX_REST_BYTES;
            while let Some(frame) = body.frame().await {
                let bytes = frame.ok().map(|frame| frame.data_ref().map_or(0, Bytes::len) as u64);
                match bytes.and_then(|bytes| left.checked_sub(bytes)) {
                    Some(rest) => left = rest,
                    None => return false,
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, rest).await.unwrap_or(false)
    }
}

impl hyper::body::Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(&mut *body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || body.is_end_stream() {
            self.body = None;
            put(&self.place, Place::Read);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            let now = if body.is_end_stream() { Place::Read } else { Place::Back(body) };
            put(&self.place, now);
        }
    }
}
