//! Contacts: whom a user wants at hand, and what they call them.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use ringwire_protocol::ErrorCode;
use ringwire_storage::StoreError;
use ringwire_storage::contacts::{ContactPut, ContactRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{Body, Named, Parameters, check_line, invalid, page_limit, user_id};
use super::users::Profile;
use crate::cli::unix_now_ms;
use crate::limits;

/// The longest nickname, in characters.
const MAX_NICKNAME_CHARS: usize = 64;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// A contact.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Contact {
    user: Profile,
    /// What the user calls them; may be empty.
    nickname: String,
    /// Since when: Unix milliseconds.
    created_at: String,
}

impl From<ContactRow> for Contact {
    fn from(row: ContactRow) -> Self {
        Self {
            user: row.profile.into(),
            nickname: row.nickname,
            created_at: row.created_at.to_string(),
        }
    }
}

/// `GET /api/v1/contacts?limit=&page_token=`
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ContactsRequest {
    /// 1 to 200; 20 if left out.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// From the page before.
    #[serde(default)]
    page_token: String,
}

/// A page of contacts, by id.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContactsPage)]
pub(super) struct Contacts {
    contacts: Vec<Contact>,
    /// Empty: this was the last page.
    next_page_token: String,
}

/// Lists the caller's contacts, by id.
#[utoipa::path(
    get,
    path = "/api/v1/contacts",
    operation_id = "list_contacts",
    tag = "contacts",
    params(ContactsRequest),
    responses((status = 200, description = "A page of contacts.", body = Contacts)),
)]
async fn list(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Parameters(request): Parameters<ContactsRequest>,
) -> ApiResult<Contacts> {
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(user_id("page_token", token)?),
    };
    let limit = page_limit(request.limit)?;
    let (rows, more) = state.0.store.contacts_page(user, after, limit).await?;
    let last = rows.last().filter(|_| more);
    let next_page_token = last.map_or_else(String::new, |row| row.profile.user.user_id.to_string());
    let contacts = rows.into_iter().map(Contact::from).collect();
    Ok((StatusCode::OK, Json(Contacts { contacts, next_page_token })))
}

/// `PUT /api/v1/contacts/{user_id}`. The body may be left out.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct ContactRequest {
    /// What to call them: at most 64 characters; may be empty.
    #[serde(default)]
    nickname: String,
}

/// Makes a user a contact, or calls it differently.
///
/// The body may be left out.
#[utoipa::path(
    put,
    path = "/api/v1/contacts/{user_id}",
    operation_id = "put_contact",
    tag = "contacts",
    params(("user_id" = u64, Path, description = "Whom to have at hand.", minimum = 1, maximum = 9_007_199_254_740_991_u64)),
    request_body = Option<ContactRequest>,
    responses(
        (status = 201, description = "The user is a contact now."),
        (status = 204, description = "They were one already; the nickname is the given one."),
    ),
)]
async fn put(
    State(state): State<ServiceState>,
    bearer: Bearer,
    Named(id): Named,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let contact = user_id("user_id", &id)?;
    let has_body = request.headers().contains_key(header::CONTENT_TYPE);
    let ContactRequest { nickname } = if has_body {
        Body::from_request(request, &()).await?.0
    } else {
        ContactRequest::default()
    };
    check_line("nickname", &nickname, MAX_NICKNAME_CHARS)?;
    let user = bearer.existing()?.user_id;
    let (most, now_ms) = (limits::MAX_CONTACTS, unix_now_ms());
    match state.0.store.put_contact(user, contact, &nickname, most, now_ms).await {
        Ok(ContactPut::Added) => Ok(StatusCode::CREATED),
        Ok(ContactPut::Updated) => Ok(StatusCode::NO_CONTENT),
        Ok(ContactPut::Oneself) => Err(invalid("user_id: nobody is their own contact")),
        Ok(ContactPut::TooMany) => {
            let message = format!("a user has at most {most} contacts");
            Err(ApiError::new(ErrorCode::LimitReached, message))
        }
        Err(StoreError::NoSuchUser) => Err(no_such_user()),
        Err(error) => Err(error.into()),
    }
}

fn no_such_user() -> ApiError {
    ApiError::new(ErrorCode::UserNotFound, "there is no such user")
}

/// Removes a contact.
#[utoipa::path(
    delete,
    path = "/api/v1/contacts/{user_id}",
    operation_id = "remove_contact",
    tag = "contacts",
    params(("user_id" = u64, Path, description = "The contact.", minimum = 1, maximum = 9_007_199_254_740_991_u64)),
    responses((status = 204, description = "Removed.")),
)]
async fn remove(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    let contact = user_id("user_id", &id)?;
    if state.0.store.remove_contact(user, contact).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::new(ErrorCode::NotFound, "there is no such contact"))
}
