//! `ringwire migrate`: brings the schema up to date, as a server does at its start.

use std::process::ExitCode;

use clap::Args;
use ringwire_storage::operate::migrate;

use super::{configured, exit_code, name_of, run};
use crate::config::StorageConfig;

/// Flags of `ringwire migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Change nothing; exit code 1 if something would change.
    #[arg(long)]
    pub check: bool,
}

/// Brings the schema up to date and says what it did.
pub fn migrate(config: &StorageConfig, args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let database = configured(config);
    let migrated = run(async {
        Ok(if args.check {
            migrate::pending(&database).await?
        } else {
            migrate::migrate(&database).await?
        })
    })?;
    let verb = if args.check { "pending" } else { "applied" };
    for step in &migrated.steps {
        println!("{verb} {step}");
    }
    let name = name_of(&database);
    match (migrated.steps.is_empty(), args.check) {
        (true, _) => println!("{name}: schema {} is up to date", migrated.after),
        (false, true) => println!(
            "{name}: schema {}, this release wants {}; run `ringwire migrate`, or start the server",
            migrated.before, migrated.after
        ),
        (false, false) => {
            println!("{name}: schema {} is now {}", migrated.before, migrated.after);
        }
    }
    Ok(exit_code(args.check && !migrated.steps.is_empty()))
}
