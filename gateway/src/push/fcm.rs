//! Firebase Cloud Messaging by its HTTP v1 interface: a service account's key gives a token for an hour, the token gives
//! notifications to Android, Apple and browsers.

use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::CONTENT_TYPE;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::notification::Notification;
use super::{Sent, later};
use crate::cli::unix_now_ms;
use crate::outbound::{self, Outgoing, RequestError};

/// What the token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long a grant is good for, in seconds; Google allows an hour.
const GRANT_S: i64 = 3_600;
/// A token is not used in the last part of its time.
const SPARE: Duration = Duration::from_mins(2);

/// The file, as far as it is needed.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    client_email: String,
    private_key: Zeroizing<String>,
    token_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    expires_in: u64,
}

struct Token {
    text: Zeroizing<String>,
    until: Instant,
}

/// Notifies by FCM.
pub(super) struct Fcm {
    send_url: Url,
    token_url: Url,
    email: String,
    key: EncodingKey,
    ttl_s: u32,
    token: Mutex<Option<Token>>,
}

impl Fcm {
    /// One for the account in this file; an error says what of it is wrong.
    pub(super) fn new(account: &[u8], url: &Url, ttl_s: u32) -> Result<Self, &'static str> {
        let account: Account = serde_json::from_slice(account)
            .map_err(|_| "expected the JSON file of a service account's key")?;
        let path = format!("/v1/projects/{}/messages:send", account.project_id);
        Ok(Self {
            send_url: url.join(&path).map_err(|_| "project_id is none")?,
            token_url: Url::parse(&account.token_uri).map_err(|_| "token_uri is no URL")?,
            email: account.client_email,
            key: EncodingKey::from_rsa_pem(account.private_key.as_bytes())
                .map_err(|_| "private_key is no RSA key in PEM")?,
            ttl_s,
            token: Mutex::new(None),
        })
    }

    pub(super) async fn send(&self, outgoing: &Outgoing, device: &str, say: &Notification) -> Sent {
        let token = match self.token(outgoing).await {
            Ok(token) => token,
            Err(sent) => return sent,
        };
        let json = self.message(device, say).to_string();
        let request = outgoing
            .post(self.send_url.clone())
            .bearer_auth(&*token)
            .header(CONTENT_TYPE, "application/json")
            .body(json);
        let response = match request.send().await.map_err(RequestError::from) {
            Ok(response) => response,
            Err(error) => return later("fcm", &error),
        };
        let (status, wait) = (response.status(), outbound::retry_after(&response));
        if status.is_success() {
            return Sent::Taken;
        }
        if status == StatusCode::UNAUTHORIZED {
            *self.token.lock().await = None;
            return Sent::Later(wait);
        }
        let body = outbound::body(response).await.unwrap_or_default();
        match (status, error_code(&body).as_deref()) {
            (_, Some("UNREGISTERED")) => Sent::Gone,
            (status, _) if outbound::is_temporary(status) => Sent::Later(wait),
            (status, code) => {
                let code = code.unwrap_or_default();
                tracing::warn!(%status, code, "FCM refuses a notification");
                Sent::Never
            }
        }
    }

    /// A token that is still good; asked for by one notification at a time.
    async fn token(&self, outgoing: &Outgoing) -> Result<Zeroizing<String>, Sent> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.text.clone());
        }
        let now_s = unix_now_ms() / 1_000;
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_url.as_str(),
            "iat": now_s,
            "exp": now_s + GRANT_S,
        });
        let grant = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key);
        let Ok(grant) = grant.map(Zeroizing::new) else { return Err(Sent::Later(None)) };
        // All letters of a token are their own escapes.
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
            *grant
        );
        let request = outgoing
            .post(self.token_url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await.map_err(RequestError::from);
        let response = answer.map_err(|error| later("fcm", &error))?;
        let (status, wait) = (response.status(), outbound::retry_after(&response));
        let body = outbound::body(response).await.map_err(|error| later("fcm", &error))?;
        let Some(granted) =
            serde_json::from_slice::<Granted>(&body).ok().filter(|_| status.is_success())
        else {
            tracing::warn!(%status, "Google gives no token for push.fcm_account_file");
            return Err(Sent::Later(wait));
        };
        let lasts = Duration::from_secs(granted.expires_in).saturating_sub(SPARE);
        *held = Some(Token { text: granted.access_token.clone(), until: Instant::now() + lasts });
        Ok(granted.access_token)
    }

    fn message(&self, device: &str, say: &Notification) -> Value {
        let key = say.collapse_key();
        let mut data = serde_json::Map::new();
        // FCM takes text alone here.
        if let Value::Object(fields) = say.json() {
            for (name, value) in fields {
                match value {
                    Value::Null => {}
                    Value::String(text) => drop(data.insert(name, text.into())),
                    other => drop(data.insert(name, other.to_string().into())),
                }
            }
        }
        json!({ "message": {
            "token": device,
            "notification": { "title": say.title, "body": say.text },
            "data": data,
            "android": {
                "collapse_key": key,
                "priority": "HIGH",
                "ttl": format!("{}s", self.ttl_s),
                "notification": { "tag": key, "notification_count": say.unread },
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": key,
                    "apns-priority": "10",
                    "apns-expiration": (unix_now_ms() / 1_000 + i64::from(self.ttl_s)).to_string(),
                },
                "payload": { "aps": { "badge": say.unread, "thread-id": key } },
            },
        }})
    }
}

/// FCM's own code in an error.
fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let details = body.get("error")?.get("details")?.as_array()?;
    let code = details.iter().find_map(|detail| detail.get("errorCode")?.as_str());
    code.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fcms_own_code_is_found_among_the_details() {
        let body = br#"{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":"x"},
            {"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}"#;
        assert_eq!(error_code(body).as_deref(), Some("UNREGISTERED"));
        assert_eq!(error_code(br#"{"error":{"code":404}}"#), None);
        assert_eq!(error_code(b"<html>"), None);
    }

    #[test]
    fn what_is_no_account_is_refused() {
        let url = Url::parse("https://fcm.example").unwrap();
        assert!(Fcm::new(b"{}", &url, 1).is_err());
        let account = json!({
            "project_id": "p", "client_email": "e", "private_key": "k", "token_uri": "https://t.example"
        });
        let error = Fcm::new(account.to_string().as_bytes(), &url, 1).err();
        assert_eq!(error, Some("private_key is no RSA key in PEM"));
    }
}
