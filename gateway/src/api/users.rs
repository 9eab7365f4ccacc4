//! Other users: finding them by name, looking at what they say about themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwire_protocol::{ErrorCode, UserId};
use ringwire_storage::profiles::{ProfileRow, UsersAfter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{Named, Parameters, invalid, page_limit, user_id};
use crate::limits;

/// The longest `q`, in bytes.
const MAX_QUERY_BYTES: usize = 254;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A user as others see them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Profile {
    /// Identity.
    user_id: String,
    /// Unique without regard to case.
    username: String,
    /// What others see; empty: the user name.
    display_name: String,
    /// Where the picture is; empty: none.
    avatar_url: String,
    /// `#rrggbb`; empty: whatever the client chooses.
    color: String,
    /// What they say about themselves; empty for those they block.
    status_text: String,
}

impl From<ProfileRow> for Profile {
    fn from(ProfileRow { user, status_text }: ProfileRow) -> Self {
        Self {
            user_id: user.user_id.to_string(),
            username: user.username,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            color: user.color,
            status_text,
        }
    }
}

/// `GET /api/v1/users?q=&limit=&page_token=` or `?ids=`
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersRequest {
    /// The beginning of a name or display name, or a whole e-mail address.
    #[serde(default)]
    q: String,
    /// Up to 200 ids, separated by commas, instead.
    #[serde(default)]
    ids: String,
    /// 1 to 200; 20 if left out.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// From the page before.
    #[serde(default)]
    page_token: String,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsersPage)]
pub(super) struct Users {
    users: Vec<Profile>,
    /// Empty: this was the last page.
    next_page_token: String,
}

/// Finds users by name or address, or tells of those with these ids.
///
/// Exactly one of `q` and `ids` has to be given.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    operation_id = "list_users",
    tag = "contacts",
    params(UsersRequest),
    responses((status = 200, description = "Users as others see them.", body = Users)),
)]
async fn list(
    State(state): State<ServiceState>,
    Bearer { user_id: viewer, .. }: Bearer,
    Parameters(request): Parameters<UsersRequest>,
) -> ApiResult<Users> {
    let store = &state.0.store;
    let (rows, next) = match (request.q.trim(), request.ids.as_str()) {
        ("", "") => return Err(invalid("q or ids: one of them is needed")),
        ("", ids) => (store.profiles(viewer, &parse_ids(ids)?).await?, None),
        (q, "") => {
            if q.len() > MAX_QUERY_BYTES || q.contains(char::is_control) {
                let message =
                    format!("q: at most {MAX_QUERY_BYTES} bytes without control characters");
                return Err(invalid(message));
            }
            let after = match request.page_token.as_str() {
                "" => None,
                token => Some(
                    parse_token(token)
                        .ok_or_else(|| invalid("page_token: not one of this server"))?,
                ),
            };
            store.search_users(viewer, q, after, page_limit(request.limit)?).await?
        }
        _ => return Err(invalid("q and ids: only one of them at a time")),
    };
    let users = rows.into_iter().map(Profile::from).collect();
    let next_page_token = next.map_or_else(String::new, |after| page_token(&after));
    Ok((StatusCode::OK, Json(Users { users, next_page_token })))
}

fn parse_ids(text: &str) -> Result<Vec<UserId>, ApiError> {
    let ids: Result<Vec<_>, _> = text.split(',').map(|id| user_id("ids", id)).collect();
    let ids = ids?;
    if ids.len() > limits::MAX_NAMED {
        return Err(invalid(format!("ids: at most {}", limits::MAX_NAMED)));
    }
    Ok(ids)
}

fn page_token(after: &UsersAfter) -> String {
    let text = match after {
        UsersAfter::Name(name) => format!("n{name}"),
        UsersAfter::DisplayName(name, id) => format!("d{id}.{name}"),
    };
    URL_SAFE_NO_PAD.encode(text)
}

fn parse_token(token: &str) -> Option<UsersAfter> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    if text.contains(char::is_control) {
        return None;
    }
    if let Some(name) = text.strip_prefix('n') {
        return Some(UsersAfter::Name(name.to_owned()));
    }
    let (id, name) = text.strip_prefix('d')?.split_once('.')?;
    Some(UsersAfter::DisplayName(name.to_owned(), UserId::new(id.parse().ok()?)?))
}

/// What a user says about themselves.
#[utoipa::path(
    get,
    path = "/api/v1/users/{user_id}",
    operation_id = "get_user",
    tag = "contacts",
    params(("user_id" = u64, Path, description = "The user.", minimum = 1, maximum = 9_007_199_254_740_991_u64)),
    responses((status = 200, description = "The user as others see them.", body = Profile)),
)]
async fn show(
    State(state): State<ServiceState>,
    Bearer { user_id: viewer, .. }: Bearer,
    Named(id): Named,
) -> ApiResult<Profile> {
    let id = user_id("user_id", &id)?;
    let found = state.0.store.profiles(viewer, &[id]).await?.pop();
    let profile =
        found.ok_or_else(|| ApiError::new(ErrorCode::UserNotFound, "there is no such user"))?;
    Ok((StatusCode::OK, Json(profile.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_are_read_as_they_were_written() {
        let id = UserId::new(7).unwrap();
        for after in [UsersAfter::Name("ann".into()), UsersAfter::DisplayName("Än. n".into(), id)]
        {
            assert_eq!(parse_token(&page_token(&after)), Some(after));
        }
        for bad in ["", "x", "====", "ZDA", "bgA", &URL_SAFE_NO_PAD.encode("d0.a")] {
            assert_eq!(parse_token(bad), None, "{bad}");
        }
    }
}
