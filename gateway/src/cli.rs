//! The command line: `ringwire` serves, everything else helps operators.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use ringwire_protocol::{UnixMs, UserId};

use crate::auth::TokenMinter;
use crate::config::{self, ConfigError, FlagValue, Loaded};
use crate::operate::check::CheckArgs;
use crate::operate::copy::CopyArgs;
use crate::operate::keys::StatusArgs;
use crate::operate::migrate::MigrateArgs;
use crate::operate::operator::OperatorCommand;
use crate::operate::user::UserCommand;
use crate::secret;

/// Ringwire, a chat gateway.
#[derive(Debug, Parser)]
#[command(
    name = "ringwire",
    version,
    about = "Chat gateway: WebSockets, HTTP API and page on one port."
)]
pub struct Cli {
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of every command.
    #[command(flatten)]
    pub options: Options,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve (what happens without a command).
    Serve,
    /// Print a token for a user, signed with this server's key.
    Token(TokenArgs),
    /// Export or delete one user's account, or let them set a new password.
    #[command(subcommand)]
    User(UserCommand),
    /// Make and list operators, who administer the server at /admin.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// About configuration files.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keys that seal message bodies in the database.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print a fresh pair of keys for Web Push: the private one is for push.vapid_key_file.
    VapidKeys,
    /// Print every option with its value and where it comes from; exit code 2 if one is wrong, or a file
    /// with keys that it names.
    CheckConfig,
    /// Bring the database's schema up to date. Servers do the same when they start.
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(MigrateArgs),
    /// Look at the database, or move it.
    #[command(subcommand)]
    Db(DbCommand),
}

/// What to do with configuration files.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a file with every option at its default and what it means.
    Doc,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print a line with a fresh key, to be added to the file of keys.
    New,
    /// How far a rotation is, also beside a running server; exit code 0 when every body is under the active key, 1 when
    /// not yet or a key is missing, 2 if it could not look.
    Status(StatusArgs),
}

/// What to do with the database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Look for damage, also beside a running server; exit code 0 sound, 1 with findings, 2 if it could not look.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Copy everything into another, empty database, such as from the embedded one into Postgres.
    #[command(after_help = COPY_EXAMPLES)]
    Copy(CopyArgs),
}

const MIGRATE_EXAMPLES: &str = "Examples:
  ringwire migrate --check                   is anything pending? (exit code 1)
  ringwire migrate --config ringwire.toml    before a new release's servers start";

const COPY_EXAMPLES: &str = "Examples:
  ringwire db copy --from sqlite --to postgres://user:password@host/ringwire
  ringwire db copy --from sqlite --data-dir /var/lib/ringwire --config ringwire.toml    into storage.database

Stop the servers of both databases first. The copy is one transaction, compared row by row before its commit: if it is
interrupted, the target is as empty as it was, and the copy may be repeated. The source is not changed. Keys, tokens
and uploaded files are not in the database: keep the data folder.";

const CHECK_EXAMPLES: &str = "Examples:
  ringwire db check --config ringwire.toml
  ringwire db check --bodies --json | jq 'select(.kind == \"log_gap\")'

Everything is read in one snapshot that neither waits for a server nor holds one up. While it is open, Postgres cannot
vacuum what changed since, and SQLite's log file grows: on a large database choose a quiet hour.";

/// Flags of `ringwire token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Id of the user, 1 to 9007199254740991.
    #[arg(long, value_name = "ID", value_parser = parse_user_id)]
    pub user: UserId,
    /// How long the token is valid, in seconds [default: auth.token_ttl_s].
    #[arg(long, value_name = "SECONDS")]
    pub ttl_s: Option<u64>,
}

