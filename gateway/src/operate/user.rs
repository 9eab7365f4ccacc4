//! `ringwire user`: what an operator does for, or about, one user.
//!
//! On Postgres it works beside running servers: they end the user's sessions and memberships within a minute and erase
//! what the user wrote. Without one, the next server to start does.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use ringwire_protocol::UserId;
use ringwire_storage::Store;
use ringwire_storage::audit::{AuditEntry, AuditOutcome};

use crate::api::resets::expiry;
use crate::auth::ResetToken;
use crate::cli::{parse_user_id, say, unix_now_ms};
use crate::config::Loaded;
use crate::export::Export;
use crate::startup;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Write all that is one user's to the standard output, as JSON lines; the last one is {"type":"end"}.
    Export(WhichUser),
    /// Print a token that is good once, to set a new password: for somebody who has forgotten theirs.
    ResetPassword(WhichUser),
    /// Delete an account for good: its name is free at once, its messages are erased by the server.
    Delete(WhichUser),
}

/// Which user.
#[derive(Debug, Args)]
pub struct WhichUser {
    /// Id of the user, 1 to 9007199254740991.
    #[arg(long, value_name = "ID", value_parser = parse_user_id)]
    pub user: UserId,
}

/// Does it.
pub fn user(loaded: &Loaded, command: &UserCommand) -> anyhow::Result<ExitCode> {
    super::run(async {
        let config = startup::store_config(&loaded.config)?;
        let store = Store::open(config, Arc::new(|_, _| {})).await?;
        match command {
            UserCommand::Export(WhichUser { user }) => export(store, *user).await,
            UserCommand::ResetPassword(WhichUser { user }) => {
                reset_password(&store, *user, loaded.config.auth.password_reset_ttl_s).await
            }
            UserCommand::Delete(WhichUser { user }) => delete(&store, *user).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn export(store: Store, user: UserId) -> anyhow::Result<()> {
    if store.user(user).await?.is_none() {
        bail!("there is no user {user}");
    }
    let mut export = Export::new(store, user);
    let mut out = io::stdout().lock();
    while let Some(lines) = export.next().await? {
        out.write_all(&lines).context("cannot write the export")?;
    }
    out.flush().context("cannot write the export")
}

/// The token goes to the standard output, so that a script can take it; how to use it goes beside.
async fn reset_password(store: &Store, user: UserId, ttl_s: u64) -> anyhow::Result<()> {
    let token = ResetToken::random()?;
    let now_ms = unix_now_ms();
    if !store.create_password_reset(user, token.hash(), expiry(now_ms, ttl_s), now_ms).await? {
        bail!("there is no user {user}");
    }
    let entry = AuditEntry {
        actor: None,
        operator: None,
        action: "user.reset_password".to_owned(),
        target: format!("user:{user}"),
        detail: "{}".to_owned(),
        outcome: AuditOutcome::Done,
    };
    store.append_audit(entry).await?;
    say(token.expose())?;
    // Nobody has to read that; it stands in the README too.
    let _ = writeln!(
        io::stderr(),
        "Good once, for {} minutes: POST /api/v1/auth/password-reset/confirm with {{\"token\": \"...\", \"password\": \
         \"...\"}}. All logins of user {user} end with it.",
        ttl_s / 60
    );
    Ok(())
}

async fn delete(store: &Store, user: UserId) -> anyhow::Result<()> {
    if !store.delete_user(user, None).await? {
        bail!("there is no user {user}");
    }
    say(format_args!(
        "The account of user {user} is closed. A running server ends its sessions and memberships within a minute \
         and then erases its messages; without one, the next server to start does."
    ))?;
    Ok(())
}
