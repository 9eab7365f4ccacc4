//! `[events]` and `[hook]`: what other programs of the operator hear of, and may have a say in.

use std::collections::HashSet;

use ringwire_protocol::wire::message::Kind;
use ringwire_storage::outbox::{EventKind, EventSet};
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::signed::{Endpoint, endpoint};
use super::validate::{Invalid, invalid};

/// Most webhooks.
const MAX_WEBHOOKS: usize = 32;

/// A program that hears of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Names it in the database, in the log and in figures.
    pub name: String,
    /// Where it is.
    pub endpoint: Endpoint,
    /// What it hears of.
    pub events: EventSet,
}

/// Who hears of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsConfig {
    /// Each on its own.
    pub webhooks: Vec<WebhookConfig>,
    /// How long an event waits for a webhook that does not take it, in seconds.
    pub keep_s: u32,
}

/// The program that is asked before a message is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookConfig {
    /// Where it is; `None`: nobody is asked.
    pub endpoint: Option<Endpoint>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u32,
    /// What happens when it does not answer.
    pub on_failure: OnFailure,
    /// About which kinds of message it is asked; empty: about all.
    pub kinds: Vec<Kind>,
}

/// What becomes of a message when the hook does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It is sent.
    Allow,
    /// It is refused, as temporarily unavailable.
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawEvents {
    pub(super) webhooks: Vec<RawWebhook>,
    pub(super) keep_s: Number,
}

impl Default for RawEvents {
    fn default() -> Self {
        Self { webhooks: Vec::new(), keep_s: Number::Whole(24 * 60 * 60) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawWebhook {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) secrets: Vec<String>,
    pub(super) events: Vec<String>,
}

impl RawWebhook {
    /// The keys of one item of `events.webhooks`.
    pub(super) const KEYS: [&str; 4] = ["name", "url", "secrets", "events"];
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawHook {
    pub(super) url: String,
    pub(super) secrets: Vec<String>,
    pub(super) timeout_ms: Number,
    pub(super) on_failure: String,
    pub(super) kinds: Vec<String>,
}

impl Default for RawHook {
    fn default() -> Self {
        Self {
            url: String::new(),
            secrets: Vec::new(),
            timeout_ms: Number::Whole(1_000),
            on_failure: "allow".to_owned(),
            kinds: Vec::new(),
        }
    }
}

pub(super) fn events(raw: RawEvents) -> Result<EventsConfig, Invalid> {
    if raw.webhooks.len() > MAX_WEBHOOKS {
        let expected = format!("at most {MAX_WEBHOOKS} of them");
        return Err(invalid("events.webhooks", raw.webhooks.len().to_string(), expected));
    }
    let mut names = HashSet::new();
    let mut webhooks = Vec::with_capacity(raw.webhooks.len());
    for (index, hook) in raw.webhooks.into_iter().enumerate() {
        let place = format!("events.webhooks[{index}]");
        let key = |name: &str| format!("{place}.{name}");
        let sound = (1..=64).contains(&hook.name.len())
            && hook.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if !sound || !names.insert(hook.name.clone()) {
            let expected = "a name of its own, 1 to 64 letters, digits, hyphens, dots, underscores";
            return Err(invalid(&key("name"), hook.name, expected));
        }
        let endpoint = endpoint(&place, "url", &hook.url, "secrets", hook.secrets)?
            .ok_or_else(|| invalid(&key("url"), "", "a URL"))?;
        let events = event_set(&key("events"), &hook.events)?;
        webhooks.push(WebhookConfig { name: hook.name, endpoint, events });
    }
    let keep_s = raw.keep_s.within("events.keep_s", 60, 30 * 24 * 60 * 60)?;
    Ok(EventsConfig { webhooks, keep_s })
}

/// `*` stands for every kind.
fn event_set(key: &str, names: &[String]) -> Result<EventSet, Invalid> {
    let known = || EventKind::ALL.map(EventKind::name).join(", ");
    if names.is_empty() {
        return Err(invalid(key, "[]", format!("at least one of *, {}", known())));
    }
    names.iter().try_fold(EventSet::default(), |events, name| {
        if name == "*" {
            return Ok(EventSet::all());
        }
        match EventKind::from_name(name) {
            Some(kind) => Ok(events.with(kind)),
            None => Err(invalid(key, name.as_str(), format!("*, {}", known()))),
        }
    })
}

pub(super) fn hook(raw: RawHook) -> Result<HookConfig, Invalid> {
    let on_failure = match raw.on_failure.as_str() {
        "allow" => OnFailure::Allow,
        "deny" => OnFailure::Deny,
        _ => return Err(invalid("hook.on_failure", raw.on_failure, "allow or deny")),
    };
    let kinds = raw.kinds.iter().map(|name| {
        Kind::from_str_name(name).filter(|kind| *kind != Kind::Notice).ok_or_else(|| {
            let expected = "kinds of message such as TEXT, IMAGE or FILE";
            invalid("hook.kinds", name.as_str(), expected)
        })
    });
    Ok(HookConfig {
        kinds: kinds.collect::<Result<_, _>>()?,
        endpoint: endpoint("hook", "url", &raw.url, "secrets", raw.secrets)?,
        timeout_ms: raw.timeout_ms.within("hook.timeout_ms", 10, 10_000)?,
        on_failure,
    })
}