/// Where the configuration comes from, and the options that are flags.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Configuration file; deploy/ringwire.toml explains every option.
    #[arg(long, global = true, value_name = "FILE", env = "RINGWIRE_CONFIG")]
    pub config: Option<PathBuf>,
    /// IP address and port [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Folder for the embedded database and the signing key [default: ./ringwire-data].
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// sqlite or postgres://user:password@host/database [default: sqlite].
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Threads that serve connections, 0: one for each core [default: 0].
    #[arg(long, global = true, value_name = "N")]
    pub shards: Option<String>,
    /// auto, uring or epoll [default: auto].
    #[arg(long, global = true, value_name = "DRIVER")]
    pub driver: Option<String>,
    /// What is logged, such as info or info,ringwire_gateway=debug [default: info].
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Options {
    /// The validated configuration of this process.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        // Variables that are not UTF-8 cannot be ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        config::load(self.config.as_deref(), environment, &self.flags())
    }

    fn flags(&self) -> Vec<FlagValue> {
        let flags: [(&str, &str, &Option<String>); 6] = [
            ("server.listen", "--listen", &self.listen),
            ("storage.data_dir", "--data-dir", &self.data_dir),
            ("storage.database", "--database", &self.database),
            ("server.shards", "--shards", &self.shards),
            ("server.driver", "--driver", &self.driver),
            ("log.filter", "--log", &self.log),
        ];
        flags
            .into_iter()
            .filter_map(|(key, flag, value)| Some(FlagValue { key, flag, value: value.clone()? }))
            .collect()
    }
}

/// Writes a line to the standard output. A reader that has gone away, as `head` does, wants no more lines: that is no
/// error.
///
/// # Errors
///
/// It cannot be written for another reason: the disk that it is redirected to is full.
pub fn say(line: impl fmt::Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// A token for `ringwire token`. Makes the key first if there is none: a token may be asked for before the server
/// ever ran.
pub fn mint_token(loaded: &Loaded, args: &TokenArgs) -> anyhow::Result<String> {
    let config = &loaded.config;
    secret::prepare_data_dir(&config.storage.data_dir)?;
    let own = config.auth.jwt_secret_file.load()?;
    let minter = TokenMinter::new(&own, &config.auth);
    Ok(minter.mint(args.user, None, None, args.ttl_s, unix_now_ms())?.token)
}

/// The time by the system's clock.
pub fn unix_now_ms() -> UnixMs {
    // A clock before 1970 is set wrong; tokens then count as not expired rather than the server stopping.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as UnixMs)
}

pub(crate) fn parse_user_id(text: &str) -> Result<UserId, String> {
    text.parse()
        .ok()
        .and_then(UserId::new)
        .ok_or_else(|| "expected a number from 1 to 9007199254740991".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::auth::{TokenUser, TokenVerifier};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["ringwire", "token", "--user", "7", "--data-dir", "d"]);
        assert!(matches!(cli.command, Some(Command::Token(TokenArgs { ttl_s: None, .. }))));
        assert_eq!(cli.options.flags()[0].key, "storage.data_dir");
        assert!(Cli::try_parse_from(["ringwire", "token", "--user", "0"]).is_err());
        let cli = Cli::parse_from(["ringwire", "user", "delete", "--user", "7"]);
        assert!(matches!(cli.command, Some(Command::User(UserCommand::Delete(_)))));
    }

    #[test]
    fn a_token_can_be_minted_before_the_first_start_and_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data").display().to_string();
        let flag = FlagValue { key: "storage.data_dir", flag: "--data-dir", value: data_dir };
        let loaded = config::load(None, [], &[flag]).unwrap();
        let args = TokenArgs { user: UserId::new(1).unwrap(), ttl_s: Some(60) };
        let token = mint_token(&loaded, &args).unwrap();
        let auth = &loaded.config.auth;
        let own = secret::read_key(auth.jwt_secret_file.path()).unwrap();
        let verifier = TokenVerifier::new(&own, auth).unwrap();
        let identity = verifier.verify(&token, unix_now_ms()).unwrap();
        assert_eq!(identity.user, TokenUser::Known(UserId::new(1).unwrap()));
        assert!(identity.expires_at_ms <= unix_now_ms() + 60_000);
    }
}
