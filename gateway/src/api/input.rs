//! What requests give in body, query and path, and what names, addresses and passwords may look like.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::auth::{MAX_USERNAME_CHARS, is_username};
use crate::command::text::{check_address, is_name};
use crate::limits;

/// The longest e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, without the angle brackets).
const MAX_EMAIL_BYTES: usize = 254;
/// The longest display name, in characters.
const MAX_DISPLAY_NAME_CHARS: usize = 64;
/// The longest status text, in characters.
const MAX_STATUS_CHARS: usize = 160;
/// Rows of a page where the request does not say.
const USUAL_PAGE: u32 = 20;
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

/// Parameters of the query, each once; refusals have our shape.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        check_page(&parts.uri)?;
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(_) => Err(invalid("a parameter has the wrong type or comes twice")),
        }
    }
}

/// The one thing that the path names; refusals have our shape.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(_) => Err(invalid("the path is not text")),
        }
    }
}

/// A refusal of what was given; the message names the field first.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}

/// A user's id in a path or parameter.
pub(super) fn user_id(field: &str, text: &str) -> Result<UserId, ApiError> {
    let id = text.parse().ok().and_then(UserId::new);
    id.ok_or_else(|| invalid(format!("{field}: a number from 1 to 9007199254740991")))
}

/// What a query says of a page, for lists that go by tokens alone. Page numbers are refused, not ignored: whoever
/// counts them up would get the first page over and over.
pub(super) fn check_page(uri: &Uri) -> Result<(), ApiError> {
    // What is no list of parameters the reader of these parameters refuses.
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(query)| query);
    for (name, value) in query.unwrap_or_default() {
        match name.as_str() {
            "page" | "per_page" => {
                return Err(invalid(format!("{name}: this list goes by limit and page_token")));
            }
            "limit" if value.parse().ok().is_none_or(|limit| !is_limit(limit)) => {
                return Err(wrong_limit());
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many rows a page has.
pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(USUAL_PAGE);
    if is_limit(limit) { Ok(limit) } else { Err(wrong_limit()) }
}

fn is_limit(limit: u32) -> bool {
    (1..=limits::MAX_PAGE).contains(&limit)
}

fn wrong_limit() -> ApiError {
    invalid(format!("limit: a number from 1 to {}", limits::MAX_PAGE))
}

/// Text on one line, of at most so many characters.
pub(super) fn check_line(field: &str, text: &str, most: usize) -> Result<(), ApiError> {
    if text.chars().count() <= most && is_name(text) {
        return Ok(());
    }
    Err(invalid(format!(
        "{field}: at most {most} characters, none that controls or turns the text"
    )))
}

/// 64 characters of any kind, something to be seen among them; or nothing.
pub(super) fn check_display_name(name: &str) -> Result<(), ApiError> {
    if !name.is_empty() && name.trim().is_empty() {
        return Err(invalid("display_name: not blank; empty for the user name"));
    }
    check_line("display_name", name, MAX_DISPLAY_NAME_CHARS)
}

/// 160 characters of any kind.
pub(super) fn check_status_text(text: &str) -> Result<(), ApiError> {
    check_line("status_text", text, MAX_STATUS_CHARS)
}

/// `#rrggbb`, or nothing.
pub(super) fn check_color(color: &str) -> Result<(), ApiError> {
    let is_color = color.strip_prefix('#').is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    if color.is_empty() || is_color { Ok(()) } else { Err(invalid("color: #rrggbb, or empty")) }
}

/// An address of the web, a file of this server, or nothing.
pub(super) fn check_avatar(url: &str) -> Result<(), ApiError> {
    if url.len() > limits::MAX_PART_TEXT_BYTES {
        return Err(invalid(format!("avatar_url: at most {} bytes", limits::MAX_PART_TEXT_BYTES)));
    }
    Ok(check_address(url, "avatar_url")?)
}

/// Whether somebody could have it for a name or address.
pub(super) fn is_login(login: &str) -> bool {
    is_username(login) || check_email(login).is_ok()
}

/// By what a user says who they are: a user name or an e-mail address, whichever field holds it.
pub(super) fn given_login(
    username: Option<String>,
    email: Option<String>,
) -> Result<String, ApiError> {
    let given = |login: Option<String>| login.filter(|login| !login.is_empty());
    match (given(username), given(email)) {
        (Some(login), None) | (None, Some(login)) => Ok(login),
        (None, None) => Err(invalid("username or email is missing")),
        // One of them would be ignored, and nobody knows which.
        (Some(_), Some(_)) => Err(invalid("username and email: only one of them at a time")),
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
pub(super) fn check_password(field: &str, password: &str) -> Result<(), ApiError> {
    if (MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(invalid(format!("{field}: {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_short_addresses_and_colors_six_digits() {
        let long = format!("https://a/{}", "x".repeat(2048));
        for (url, is_good) in
            [("", true), ("https://a.example/b", true), ("javascript:x", false), (&long, false)]
        {
            assert_eq!(check_avatar(url).is_ok(), is_good, "{url}");
        }
        for (color, is_good) in [("", true), ("#00fFaa", true), ("#fff", false), ("red", false)] {
            assert_eq!(check_color(color).is_ok(), is_good, "{color}");
        }
    }

    #[test]
    fn lists_by_token_refuse_page_numbers_and_sizes_that_are_none() {
        let refusal = |query: &str| {
            let uri = format!("/api/v1/users?{query}").parse().unwrap();
            check_page(&uri).map_err(|error| error.to_json())
        };
        for good in ["", "q=a&limit=1&page_token=x", "limit=200", "pages=2", "newer=1"] {
            assert_eq!(refusal(good), Ok(()), "{good}");
        }
        for (bad, said) in [
            ("q=a&page=2", "page: this list"),
            ("per_page=5", "per_page: this list"),
            ("limit=0", "limit: a number from 1 to 200"),
            ("limit=201", "limit: a number from 1 to 200"),
            ("limit=%ff", "limit: a number from 1 to 200"),
            ("limit=", "limit: a number from 1 to 200"),
        ] {
            assert!(refusal(bad).unwrap_err().contains(said), "{bad}");
        }
    }

    #[test]
    fn who_logs_in_is_named_once_and_nobody_is_called_nothing() {
        let given = |username: Option<&str>, email: Option<&str>| {
            given_login(username.map(str::to_owned), email.map(str::to_owned)).ok()
        };
        assert_eq!(given(Some("ann"), None).as_deref(), Some("ann"));
        assert_eq!(given(Some(""), Some("a@b")).as_deref(), Some("a@b"));
        assert_eq!(given(Some("ann"), Some("a@b")), None);
        assert_eq!(given(None, Some("")), None);
        assert!(check_display_name("").is_ok() && check_display_name(" Ann").is_ok());
        assert!(check_display_name(" ").is_err() && check_display_name("\u{3000} ").is_err());
    }

    #[test]
    fn addresses_have_two_parts_and_passwords_a_length() {
        for email in ["a@b", "ann.b+c@mail.example"] {
            assert!(check_email(email).is_ok(), "{email}");
        }
        for email in ["", "@", "a@", "@b", "a@b@c", "a b@c", &format!("{}@b", "x".repeat(254))] {
            assert!(check_email(email).is_err(), "{email}");
        }
        assert!(check_password("password", "ümläutß1").is_ok());
        assert!(check_password("password", "1234567").is_err());
        assert!(check_password("password", &"x".repeat(257)).is_err());
    }
}
