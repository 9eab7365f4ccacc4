//! What a store promises, on both databases: every test here runs on SQLite and on Postgres.

mod support;

/// Makes each function a test on either database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Backend::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Backend::Postgres).await;
            })+
        }
    };
}

/// Makes each function a test on a partitioned database besides.
macro_rules! also_partitioned {
    ($($name:ident),+ $(,)?) => {
        mod partitioned {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Backend::PostgresPartitioned).await;
            })+
        }
    };
}

/// Makes each function a test on either database, and on a partitioned one.
macro_rules! on_both_also_partitioned {
    ($($name:ident),+ $(,)?) => {
        on_both!($($name),+);
        also_partitioned!($($name),+);
    };
}

/// Makes each function a test on either database, without encryption and with it, and on a partitioned one.
macro_rules! on_both_also_sealed {
    ($($name:ident),+ $(,)?) => {
        on_both_also_partitioned!($($name),+);
        mod sealed_sqlite {
            $(#[tokio::test]
            async fn $name() {
                crate::support::sealed(super::$name(crate::support::Backend::Sqlite)).await;
            })+
        }
        mod sealed_postgres {
            $(#[tokio::test]
            async fn $name() {
                crate::support::sealed(super::$name(crate::support::Backend::Postgres)).await;
            })+
        }
    };
}

#[path = "contract/abandoned.rs"]
mod abandoned;
#[path = "contract/account.rs"]
mod account;
#[path = "contract/aliases.rs"]
mod aliases;
#[path = "contract/append.rs"]
mod append;
#[path = "contract/attachments.rs"]
mod attachments;
#[path = "contract/audit.rs"]
mod audit;
#[path = "contract/blocks.rs"]
mod blocks;
#[path = "contract/changes/mod.rs"]
mod changes;
#[path = "contract/check.rs"]
mod check;
#[path = "contract/collation.rs"]
mod collation;
#[path = "contract/contacts.rs"]
mod contacts;
#[path = "contract/conversations.rs"]
mod conversations;
#[path = "contract/copy.rs"]
mod copy;
#[path = "contract/devices.rs"]
mod devices;
#[path = "contract/directory.rs"]
mod directory;
#[path = "contract/encryption.rs"]
mod encryption;
#[path = "contract/failures.rs"]
mod failures;
#[path = "contract/leftovers.rs"]
mod leftovers;
#[path = "contract/locks.rs"]
mod locks;
#[path = "contract/migrating.rs"]
mod migrating;
#[path = "contract/operators.rs"]
mod operators;
#[path = "contract/outboxes.rs"]
mod outboxes;
#[path = "contract/pages.rs"]
mod pages;
#[path = "contract/partitions.rs"]
mod partitions;
#[path = "contract/passwords.rs"]
mod passwords;
#[path = "contract/presence.rs"]
mod presence;
#[path = "contract/profiles.rs"]
mod profiles;
#[path = "contract/push.rs"]
mod push;
#[path = "contract/race/mod.rs"]
mod race;
#[path = "contract/refresh.rs"]
mod refresh;
#[path = "contract/retention.rs"]
mod retention;
#[path = "contract/search.rs"]
mod search;
#[path = "contract/views.rs"]
mod views;
