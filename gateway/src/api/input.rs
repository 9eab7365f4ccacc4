//! Request bodies, and what names, addresses and passwords may look like.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Json, Request};
use axum::http::StatusCode;
use ringwire_protocol::{CommandError, ErrorCode};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::auth::{MAX_USERNAME_CHARS, is_username};

/// The longest e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, without the angle brackets).
const MAX_EMAIL_BYTES: usize = 254;
/// The shortest password, in characters.
const MIN_PASSWORD_CHARS: usize = 8;
/// The longest password, in characters: long enough for any phrase, short enough to hash at once.
const MAX_PASSWORD_CHARS: usize = 256;

/// A JSON body; refusals have our shape.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

fn refuse(rejection: &JsonRejection) -> ApiError {
    match rejection {
        // The parser's own words could quote a password.
        JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => ApiError::new(
            ErrorCode::InvalidArgument,
            "the body is not the JSON object this path expects; see the API description",
        ),
        JsonRejection::MissingJsonContentType(_) => ApiError::with_status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            CommandError::new(
                ErrorCode::InvalidArgument,
                "the header Content-Type has to be application/json",
            ),
        ),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(ErrorCode::TooLarge, "the body is too large")
        }
        _ => ApiError::new(ErrorCode::InvalidArgument, "the body could not be read"),
    }
}

/// See [`is_username`].
pub(super) fn check_username(name: &str) -> Result<(), ApiError> {
    if is_username(name) {
        return Ok(());
    }
    let message = format!(
        "username: 1 to {MAX_USERNAME_CHARS} letters (a-z), digits, underscores, dots or hyphens"
    );
    Err(ApiError::new(ErrorCode::InvalidArgument, message))
}

/// Whether it could be an address; only a message to it could prove more.
pub(super) fn check_email(email: &str) -> Result<(), ApiError> {
    let sound = email.len() <= MAX_EMAIL_BYTES
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
    if sound {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::InvalidArgument, "email: not an e-mail address"))
}

/// 8 to 256 characters of any kind.
pub(super) fn check_password(password: &str) -> Result<(), ApiError> {
    if (MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::InvalidArgument, "password: 8 to 256 characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_two_parts_and_passwords_a_length() {
        for email in ["a@b", "ann.b+c@mail.example"] {
            assert!(check_email(email).is_ok(), "{email}");
        }
        for email in ["", "@", "a@", "@b", "a@b@c", "a b@c", &format!("{}@b", "x".repeat(254))] {
            assert!(check_email(email).is_err(), "{email}");
        }
        assert!(check_password("ümläutß1").is_ok());
        assert!(check_password("1234567").is_err());
        assert!(check_password(&"x".repeat(257)).is_err());
    }
}
