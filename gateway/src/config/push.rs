//! `[push]`: notifications to the devices of members who are away.

use std::path::{Path, PathBuf};

use reqwest::Url;
use ringwire_storage::devices::PushKind;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::signed::{Endpoint, endpoint};
use super::validate::{Invalid, invalid};
use crate::secret::KeyFile;

/// The longest time a push service keeps a notification, in seconds: four weeks, as FCM and browsers do.
const MAX_TTL_S: u32 = 28 * 24 * 60 * 60;

/// Notifications to the devices of members who are away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushConfig {
    /// A server of the operator that notifies devices; `None`: off.
    pub webhook: Option<Endpoint>,
    /// Web Push; `None`: off.
    pub web_push: Option<WebPushConfig>,
    /// Firebase Cloud Messaging; `None`: off.
    pub fcm: Option<FcmConfig>,
    /// What a notification says.
    pub preview: Preview,
    /// How long a message waits before members who have not got it are notified, in milliseconds.
    pub delay_ms: u32,
    /// How long a push service keeps a notification for a device that cannot be reached, in seconds.
    pub ttl_s: u32,
    /// Tries before a notification is given up.
    pub max_tries: u32,
    /// Whether Web Push may go to addresses that are no public ones, and without TLS.
    pub private_endpoints: bool,
}

impl PushConfig {
    /// The ways that are on.
    pub(crate) fn ways(&self) -> Vec<PushKind> {
        let ways = [
            (PushKind::Webhook, self.webhook.is_some()),
            (PushKind::WebPush, self.web_push.is_some()),
            (PushKind::Fcm, self.fcm.is_some()),
        ];
        ways.into_iter().filter_map(|(kind, is_on)| is_on.then_some(kind)).collect()
    }

    /// Whether anybody is notified.
    pub const fn is_on(&self) -> bool {
        self.webhook.is_some() || self.web_push.is_some() || self.fcm.is_some()
    }
}

/// How this server speaks to browsers' push services (RFC 8292).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPushConfig {
    /// Whom a push service writes to if there is trouble: `mailto:` or `https:`.
    pub subject: String,
    /// The file with the key that signs.
    pub key_file: KeyFile,
}

/// How this server speaks to FCM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FcmConfig {
    /// The file with the key of a service account, as Google's console gives it.
    pub account_file: PathBuf,
    /// Google's, or that of a test.
    pub url: Url,
}

/// What a notification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// Who wrote, and the beginning of what.
    Full,
    /// Who wrote.
    Sender,
    /// That there is something.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawPush {
    pub(super) webhook_url: String,
    pub(super) webhook_secrets: Vec<String>,
    pub(super) web_push_subject: String,
    pub(super) vapid_key_file: String,
    pub(super) fcm_account_file: String,
    pub(super) fcm_url: String,
    pub(super) preview: String,
    pub(super) delay_ms: Number,
    pub(super) ttl_s: Number,
    pub(super) max_tries: Number,
    pub(super) private_endpoints: bool,
}

impl Default for RawPush {
    fn default() -> Self {
        Self {
            webhook_url: String::new(),
            webhook_secrets: Vec::new(),
            web_push_subject: String::new(),
            vapid_key_file: String::new(),
            fcm_account_file: String::new(),
            fcm_url: "https://fcm.googleapis.com/".to_owned(),
            preview: "full".to_owned(),
            delay_ms: Number::Whole(5_000),
            ttl_s: Number::Whole(24 * 60 * 60),
            max_tries: Number::Whole(10),
            private_endpoints: false,
        }
    }
}

pub(super) fn push(raw: RawPush, data_dir: &Path) -> Result<PushConfig, Invalid> {
    let webhook =
        endpoint("push", "webhook_url", &raw.webhook_url, "webhook_secrets", raw.webhook_secrets)?;
    let subject = raw.web_push_subject;
    if !(subject.is_empty() || subject.starts_with("mailto:") || subject.starts_with("https://")) {
        let expected = "mailto: and an address, or https:// and a page, for the push services";
        return Err(invalid("push.web_push_subject", subject, expected));
    }
    let key_file = KeyFile::of(raw.vapid_key_file, || data_dir.join("vapid.key"));
    let fcm_url = Url::parse(&raw.fcm_url).ok().filter(|url| !url.cannot_be_a_base());
    let fcm_url = fcm_url.ok_or_else(|| {
        invalid("push.fcm_url", raw.fcm_url.as_str(), "a URL such as https://fcm.googleapis.com/")
    })?;
    let preview = match raw.preview.as_str() {
        "full" => Preview::Full,
        "sender" => Preview::Sender,
        "none" => Preview::Nothing,
        _ => return Err(invalid("push.preview", raw.preview, "full, sender or none")),
    };
    Ok(PushConfig {
        webhook,
        web_push: (!subject.is_empty()).then_some(WebPushConfig { subject, key_file }),
        fcm: (!raw.fcm_account_file.is_empty())
            .then(|| FcmConfig { account_file: PathBuf::from(raw.fcm_account_file), url: fcm_url }),
        preview,
        delay_ms: raw.delay_ms.within("push.delay_ms", 0, 600_000)?,
        ttl_s: raw.ttl_s.within("push.ttl_s", 0, MAX_TTL_S)?,
        max_tries: raw.max_tries.within("push.max_tries", 1, 100)?,
        private_endpoints: raw.private_endpoints,
    })
}
