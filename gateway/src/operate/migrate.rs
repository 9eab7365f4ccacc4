//! `ringwire migrate`: brings the schema up to date, as a server does at its start.

use std::process::ExitCode;

use clap::Args;
use ringwire_storage::operate::migrate::{self, Converted};
use ringwire_storage::{Database as StoreDatabase, StoreError};

use super::{configured, exit_code, name_of, run};
use crate::cli::say;
use crate::config::StorageConfig;

/// Flags of `ringwire migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Change nothing; exit code 1 if something would change.
    #[arg(long)]
    pub check: bool,
    /// Bring the log on Postgres to so many partitions, 2 to 256; 0: to one table. Who writes or reads waits meanwhile.
    #[arg(long, value_name = "N", value_parser = parse_partitions)]
    pub partitions: Option<u32>,
}

fn parse_partitions(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| migrate::is_partition_count(*count));
    count.ok_or_else(|| "expected 0 (one table), or 2 to 256".to_owned())
}

/// Brings the schema up to date and says what it did.
pub fn migrate(config: &StorageConfig, args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let database = configured(config);
    let is_sqlite = matches!(database, StoreDatabase::Sqlite { .. });
    if is_sqlite && args.partitions.is_some() {
        return Err(StoreError::NoPartitions.into());
    }
    let for_new = args.partitions.unwrap_or(config.partitions);
    let migrated = run(async {
        Ok(if args.check {
            migrate::pending(&database).await?
        } else {
            migrate::migrate(&database, for_new).await?
        })
    })?;
    let verb = if args.check { "pending" } else { "applied" };
    for step in &migrated.steps {
        say(format_args!("{verb} {step}"))?;
    }
    let name = name_of(&database);
    match (migrated.steps.is_empty(), args.check) {
        (true, _) => say(format_args!("{name}: schema {} is up to date", migrated.after)),
        (false, true) => say(format_args!(
            "{name}: schema {}, this release wants {}; run `ringwire migrate`, or start the server",
            migrated.before, migrated.after
        )),
        (false, false) => {
            say(format_args!("{name}: schema {} is now {}", migrated.before, migrated.after))
        }
    }?;
    let pending = match args.partitions {
        Some(partitions) if args.check => would_convert(&database, partitions)?,
        Some(partitions) => {
            convert(&database, partitions)?;
            false
        }
        None => false,
    };
    Ok(exit_code(args.check && (pending || !migrated.steps.is_empty())))
}

/// Says whether the log has another number of partitions.
fn would_convert(database: &StoreDatabase, wanted: u32) -> anyhow::Result<bool> {
    let now = run(async { Ok(migrate::partitions(database).await?) })?;
    if now == wanted {
        say(format_args!("the log is {} already", layout(now)))?;
    } else {
        say(format_args!("pending: the log is {}, to be {}", layout(now), layout(wanted)))?;
    }
    Ok(now != wanted)
}

/// Converts the log and says what it did.
fn convert(database: &StoreDatabase, wanted: u32) -> anyhow::Result<()> {
    match run(async { Ok(migrate::partition(database, wanted).await?) })? {
        None => say(format_args!("the log is {} already", layout(wanted)))?,
        Some(Converted { before, after, rows }) => say(format_args!(
            "the log was {} and is now {}: copied and counted {rows} entries\n\
             Now set storage.partitions = {after} in the configuration of every server.",
            layout(before),
            layout(after)
        ))?,
    }
    Ok(())
}

fn layout(partitions: u32) -> String {
    if partitions == 0 { "one table".to_owned() } else { format!("{partitions} partitions") }
}
