//! The program that is asked before a message is accepted.
//!
//! ```text
//!   screening ─► place among those asked at once? ─ no: BUSY
//!                      └─► signed question ─► allow | deny | rewrite: another text, checked like any
//!                                       └─ nothing, an error, something else: as `hook.on_failure` says
//! ```
//!
//! Invariants: what goes on is the sender's command or the same with another text, under the id and the hash of the
//! original, so a retry finds the first try whatever the hook says by then; questions have places of their own, so a
//! slow hook takes none from commands that read the database.

use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::{CommandError, ConversationId, ErrorCode};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::command::body::{self, message_of};
use crate::command::message;
use crate::config::{Endpoint, HookConfig, LimitsConfig, OnFailure};
use crate::conversation::{Intent, Submission};
use crate::limits;
use crate::outbound::{self, Answer, Outgoing, OutgoingMetrics, RequestError};

/// The longest refusal that a sender is shown, in characters.
const MAX_REASON_CHARS: usize = 200;

/// A command that is asked about.
#[derive(Debug)]
pub struct Screening {
    /// For whose log.
    pub conversation_id: ConversationId,
    /// The command; comes back with the answer.
    pub submission: Box<Submission>,
}

/// What the hook answers.
#[derive(Debug, Deserialize)]
struct Verdict {
    action: Action,
    #[serde(default)]
    message: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Allow,
    Deny,
    Rewrite,
}

/// Asks the hook. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Screener(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    config: HookConfig,
    limits: LimitsConfig,
    outgoing: Outgoing,
    metrics: OutgoingMetrics,
    places: Semaphore,
}

impl HookConfig {
    /// Whether this command is one that is asked about.
    pub(crate) fn wants(&self, intent: &Intent) -> bool {
        let (Some(_), Intent::Send { body, .. } | Intent::Edit { body, .. }) =
            (&self.endpoint, intent)
        else {
            return false;
        };
        self.kinds.is_empty() || message_of(body).is_some_and(|m| self.kinds.contains(&m.kind()))
    }
}

impl Screener {
    /// `None`: nobody is to be asked.
    pub fn new(
        config: &HookConfig,
        limits: &LimitsConfig,
        outgoing: Outgoing,
        metrics: OutgoingMetrics,
    ) -> Option<Self> {
        Some(Self(Arc::new(Inner {
            endpoint: config.endpoint.clone()?,
            config: config.clone(),
            limits: limits.clone(),
            outgoing,
            metrics,
            places: Semaphore::new(limits::SCREENED_AT_ONCE),
        })))
    }

    /// Asks about a command, and makes of it what is to go on.
    pub(crate) async fn screen(&self, screening: &mut Screening) -> Result<(), CommandError> {
        let Self(inner) = self;
        let Ok(_place) = inner.places.try_acquire() else {
            let message = "too many messages wait for the hook";
            return Err(CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS));
        };
        let limit = Duration::from_millis(inner.config.timeout_ms.into());
        let asked = timeout(limit, inner.ask(screening)).await;
        let (answer, result) = match asked {
            Ok(Ok(verdict)) => inner.carry_out(verdict, screening),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the hook cannot be asked");
                (Answer::failed, inner.without_answer())
            }
            Err(_) => {
                tracing::warn!(?limit, "the hook does not answer");
                (Answer::failed, inner.without_answer())
            }
        };
        inner.metrics.asked(answer);
        result
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
enum NoVerdict {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("it answered with status {0}")]
    Status(reqwest::StatusCode),
    #[error("its answer is no verdict")]
    Unknown,
}

impl Inner {
    async fn ask(&self, screening: &Screening) -> Result<Verdict, NoVerdict> {
        let Screening { conversation_id, submission } = screening;
        let (operation, target, body) = match &submission.intent {
            Intent::Send { body, .. } => ("send", None, body),
            Intent::Edit { target_seq, body, .. } => ("edit", Some(target_seq.to_string()), body),
            _ => return Err(NoVerdict::Unknown),
        };
        let question = json!({
            "type": "before_send",
            "operation": operation,
            "conversation_id": conversation_id.to_string(),
            "sender_id": submission.from.to_string(),
            "client_msg_id": submission.client_msg_id,
            "target_seq": target,
            "message": message_of(body),
        });
        let id = format!(
            "before.{conversation_id}.{}.{:016x}",
            submission.from,
            submission.command_hash.cast_unsigned()
        );
        let question = question.to_string().into_bytes();
        let request = self.outgoing.signed(&self.endpoint, "before_send", &id, question);
        let response = request.send().await.map_err(RequestError::from)?;
        if !response.status().is_success() {
            return Err(NoVerdict::Status(response.status()));
        }
        let body = outbound::body(response).await?;
        serde_json::from_slice(&body).map_err(|_| NoVerdict::Unknown)
    }

