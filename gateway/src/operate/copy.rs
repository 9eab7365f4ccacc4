//! `ringwire db copy`: an embedded installation grows up.

use std::process::ExitCode;

use clap::Args;
use ringwire_storage::Database as StoreDatabase;
use ringwire_storage::operate::copy::{self, Observer};

use super::{Progress, configured, name_of, run};
use crate::cli::say;
use crate::config::StorageConfig;

/// Flags of `ringwire db copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// sqlite (in --data-dir) or postgres://user:password@host/database.
    #[arg(long, value_name = "URL", value_parser = parse_place)]
    pub from: Place,
    /// The same for the target, which must be empty [default: storage.database of the configuration].
    #[arg(long, value_name = "URL", value_parser = parse_place)]
    pub to: Option<Place>,
}

/// Where a database is, as flags say it.
#[derive(Clone)]
pub enum Place {
    /// In the data folder.
    Sqlite,
    /// At this address, which may hold a password.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres(_) => "Postgres(***)",
        })
    }
}

impl Place {
    fn database(&self, config: &StorageConfig) -> StoreDatabase {
        match self {
            Self::Sqlite => StoreDatabase::Sqlite { dir: config.data_dir.clone() },
            Self::Postgres(url) => StoreDatabase::Postgres { url: url.clone() },
        }
    }
}

fn parse_place(text: &str) -> Result<Place, String> {
    match text {
        "sqlite" => Ok(Place::Sqlite),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(Place::Postgres(url.to_owned()))
        }
        _ => Err("expected sqlite or postgres://user:password@host/database".to_owned()),
    }
}

/// Copies everything and says what to change in the configuration.
pub fn copy(config: &StorageConfig, args: &CopyArgs) -> anyhow::Result<ExitCode> {
    let from = args.from.database(config);
    let to = args.to.as_ref().map_or_else(|| configured(config), |place| place.database(config));
    say(format_args!("copying {} to {}", name_of(&from), name_of(&to)))?;
    let mut report = Report { progress: Progress::new() };
    let rows = run(async { Ok(copy::copy(&from, &to, &mut report).await?) })?;
    report.progress.clear();
    say(format_args!("copied and compared {rows} rows: both sides are equal"))?;
    say(advice(config, &from, &to))?;
    Ok(ExitCode::SUCCESS)
}

fn advice(config: &StorageConfig, from: &StoreDatabase, to: &StoreDatabase) -> String {
    let database = match to {
        StoreDatabase::Sqlite { .. } => "sqlite".to_owned(),
        StoreDatabase::Postgres { .. } => name_of(to),
    };
    let dir = config.data_dir.display();
    format!(
        "Now set in the configuration of every server:

    [storage]
    database = \"{database}\"    # with its password
    data_dir = \"{dir}\"    # as before: the keys and files lie there, not in the database

and start them. {} is as it was; no server may use it any more. Keep it as a backup.",
        name_of(from)
    )
}

struct Report {
    progress: Progress,
}

impl Observer for Report {
    fn copying(&mut self, table: &'static str, rows: u64) {
        self.progress.show(&format!("copying {table}: {rows} rows"));
    }

    fn copied(&mut self, table: &'static str, rows: u64) {
        self.progress.clear();
        // What cannot be told ends no copy.
        let _ = say(format_args!("{table}: {rows} rows"));
    }

    fn comparing(&mut self, table: &'static str, rows: u64) {
        self.progress.show(&format!("comparing {table}: {rows} rows"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_their_passwords_not_shown() {
        assert!(matches!(parse_place("sqlite"), Ok(Place::Sqlite)));
        let place = parse_place("postgres://a:secret@h/d").unwrap();
        assert!(!format!("{place:?}").contains("secret"));
        let error = parse_place("mysql://a:secret@h/d").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
