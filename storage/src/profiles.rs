//! Profiles: what users say about themselves, and how they find each other.
//!
//! ```text
//!   account ─► everything of one's own │ update_account ─► all or nothing, names and addresses stay unique
//!   search_users ─► an address: that user · a beginning of a name: by name, then by display name, page by page
//! ```
//!
//! A picture that is a file of this server is kept, and shown to everybody, while the account names it (`attachments.rs`).
//!
//! Invariants: whoever blocks somebody is not found by them, and their status text is not shown to them; an e-mail
//! address is only ever found as a whole; a page reads no more rows than it tells, save for those passed over.

use ringwire_protocol::UserId;

use crate::error::StoreError;
use crate::model::UserRow;
use crate::store::{Store, either, name_key};

/// A user as others see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileRow {
    /// Names, picture, color.
    pub user: UserRow,
    /// What they say about themselves; empty for those they block.
    pub status_text: String,
}

/// A user as they see themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// What others see too.
    pub profile: ProfileRow,
    /// Address, if there is one.
    pub email: Option<String>,
    /// Whether they can log in here, and not only at another issuer.
    pub has_password: bool,
}

/// What changes of an account; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Unique without regard to case.
    pub username: Option<String>,
    /// Unique without regard to case; empty: none from now on.
    pub email: Option<String>,
    /// See [`UserRow::display_name`].
    pub display_name: Option<String>,
    /// See [`UserRow::avatar_url`].
    pub avatar_url: Option<String>,
    /// See [`UserRow::color`].
    pub color: Option<String>,
    /// See [`ProfileRow::status_text`].
    pub status_text: Option<String>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountUpdate {
    /// This is the account now.
    Updated(AccountRow),
    /// Somebody else has the name; nothing was changed.
    UsernameTaken,
    /// Somebody else has the address; nothing was changed.
    EmailTaken,
    /// The picture is no file of theirs, or a message carries it; nothing was changed.
    NoSuchFile,
    /// There is no such user, or not any more.
    Unknown,
}

/// What the address of a file of this server begins with.
pub const OWN_FILES: &str = "/api/v1/files/";

/// The file of this server that an address of a picture is of: the file's own, or that of its thumbnail.
pub(crate) fn own_file(url: &str) -> Option<&str> {
    let file = url.strip_prefix(OWN_FILES)?;
    Some(file.strip_suffix("/thumbnail").unwrap_or(file))
}

/// Files that become or cease to be a user's picture.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PictureChange {
    pub(crate) comes: Option<String>,
    pub(crate) goes: Option<String>,
}

impl PictureChange {
    pub(crate) fn between(before: &str, after: &str) -> Self {
        let (goes, comes) = (own_file(before), own_file(after));
        if goes == comes {
            return Self::default();
        }
        Self { comes: comes.map(str::to_owned), goes: goes.map(str::to_owned) }
    }
}

impl AccountChange {
    /// The account with the change made.
    pub(crate) fn apply(self, mut account: AccountRow) -> AccountRow {
        let AccountRow { profile: ProfileRow { user, status_text }, email, .. } = &mut account;
        let changes = [
            (self.username, &mut user.username),
            (self.display_name, &mut user.display_name),
            (self.avatar_url, &mut user.avatar_url),
            (self.color, &mut user.color),
            (self.status_text, status_text),
        ];
        for (change, place) in changes {
            if let Some(value) = change {
                *place = value;
            }
        }
        if let Some(value) = self.email {
            *email = Some(value).filter(|email| !email.is_empty());
        }
        account
    }
}

/// Behind which user a page of a search begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsersAfter {
    /// Behind this one, found by name.
    Name(String),
    /// Behind this one, found by display name.
    DisplayName(String, UserId),
}

/// A stretch of keys: those that begin with the first text.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Prefix {
    fn new(text: String) -> Self {
        // No text that begins alike is greater: it is the last character there is.
        let to = format!("{text}\u{10FFFF}");
        Self { from: text, to }
    }
}

impl Store {
    /// All that a user may know about their own account. `None`: there is no such user, or not any more.
    pub async fn account(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        either!(self, store => store.account(user).await)
    }

    /// Changes an account.
    pub async fn update_account(
        &self,
        user: UserId,
        change: AccountChange,
    ) -> Result<AccountUpdate, StoreError> {
        either!(self, store => store.update_account(user, change).await)
    }

    /// The users with these ids as `viewer` sees them, by id; those that do not exist (any more) are missing.
    pub async fn profiles(
        &self,
        viewer: UserId,
        ids: &[UserId],
    ) -> Result<Vec<ProfileRow>, StoreError> {
        let ids = ids.iter().map(|id| id.as_i64()).collect();
        either!(self, store => store.profiles(viewer, ids).await)
    }

    /// Users whose name or display name begins with `text`, without regard to the case of A to Z, by name and then by
    /// display name, and where the next page begins. A `text` with `@` in it finds the user with that address instead.
    /// Neither empty nor with control characters.
    pub async fn search_users(
        &self,
        viewer: UserId,
        text: &str,
        after: Option<UsersAfter>,
        limit: u32,
    ) -> Result<(Vec<ProfileRow>, Option<UsersAfter>), StoreError> {
        if text.contains('@') {
            let key = name_key(text);
            let found = either!(self, store => store.profile_by_email(viewer, key).await?);
            return Ok((found.into_iter().collect(), None));
        }
        let names = Prefix::new(name_key(text));
        let asked = limit.saturating_add(1);
        let behind_name = match &after {
            None => Some(String::new()),
            Some(UsersAfter::Name(name)) => Some(name_key(name)),
            Some(UsersAfter::DisplayName(..)) => None,
        };
        let mut found = Vec::new();
        if let Some(after) = behind_name {
            let names = names.clone();
            found = either!(self, store => store.users_by_name(viewer, names, after, asked).await?);
        }
        if found.len() <= limit as usize {
            let behind = match after {
                Some(UsersAfter::DisplayName(name, id)) => (name.to_ascii_lowercase(), id.as_i64()),
                _ => (String::new(), 0),
            };
            let display = Prefix::new(text.to_ascii_lowercase());
            let asked = asked - found.len() as u32;
            let by_display = either!(self, store =>
                store.users_by_display_name(viewer, display, names.clone(), behind, asked).await?);
            found.extend(by_display);
        }
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|ProfileRow { user, .. }| {
            let key = name_key(&user.username);
            if key.starts_with(&names.from) {
                UsersAfter::Name(user.username.clone())
            } else {
                UsersAfter::DisplayName(user.display_name.clone(), user.user_id)
            }
        });
        Ok((found, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_exchanged_only_for_another_file() {
        let (file, thumbnail) = ("/api/v1/files/a", "/api/v1/files/a/thumbnail");
        let change = |before, after| {
            let PictureChange { comes, goes } = PictureChange::between(before, after);
            (goes, comes)
        };
        let a = || Some("a".to_owned());
        assert_eq!(change("", file), (None, a()));
        assert_eq!(change(file, thumbnail), (None, None));
        assert_eq!(change(thumbnail, "https://example.org/a"), (a(), None));
        assert_eq!(change(file, "/api/v1/files/b"), (a(), Some("b".to_owned())));
        assert_eq!(own_file("/api/v1/files/a?b"), Some("a?b"), "no file is called that");
    }
}