    fn carry_out(
        &self,
        verdict: Verdict,
        screening: &mut Screening,
    ) -> (Answer, Result<(), CommandError>) {
        match verdict.action {
            Action::Allow => (Answer::allowed, Ok(())),
            Action::Deny => (Answer::denied, Err(denied(&verdict.message))),
            Action::Rewrite => {
                match rewrite(&mut screening.submission.intent, verdict.text, &self.limits) {
                    Ok(()) => (Answer::rewritten, Ok(())),
                    Err(error) => {
                        tracing::warn!(%error, "the hook rewrote a message so that it cannot be sent");
                        (Answer::failed, self.without_answer())
                    }
                }
            }
        }
    }

    fn without_answer(&self) -> Result<(), CommandError> {
        match self.config.on_failure {
            OnFailure::Allow => Ok(()),
            OnFailure::Deny => {
                let message = "messages cannot be checked at present";
                let wait_ms = limits::UNAVAILABLE_RETRY_MS;
                Err(CommandError::retry(ErrorCode::Unavailable, message, wait_ms))
            }
        }
    }
}

/// A refusal in the hook's words, as far as they are fit to be shown.
fn denied(reason: &str) -> CommandError {
    let mut shown: String = reason.chars().filter(|c| !c.is_control()).collect();
    if let Some((end, _)) = shown.char_indices().nth(MAX_REASON_CHARS) {
        shown.truncate(end);
    }
    if shown.trim().is_empty() {
        "the message is not allowed here".clone_into(&mut shown);
    }
    CommandError::new(ErrorCode::Forbidden, shown)
}

/// Gives a message another text. The id and the hash of its command stay.
fn rewrite(intent: &mut Intent, text: String, limits: &LimitsConfig) -> Result<(), CommandError> {
    let (Intent::Send { body, .. } | Intent::Edit { body, .. }) = &*intent else { return Ok(()) };
    let Some(mut message) = message_of(body) else { return Ok(()) };
    message.text = text;
    message::check(&message, limits)?;
    body::replace(intent, message);
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use ringwire_protocol::wire;
    use wire::entry_body::Kind;

    use super::*;
    use crate::config;
    use crate::conversation::intent::Mentions;

    fn body(text: &str) -> bytes::Bytes {
        let message = wire::Message { text: text.to_owned(), ..Default::default() };
        wire::EntryBody { kind: Some(Kind::Message(message)) }.encode_to_vec().into()
    }

    fn send(text: &str) -> Intent {
        Intent::Send {
            body: body(text),
            after: "".into(),
            mentions: Mentions::default(),
            files: Box::default(),
        }
    }

    #[test]
    fn a_text_is_replaced_in_sends_and_edits_and_checked_like_any() {
        let limits = config::load(None, [], &[]).unwrap().config.limits;
        let mut intent = send("bad");
        rewrite(&mut intent, "good".to_owned(), &limits).unwrap();
        assert_eq!(intent, send("good"));
        let too_long = "x".repeat(limits.max_text_bytes as usize + 1);
        assert_eq!(rewrite(&mut intent, too_long, &limits).unwrap_err().code, ErrorCode::TooLarge);
        assert!(rewrite(&mut intent, String::new(), &limits).is_err());
        assert_eq!(intent, send("good"));
        let mut edit = Intent::Edit {
            target_seq: 4,
            body: body("bad"),
            edited: body("bad"),
            mention_all: false,
            files: Box::default(),
        };
        rewrite(&mut edit, "good".to_owned(), &limits).unwrap();
        let Intent::Edit { body: new, edited, .. } = edit else { panic!("an edit") };
        assert_eq!(new, body("good"));
        let Some(Kind::Edited(edited)) = wire::EntryBody::decode(edited).unwrap().kind else {
            panic!("an edit");
        };
        assert_eq!((edited.target_seq, edited.message.unwrap().text.as_str()), (4, "good"));
    }

    #[test]
    fn a_refusal_is_bounded_and_says_something() {
        assert_eq!(denied("no\n\u{7}pe").message, "nope");
        assert_eq!(denied(" ").message, "the message is not allowed here");
        assert_eq!(denied(&"ä".repeat(999)).message.chars().count(), MAX_REASON_CHARS);
        assert_eq!(denied("x").code, ErrorCode::Forbidden);
    }
}
