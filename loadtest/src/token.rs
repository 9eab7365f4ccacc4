//! Tokens for virtual users: signed with the server's own HS256 secret, or as a file holds them for servers that sign
//! otherwise.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// Names the secret file where the command line does not.
pub const SECRET_FILE_VARIABLE: &str = "RINGWIRE_JWT_SECRET_FILE";
/// Where `ringwire` keeps its secret when it is started without options.
pub const DEFAULT_SECRET_FILE: &str = "ringwire-data/jwt.secret";

/// Who issues the tokens and for whom, as in the server's own with its default configuration.
const ISSUER: &str = "ringwire";
const AUDIENCE: &str = "ringwire";
/// How long a token outlives the run it is for.
const SPARE: Duration = Duration::from_hours(24);

/// Why no tokens can be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The secret cannot be read.
    #[error(
        "cannot read the JWT secret {path} (name the server's jwt.secret with --jwt-secret-file or \
         {SECRET_FILE_VARIABLE})"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A list of tokens cannot be read.
    #[error("cannot read the list of tokens {path}")]
    ReadList {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds nothing.
    #[error("the JWT secret {0} is empty")]
    Empty(PathBuf),
    /// A list of tokens is too short.
    #[error("the list of tokens has {listed} lines, too few for user {place} (counted from 1)")]
    TooFew {
        /// How many it has.
        listed: usize,
        /// Who needs one.
        place: u32,
    },
    /// The token could not be signed.
    #[error("cannot sign a token")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// Makes tokens.
pub struct Tokens {
    source: Source,
}

enum Source {
    Signed {
        key: EncodingKey,
        issued_at_s: u64,
    },
    /// One for each user, in their order.
    Listed(Vec<String>),
    Nobody,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    uid: u64,
    iat: u64,
    exp: u64,
}

impl Tokens {
    /// Takes the secret from `file`, else from the file the environment names, else from the server's default place.
    pub fn load(file: Option<&Path>) -> Result<Self, TokenError> {
        let path = file
            .map(Path::to_owned)
            .or_else(|| std::env::var_os(SECRET_FILE_VARIABLE).map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from(DEFAULT_SECRET_FILE));
        let secret = std::fs::read(&path)
            .map_err(|source| TokenError::Read { path: path.clone(), source })?;
        let secret = secret.trim_ascii();
        if secret.is_empty() {
            return Err(TokenError::Empty(path));
        }
        Ok(Self::from_secret(secret))
    }

    /// Signs with these bytes.
    pub fn from_secret(secret: &[u8]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let key = EncodingKey::from_secret(secret);
        Self { source: Source::Signed { key, issued_at_s: now.as_secs() } }
    }

    /// Takes them from a file: a line for each user, in their order.
    pub fn from_list(path: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TokenError::ReadList { path: path.to_owned(), source })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(Self { source: Source::Listed(lines.map(str::to_owned).collect()) })
    }

    /// Nobody has one.
    pub const fn none() -> Self {
        Self { source: Source::Nobody }
    }

    /// The token of the user with an id, at its place among all users from 0, for a run of that length; empty: it needs
    /// none.
    pub(crate) fn of(&self, user_id: u64, place: u32, run: Duration) -> Result<String, TokenError> {
        match &self.source {
            Source::Signed { .. } => self.sign_for(user_id, run),
            Source::Listed(tokens) => {
                let too_few = TokenError::TooFew { listed: tokens.len(), place: place + 1 };
                tokens.get(place as usize).cloned().ok_or(too_few)
            }
            Source::Nobody => Ok(String::new()),
        }
    }

    /// The token of the user with an id, as far as that is decided by the id alone; for a day.
    pub fn sign(&self, user_id: u64) -> Result<String, TokenError> {
        self.sign_for(user_id, Duration::ZERO)
    }

    fn sign_for(&self, user_id: u64, run: Duration) -> Result<String, TokenError> {
        let Source::Signed { key, issued_at_s } = &self.source else { return Ok(String::new()) };
        let claims = Claims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: user_id.to_string(),
            uid: user_id,
            iat: *issued_at_s,
            exp: issued_at_s + (run + SPARE).as_secs(),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_the_trimmed_content_of_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "  a-secret-of-some-length\n").unwrap();
        let token =
            Tokens::load(Some(file.path())).unwrap().sign_for(7, Duration::from_hours(48)).unwrap();
        let key = jsonwebtoken::DecodingKey::from_secret(b"a-secret-of-some-length");
        let mut validation = jsonwebtoken::Validation::new(Algorithm::HS256);
        validation.set_issuer(&["ringwire"]);
        validation.set_audience(&["ringwire"]);
        let claims = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap();
        assert_eq!(claims.claims["sub"], "7");
        assert_eq!(claims.claims["uid"], 7);
        let lives_s =
            claims.claims["exp"].as_u64().unwrap() - claims.claims["iat"].as_u64().unwrap();
        assert_eq!(lives_s, 72 * 3600, "a run of two days, and one to spare");
    }

    #[test]
    fn a_list_gives_each_user_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n two \n\n").unwrap();
        let tokens = Tokens::from_list(file.path()).unwrap();
        assert_eq!(tokens.of(99, 1, Duration::ZERO).unwrap(), "two");
        let error = tokens.of(99, 2, Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("2 lines") && error.contains("user 3"), "{error}");
        assert_eq!(Tokens::none().of(1, 0, Duration::ZERO).unwrap(), "");
        let nowhere = Tokens::from_list(Path::new("/nonexistent/tokens"));
        assert!(nowhere.err().unwrap().to_string().contains("/nonexistent/tokens"));
    }

    #[test]
    fn a_missing_secret_says_how_to_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tokens::load(Some(&folder.path().join("none"))).err().unwrap().to_string();
        assert!(error.contains("--jwt-secret-file"), "{error}");
    }
}
