//! What operators do, and what is refused to them, goes into the audit log.
//!
//! ```text
//!   request ─► Act ─┬─ changes something: a row, `tried` ─► it is done ─► the row's outcome
//!                   └─ looks, or is refused ─► is there room in this minute? ─► a row │ counted
//!   login ─► right: a row │ wrong, or too many: as a refusal, of nobody
//! ```
//!
//! Invariants: what cannot be written down is not done, nor is it shown; an answer tells no more than its row; looks and
//! refusals of one operator make at most [`ROWS_A_MINUTE`] rows a minute on a node, the same one once, and those that
//! were left out are counted in the next row. Requests without an operator's token leave no row: nobody did them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, Request};
use axum::response::{IntoResponse as _, Response};
use ringwire_protocol::ErrorCode;
use ringwire_storage::audit::{AuditEntry, AuditId, AuditOutcome};
use ringwire_storage::operators::{OperatorId, OperatorRow};
use serde_json::{Map, Value, json};

use super::super::ServiceState;
use super::super::error::ApiError;
use super::Route;

/// Rows of looks and refusals that one operator makes in a minute, and all strangers together.
const ROWS_A_MINUTE: usize = 60;
const MINUTE: Duration = Duration::from_mins(1);
/// The longest part of a path or query that is kept, in bytes.
const MAX_KEPT_BYTES: usize = 254;
/// Whom a login that was refused is of.
const NOBODY: OperatorId = 0;
/// How many were left out before this row.
const LEFT_OUT: &str = "left_out";

/// What one request is about, and what of it is in the log.
#[derive(Debug)]
pub(super) struct Act {
    action: &'static str,
    target: String,
    /// What the query asks for.
    asked: Map<String, Value>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    row: Option<AuditId>,
    /// What became known while it was done.
    detail: Option<String>,
}

