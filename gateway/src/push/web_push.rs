//! Web Push (RFC 8030): notifications to browsers by whatever push service theirs uses.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ecdh::{self, AUTH_BYTES, POINT_BYTES};
use super::notification::Notification;
use super::vapid::VapidKey;
use super::{Sent, later};
use crate::cli::unix_now_ms;
use crate::outbound::{self, Outgoing, RequestError, check_endpoint};

/// What a browser's `PushSubscription` says as JSON; it is kept as the token of a device.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = PushSubscription)]
pub(crate) struct Subscription {
    /// Where the browser's push service takes what is for it.
    endpoint: String,
    /// As the browser made them.
    keys: SubscriptionKeys,
}

/// What notifications to a browser are encrypted with.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = PushSubscriptionKeys)]
struct SubscriptionKeys {
    /// The browser's public key, in base64url.
    p256dh: String,
    /// Its secret, in base64url.
    auth: String,
}

/// Its keys as bytes.
type BrowserKeys = ([u8; POINT_BYTES], [u8; AUTH_BYTES]);

impl Subscription {
    /// What of it cannot be used; `None`: nothing.
    pub(crate) fn fault(&self, private_endpoints: bool) -> Option<&'static str> {
        if check_endpoint(&self.endpoint, private_endpoints).is_none() {
            return Some("endpoint");
        }
        match self.browser_keys() {
            // Whether the point is on the curve tells a try.
            Some((point, auth)) if ecdh::encrypt(b"", &point, &auth).is_some() => None,
            _ => Some("keys"),
        }
    }

    /// As the token of a device.
    pub(crate) fn token(&self) -> String {
        // Text always serializes.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn browser_keys(&self) -> Option<BrowserKeys> {
        Some((
            decode(&self.keys.p256dh)?.try_into().ok()?,
            decode(&self.keys.auth)?.try_into().ok()?,
        ))
    }
}

/// Base64url, with padding or without: browsers differ.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Notifies browsers.
pub(super) struct WebPush {
    key: Arc<VapidKey>,
    subject: String,
    ttl_s: u32,
}

impl WebPush {
    pub(super) fn new(key: Arc<VapidKey>, subject: String, ttl_s: u32) -> Self {
        Self { key, subject, ttl_s }
    }

    pub(super) async fn send(
        &self,
        outgoing: &Outgoing,
        token: &str,
        notification: &Notification,
    ) -> Sent {
        let Ok(subscription) = serde_json::from_str::<Subscription>(token) else {
            return Sent::Gone;
        };
        let text = notification.json().to_string();
        let Some((point, auth)) = subscription.browser_keys() else { return Sent::Gone };
        let Some(body) = ecdh::encrypt(text.as_bytes(), &point, &auth) else { return Sent::Never };
        let origin =
            Url::parse(&subscription.endpoint).map(|url| url.origin().ascii_serialization());
        let Ok(origin) = origin else { return Sent::Gone };
        let now_s = unix_now_ms() / 1_000;
        let Some(authorization) = self.key.authorization(&origin, &self.subject, now_s) else {
            return Sent::Later(None);
        };
        let Some(request) = outgoing.post_foreign(&subscription.endpoint) else {
            return Sent::Never;
        };
        let request = request
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", self.ttl_s)
            .header("urgency", "high")
            // At most 32 letters of base64url (RFC 8030 section 5.4).
            .header("topic", notification.collapse_key())
            .body(body);
        match request.send().await.map_err(RequestError::from) {
            Ok(response) => match response.status() {
                status if status.is_success() => Sent::Taken,
                StatusCode::NOT_FOUND | StatusCode::GONE => Sent::Gone,
                status if outbound::is_temporary(status) => {
                    Sent::Later(outbound::retry_after(&response))
                }
                // Another key than the one subscribed with, as a rule: only the browser can mend it.
                status => {
                    tracing::warn!(%status, "a push service refuses notifications");
                    Sent::Never
                }
            },
            Err(error) => later("webpush", &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(endpoint: &str, p256dh: &str, auth: &str) -> Subscription {
        let keys = SubscriptionKeys { p256dh: p256dh.to_owned(), auth: auth.to_owned() };
        Subscription { endpoint: endpoint.to_owned(), keys }
    }

    #[test]
    fn a_subscription_has_an_address_and_keys_that_can_be_used() {
        const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
        let url = "https://push.example.org/x";
        assert_eq!(subscription(url, POINT, AUTH).fault(false), None);
        assert_eq!(
            subscription(url, &format!("{POINT}="), &format!("{AUTH}==")).fault(false),
            None
        );
        assert_eq!(subscription("https://10.0.0.1/x", POINT, AUTH).fault(false), Some("endpoint"));
        assert_eq!(subscription(url, AUTH, AUTH).fault(false), Some("keys"));
        let off_the_curve = URL_SAFE_NO_PAD.encode([4; POINT_BYTES]);
        assert_eq!(subscription(url, &off_the_curve, AUTH).fault(false), Some("keys"));
        let again: Subscription =
            serde_json::from_str(&subscription(url, POINT, AUTH).token()).unwrap();
        assert_eq!(again.endpoint, url);
    }
}
