//! Numbered migrations: which ones a database still needs, and whether this release may touch it at all.
//!
//! A migration belongs to a *major* schema. A release works with every database of its own major, also one that a newer
//! release has extended (expand first, contract a release later), and refuses a newer major. The runners of the two
//! databases apply what `pending` says, all in one transaction under a lock; the ready-made ones we looked at have no
//! such lock and refuse any newer schema, so two releases could not run side by side.

use crate::error::StoreError;

/// The major schema of this release.
const MAJOR: i64 = 1;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) major: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $(($version:literal, $major:literal, $name:literal)),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            major: $major,
            name: $name,
            sql: include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        }),+]
    };
}

/// For SQLite, in order.
pub(crate) const SQLITE: &[Migration] = migrations!["sqlite":
    (1, 1, "V001__log_and_directory"),
    (2, 1, "V002__company"),
    (3, 1, "V003__protocol"),
    (4, 1, "V004__accounts"),
    (5, 1, "V005__notifications"),
    (6, 1, "V006__operators"),
    (7, 1, "V007__audit"),
];

/// For Postgres, in order.
pub(crate) const POSTGRES: &[Migration] = migrations!["postgres":
    (1, 1, "V001__log_and_directory"),
    (2, 1, "V002__company"),
    (3, 1, "V003__protocol"),
    (4, 1, "V004__accounts"),
    (5, 1, "V005__notifications"),
    (6, 1, "V006__operators"),
    (7, 1, "V007__audit"),
];

/// The table that says what was applied; the same text works on both.
pub(crate) const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version bigint PRIMARY KEY,
    major bigint NOT NULL,
    name text NOT NULL
)";

/// What a database says about its schema.
pub(crate) const NEWEST: &str =
    "SELECT max(version), max(major) FROM schema_migrations HAVING count(*) > 0";

/// The newest of what a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) major: i64,
}

/// The migrations to apply; `None`: to a new database.
pub(crate) fn pending(
    known: &'static [Migration],
    applied: Option<Applied>,
) -> Result<&'static [Migration], StoreError> {
    let Some(Applied { version, major }) = applied else { return Ok(known) };
    if major > MAJOR {
        return Err(StoreError::SchemaTooNew { found: major, supported: MAJOR });
    }
    let done = known.iter().take_while(|migration| migration.version <= version).count();
    Ok(&known[done..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Migration] = &[
        Migration { version: 1, major: 1, name: "V001", sql: "" },
        Migration { version: 2, major: 1, name: "V002", sql: "" },
    ];

    #[test]
    fn a_new_database_needs_everything() {
        assert_eq!(pending(KNOWN, None).expect("fine").len(), 2);
    }

    #[test]
    fn only_what_is_missing_is_applied() {
        let rest = pending(KNOWN, Some(Applied { version: 1, major: 1 })).expect("fine");
        assert_eq!(rest.iter().map(|m| m.version).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_newer_minor_schema_is_accepted_as_it_is() {
        assert!(pending(KNOWN, Some(Applied { version: 9, major: 1 })).expect("fine").is_empty());
    }

    #[test]
    fn a_newer_major_schema_is_refused() {
        let refused = pending(KNOWN, Some(Applied { version: 9, major: 2 }));
        assert!(matches!(refused, Err(StoreError::SchemaTooNew { found: 2, supported: 1 })));
    }

    #[test]
    fn both_databases_have_the_same_versions() {
        let versions =
            |list: &[Migration]| list.iter().map(|m| (m.version, m.major)).collect::<Vec<_>>();
        assert_eq!(versions(SQLITE), versions(POSTGRES));
        assert!(SQLITE.windows(2).all(|pair| pair[0].version < pair[1].version));
    }
}