impl Act {
    /// The act of a request, by its route.
    pub(super) fn new(route: &Route, request: &Request, operator: &OperatorRow) -> Self {
        Self {
            action: route.action,
            target: target(route, request.uri().path(), operator),
            asked: asked(route, request),
            noted: Mutex::default(),
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `user:7` of a path that names a user, `log` of one that names nothing.
fn target(route: &Route, path: &str, operator: &OperatorRow) -> String {
    let named = route.path.split('/').zip(path.split('/')).find_map(|(place, given)| {
        let kind = place.strip_prefix('{')?.strip_suffix("_id}")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_kept = given.len() <= MAX_KEPT_BYTES && given.bytes().all(is_plain);
        let shown = given.parse().map(|number: u64| number.to_string());
        Some(format!("{kind}:{}", shown.unwrap_or(if is_kept { given } else { "?" }.to_owned())))
    });
    let thing = || match route.action.split_once('.') {
        Some(("operator", _)) => of_operator(&operator.name),
        thing => thing.map_or(route.action, |(thing, _)| thing).to_owned(),
    };
    named.unwrap_or_else(thing)
}

pub(super) fn of_operator(name: &str) -> String {
    format!("operator:{name}")
}

/// The parameters that the route knows, but for places in lists.
fn asked(route: &Route, request: &Request) -> Map<String, Value> {
    let given = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let given = given.map(|Query(given)| given).unwrap_or_default();
    let known = given
        .into_iter()
        .filter(|(name, _)| name != "page_token" && route.query.contains(&name.as_str()));
    known
        .map(|(name, mut value)| {
            value.truncate(value.floor_char_boundary(MAX_KEPT_BYTES));
            (name, value.into())
        })
        .collect()
}

/// An operator, and what they are at.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    pub(super) row: OperatorRow,
    pub(super) act: Arc<Act>,
}

impl Operator {
    /// Writes down what is done next. Without that it is not done: call it first.
    pub(super) async fn note(&self, state: &ServiceState, detail: &Value) -> Result<(), ApiError> {
        let Act { action, target, .. } = &*self.act;
        let row = entry(self.row.id, action, target, detail.to_string(), AuditOutcome::Tried);
        let id = append(state, &self.row.name, row).await?;
        self.act.noted().row = Some(id);
        Ok(())
    }

    /// What became known while it was done, for the same row.
    pub(super) fn tell(&self, detail: &Value) {
        self.act.noted().detail = Some(detail.to_string());
    }

    /// Writes down how it went: in the row there is, or in one of its own, without which there is no answer.
    pub(super) async fn conclude(&self, state: &ServiceState, answer: Response) -> Response {
        let Act { action, target, asked, .. } = &*self.act;
        let outcome = outcome(&answer);
        let Noted { row, detail } = std::mem::take(&mut *self.act.noted());
        if let Some(id) = row {
            if let Err(error) = state.0.store.finish_audit(id, outcome, detail).await {
                tracing::warn!(%error, action, "the audit log will not tell how this went");
            }
            return answer;
        }
        let same = Some((action, target, Value::Object(asked.clone()).to_string(), &outcome));
        let trail = &state.0.administration.trail;
        let Some(left_out) = trail.admit(self.row.id, same, Instant::now()) else { return answer };
        let detail = with_left_out(asked.clone(), left_out);
        let row = entry(self.row.id, action, target, detail, outcome);
        match append(state, &self.row.name, row).await {
            Ok(_) => answer,
            Err(error) => error.into_response(),
        }
    }
}

/// Somebody got in.
pub(super) async fn logged_in(
    state: &ServiceState,
    operator: &OperatorRow,
) -> Result<(), ApiError> {
    let target = of_operator(&operator.name);
    let row = entry(operator.id, LOGIN, &target, "{}".to_owned(), AuditOutcome::Done);
    append(state, &operator.name, row).await?;
    Ok(())
}

/// Somebody did not; `name`: if it can be one.
pub(super) async fn not_logged_in(
    state: &ServiceState,
    name: Option<&str>,
    code: ErrorCode,
) -> Result<(), ApiError> {
    // What is no name may be a password in the wrong field.
    let target = of_operator(name.unwrap_or("?"));
    // A wrong password is rare, since each costs time; who does not wait is told of once.
    let same = (code == ErrorCode::RateLimited).then_some(&target);
    let Some(left_out) = state.0.administration.trail.admit(NOBODY, same, Instant::now()) else {
        return Ok(());
    };
    let detail = with_left_out(Map::new(), left_out);
    let outcome = AuditOutcome::Refused(code.name().to_owned());
    append(state, "", entry(NOBODY, LOGIN, &target, detail, outcome)).await?;
    Ok(())
}

/// What a login is called; the route of logins says the same.
pub(super) const LOGIN: &str = "operator.login";

fn with_left_out(mut detail: Map<String, Value>, left_out: u64) -> String {
    if left_out > 0 {
        detail.insert(LEFT_OUT.to_owned(), json!(left_out));
    }
    Value::Object(detail).to_string()
}

fn entry(
    operator: OperatorId,
    action: &str,
    target: &str,
    detail: String,
    outcome: AuditOutcome,
) -> AuditEntry {
    AuditEntry {
        actor: None,
        operator: Some(operator).filter(|id| *id != NOBODY),
        action: action.to_owned(),
        target: target.to_owned(),
        detail,
        outcome,
    }
}

async fn append(state: &ServiceState, name: &str, row: AuditEntry) -> Result<AuditId, ApiError> {
    let AuditEntry { action, target, outcome, .. } = &row;
    tracing::info!(operator = name, action, target, ?outcome, "administration");
    Ok(state.0.store.append_audit(row).await?)
}

fn outcome(answer: &Response) -> AuditOutcome {
    let status = answer.status();
    match answer.extensions().get::<ErrorCode>() {
        Some(code) => AuditOutcome::Refused(code.name().to_owned()),
        None if status.is_client_error() || status.is_server_error() => {
            AuditOutcome::Refused(status.as_str().to_owned())
        }
        None => AuditOutcome::Done,
    }
}

/// Which looks and refusals were told in this minute, by operator; there are as many as the console made.
#[derive(Debug, Default)]
pub(super) struct Trail {
    minutes: Mutex<HashMap<OperatorId, Minute>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Minute {
    began: Instant,
    rows: usize,
    told: HashSet<u64>,
    left_out: u64,
}

impl Trail {
    /// Whether this makes a row, and how many made none since the last one that did. `same`: what it is, if the same
    /// again says nothing new.
    fn admit(&self, operator: OperatorId, same: Option<impl Hash>, now: Instant) -> Option<u64> {
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Minute { began: now, rows: 0, told: HashSet::new(), left_out: 0 };
        let minute = minutes.entry(operator).or_insert_with(new);
        if now.saturating_duration_since(minute.began) >= MINUTE {
            *minute = Minute { left_out: minute.left_out, ..new() };
        }
        let same = same.map(|same| self.hasher.hash_one(same));
        if same.is_some_and(|same| minute.told.contains(&same)) {
            return None;
        }
        if minute.rows >= ROWS_A_MINUTE {
            minute.left_out += 1;
            return None;
        }
        minute.rows += 1;
        minute.told.extend(same);
        Some(std::mem::take(&mut minute.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_rows_a_minute_the_same_once_and_what_is_left_out_is_counted() {
        let trail = Trail::default();
        let start = Instant::now();
        assert_eq!(trail.admit(1, Some("look"), start), Some(0));
        assert_eq!(trail.admit(1, Some("look"), start), None, "it says nothing new");
        assert_eq!(trail.admit(2, Some("look"), start), Some(0), "somebody else does");
        for n in 1..ROWS_A_MINUTE {
            assert_eq!(trail.admit(1, Some(n), start), Some(0));
        }
        for _ in 0..3 {
            assert_eq!(trail.admit(1, Some("more"), start), None);
            assert_eq!(trail.admit(1, None::<()>, start), None);
        }
        assert_eq!(trail.admit(1, Some("look"), start + MINUTE), Some(6));
        assert_eq!(trail.admit(1, None::<()>, start + MINUTE), Some(0));
    }
}
